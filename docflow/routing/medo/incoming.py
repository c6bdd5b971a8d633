"""What came: every folder is entered as received, whatever is in it, once, and never lost.

A folder is looked at, kept and judged first; then one transaction enters everything; only then is
it moved out of the transport's sight. Killed anywhere before the commit it is done again from the
start, killed after it the folder is found to be known and moved.
"""

import logging
import uuid
from pathlib import Path

from core import clock, db
from core.errors import ServiceError, Unavailable
from docflow.gateways.medo.messages import Kind, Message, Party
from docflow.routing.medo import applying, arriving, contents, folders, journal, partners
from docflow.routing.medo.arrival import Arrival
from docflow.routing.medo.partners import Partner
from docflow.routing.medo.states import MessageStatus
from notify import notices

log = logging.getLogger(__name__)
S = MessageStatus

PART_MAX = 1 << 30
"""Bytes of one part that are kept."""


async def poll() -> dict[str, int]:
    """Take in every folder that waits; answers how many ended in which state.

    One bad folder holds nobody up: what cannot be told about it now is tried at the next poll.
    """
    counts: dict[str, int] = {}
    for folder in await folders.waiting():
        try:
            outcome = await take_in(folder)
        except Unavailable:
            raise
        except (ServiceError, OSError) as problem:
            log.warning("МЭДО folder %s not taken: %s", folder.name, problem)
            outcome = "postponed"
        counts[outcome] = counts.get(outcome, 0) + 1
    return counts


async def take_in(folder: Path) -> str:
    """Enter one message folder; answers its status, or incomplete, vanished, known.

    Raises Unavailable when store or database are away; the folder then waits for the next poll.
    """
    try:
        arrival = await _looked_at(folder)
        if arrival is None:
            return "incomplete"
        if await _is_known(arrival):
            await folders.put_away(folder, place="taken")
            return "known"
        await _judge(arrival)
    except folders.Vanished:
        return "vanished"
    async with db.transaction():
        await _lock(arrival)
        is_known = await _is_known(arrival)  # by another process, a moment ago
        if not is_known:
            await enter(arrival)
    await folders.put_away(folder, place="taken" if is_known else arrival.place)
    return "known" if is_known else arrival.status.value


async def _looked_at(folder: Path) -> Arrival | None:
    message = await folders.look(folder)
    if not folders.is_settled(message):
        return None
    parts = await folders.parts_of(folder)
    payload = folders.payload_of(parts, message)
    return Arrival(clock.new_id(), folders.safe_name(folder.name), message, parts, payload)


async def _is_known(arrival: Arrival) -> bool:
    return bool(
        await db.value(
            """SELECT true FROM medo_message WHERE direction = 'in' AND folder = $1
               AND payload_sha256 = $2""",
            arrival.folder, arrival.payload,
        )
    )  # fmt: skip


async def _judge(arrival: Arrival) -> None:
    """Decide, outside any transaction, what becomes of the message; keep its parts."""
    message = arrival.message
    arrival.partner, own = await partners.of_message(message.source.uid)
    arrival.ours = addressees(message, own)
    if message.document and message.document.is_restricted:
        arrival.hold("restricted", status=S.RESTRICTED)
        return
    try:
        arrival.stored = await contents.keep(arrival.parts, limit=PART_MAX, message=message)
    except Unavailable:
        raise
    except ServiceError as problem:  # larger than we keep: known by its digest, and waits
        arrival.hold(problem.error_code)
        return
    await judge_content(arrival)


async def judge_content(arrival: Arrival, *, is_forced: bool = False) -> None:
    """The same for a message whose parts are kept already; `is_forced`: a person vouches for it."""
    message = arrival.message
    if not message.is_readable or message.kind is Kind.UNKNOWN:
        arrival.hold(message.errors[0].code if message.errors else "unreadable")
    elif applying.answers(message):
        return
    elif arrival.partner is None or not arrival.partner.is_active:
        arrival.hold("sender_unknown")
    elif not arrival.ours:
        arrival.hold("addressee_unknown")
    else:
        await _read(arrival, is_forced=is_forced)


async def _read(arrival: Arrival, *, is_forced: bool) -> None:
    if arrival.stored is None:
        raise RuntimeError("a document is read from its kept parts")
    try:
        arrival.outside = await contents.documents_of(
            arrival.message, arrival.parts, arrival.stored
        )
    except Unavailable:
        raise
    except ServiceError as problem:
        arrival.hold(problem.error_code)
        return
    against = contents.verdict_of(arrival.outside, arrival.message)
    if against and not is_forced:
        arrival.hold(against)


def addressees(message: Message, own: list[Partner]) -> list[Partner]:
    """Which of ours the message names by uid; without any uid, the only one there is."""
    uids = {journal.uuid_of(party.uid) for party in (*message.destinations, *_named(message))}
    uids.discard(None)
    if not uids:
        return own if len(own) == 1 else []
    return [one for one in own if one.participant_uid in uids]


def _named(message: Message) -> tuple[Party, ...]:
    """Addressees of the document itself count where the message has no delivery index."""
    if message.destinations or message.document is None:
        return ()
    return message.document.addressees


async def enter(arrival: Arrival) -> None:
    """Write the message and everything it changes; the caller's transaction is all or nothing."""
    await _find_earlier(arrival)
    sent = await _match(arrival)
    columns: dict[str, uuid.UUID | None] = {
        "partner_id": arrival.partner.id if arrival.partner else None,
        "organization_id": arrival.ours[0].organization_id if arrival.ours else None,
    }
    if sent is not None:
        columns |= {"answers_id": sent["id"], "organization_id": sent["organization_id"]}
    await journal.write_in(
        arrival.id, arrival.message, folder=arrival.folder, payload=arrival.payload,
        status=arrival.status, reason=arrival.reason, **columns,
    )  # fmt: skip
    kept = arrival.stored or contents.Stored({})
    await folders.write_parts(arrival.id, kept.rows(arrival.parts))
    await arriving.settle(arrival, sent=sent)
    if arrival.status is S.QUARANTINED:
        for organization_id in {one.organization_id for one in arrival.ours}:
            await notices.post(
                organization_id, "medo_quarantined", ("medo_message", arrival.id),
                data={"reason": arrival.reason or ""},
            )  # fmt: skip


async def _lock(arrival: Arrival) -> None:
    """Two takers of one message: the second waits, and then finds it."""
    await db.execute(
        "SELECT pg_advisory_xact_lock(hashtextextended($1, 2))",
        arrival.message.header_uid or arrival.payload.hex(),
    )


async def _find_earlier(arrival: Arrival) -> None:
    """A message that came before is a repeat; the same uid over other content waits for a person.

    Without a uid (missing, or the nil one) the content decides.
    """
    uid = journal.uuid_of(arrival.message.header_uid)
    if uid is None:
        found = await db.row(
            """SELECT payload_sha256 FROM medo_message WHERE direction = 'in' AND header_uid IS NULL
               AND payload_sha256 = $1 LIMIT 1""",
            arrival.payload,
        )
    else:
        found = await db.row(
            """SELECT payload_sha256 FROM medo_message WHERE direction = 'in' AND header_uid = $1
               AND source_uid = $2 ORDER BY payload_sha256 = $3 DESC LIMIT 1""",
            uid, journal.clean(arrival.message.source.uid)[:100], arrival.payload,
        )  # fmt: skip
    if found is None:
        return
    if bytes(found["payload_sha256"]) == arrival.payload:
        arrival.hold("repeated", status=S.DUPLICATE)
    else:
        arrival.hold("uid_reused")


async def _match(arrival: Arrival) -> db.Row | None:
    """What of ours a receipt or notification answers; sets the status by it."""
    if arrival.status is not S.TAKEN or not applying.answers(arrival.message):
        return None
    arrival.status = S.MATCHED
    sent = await arriving.match(arrival)
    if sent is None:
        arrival.hold("nothing_sent", status=S.UNMATCHED)
    return sent
