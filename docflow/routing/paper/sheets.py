"""What is printed: sheets with codes, and lists of calls, for one document or a whole region."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import msgspec

from audit import events, reads
from core import clock, db, papers
from core.actor import Actor
from core.errors import InvalidInput
from core.papers.answer_forms import AnswerSheet, AnswerSheets, Call, CallList
from core.settings import settings
from directory.selection import Selector, ids_sql
from docflow.documents import visibility
from docflow.gateways.paper.sheets import qr_svg
from docflow.routing import answer_codes
from docflow.routing.letters import in_words
from docflow.routing.paper.sending import PAPER_NAME, VOICE_NAME

MOST = 500
"""Sheets in one file; whoever needs more asks again, since printed ones come no second time."""
_MARKS = {"dsp": "Для служебного пользования"}
_WITHOUT_ANSWER = "('queued', 'failed', 'delivered', 'opened')"


class PrintInput(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """Which sheets: of one document, of some regions, of these recipients; all together."""

    document_id: uuid.UUID | None = None
    regions: tuple[str, ...] = ()
    recipients: tuple[uuid.UUID, ...] = ()
    again: bool = False
    """Also those printed before."""


@dataclass(frozen=True, slots=True)
class Printed:
    """A file to print."""

    data: bytes
    file_name: str
    number: int


async def print_sheets(actor: Actor, *, wanted: PrintInput) -> Printed:
    """Sheets for what waits on paper, by region and code, as PDF/A; notes that they were printed.

    For the sender, and for a superior of the recipients that has the document itself. Raises
    `nothing_to_print`.
    """
    actor.require("clerk")
    rows = await _rows(actor, PAPER_NAME, wanted)
    codes = await answer_codes.of_deliveries([row["id"] for row in rows])
    name, address = await _organization(actor), f"{settings().public_url.rstrip('/')}/ack/"
    made = await papers.render(
        "answer_sheets",
        AnswerSheets(
            organization=name, made_at=_moment(),
            sheets=tuple(_sheet(row, codes[row["id"]], address) for row in rows),
        ),
        made_at=clock.now(),
    )  # fmt: skip
    await _note(actor, [row["id"] for row in rows])
    return Printed(made, f"Сопроводительные листы {clock.today():%d.%m.%Y}.pdf", len(rows))


async def print_calls(actor: Actor, *, wanted: PrintInput) -> Printed:
    """The list of calls for what waits for a telephone, as PDF/A; the look at names is logged."""
    actor.require("clerk")
    rows = await _rows(actor, VOICE_NAME, wanted)
    codes = await answer_codes.of_deliveries([row["id"] for row in rows])
    await reads.log(
        actor, subject=("organization", actor.home_id), purpose="call_list", count=len(rows)
    )
    made = await papers.render(
        "call_list",
        CallList(
            organization=await _organization(actor), made_at=_moment(),
            calls=tuple(_call(row, codes[row["id"]]) for row in rows),
        ),
        made_at=clock.now(),
    )  # fmt: skip
    await _note(actor, [row["id"] for row in rows])
    return Printed(made, f"Лист обзвона {clock.today():%d.%m.%Y}.pdf", len(rows))


async def waiting(actor: Actor) -> list[db.Row]:
    """How many sheets and calls wait, by region and channel, and how many were printed."""
    actor.require("clerk")
    below, values = _below(actor, first=3)
    return await db.rows(
        f"""SELECT coalesce(o.region_code, '') AS region, v.channel, count(*) AS number,
                   count(p.delivery_id) AS printed, min(v.due_on) AS due_on
            FROM delivery AS v JOIN organization AS o ON o.id = v.recipient_id
            JOIN document AS d ON d.id = v.document_id
            LEFT JOIN paper_sheet AS p ON p.delivery_id = v.id
            WHERE v.channel = ANY($2) AND v.status IN {_WITHOUT_ANSWER} AND {below}
            GROUP BY 1, 2 ORDER BY 1, 2""",
        actor.home_id, [PAPER_NAME, VOICE_NAME], *values,
    )  # fmt: skip


def _below(actor: Actor, *, first: int) -> tuple[str, list[object]]:
    """The sender's own letters, and those to its subordinates that it has itself; $1: its id."""
    ids, values = ids_sql(Selector(subtree_of=actor.home_id), on=clock.today(), first=first + 1)
    return (
        f"""((d.organization_id = $1 OR (v.recipient_id IN ({ids})
             AND {visibility.condition("d", "$1", f"${first}")}))
             AND {visibility.readable("d", "$1", f"${first}")})""",
        [actor.id, *values],
    )


async def _rows(actor: Actor, channel: str, wanted: PrintInput) -> list[db.Row]:
    below, values = _below(actor, first=8)
    rows = await db.rows(
        f"""SELECT v.id, v.due_on, o.name, o.code, o.address, o.phone, o.time_zone, d.title,
                   d.number, d.date, d.mark, f.pages,
                   c.last_name, c.first_name, c.middle_name, c.title AS post
            FROM delivery AS v JOIN organization AS o ON o.id = v.recipient_id
            JOIN document AS d ON d.id = v.document_id
            LEFT JOIN paper_sheet AS p ON p.delivery_id = v.id
            LEFT JOIN document_file AS f ON f.document_id = d.id AND f.role = 'main'
                 AND f.is_current
            LEFT JOIN LATERAL (
                SELECT h.last_name, h.first_name, h.middle_name, t.title
                FROM post AS t JOIN person AS h ON h.id = t.person_id
                WHERE t.organization_id = o.id AND t.kind = 'chairman' AND t.valid_from <= $7
                AND (t.valid_to IS NULL OR t.valid_to > $7)
                ORDER BY t.valid_from DESC LIMIT 1) AS c ON true
            WHERE v.channel = $2 AND v.status IN {_WITHOUT_ANSWER} AND {below}
            AND ($3::uuid IS NULL OR v.document_id = $3)
            AND (cardinality($4::text[]) = 0 OR o.region_code = ANY($4))
            AND (cardinality($5::uuid[]) = 0 OR o.id = ANY($5))
            AND ($6 OR p.delivery_id IS NULL)
            ORDER BY o.region_code, o.code, v.id LIMIT {MOST}""",
        actor.home_id, channel, wanted.document_id, list(wanted.regions),
        list(wanted.recipients), wanted.again, clock.today(), *values,
    )  # fmt: skip
    if not rows:
        raise InvalidInput(
            "Печатать нечего: по этим условиям ничто не ждёт или уже напечатано.",
            "Nothing to print: nothing waits by these conditions, or it was printed before.",
            code="nothing_to_print",
        )
    return rows


def _sheet(row: db.Row, code: str, address: str) -> AnswerSheet:
    link = address + code
    return AnswerSheet(
        recipient=row["name"], recipient_code=row["code"], address=row["address"],
        title=row["title"], number=row["number"] or "б/н", date=in_words(row["date"]),
        due=in_words(row["due_on"]), mark=_MARKS.get(row["mark"], ""),
        pages=f"на {row['pages']} л." if row["pages"] else "", code=answer_codes.shown(code),
        qr=qr_svg(link), link=link,
    )  # fmt: skip


def _call(row: db.Row, code: str) -> Call:
    named = " ".join(row[part] or "" for part in ("last_name", "first_name", "middle_name"))
    post = f"{row['post']}: " if row["post"] and named.strip() else ""
    return Call(
        recipient=row["name"], recipient_code=row["code"], phone=row["phone"] or "нет телефона",
        person=f"{post}{' '.join(named.split())}", number=row["number"] or "б/н",
        title=row["title"], code=answer_codes.shown(code), due=in_words(row["due_on"]),
        local_time=_to_moscow(row["time_zone"]),
    )  # fmt: skip


def _to_moscow(zone: str) -> str:
    """«МСК+5», for whoever telephones across the country."""
    now = clock.now()
    there, moscow = (one.utcoffset(now.replace(tzinfo=None)) for one in (
        ZoneInfo(zone), clock.MOSCOW))  # fmt: skip
    if there is None or moscow is None:
        return ""
    hours = round((there - moscow).total_seconds() / 3600)
    return "МСК" if hours == 0 else f"МСК{hours:+d}"


async def _organization(actor: Actor) -> str:
    return str(await db.value("SELECT name FROM organization WHERE id = $1", actor.home_id))


def _moment() -> str:
    moment: datetime = clock.now().astimezone(clock.MOSCOW)
    return f"{moment:%d.%m.%Y %H:%M}"


async def _note(actor: Actor, delivery_ids: Sequence[uuid.UUID]) -> None:
    async with db.transaction():
        await db.execute(
            """INSERT INTO paper_sheet (delivery_id, printed_at, printed_by)
               SELECT id, $2, $3 FROM unnest($1::uuid[]) AS w (id)
               ON CONFLICT (delivery_id) DO UPDATE SET printed_at = excluded.printed_at,
                   printed_by = excluded.printed_by, times = paper_sheet.times + 1""",
            list(delivery_ids), clock.now(), actor.account_id,
        )  # fmt: skip
        await events.record(
            actor, "paper.printed", subject=("organization", actor.home_id),
            data={"deliveries": len(delivery_ids)},
        )  # fmt: skip
