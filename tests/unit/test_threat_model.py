"""The threat model names tests that exist, for every kind of threat at every boundary."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "threat-model.md").read_text("utf-8")
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")


def boundaries() -> dict[str, list[list[str]]]:
    """The rows of each numbered part, cut into cells."""
    found: dict[str, list[list[str]]] = {}
    for part in re.split(r"(?m)^## ", PAGE)[1:]:
        title, _, rest = part.partition("\n")
        if re.match(r"\d+\. ", title):
            lines = [line for line in rest.splitlines() if re.match(r"\| [STRIDE] \|", line)]
            found[title] = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return found


def test_every_boundary_has_all_six_kinds_and_every_threat_a_test() -> None:
    found = boundaries()
    assert len(found) >= 9
    for title, rows in found.items():
        assert {row[0] for row in rows} == set("STRIDE"), title
        for row in rows:
            assert len(row) == 4, row
            assert NAMED.search(row[3]), f"{title}: nothing holds «{row[1]}»"


def test_every_named_test_exists() -> None:
    named = set(NAMED.findall(PAGE))
    assert len(named) > 50
    missing = []
    for path, name in sorted(named):
        file = ROOT / path
        text = file.read_text("utf-8") if file.is_file() else ""
        if not re.search(rf"(?m)^(?:async )?def {name}\(", text):
            missing.append(f"{path}::{name}")
    assert missing == []
    assert PAGE.count("::test_") == len(NAMED.findall(PAGE)), "a name the pattern does not read"


def test_the_checklist_has_every_chapter() -> None:
    chapters = re.findall(r"(?m)^\| V(\d+) .*?\| (met|partly|not met) \|", PAGE)
    assert [int(number) for number, _ in chapters] == list(range(1, 15))
