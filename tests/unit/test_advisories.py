"""The audit of dependencies: what a record concerns, what is accepted, what no network means."""

import json
import sys
import zipfile
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))

import advisories  # noqa: E402  # reason: the tools folder is no package

LOCKED = {"jinja2": "3.1.4", "some-thing": "2.0"}


def a_record(name: str, *events: dict[str, str], **more: Any) -> dict[str, Any]:
    affected = {
        "package": {"ecosystem": "PyPI", "name": name},
        "ranges": [{"type": "ECOSYSTEM", "events": list(events)}],
        "versions": more.pop("versions", []),
    }
    return {"id": "GHSA-0000-1111-2222", "affected": [affected], **more}


@pytest.mark.parametrize(
    ("record", "is_hit"),
    [
        (a_record("Jinja2", {"introduced": "0"}, {"fixed": "3.1.5"}), True),
        (a_record("Jinja2", {"introduced": "0"}, {"fixed": "3.1.4"}), False),
        (a_record("jinja2", {"fixed": "3.1.5"}, {"introduced": "3.1.4"}), True),
        (a_record("jinja2", {"introduced": "3.2"}), False),
        (a_record("jinja2", {"introduced": "0"}, {"last_affected": "3.1.4"}), True),
        (a_record("jinja2", {"introduced": "0"}, {"last_affected": "3.1.3"}), False),
        (a_record("jinja2", {"introduced": "0"}, {"fixed": "3.0"}, {"introduced": "3.1"}), True),
        (a_record("jinja2", versions=["3.1.4"]), True),
        (a_record("jinja2", {"introduced": "not a version"}), True),
        (a_record("Some.Thing", {"introduced": "0"}), True),
        (a_record("other", {"introduced": "0"}), False),
        (a_record("jinja2", {"introduced": "0"}, withdrawn="2026-01-01T00:00:00Z"), False),
    ],
)
def test_which_versions_a_record_concerns(record: dict[str, Any], is_hit: bool) -> None:
    assert bool(advisories.from_records(LOCKED, [record])) is is_hit


def test_other_ecosystems_are_passed_over() -> None:
    record = a_record("jinja2", {"introduced": "0"})
    record["affected"][0]["package"]["ecosystem"] = "npm"
    assert advisories.from_records(LOCKED, [record]) == {}


def test_accepted_until_its_day() -> None:
    found = {"jinja2==3.1.4": ["A-1", "A-2", "A-3"]}
    accepted = {
        "A-1": {"reason": "the sandbox is not used", "until": date(2026, 12, 1)},
        "A-2": {"reason": "the sandbox is not used", "until": date(2026, 11, 1)},
    }
    lines = advisories.open_ones(found, accepted, today=date(2026, 11, 22))
    assert [line.split(";")[0].split(" was")[0] for line in lines] == [
        "jinja2==3.1.4: A-2", "jinja2==3.1.4: A-3",
    ]  # fmt: skip


def a_house(folder: Path, **accepted: str) -> Path:
    (folder / "requirements").mkdir()
    (folder / "tools").mkdir()
    line = "jinja2==3.1.4 \\\n    --hash=sha256:" + "0f" * 32 + "\n"
    (folder / "requirements" / "dev.txt").write_text(line)
    text = "\n".join(f'["{name}"]\n{body}' for name, body in accepted.items())
    (folder / "tools" / "advisories_accepted.toml").write_text(text)
    return folder


@pytest.mark.parametrize("packed", [False, True])
def test_records_from_a_folder_or_archive(
    packed: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    house = a_house(tmp_path)
    said = json.dumps(a_record("jinja2", {"introduced": "0"}))
    place = tmp_path / "advisories"
    if packed:
        place = tmp_path / "all.zip"
        with zipfile.ZipFile(place, "w") as made:
            made.writestr("GHSA-0000-1111-2222.json", said)
    else:
        place.mkdir()
        (place / "one.json").write_text(said)
    monkeypatch.setenv("ADVISORIES", str(place))
    assert advisories.main(house) == 1
    assert "jinja2==3.1.4: GHSA-0000-1111-2222" in capsys.readouterr().out
    (house / "tools" / "advisories_accepted.toml").write_text(
        '["GHSA-0000-1111-2222"]\nreason = "templates are ours alone"\nuntil = 9999-01-01\n'
    )
    assert advisories.main(house) == 0
    (house / "tools" / "advisories_accepted.toml").write_text('["A"]\nreason = "no"\n')
    with pytest.raises(SystemExit):
        advisories.main(house)


def test_without_a_network_it_is_said_and_stops_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    house = a_house(tmp_path)
    monkeypatch.delenv("ADVISORIES", raising=False)

    def unreachable(*_: Any, **__: Any) -> httpx.Response:
        raise httpx.ConnectError("no way out")

    monkeypatch.setattr(httpx, "post", unreachable)
    assert advisories.main(house) == 0
    told = capsys.readouterr()
    assert told.out == ""
    assert "NOT DONE" in told.err
    monkeypatch.setenv("AUDIT", "required")
    assert advisories.main(house) == 1
    monkeypatch.setenv("ADVISORIES", str(tmp_path / "nowhere.zip"))
    assert advisories.main(house) == 1


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        ({"results": [{"vulns": [{"id": "A-1", "modified": "x"}]}]}, {"jinja2==3.1.4": ["A-1"]}),
        ({"results": [{}]}, {}),
        ({"results": []}, None), ({"other": 1}, None), ([], None),
        ({"results": [{"vulns": 1}]}, None),
    ],
)  # fmt: skip
def test_what_the_database_answers(
    answer: Any, outcome: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def answered(url: str, *, json: Any, **_: Any) -> httpx.Response:
        assert json["queries"] == [
            {"package": {"name": "jinja2", "ecosystem": "PyPI"}, "version": "3.1.4"}
        ]
        return httpx.Response(200, json=answer, request=httpx.Request("POST", url))

    monkeypatch.setattr(httpx, "post", answered)
    if outcome is None:
        with pytest.raises(advisories.NoAdvisories):
            advisories.asked({"jinja2": "3.1.4"})
    else:
        assert advisories.asked({"jinja2": "3.1.4"}) == outcome


def test_the_answer_is_asked_once_a_day(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    house, questions = a_house(tmp_path), []
    (house / ".venv").mkdir()
    monkeypatch.delenv("ADVISORIES", raising=False)

    def asked(packages: Any) -> advisories.Found:
        questions.append(packages)
        return {}

    monkeypatch.setattr(advisories, "asked", asked)
    assert [advisories.main(house) for _ in range(3)] == [0, 0, 0]
    assert len(questions) == 1


def test_make_check_looks_for_all_of_it() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    check = makefile.partition("\ncheck:")[2].partition("\n\n")[0]
    for tool in ("leaks", "locks", "advisories", "budgets", "glossary"):
        assert f"tools/{tool}.py" in check
    # the rules on passwords are tested by files that are neither slow nor long proofs
    rules = (ROOT / "tests" / "unit" / "test_passwords.py").read_text(encoding="utf-8")
    assert "mark.slow" not in rules
    assert "mark.prove" not in rules
