"""Asking witnesses for their signature under the newest checkpoint (C2SP tlog-witness)."""

import logging
import uuid
from datetime import timedelta

from audit import events
from core import clock, db, outbound
from core.actor import Actor
from core.errors import InvalidInput, ServiceError
from evidence.log import heads, notes, proofs, witnessing
from evidence.log.notes import NoteError, VerifierKey
from evidence.log.proofs import Checkpoint
from signatures import anchors, switching
from signatures.states import SourceStatus

log = logging.getLogger(__name__)

AGAIN = timedelta(minutes=1)
"""A witness that has the newest head is asked again after so long: a log that was rewritten and
signed anew at the same size shows itself only so."""
SECONDS = 10.0
_TABLE = "log_witness"


class WitnessRefuses(ServiceError):
    """The witness has seen another log than the one we show: ours was rewritten."""

    code = "witness_refuses"
    ru = "Свидетель видел другой журнал: наш переписан или восстановлен из старой копии."
    en = "The witness has seen another log: ours was rewritten or restored from an old backup."


async def ask_all() -> int:
    """Ask every active witness that has not the newest checkpoint, or not lately; answers how many
    cosigned. What goes wrong with one is noted with it and keeps nobody else from being asked."""
    latest = await _latest()
    if latest is None:
        return 0
    rows = await db.rows(
        """SELECT id, name, url, public_key, seen_size FROM log_witness WHERE status = 'active'
           AND (seen_size <> $1 OR is_refused OR asked_at IS NULL OR asked_at < $2)""",
        latest.head.size, clock.now() - AGAIN,
    )  # fmt: skip
    signed = 0
    for row in rows:
        try:
            line = await _ask(row, latest)
        except ServiceError as problem:
            log.warning("witness %s: %s", row["name"], problem.error_code)
            await _note_failure(row["id"], problem)
            continue
        signed += 1
        await _note_success(row["id"], latest.head.size, line)
    return signed


async def _latest() -> Checkpoint | None:
    try:
        return await proofs.checkpoint()
    except ServiceError:
        return None


async def _ask(row: db.Row, latest: Checkpoint) -> str:
    """The witness's signature line; follows its word on the size it has seen, once."""
    old = min(row["seen_size"], latest.head.size)
    answer = await _post(row["url"], old, latest)
    if answer.status == 409:
        seen = _told_size(answer)
        if seen > latest.head.size or seen == old:
            raise WitnessRefuses(seen=seen, ours=latest.head.size)
        old = seen
        answer = await _post(row["url"], old, latest)
    if answer.status in (409, 422):
        raise WitnessRefuses(seen=old, ours=latest.head.size)
    if answer.status != 200:
        told = answer.body[:100].decode(errors="replace").strip()
        raise outbound.NoAnswer(reason=f"HTTP {answer.status} {told}")
    return _cosignature(answer.body, latest, VerifierKey(row["name"], row["public_key"],
                                                         notes.COSIGNED))  # fmt: skip


async def _post(url: str, old: int, latest: Checkpoint) -> outbound.Answer:
    proof = await proofs.consistency(old, latest.head.size)
    return await outbound.ask(
        f"{url.rstrip('/')}/add-checkpoint", limit=64 * 1024, seconds=SECONDS,
        body=witnessing.request(old, proof.path, latest.note),
        headers={"content-type": "text/plain; charset=utf-8"},
    )  # fmt: skip


def _told_size(answer: outbound.Answer) -> int:
    try:
        return heads.parsed_size(answer.body.decode("ascii").removesuffix("\n"))
    except (UnicodeDecodeError, NoteError) as problem:
        raise outbound.NoAnswer(reason="HTTP 409 without a size") from problem


def _cosignature(body: bytes, latest: Checkpoint, key: VerifierKey) -> str:
    """The line of this witness among those that came; other keys' lines are passed over."""
    try:
        lines = [notes.parsed_line(line) for line in body.decode().splitlines()]
    except (UnicodeDecodeError, NoteError) as problem:
        raise outbound.NoAnswer(reason="no signature lines") from problem
    text = latest.head.text()
    for one in lines:
        if notes.holds(one, text, key):
            return one.line()
    raise outbound.NoAnswer(reason="no signature of the witness's key")


async def _note_success(witness_id: uuid.UUID, size: int, line: str) -> None:
    moment = clock.now()
    async with db.transaction():
        await db.execute(
            """INSERT INTO log_cosignature (size, witness_id, line, at) VALUES ($1, $2, $3, $4)
               ON CONFLICT DO NOTHING""",
            size, witness_id, line, moment,
        )  # fmt: skip
        await db.execute(
            """UPDATE log_witness SET seen_size = $2, asked_at = $3, last_success_at = $3,
                   last_error = NULL, is_refused = false, updated_at = $3 WHERE id = $1""",
            witness_id, size, moment,
        )  # fmt: skip


async def _note_failure(witness_id: uuid.UUID, problem: ServiceError) -> None:
    told = f"{problem.error_code}: {problem.details.get('reason', '')}".rstrip(": ")[:300]
    await db.execute(
        """UPDATE log_witness SET asked_at = $3, last_error = $2, last_error_at = $3,
               is_refused = is_refused OR $4, updated_at = $3 WHERE id = $1""",
        witness_id, told, clock.now(), isinstance(problem, WitnessRefuses),
    )  # fmt: skip


async def add_witness(actor: Actor, *, url: str, vkey: str) -> uuid.UUID:
    """Ask this witness too; the key is its own word (``vkey``), handed over by its operator.

    Raises `bad_witness_key`, `address_forbidden`.
    """
    await anchors.require_keeper(actor)
    outbound.checked(url)
    try:
        key = notes.parsed_key(vkey)
    except NoteError as problem:
        raise _BadKey from problem
    if key.kind != notes.COSIGNED:
        raise _BadKey
    witness_id, moment = clock.new_id(), clock.now()
    async with db.transaction():
        is_new = await db.execute(
            """INSERT INTO log_witness (id, name, url, public_key, status, added_by, added_at,
                                        updated_at)
               VALUES ($1, $2, $3, $4, 'active', $5, $6, $6) ON CONFLICT DO NOTHING""",
            witness_id, key.name, url, key.public, actor.id, moment,
        )  # fmt: skip
        if not is_new:
            known = await db.value(
                "SELECT id FROM log_witness WHERE url = $1 OR public_key = $2", url, key.public
            )
            return uuid.UUID(str(known))
        await events.record(actor, "log.witness_added", subject=(_TABLE, witness_id))
    return witness_id


class _BadKey(InvalidInput):
    code = "bad_witness_key"
    ru = "Не ключ свидетеля. Возьмите строку с его адреса /vkey."
    en = "Not a witness's key. Take the line from its address /vkey."


async def set_status(actor: Actor, witness_id: uuid.UUID, target: SourceStatus) -> None:
    """Ask a witness no more, or again."""
    await switching.set_status(actor, _TABLE, witness_id, target, verb="log.witness")


async def witnesses() -> list[db.Row]:
    """All witnesses with what they have seen and their last error."""
    return await db.rows(
        """SELECT id, name, url, public_key, status, seen_size, last_success_at, last_error,
                  last_error_at, is_refused
           FROM log_witness ORDER BY added_at, id LIMIT 200"""
    )
