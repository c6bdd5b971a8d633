"""Dispatch (рассылка): one registered document to everybody a selector names, in one statement."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal

import msgspec

from audit import events, transitions
from core import clock, db, idempotency
from core.actor import Actor
from core.errors import Conflict, InvalidInput
from directory import selection
from docflow.documents import visibility
from docflow.documents.kinds import kind_of
from docflow.documents.states import TRANSITIONS, DocumentStatus
from docflow.routing import announcing, fanout, lines, queueing, ways
from docflow.routing.carriage import URGENT
from notify import webhooks

Mode = Literal["direct", "chancery"]
LEVELS = ("center", "district", "territorial", "union", "regional", "local", "council", "primary",
          "outside")  # fmt: skip
_BELOW = {"regional": "union", "local": "regional", "primary": "local"}
LIST_LIMIT = 200


class DispatchInput(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Who gets it, how, and until when; `deadlines` goes by the kind of organization."""

    selector: selection.Selector
    mode: Mode = "direct"
    deadlines: dict[str, date] = {}
    urgent: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """What a dispatch would do; made without doing it."""

    total: int
    by_kind: Mapping[str, int]
    by_channel: Mapping[str, int]
    by_level: Mapping[str, Mapping[str, int]]
    """Who is reached by what: kinds of organizations, and the channels of each."""
    at_once: int
    """Recipients reached without a relay."""
    known: int
    """Recipients that have this document already and will not get it twice."""
    recipients: list[db.Row] = field(default_factory=list)
    """The first page of them, by code."""


async def plan(
    actor: Actor, document_id: uuid.UUID, *, wanted: DispatchInput, after: str | None = None,
    limit: int = 50,
) -> Plan:  # fmt: skip
    """Count and list whom a dispatch would reach as of today; nothing is written."""
    actor.require("clerk")
    wanted = _without_sender(actor, wanted)
    found = await visibility.own_document(actor, document_id, lock=False)
    await _check(actor, found, wanted)
    chosen, values = _chosen(wanted, found["mark"])
    place = len(values) + 1
    counts = await db.rows(
        f"""WITH {chosen}
            SELECT c.kind, c.channel, c.via_recipient_id IS NULL AS top,
                   EXISTS (SELECT 1 FROM delivery AS v WHERE v.recipient_id = c.recipient_id
                           AND v.document_id = ${place}) AS known, count(*) AS number
            FROM chosen AS c GROUP BY 1, 2, 3, 4""",
        *values, document_id,
    )  # fmt: skip
    page = await db.rows(
        f"""WITH {chosen}
            SELECT o.id, o.code, o.kind, o.name, c.channel, c.via_recipient_id,
                   {ways.all_sql("o", barred=f"${place - 2}", closed=f"${place - 1}")} AS ways
            FROM chosen AS c JOIN organization AS o ON o.id = c.recipient_id
            WHERE ${place}::text IS NULL OR o.code > ${place} ORDER BY o.code LIMIT ${place + 1}""",
        *values, after, max(1, min(limit, LIST_LIMIT)),
    )  # fmt: skip
    for row in page:
        row["why_ru"], row["why_en"] = ways.in_words(row["ways"])
    return Plan(
        total=_sum(counts),
        by_kind=_tally(counts, "kind"),
        by_channel=_tally(counts, "channel"),
        by_level={
            kind: _tally([row for row in counts if row["kind"] == kind], "channel")
            for kind in sorted({row["kind"] for row in counts})
        },
        at_once=_sum(counts, "top"),
        known=_sum(counts, "known"),
        recipients=page,
    )


async def send(
    actor: Actor, document_id: uuid.UUID, *, wanted: DispatchInput, key: str | None = None
) -> uuid.UUID:
    """Dispatch a registered document; every final recipient has a delivery when this returns.

    Recipients reached inside this installation are *delivered* in the same statement; those
    behind a chancery wait for it (`awaiting_relay`), other channels are queued. A recipient who
    has the document already is passed over, so that a repeated dispatch adds nobody twice.
    Raises `no_recipients`, `deadline_past`, `deadline_order`, `organization_ceased`,
    `route_forbidden`, `not_registered`.
    """
    actor.require("clerk")
    request = idempotency.request_hash(
        "dispatch", str(document_id), msgspec.json.encode(wanted, order="sorted")
    )
    wanted = _without_sender(actor, wanted)
    dispatch_id, _ = await idempotency.once(
        scope=actor.home_id, key=key, request=request,
        create=lambda: _send(actor, document_id, wanted),
    )  # fmt: skip
    return dispatch_id


async def _send(actor: Actor, document_id: uuid.UUID, wanted: DispatchInput) -> uuid.UUID:
    found = await visibility.own_document(actor, document_id)
    await _check(actor, found, wanted)
    if found["status"] not in (DocumentStatus.REGISTERED, DocumentStatus.SENT):
        raise Conflict(
            "Рассылается только зарегистрированный документ. Сначала присвойте номер.",
            "Only a registered document is dispatched. Register it first.",
            code="not_registered",
            status=found["status"],
        )
    dispatch_id, moment = clock.new_id(), clock.now()
    await db.execute(
        """INSERT INTO dispatch (id, document_id, organization_id, actor_id, mode, selector, as_of,
                                 deadlines, priority, recipients, created_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0, $10)""",
        dispatch_id, document_id, actor.home_id, actor.account_id, wanted.mode,
        msgspec.to_builtins(wanted.selector), clock.today(),
        {kind: day.isoformat() for kind, day in wanted.deadlines.items()},
        URGENT if wanted.urgent else 0, moment,
    )  # fmt: skip
    number = await fanout.fan_out(
        actor, document_id, dispatch_id, chosen=_chosen(wanted, found["mark"]),
        is_relayed=wanted.mode == "chancery", deadlines=wanted.deadlines,
        is_first=found["status"] == DocumentStatus.REGISTERED,
    )  # fmt: skip
    if not number:
        raise InvalidInput(
            "По этим условиям не нашлось ни одного нового адресата. Проверьте выбор получателей.",
            "No new recipient fits these conditions. Check the selection.",
            code="no_recipients",
        )
    await db.execute("UPDATE dispatch SET recipients = $2 WHERE id = $1", dispatch_id, number)
    data = {"dispatch_id": str(dispatch_id), "recipients": number, "mode": wanted.mode}
    if found["status"] == DocumentStatus.REGISTERED:
        await transitions.move(
            actor, "document", document_id, graph=TRANSITIONS, source=DocumentStatus.REGISTERED,
            target=DocumentStatus.SENT, verb="document.sent", document_id=document_id, data=data,
        )  # fmt: skip
    else:
        await events.record(
            actor, "document.sent_again", subject=("document", document_id),
            document_id=document_id, data=data,
        )  # fmt: skip
    await webhooks.announce(
        actor.home_id, "document.sent", {"document_id": str(document_id), **data}
    )
    await announcing.received(dispatch_id=dispatch_id)
    await queueing.after_queueing(dispatch_id)
    return dispatch_id


def _without_sender(actor: Actor, wanted: DispatchInput) -> DispatchInput:
    """Nobody writes to themselves, whatever the conditions say."""
    exclude = (*wanted.selector.exclude, actor.home_id)
    selector = msgspec.structs.replace(wanted.selector, exclude=exclude)
    return msgspec.structs.replace(wanted, selector=selector)


def _chosen(wanted: DispatchInput, mark: str) -> tuple[str, list[Any]]:
    """The common table ``chosen``; its own placeholders come first.

    The channel is the first of the recipient's own order that the document's mark allows and that
    can be taken (`ways`).
    """
    if wanted.mode == "chancery":
        chosen, values = selection.selection_sql(wanted.selector, on=clock.today())
        source, person, kind = f"({chosen})", "recipient_id", "recipient_kind"
        via = "s.via_recipient_id"
    else:
        ids, values = selection.ids_sql(wanted.selector, on=clock.today())
        source = f"(SELECT id, kind, channels FROM organization WHERE id IN ({ids}))"
        person, kind, via = "id", "kind", "NULL::uuid"
    barred, closed = (f"${len(values) + place}::text[]" for place in (1, 2))
    channel = ways.first_sql(f"s.{person}", "s.channels", barred=barred, closed=closed)
    sql = f"""SELECT s.{person} AS recipient_id, s.{kind} AS kind, {channel} AS channel,
                     {via} AS via_recipient_id
              FROM {source} AS s"""
    return (
        f"chosen AS MATERIALIZED ({sql})",
        [*values, ways.forbidden(mark), ways.not_set_up()],
    )


async def _check(actor: Actor, found: db.Row, wanted: DispatchInput) -> None:
    selection.check(wanted.selector)
    today = clock.today()
    await lines.require_known(wanted.selector)
    await lines.require_open(wanted.selector, on=today)
    for kind, day in wanted.deadlines.items():
        if kind not in LEVELS:
            raise InvalidInput(
                f"Срок задан для неизвестного уровня «{kind}».",
                f"A deadline is set for an unknown kind of organization {kind!r}.",
                code="unknown_level", field="deadlines",
            )  # fmt: skip
        if day < today:
            raise InvalidInput(
                f"Срок для уровня «{kind}» уже прошёл: {day:%d.%m.%Y}.",
                f"The deadline for {kind} has passed: {day.isoformat()}.",
                code="deadline_past", field="deadlines",
            )  # fmt: skip
        if any(
            day > wanted.deadlines[above] for above in _above(kind) if above in wanted.deadlines
        ):
            raise InvalidInput(
                "Срок нижестоящего уровня не может быть позже вышестоящего.",
                "A lower level's deadline cannot be later than the level's above it.",
                code="deadline_order", field="deadlines",
            )  # fmt: skip
    await _check_route(actor, kind_of(found["kind"]).route, wanted)


async def _check_route(actor: Actor, route: str, wanted: DispatchInput) -> None:
    """A circular goes to subordinates, a report to superiors; nothing else is refused here."""
    if route == "any" or lines.is_below(wanted.selector, actor.home_id):
        return
    chosen, values = _chosen(wanted, "none")
    stray_sql, more = lines.stray_sql(
        actor.home_id, route=route, on=clock.today(), first=len(values) + 1
    )
    stray = await db.row(f"WITH RECURSIVE {chosen}{stray_sql}", *values, *more)
    if stray is not None:
        whom = "подчинённым" if route == "down" else "вышестоящим"
        raise InvalidInput(
            f"Этот вид документа рассылается только {whom} организациям; «{stray['name']}» "
            "к ним не относится.",
            f"This kind of document goes {route} the line only; {stray['name']!r} is not there.",
            code="route_forbidden",
        )


def _above(kind: str) -> list[str]:
    above = _BELOW.get(kind)
    return [above, *_above(above)] if above else []


def _sum(counts: list[db.Row], flag: str | None = None) -> int:
    return sum(row["number"] for row in counts if flag is None or row[flag])


def _tally(counts: list[db.Row], name: str) -> dict[str, int]:
    tally: dict[str, int] = {}
    for row in counts:
        tally[row[name]] = tally.get(row[name], 0) + row["number"]
    return tally
