"""The register of accredited authorities taken in; `accreditation_reading` knows its forms."""

from datetime import date
from typing import Any

from audit import events
from core import clock, db
from core.actor import Actor
from core.sandbox import pool
from signatures import anchors

MAX_BYTES = 32 * 1024 * 1024


async def import_register(
    actor: Actor, data: bytes, *, source: str, dry_run: bool = False
) -> dict[str, Any]:
    """Take in a register; answers `total`, `taken`, `refused` rows with codes.

    A row known already (same authority, key and first day) takes the new days of suspension and
    end. Rows that are missing now are left alone. Raises `register_unreadable`.
    """
    await anchors.require_keeper(actor)
    read = await pool().run("signatures.accreditation_reading:read_register", data)
    good = [row for row in read if not row["problems"]]
    if not dry_run:
        async with db.transaction():
            for row in good:
                await _upsert(actor, row["values"], source[:300])
            await events.record(
                actor, "trust.register_imported", subject=("accredited_authority", clock.new_id()),
                data={"taken": len(good), "refused": len(read) - len(good)},
            )  # fmt: skip
    refused = [
        {"row": row["number"], "problems": row["problems"]} for row in read if row["problems"]
    ]
    return {"total": len(read), "taken": len(good), "refused": refused[:500], "dry_run": dry_run}


async def _upsert(actor: Actor, values: dict[str, Any], source: str) -> None:
    days = [
        date.fromisoformat(values[name]) if values[name] else None
        for name in ("accredited_from", "suspended_on", "revoked_on")
    ]
    is_key = bool(values["key_id"])
    name = values["key_id"] if is_key else values["certificate_sha256"]
    await db.execute(
        """INSERT INTO accredited_authority AS a (id, name, inn, ogrn, known_by, value,
               accredited_from, suspended_on, revoked_on, source, imported_by, imported_at,
               updated_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12)
           ON CONFLICT (known_by, value, accredited_from) DO UPDATE
           SET name = $2, inn = $3, ogrn = $4, suspended_on = $8, revoked_on = $9, source = $10,
               updated_at = $12""",
        clock.new_id(), values["name"], values["inn"] or None,
        values["ogrn"] or None, "key" if is_key else "certificate", bytes.fromhex(name), *days,
        source, actor.id, clock.now(),
    )  # fmt: skip


async def authorities(actor: Actor) -> list[dict[str, Any]]:
    """The register as it stands."""
    actor.require("administrator")
    return await db.rows(
        """SELECT id, name, inn, ogrn, known_by, encode(value, 'hex') AS value, accredited_from,
                  suspended_on, revoked_on, source, imported_at
           FROM accredited_authority ORDER BY name, accredited_from, id LIMIT 5000"""
    )
