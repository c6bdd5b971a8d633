"""Revocation lists and OCSP answers taken in once: verified, kept as evidence, entries in rows."""

import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

from audit import events
from core import clock, db
from core.actor import Actor
from core.errors import Conflict
from core.sandbox import pool
from signatures import anchors, keeping, ocsp_answers
from storage import blobs

_KNOWN = "SELECT der FROM trust_anchor WHERE status = 'trusted' AND kind <> 'crl'"
_SECONDS = 60.0


async def import_list(
    actor: Actor, data: bytes, *, source_id: uuid.UUID | None = None
) -> dict[str, Any]:
    """Take in one CRL; answers its facts, `is_new` false when it was here before.

    Verified in the sandbox against the authorities of the trust store. Raises the codes of
    `revocation_reading.read_list`, and `crl_older` for one older than what we have. Puts the bytes
    into the store first, so it belongs outside a transaction.
    """
    await anchors.require_keeper(actor)
    known = [bytes(row["der"]) for row in await db.rows(_KNOWN)]
    facts = await pool().run(
        "signatures.revocation_reading:read_list", data, known, timeout=_SECONDS
    )
    for name in ("this_update", "next_update"):
        facts[name] = datetime.fromisoformat(str(facts[name]))
    found = await db.value("SELECT id FROM revocation_list WHERE sha256 = $1", facts["sha256"])
    if found is not None:
        return _answer(found, facts, is_new=False)
    await _require_newer(facts)
    blob = await blobs.store(_whole(await _der_of(data)), limit=keeping.LARGEST_LIST)
    list_id = clock.new_id()
    async with db.transaction() as connection:
        # Two who bring lists of one issuer come one after the other.
        lock = int.from_bytes(facts["key_sha256"][:7], "big")
        await db.execute("SELECT pg_advisory_xact_lock($1)", lock)
        await _require_newer(facts)
        await _insert(actor, list_id, facts, blob, source_id)
        await _merge_entries(connection, list_id, facts)
        await events.record(
            actor, "trust.list_imported", subject=("revocation_list", list_id),
            data={
                "sha256": facts["sha256"].hex(), "entries": len(facts["serials"]),
                "number": facts["number"],
            },
        )  # fmt: skip
    return _answer(list_id, facts, is_new=True)


async def _der_of(data: bytes) -> bytes:
    """The very bytes that were hashed; a PEM coat is taken off."""
    if data[:1] == b"\x30":
        return data
    found: bytes = await pool().run("signatures.revocation_reading:der_of_list", data)
    return found


async def _whole(data: bytes) -> AsyncIterator[bytes]:
    yield data


def _answer(list_id: Any, facts: dict[str, Any], *, is_new: bool) -> dict[str, Any]:
    return {
        "id": list_id, "is_new": is_new, "sha256": facts["sha256"].hex(),
        "issuer": facts["issuer"], "number": facts["number"], "entries": len(facts["serials"]),
        "this_update": facts["this_update"], "next_update": facts["next_update"],
    }  # fmt: skip


async def _require_newer(facts: dict[str, Any]) -> None:
    """A list may not lead back: neither by its number nor by its time (RFC 5280 section 5.2.3)."""
    current = await db.row(
        """SELECT l.number, l.this_update FROM revocation_state AS s
           JOIN revocation_list AS l ON l.id = s.list_id
           WHERE s.key_sha256 = $1 AND s.scope = $2""",
        facts["key_sha256"], facts["scope"],
    )  # fmt: skip
    if current is None:
        return
    number = None if facts["number"] is None else int(facts["number"])
    has_fallen = number is not None and current["number"] is not None and number < current["number"]
    if has_fallen or facts["this_update"] <= current["this_update"]:
        raise Conflict(
            "Этот список отзыва старше уже загруженного. Скачайте у издателя последний выпуск.",
            "This list is older than the one that is here. Download the issuer's latest.",
            code="crl_older",
            number=facts["number"],
            known_number=None if current["number"] is None else str(current["number"]),
        )


async def _insert(
    actor: Actor,
    list_id: uuid.UUID,
    facts: dict[str, Any],
    blob: blobs.StoredBlob,
    source_id: uuid.UUID | None,
) -> None:
    await db.execute(
        """INSERT INTO revocation_list (id, sha256, blob_id, size, issuer, issuer_key,
               issuer_sha256, key_sha256, scope, number, this_update, next_update, entries,
               source_id, imported_by, imported_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10::text::numeric, $11, $12, $13, $14, $15,
                   $16)""",
        list_id, facts["sha256"], blob.id, blob.size, facts["issuer"], facts["issuer_key"],
        facts["issuer_sha256"], facts["key_sha256"], facts["scope"], facts["number"],
        facts["this_update"], facts["next_update"], len(facts["serials"]), source_id, actor.id,
        clock.now(),
    )  # fmt: skip
    await db.execute(
        """INSERT INTO revocation_state (key_sha256, scope, list_id, next_update)
           VALUES ($1, $2, $3, $4)
           ON CONFLICT (key_sha256, scope)
           DO UPDATE SET list_id = $3, next_update = $4, alarmed_at = NULL""",
        facts["key_sha256"], facts["scope"], list_id, facts["next_update"],
    )  # fmt: skip


async def _merge_entries(connection: Any, list_id: uuid.UUID, facts: dict[str, Any]) -> None:
    """New entries are added; what the list has no more is marked with the list that dropped it."""
    await db.execute(
        "CREATE TEMP TABLE fresh_entry (serial bytea, moment timestamptz, reason text)"
        " ON COMMIT DROP"
    )
    rows = zip(facts["serials"], facts["moments"], facts["reasons"], strict=True)
    await connection.copy_records_to_table(
        "fresh_entry",
        records=(
            (serial, datetime.fromtimestamp(moment, UTC), reason) for serial, moment, reason in rows
        ),
    )
    line = facts["key_sha256"], facts["scope"], list_id
    await db.execute(
        """INSERT INTO revoked_certificate (key_sha256, scope, serial, revoked_at, reason, list_id)
           SELECT DISTINCT ON (serial) $1::bytea, $2::text, serial, moment, reason, $3::uuid
           FROM fresh_entry ORDER BY serial, moment
           ON CONFLICT (key_sha256, scope, serial) DO UPDATE
           SET revoked_at = excluded.revoked_at, reason = excluded.reason, gone_list_id = NULL
           WHERE revoked_certificate.gone_list_id IS NOT NULL
              OR revoked_certificate.revoked_at <> excluded.revoked_at
              OR revoked_certificate.reason IS DISTINCT FROM excluded.reason""",
        *line,
    )
    await db.execute("ANALYZE fresh_entry")
    await db.execute(
        """UPDATE revoked_certificate AS r SET gone_list_id = $3
           WHERE r.key_sha256 = $1 AND r.scope = $2 AND r.gone_list_id IS NULL
           AND NOT EXISTS (SELECT 1 FROM fresh_entry AS f WHERE f.serial = r.serial)""",
        *line,
    )


async def import_answer(actor: Actor, data: bytes) -> dict[str, Any]:
    """Take in one OCSP answer in DER; raises `ocsp_unreadable`, `ocsp_untrusted`."""
    await anchors.require_keeper(actor)
    known = [bytes(row["der"]) for row in await db.rows(_KNOWN)]
    facts = await pool().run("signatures.revocation_reading:read_answer", data, known)
    answer_id = clock.new_id()
    moments = [datetime.fromisoformat(str(facts[n])) for n in ("this_update", "next_update")]
    async with db.transaction():
        is_new = await db.execute(
            """INSERT INTO ocsp_answer (id, sha256, der, serial, status, this_update, next_update,
                                        imported_by, imported_at)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (sha256) DO NOTHING""",
            answer_id, facts["sha256"], data, facts["serial"], facts["status"], *moments, actor.id,
            clock.now(),
        )  # fmt: skip
        if is_new:
            await events.record(
                actor, "trust.answer_imported", subject=("ocsp_answer", answer_id),
                data={"sha256": facts["sha256"].hex()},
            )  # fmt: skip
    return {
        "sha256": facts["sha256"].hex(), "is_new": bool(is_new), "status": facts["status"],
        "this_update": moments[0], "next_update": moments[1],
    }  # fmt: skip


LARGEST_ANSWER = ocsp_answers.LARGEST


async def lists(actor: Actor) -> list[dict[str, Any]]:
    """The lists that count now, the one that runs out first on top; `is_fresh` as of now."""
    actor.require("administrator")
    return await db.rows(
        """SELECT l.id, l.issuer, encode(l.sha256, 'hex') AS sha256, l.number::text AS number,
                  l.this_update, l.next_update, l.entries, l.size, l.source_id, l.imported_at,
                  l.next_update >= $1 AS is_fresh, s.alarmed_at
           FROM revocation_state AS s JOIN revocation_list AS l ON l.id = s.list_id
           ORDER BY s.next_update, l.id LIMIT 1000""",
        clock.now(),
    )


async def bytes_of(sha256: bytes) -> bytes | None:
    """A list or answer that was ever used here, by its hash, for making a verdict again."""
    answer = await db.value("SELECT der FROM ocsp_answer WHERE sha256 = $1", sha256)
    if answer is not None:
        return bytes(answer)
    blob_id = await db.value("SELECT blob_id FROM revocation_list WHERE sha256 = $1", sha256)
    if blob_id is not None:
        return await blobs.read(blob_id, limit=keeping.LARGEST_LIST)
    anchor = await db.value("SELECT der FROM trust_anchor WHERE sha256 = $1", sha256)
    return None if anchor is None else bytes(anchor)


async def alarm_stale(actor: Actor) -> int:
    """An event for each list that ran out without a successor, once a list; answers how many."""
    async with db.transaction():
        found = await db.rows(
            """UPDATE revocation_state AS s SET alarmed_at = $1 FROM revocation_list AS l
               WHERE l.id = s.list_id AND s.next_update < $1 AND s.alarmed_at IS NULL
               RETURNING l.id, l.sha256""",
            clock.now(),
        )
        for row in found:
            await events.record(
                actor, "trust.list_stale", subject=("revocation_list", row["id"]),
                data={"sha256": bytes(row["sha256"]).hex()},
            )  # fmt: skip
    return len(found)
