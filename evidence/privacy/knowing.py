"""What the service knows a person by, gathered from the directory, certificates and the log."""

import json
import uuid
from collections.abc import Iterable, Sequence
from typing import Any

from core import db
from directory import blocking
from evidence.privacy.needles import Known, digits

_DETAILS = """
SELECT p.detail FROM event AS e JOIN event_payload AS p ON p.event_id = e.id
WHERE e.subject_id = $1 OR e.subject_id IN (SELECT id FROM account WHERE person_id = $1)
   OR e.subject_id IN (SELECT id FROM invitation WHERE person_id = $1)
"""


async def known_of(person_id: uuid.UUID, *, extra: Sequence[str] = ()) -> Known:
    """Names, addresses and numbers of a person, former ones too, and what the commission adds."""
    row = await db.row("SELECT * FROM person WHERE id = $1", person_id) or {}
    if row.get("blocked") is not None:
        row |= blocking.opened(row)
    told = [row["detail"] for row in await db.rows(_DETAILS, person_id)]
    names = [_name(row)] + [_name(row | one) for one in _naming(told)]
    emails = [str(row.get("email", "")), *_values(told, "email")]
    phones = [str(row.get("phone", "")), *_values(told, "phone")]
    logins = [r["login"] for r in await db.rows(
        "SELECT login FROM account WHERE person_id = $1", person_id)]  # fmt: skip
    invited = await db.rows("SELECT email FROM invitation WHERE person_id = $1", person_id)
    papers = await db.rows(
        "SELECT snils, inn FROM person_certificate WHERE person_id = $1", person_id
    )
    reports = await db.rows(
        """SELECT s.report FROM signature AS s JOIN account AS a ON a.id = s.account_id
           WHERE a.person_id = $1""",
        person_id,
    )
    numbers = [row[name] for row in papers for name in ("snils", "inn")]
    for one in reports:
        signed_by, found = _of_certificate(one["report"], names)
        names += signed_by
        numbers += found
    wholes = _once(names, lambda name: bool(name[0]) and not name[0].startswith("erased"))
    return Known(
        names=tuple(wholes),
        rare=tuple(await _rare({name[0] for name in wholes}, person_id)),
        given=tuple(await _rare_given(wholes, person_id)),
        emails=tuple(_once([*emails, *(r["email"] for r in invited),
                            *(one for one in extra if "@" in one)], bool)),
        phones=tuple(_once(phones, bool)),
        numbers=tuple(_once([*numbers, *(one for one in extra if _is_number(one))], bool)),
        phrases=tuple(_once([*(one for one in logins if len(one) >= 5 and "@" not in one),
                             *(one for one in extra if "@" not in one and not _is_number(one))],
                            bool)),
    )  # fmt: skip


def _is_number(text: str) -> bool:
    return len(digits(text)) >= 6 and not any(sign.isalpha() for sign in text)


def _name(told: dict[str, Any]) -> tuple[str, str, str]:
    last, first, middle = (
        str(told.get(part) or "").strip() for part in ("last_name", "first_name", "middle_name")
    )
    return last, first, middle


def _naming(told: Iterable[Any]) -> list[dict[str, Any]]:
    """Everything, however deep, in which a part of a name stands: former names, too."""
    found: list[dict[str, Any]] = []
    for one in told:
        if isinstance(one, dict):
            if one.keys() & {"last_name", "first_name", "middle_name"}:
                found.append(one)
            found += _naming(one.values())
    return found


def _values(told: Iterable[Any], field: str) -> list[str]:
    """Every text under this name, however deep: contacts stand before and after a change."""
    found: list[str] = []
    for one in told:
        if isinstance(one, dict):
            if isinstance(one.get(field), str):
                found.append(one[field])
            found += _values(one.values(), field)
        elif isinstance(one, list):
            found += _values(one, field)
    return found


def _of_certificate(
    report: dict[str, Any], names: Sequence[tuple[str, str, str]]
) -> tuple[list[tuple[str, str, str]], list[str]]:
    """The name and numbers in a certificate by which the person signed, when it is a person's."""
    subject = report.get("subject") or {}
    last, given = subject.get("surname", ""), subject.get("given_name", "")
    if not last or last.lower() not in {name[0].lower() for name in names}:
        return [], []
    first, _, middle = given.partition(" ")
    text = json.dumps(report.get("identifiers") or {})
    numbers = [str(one) for one in json.loads(text).values() if isinstance(one, str)]
    return [(last, first, middle)], [one for one in numbers if len(digits(one)) in (11, 12)]


async def _rare(lasts: set[str], person_id: uuid.UUID) -> list[str]:
    """Last names that are nobody else's here, long enough to be no common word."""
    found = await db.rows(
        """SELECT one FROM unnest($1::text[]) AS one WHERE length(one) >= 5 AND NOT EXISTS (
               SELECT FROM person AS p WHERE lower(p.last_name) = lower(one) AND p.id <> $2)""",
        sorted(lasts), person_id,
    )  # fmt: skip
    return [row["one"] for row in found]


async def _rare_given(
    names: Sequence[tuple[str, str, str]], person_id: uuid.UUID
) -> list[tuple[str, str]]:
    """First and middle names that nobody else here bears together."""
    pairs = sorted({(first, middle) for _, first, middle in names if first and middle})
    found = await db.rows(
        """SELECT one, two FROM unnest($1::text[], $2::text[]) AS t (one, two)
           WHERE NOT EXISTS (SELECT FROM person AS p WHERE lower(p.first_name) = lower(one)
                             AND lower(p.middle_name) = lower(two) AND p.id <> $3)""",
        [one for one, _ in pairs], [two for _, two in pairs], person_id,
    )  # fmt: skip
    return [(row["one"], row["two"]) for row in found]


def _once(values: Iterable[Any], keep: Any) -> list[Any]:
    return list(dict.fromkeys(one for one in values if keep(one)))
