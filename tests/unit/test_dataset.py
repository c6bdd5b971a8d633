"""The demo registry: the same bytes each time, the real figures, nobody's numbers."""

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from stdnum import luhn
from stdnum.ru import inn, ogrn

from directory.dataset import COLUMNS, Dataset, generate
from directory.dataset.vocabulary import regions, unions

ROOT = Path(__file__).parents[2]


def _named(dataset: Dataset, table: str) -> list[dict]:
    return [dict(zip(COLUMNS[table], row, strict=True)) for row in dataset.rows(table)]


@pytest.fixture(scope="module")
def demo() -> Dataset:
    return generate("M")


def test_registry_has_same_bytes_in_another_process():
    code = "from directory.dataset import generate; print(generate('S', seed=7).sha256())"
    for hash_seed in ("1", "2"):
        environment = os.environ | {"PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(ROOT)}
        answer = subprocess.run(
            [sys.executable, "-c", code], env=environment, cwd=ROOT, check=True,
            capture_output=True, text=True,
        )  # fmt: skip
        assert answer.stdout.strip() == generate("S", seed=7).sha256()
    assert generate("S", seed=8).sha256() != generate("S", seed=7).sha256()


def test_demo_registry_has_the_same_bytes_twice(demo):
    assert generate("M").sha256() == demo.sha256()


def test_small_registry_has_its_figures():
    active = Counter(
        row["kind"] for row in _named(generate("S"), "organization") if row["status"] == "active"
    )
    assert active == {"center": 1, "district": 2, "territorial": 3, "union": 3, "regional": 9,
                      "local": 12, "primary": 60, "council": 2, "outside": 2}  # fmt: skip


def test_demo_registry_has_its_figures(demo):
    rows = [row for row in _named(demo, "organization") if row["status"] == "active"]
    assert Counter(row["kind"] for row in rows) == {
        "center": 1, "district": 8, "territorial": 86, "union": 45, "regional": 1600,
        "local": 500, "primary": 9600, "council": 1548, "outside": 100,
    }  # fmt: skip
    health = Counter(row["kind"] for row in rows if row["branch_code"] == "07")
    assert health == {"union": 1, "regional": 80, "local": 170, "primary": 7555}
    irkutsk = Counter(row["kind"] for row in rows if row["region_code"] == "38")
    assert (irkutsk["primary"], irkutsk["regional"], irkutsk["local"]) == (2232, 20, 47)


def test_numbers_hold_and_are_nobodys(demo):
    rows = _named(demo, "organization")
    with_inn = [row for row in rows if row["inn"]]
    assert len(with_inn) > 4000
    assert len({row["inn"] for row in with_inn}) == len(with_inn)
    for row in with_inn:
        assert inn.is_valid(row["inn"])
        assert row["inn"][2:4] == "99"
        assert ogrn.is_valid(row["ogrn"])
    assert len({row["code"] for row in rows}) == len(rows)
    assert all(luhn.is_valid(row["code"].replace("-", "")) for row in rows)
    assert all(row["email"] in {"", f"org-{row['code']}@example.org"} for row in rows)


def test_shares_without_email_and_without_internet(demo):
    channels = Counter(
        row["channels"][0] for row in _named(demo, "organization") if row["kind"] == "primary"
    )
    total = sum(channels.values())
    assert channels["voice"] / total == pytest.approx(0.12, abs=0.015)
    assert channels["paper"] / total == pytest.approx(0.03, abs=0.01)


def test_names_agree_in_sex(demo):
    for person in _named(demo, "person")[:5000]:
        assert person["last_name"].endswith("а") == person["middle_name"].endswith("на")


def test_every_active_organization_has_one_chairman(demo):
    chairmen = Counter(
        row["organization_id"] for row in _named(demo, "post")
        if row["kind"] == "chairman" and row["valid_to"] is None
    )  # fmt: skip
    expected = {
        row["id"] for row in _named(demo, "organization")
        if row["status"] == "active" and row["kind"] != "outside"
    }  # fmt: skip
    assert set(chairmen) == expected
    assert set(chairmen.values()) == {1}


def test_vocabulary_is_whole():
    assert len(regions()) == 89
    assert len(unions()) == 45
    assert len({region.district for region in regions()}) == 8
