"""Fetching revocation lists: by a job of its own, from addresses an administrator or a trusted
authority's own certificate named. A file that comes in makes nobody fetch anything.
"""

import uuid
from datetime import timedelta
from typing import Any

from audit import events
from core import clock, db, outbound
from core.actor import RULE, Actor
from core.errors import NotFound, ServiceError
from signatures import anchors, keeping, revocation_import, switching
from signatures.states import SourceStatus

SECONDS = 60.0
FIRST_PAUSE = timedelta(minutes=5)
LONGEST_PAUSE = timedelta(hours=6)
USUAL = timedelta(hours=1)
"""How often an address is asked while all is well, unless the list runs out sooner."""
_BATCH = 20
_TABLE = "revocation_source"


async def add_source(actor: Actor, *, url: str, name: str) -> uuid.UUID:
    """Fetch a list from this address from now on; an address known already is answered as it is.

    Raises `address_forbidden`.
    """
    await anchors.require_keeper(actor)
    outbound.checked(url)
    async with db.transaction():
        return await _insert(actor, url=url, name=name[:200], anchor_id=None)


async def add_sources_of(actor: Actor, anchor_id: uuid.UUID) -> list[uuid.UUID]:
    """Fetch the lists a trusted authority's own certificate names (RFC 5280 section 4.2.1.13)."""
    await anchors.require_keeper(actor)
    found = await db.row(
        "SELECT der FROM trust_anchor WHERE id = $1 AND status = 'trusted' AND kind <> 'crl'",
        anchor_id,
    )
    if found is None:
        raise NotFound(anchor_id=str(anchor_id))
    (read,) = await keeping.read_certificates(bytes(found["der"]))
    for url in read["points"]:
        outbound.checked(url)
    name = str(keeping.face(bytes(found["der"]))["issuer"])[:200]
    async with db.transaction():
        return [
            await _insert(actor, url=url, name=name, anchor_id=anchor_id) for url in read["points"]
        ]


async def _insert(actor: Actor, *, url: str, name: str, anchor_id: uuid.UUID | None) -> uuid.UUID:
    source_id, moment = clock.new_id(), clock.now()
    is_new = await db.execute(
        """INSERT INTO revocation_source (id, url, name, origin, anchor_id, status,
                                          next_attempt_at, added_by, added_at, updated_at)
           VALUES ($1, $2, $3, $4, $5, 'active', $6, $7, $6, $6) ON CONFLICT (url) DO NOTHING""",
        source_id, url, name, "certificate" if anchor_id else "administrator", anchor_id, moment,
        actor.id,
    )  # fmt: skip
    if not is_new:
        return uuid.UUID(
            str(await db.value("SELECT id FROM revocation_source WHERE url = $1", url))
        )
    await events.record(actor, "trust.source_added", subject=(_TABLE, source_id))
    return source_id


async def set_status(actor: Actor, source_id: uuid.UUID, target: SourceStatus) -> None:
    """Stop asking an address, or begin again, at once."""
    await switching.set_status(
        actor, _TABLE, source_id, target, verb="trust.source",
        assign={"next_attempt_at": clock.now(), "attempts": 0},
    )  # fmt: skip


async def sources(actor: Actor) -> list[dict[str, Any]]:
    """All addresses with their last success and last error, the failing ones on top."""
    actor.require("administrator")
    return await db.rows(
        """SELECT id, url, name, origin, anchor_id, status, next_attempt_at, last_attempt_at,
                  last_success_at, attempts, last_error
           FROM revocation_source ORDER BY (last_error IS NULL), id DESC LIMIT 1000"""
    )


async def fetch_due() -> int:
    """Ask every address that is due, one after the other; answers how many were asked."""
    asked = 0
    while asked < _BATCH and (claimed := await _claim()) is not None:
        asked += 1
        await _fetch(claimed)
    return asked


async def _claim() -> db.Row | None:
    """The address due longest; its next attempt is set as if this one failed."""
    moment = clock.now()
    async with db.transaction():
        found = await db.row(
            """SELECT * FROM revocation_source WHERE status = 'active' AND next_attempt_at <= $1
               ORDER BY next_attempt_at LIMIT 1 FOR UPDATE SKIP LOCKED""",
            moment,
        )
        if found is None:
            return None
        pause = min(FIRST_PAUSE * (1 << min(found["attempts"], 10)), LONGEST_PAUSE)
        await db.execute(
            """UPDATE revocation_source SET attempts = attempts + 1, last_attempt_at = $2,
                   next_attempt_at = $3, updated_at = $2 WHERE id = $1""",
            found["id"], moment, moment + pause,
        )  # fmt: skip
    return found


async def _fetch(source: db.Row) -> None:
    try:
        etag = await _take(source)
    except ServiceError as problem:
        reason = str(problem.details.get("reason", ""))
        told = f"{problem.error_code}: {reason}".rstrip(": ")[:300]
        await db.execute(
            "UPDATE revocation_source SET last_error = $2, updated_at = $3 WHERE id = $1",
            source["id"], told, clock.now(),
        )  # fmt: skip
        return
    await _record_success(source, etag)


async def _take(source: db.Row) -> str | None:
    """Ask and import; answers the ETag. Every way to fail is a ServiceError with a code."""
    headers = {"if-none-match": source["etag"]} if source["etag"] else {}
    answer = await outbound.ask(
        source["url"], limit=keeping.LARGEST_LIST, seconds=SECONDS, headers=headers
    )
    if answer.status == 304 and source["etag"]:
        return str(source["etag"])
    if answer.status != 200:
        raise outbound.NoAnswer(reason=f"HTTP {answer.status}")
    await revocation_import.import_list(RULE, answer.body, source_id=source["id"])
    return answer.headers.get("etag")


async def _record_success(source: db.Row, etag: str | None) -> None:
    """The next time is in an hour, or when the list is nearly over."""
    moment = clock.now()
    ends = await db.value(
        """SELECT max(next_update) FROM revocation_list WHERE source_id = $1""", source["id"]
    )
    early = (ends - moment) / 10 if ends is not None and ends > moment else FIRST_PAUSE
    pause = max(min(USUAL, early), FIRST_PAUSE)
    await db.execute(
        """UPDATE revocation_source SET attempts = 0, last_error = NULL, last_success_at = $2,
               next_attempt_at = $3, etag = $4, updated_at = $2 WHERE id = $1""",
        source["id"], moment, moment + pause, etag[:200] if etag else None,
    )  # fmt: skip
