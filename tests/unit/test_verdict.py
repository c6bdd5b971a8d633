"""The verdict's truth table: who, where, when, on which terms; every row stated by hand."""

import csv
import hashlib
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from compliance.verdicts import case as c
from compliance.verdicts.attribution import compose, read_public
from compliance.verdicts.rules import RULES, VERSION, VERSIONS
from compliance.verdicts.verdict import judge

ROWS = list(csv.DictReader((Path(__file__).parent / "verdict_rows.csv").open(encoding="utf-8")))
FIRST, LAST = date(2026, 1, 1), date(2026, 12, 31)
DAYS = {
    "eve": FIRST - timedelta(days=1), "first": FIRST, "last": LAST,
    "after": LAST + timedelta(days=1), "revoked": LAST,
}  # fmt: skip
SECTORAL: dict[str, tuple[str, ...]] = {
    "own": ("centre",), "child": ("own", "centre"), "grandchild": ("child", "own", "centre"),
    "cousin": ("branch", "centre"), "stranger": ("abroad",), "superior": (),
}  # fmt: skip
TERRITORIAL: dict[str, tuple[str, ...]] = {"cousin": ("own",)}
PICTURE = c.Picture(
    "p1", title="Первомай", author="Анна Смирнова", source="https://commons.example.org/wiki/May",
    has_snapshot=True, approved_by="someone",
)  # fmt: skip


def use_of(row: dict[str, str], **more: Any) -> c.Use:
    who = {"superior": "centre"}.get(row["who"], row["who"])
    return c.Use(
        organization=who, channel=row["where"], on=DAYS[row["when"]],  # type: ignore[arg-type]  # words of the table
        superiors={"sectoral": SECTORAL[row["who"]],
                   "territorial": TERRITORIAL.get(row["who"], ())}, **more,
    )  # fmt: skip


def evidence(**more: Any) -> c.Evidence:
    return c.Evidence(sha256="00", **more)


def exact(**more: Any) -> tuple[c.Match, ...]:
    return (c.Match("p1", "exact", **more),)


def contract(row: dict[str, str]) -> c.Case:
    licence = c.Licence(
        "l1", "p1", "contract", holder="Фото ООО", grantee="own", line="sectoral",
        reach=row["reach"], channels=("site",), since=FIRST, until=LAST,  # type: ignore[arg-type]  # words of the table
        revoked_on=LAST if row["when"] == "revoked" else None,
    )  # fmt: skip
    return c.Case(use_of(row), evidence(), exact(), (PICTURE,), (licence,))


CAPTION = "«Первомай», Анна Смирнова, источник: commons.example.org/wiki/May, лицензия {}"


def opened(row: dict[str, str]) -> c.Case:
    what = row["caption"]
    full = CAPTION.format(row["terms"])
    caption = {
        "no_author": full.replace("Анна Смирнова, ", ""),
        "no_source": full.replace("источник: commons.example.org/wiki/May, ", ""),
        "no_licence": full.partition(", лицензия")[0],
        "no_title": full.replace("«Первомай», ", ""),
        "changed_said": full + ", кадрировано",
        "empty": "",
    }.get(what, full)
    use = use_of(
        row, caption=caption, is_changed=what.startswith("changed"),
        is_commercial={"commercial": True, "commercial_unknown": None}.get(what, False),
    )  # fmt: skip
    licence = c.Licence("l1", "p1", "public", public=row["terms"])
    return c.Case(use, evidence(), exact(), (PICTURE,), (licence,))


def own(row: dict[str, str]) -> c.Case:
    work = c.OwnWork(
        "p1", "own", "Ольга Ветрова", channels=("site",), since=FIRST, until=LAST,
        withdrawn_on=LAST if row["when"] == "revoked" else None,
    )  # fmt: skip
    return c.Case(use_of(row), evidence(), exact(), (PICTURE,), own_works=(work,))


def claim(row: dict[str, str]) -> c.Case:
    level, held = row["terms"].split()
    claimant = c.Claimant("k1", "Иван Грозов", works=("p1",), since=FIRST, until=LAST)
    holder = {"other": "Фото ООО", "theirs": "Иван Грозов"}.get(held)
    licences = (c.Licence("l1", "p1", "contract", holder=holder, grantee="own"),) if holder else ()
    matches = () if level == "named" else (c.Match("p1", level),)  # type: ignore[arg-type]  # words of the table
    credits = (c.Credit("ocr", author="ИВАН ГРОЗОВ"),) if level == "named" else ()
    return c.Case(
        use_of(row), evidence(credits=credits), matches, (PICTURE,), licences, claimants=(claimant,)
    )


SIGNS: dict[str, dict[str, Any]] = {
    "credit": {"credits": (c.Credit("ocr", author="А. Смирнов", agency="ТАСС"),)},
    "stock": {"credits": (c.Credit("ocr", stock="Shutterstock"),)},
    "rights": {"rights": {"copyright": "© Пётр Светлов"}},
    "conflict": {"findings": ("metadata_conflict",)},
    "ai": {"findings": ("ai_declared",)},
    "c2pa_broken": {"c2pa": "broken"},
    "blank": {"quality": 3},
    "gps": {"findings": ("gps_present",)},
}
LICENCES: dict[str, dict[str, Any]] = {
    "licensed_scan": {"is_confirmed": False},
    "seat_taken": {"seats": ("a", "b"), "max_seats": 2},
    "seat_free": {"seats": ("a",), "max_seats": 2},
    "seat_mine": {"seats": ("a", "me"), "max_seats": 2},
    "territory": {"territories": ("BY",)},
    "wording_missing": {"attribution": "Фото: Лори / ООО «Фото»"},
    "wording_there": {"attribution": "Фото: Лори / ООО «Фото»"},
}


def signs(row: dict[str, str]) -> c.Case:
    terms = row["terms"]
    seen = SIGNS.get(terms.removeprefix("licensed_"), {})
    if terms == "licensed_half":
        matches = exact(covered=0.5)
    elif terms.startswith("collage"):
        matches = (c.Match("p1", "verified", 0.5), c.Match("p2", "verified", 0.5))
    else:
        matches = () if terms in ("nothing", *SIGNS) else exact()
    terms_of = LICENCES.get(terms, {})
    licences = [c.Licence("l1", "p1", "contract", holder="Ф", grantee="own", **terms_of)]
    if terms == "collage_both":
        licences.append(c.Licence("l2", "p2", "contract", holder="Ф", grantee="own"))
    if terms == "two_licences":
        licences.insert(0, c.Licence("l0", "p1", "contract", grantee="other"))
    picture = msgspec.structs.replace(
        PICTURE, has_snapshot=terms != "licensed_no_snapshot",
        approved_by=None if terms == "licensed_unapproved" else "someone",
        carries_rights=terms == "licensed_stripped",
    )  # fmt: skip
    if terms == "licensed_credit":
        seen = SIGNS["credit"]
    caption = "На площади. Фото: Лори / ООО Фото" if terms == "wording_there" else ""
    return c.Case(
        use_of(row, caption=caption, seat="me"), evidence(**seen), matches,
        (picture, msgspec.structs.replace(PICTURE, id="p2")), tuple(licences) if matches else (),
    )  # fmt: skip


MAKE = {"contract": contract, "open": opened, "own": own, "claim": claim, "signs": signs}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: "-".join(filter(None, row.values())))
def test_row(row: dict[str, str]) -> None:
    case = MAKE[row["group"]](row)
    found = judge(case)
    assert found.outcome == row["expect"]
    assert set(row["codes"].split()) <= {one.code for one in found.reasons}
    again = judge(c.decode_case(c.encode(case)))
    assert c.encode(again) == c.encode(found)


WORDED_THEN = {"2026-11.1": "8b58fccc2bdd17e491fe7f6cf4405c9682df061777c5cf1d5f2d7e11dc9a51c4"}
"""SHA-256 over the verdicts on all rows, as each version's own release made them."""


@pytest.mark.parametrize("version", WORDED_THEN)
def test_verdicts_of_earlier_rules_are_made_again_byte_for_byte(version: str) -> None:
    digest = hashlib.sha256()
    for row in ROWS:
        digest.update(c.encode(judge(MAKE[row["group"]](row), rules=version)))
    assert digest.hexdigest() == WORDED_THEN[version]
    assert set(VERSIONS) == {*WORDED_THEN, VERSION}


def test_there_are_enough_rows() -> None:
    assert len(ROWS) >= 200


def test_the_day_on_which_the_answer_turns() -> None:
    row = {"who": "own", "reach": "organization", "where": "site", "when": "first"}
    found = judge(contract(row))
    assert found.turns == c.Turn(LAST + timedelta(days=1), "needs_licence")
    late = judge(contract({**row, "when": "after"}))
    assert late.turns is None
    early = judge(contract({**row, "when": "eve"}))
    assert early.turns == c.Turn(FIRST, "clear")


def test_a_claimant_of_tomorrow_turns_the_answer() -> None:
    row = {"who": "own", "where": "site", "when": "first", "reach": "organization"}
    base = contract(row)
    claimant = c.Claimant("k", "Иван Грозов", works=("p1",), since=FIRST + timedelta(days=9))
    found = judge(msgspec.structs.replace(base, claimants=(claimant,)))
    assert found.outcome == "clear"
    assert found.turns == c.Turn(FIRST + timedelta(days=9), "blocked")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("CC BY-SA 4.0", "CC BY-SA 4.0"), ("cc-by-nc-nd 2.5", "CC BY-NC-ND 2.5"),
        ("https://creativecommons.org/licenses/by-nc-sa/3.0/deed.ru", "CC BY-NC-SA 3.0"),
        ("СС ВУ 4.0", "CC BY 4.0"), ("CC0", "CC0 1.0"), ("CC BY SA 4", "CC BY-SA 4.0"),
        ("Public Domain Mark 1.0", "Public Domain Mark 1.0"), ("CC BY 7.0", None), ("©", None),
        ("CC BY", None),
    ],
)  # fmt: skip
def test_open_licences_are_read_as_people_write_them(text: str, name: str | None) -> None:
    found = read_public(text)
    assert (found and found.name) == name


def test_the_composed_line_satisfies_its_own_check() -> None:
    for kind in ("BY", "BY-SA", "BY-NC", "BY-ND", "BY-NC-SA", "BY-NC-ND"):
        for version in ("1.0", "2.0", "2.5", "3.0", "4.0"):
            row = {"who": "own", "where": "site", "when": "first", "reach": "",
                   "terms": f"CC {kind} {version}", "caption": "full"}  # fmt: skip
            public = read_public(row["terms"])
            assert public is not None
            case = opened(row)
            line = compose(public, PICTURE)
            told = msgspec.structs.replace(case.use, caption=line)
            assert judge(msgspec.structs.replace(case, use=told)).outcome == "clear", line


def test_every_rule_says_what_to_do_in_both_languages() -> None:
    for rule in RULES.values():
        assert all((rule.ru, rule.en, rule.do_ru, rule.do_en))
    assert len({rule.number for rule in RULES.values()}) == len(RULES)


def test_no_match_is_never_clear_and_no_claimant_never_blocks() -> None:
    row = {"who": "own", "where": "site", "when": "first", "reach": "organization"}
    assert judge(c.Case(use_of(row), evidence())).outcome == "needs_licence"
    assert judge(c.Case(use_of(row), evidence(), exact())).outcome == "needs_licence"
