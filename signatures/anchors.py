"""The installation's trust: roots, helping certificates and revocation lists, as data."""

import hashlib
import uuid
from collections.abc import Iterable

from audit import events
from core import clock, db
from core.actor import Actor
from core.errors import Conflict
from signatures.trust import TrustStore

_cache: dict[tuple[int, uuid.UUID | None, str], TrustStore] = {}


async def store() -> TrustStore:
    """What the installation trusts now; read again only after a change."""
    mark = await db.row(
        """SELECT count(*) AS number, current_database() AS name,
                  (SELECT id FROM trust_anchor ORDER BY id DESC LIMIT 1) AS newest
           FROM trust_anchor"""
    )
    key = (mark["number"], mark["newest"], mark["name"]) if mark else (0, None, "")
    if key not in _cache:
        found = await db.rows("SELECT kind, der FROM trust_anchor ORDER BY id")
        _cache.clear()
        _cache[key] = TrustStore(
            *(tuple(bytes(row["der"]) for row in found if row["kind"] == kind)
              for kind in ("root", "other", "crl"))
        )  # fmt: skip
    return _cache[key]


async def add(actor: Actor, trust: TrustStore, *, is_test: bool) -> int:
    """Add certificates and lists; those known already are passed over. Answers how many are new.

    Raises `mixed_trust` when test roots would come to live beside real ones, or the reverse.
    """
    actor.require("administrator")
    wanted = [
        (kind, der)
        for kind, ders in (("root", trust.roots), ("other", trust.others), ("crl", trust.crls))
        for der in ders
    ]
    async with db.transaction():
        if await db.value("SELECT 1 FROM trust_anchor WHERE is_test <> $1 LIMIT 1", is_test):
            raise Conflict(
                "Тестовые и рабочие сертификаты не могут быть доверенными одновременно.",
                "Test certificates and real ones are never trusted side by side.",
                code="mixed_trust",
            )
        added = 0
        for kind, der in wanted:
            added += await db.execute(
                """INSERT INTO trust_anchor (kind, der, sha256, is_test, added_by, added_at)
                   VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING""",
                kind, der, hashlib.sha256(der).digest(), is_test, actor.id, clock.now(),
            )  # fmt: skip
        if added:
            await events.record(
                actor, "trust.added", subject=("trust", clock.new_id()),
                data={"added": added, "sha256": _names(der for _, der in wanted)},
            )  # fmt: skip
    return added


def _names(ders: Iterable[bytes]) -> list[str]:
    return [hashlib.sha256(der).hexdigest() for der in ders][:50]
