"""The installation's trust: roots, helping certificates, revocation data, accreditation.

A real root needs two administrators: one proposes, another confirms. What is retired stays in the
database, so that an old verdict can be made again. Test roots never live beside real ones; a
constraint of the database holds that (`trust_anchor_not_mixed`).
"""

import hashlib
import uuid
from collections.abc import Iterable
from typing import Any

import asyncpg

from audit import events, transitions
from core import clock, db
from core.actor import Actor
from core.errors import Conflict, Forbidden, InvalidInput, NotFound
from signatures import keeping
from signatures.states import ANCHOR_TRANSITIONS, AnchorStatus
from signatures.trust import TrustStore

_TABLE = "trust_anchor"
store = keeping.store
"""What the installation trusts now; read again only after a change."""
request = keeping.request
"""The same for `pool().run("signatures.validation:validate_bytes", {…})`: keys to merge in."""


class MixedTrust(Conflict):
    """Test certificates and real ones are never trusted side by side (409)."""

    code = "mixed_trust"
    ru = (
        "Тестовые и рабочие сертификаты не могут быть доверенными одновременно. Сначала выведите"
        " из доверия одни из них."
    )
    en = "Test certificates and real ones are never trusted side by side. Retire the others first."


class SamePerson(Forbidden):
    """The administrator who proposed a root may not confirm it too (403)."""

    code = "second_administrator"
    ru = "Корневой сертификат подтверждает другой администратор, не тот, кто его предложил."
    en = "A root is confirmed by another administrator than the one who proposed it."


async def require_keeper(actor: Actor) -> None:
    """Raise Forbidden unless the actor administers the organization that keeps the trust store.

    It is the centre, or where there is none the organization the installation was founded with.
    """
    actor.require("administrator")
    if actor.kind == "rule":
        return
    keeper = await db.value(
        """SELECT id FROM organization
           ORDER BY (kind = 'center') DESC, created_at, id LIMIT 1"""
    )
    if keeper != actor.organization_id:
        raise Forbidden(
            "Хранилище доверия ведут администраторы центральной организации. Обратитесь к ним.",
            "The trust store is kept by administrators of the central organization. Ask them.",
            code="not_trust_keeper",
        )


async def add(actor: Actor, trust: TrustStore, *, is_test: bool) -> int:
    """Seed certificates and lists; those known already are passed over. Answers how many are new.

    For the installation's own set-up: a rule of the service may seed test roots, and real
    certificates that are no roots. Raises `second_administrator` for real roots, which two people
    put in (`propose`, `confirm`), and `mixed_trust`.
    """
    actor.require("administrator")
    if actor.kind != "rule" or (trust.roots and not is_test):
        raise SamePerson
    wanted = [
        (kind, der)
        for kind, ders in (("root", trust.roots), ("other", trust.others), ("crl", trust.crls))
        for der in ders
    ]
    async with db.transaction():
        await _require_unmixed(is_test)
        added = 0
        for kind, der in wanted:
            added += await _insert(actor, kind, der, is_test=is_test)
        if added:
            await events.record(
                actor, "trust.added", subject=("trust", clock.new_id()),
                data={"added": added, "sha256": _names(der for _, der in wanted)},
            )  # fmt: skip
    return added


async def propose(
    actor: Actor, data: bytes, *, is_test: bool = False, note: str = ""
) -> list[uuid.UUID]:
    """Propose the certificates in PEM or DER; answers their ids, known ones included.

    A self-issued certificate is a root and waits for another administrator; any other one only
    helps to find paths and serves at once. Raises `trust_unreadable`, `not_an_authority`,
    `mixed_trust`.
    """
    await require_keeper(actor)
    found = await keeping.read_certificates(data)
    made = []
    async with db.transaction():
        await _require_unmixed(is_test)
        for one in found:
            made.append(await _propose(actor, one, is_test=is_test, note=note[:500]))
    return made


async def _propose(actor: Actor, one: dict[str, Any], *, is_test: bool, note: str) -> uuid.UUID:
    sha256 = hashlib.sha256(one["der"]).digest()
    known = await db.row("SELECT id, status FROM trust_anchor WHERE sha256 = $1", sha256)
    if known is not None and known["status"] != AnchorStatus.RETIRED:
        return uuid.UUID(str(known["id"]))
    if not one["is_authority"]:
        raise InvalidInput(
            "Это не сертификат удостоверяющего центра. Загрузите сертификат центра.",
            "This is not an authority's certificate. Upload the authority's own.",
            code="not_an_authority",
            sha256=sha256.hex(),
        )
    if known is not None:
        await transitions.move(
            actor, _TABLE, known["id"], graph=ANCHOR_TRANSITIONS, source=AnchorStatus.RETIRED,
            target=AnchorStatus.PROPOSED, verb="trust.proposed",
            assign={
                "added_by": actor.id, "proposer_person_id": actor.person_id, "confirmed_by": None,
                "confirmer_person_id": None, "confirmed_at": None, "retired_by": None,
                "retired_at": None, "note": note,
            },
            data={"sha256": sha256.hex()},
        )  # fmt: skip
        return uuid.UUID(str(known["id"]))
    kind = "root" if one["is_root"] else "other"
    await _insert(
        actor, kind, one["der"], is_test=is_test, note=note,
        status=AnchorStatus.PROPOSED if kind == "root" else AnchorStatus.TRUSTED,
    )  # fmt: skip
    anchor_id = await db.value("SELECT id FROM trust_anchor WHERE sha256 = $1", sha256)
    await events.record(
        actor, "trust.proposed" if kind == "root" else "trust.added",
        subject=(_TABLE, anchor_id), data={"sha256": sha256.hex(), "kind": kind},
    )  # fmt: skip
    return uuid.UUID(str(anchor_id))


async def confirm(actor: Actor, anchor_id: uuid.UUID) -> None:
    """Make a proposed root trusted; raises `second_administrator` for who proposed it.

    Somebody else counts as another account of another person; a program confirms nothing.
    """
    await require_keeper(actor)
    found = await _anchor(anchor_id)
    own_person = actor.person_id is not None and actor.person_id == found["proposer_person_id"]
    if actor.kind != "user" or actor.id == found["added_by"] or own_person:
        raise SamePerson
    try:
        await transitions.move(
            actor, _TABLE, anchor_id, graph=ANCHOR_TRANSITIONS, source=AnchorStatus.PROPOSED,
            target=AnchorStatus.TRUSTED, verb="trust.confirmed",
            assign={
                "confirmed_by": actor.id, "confirmer_person_id": actor.person_id,
                "confirmed_at": clock.now(),
            },
            data={"sha256": bytes(found["sha256"]).hex()},
        )  # fmt: skip
    except asyncpg.CheckViolationError as problem:
        raise SamePerson from problem


async def retire(actor: Actor, anchor_id: uuid.UUID, *, reason: str) -> None:
    """Withdraw trust, or a proposal, at once: one administrator is enough to be careful.

    The row stays, with who and why; verdicts made before it are made again from it.
    """
    await require_keeper(actor)
    if not reason.strip():
        raise InvalidInput(
            "Укажите, почему доверие снимается.", "Say why trust is withdrawn.",
            code="reason_missing",
        )  # fmt: skip
    found = await _anchor(anchor_id)
    await transitions.move(
        actor, _TABLE, anchor_id, graph=ANCHOR_TRANSITIONS,
        source=AnchorStatus(found["status"]), target=AnchorStatus.RETIRED, verb="trust.retired",
        assign={
            "retired_by": actor.id, "retired_at": clock.now(), "reason": reason.strip()[:500],
        },
        data={"sha256": bytes(found["sha256"]).hex()},
    )  # fmt: skip


async def list_of(actor: Actor, *, status: str | None = None) -> list[dict[str, Any]]:
    """Roots and helping certificates with what they say of themselves, newest first."""
    actor.require("administrator")
    rows = await db.rows(
        """SELECT id, kind, der, sha256, is_test, status, note, reason, added_by, added_at,
                  confirmed_by, confirmed_at, retired_by, retired_at
           FROM trust_anchor
           WHERE kind <> 'crl' AND ($1::text IS NULL OR status = $1) ORDER BY id DESC LIMIT 1000""",
        status,
    )
    return [{**row, **keeping.face(bytes(row["der"]))} for row in rows]


async def _anchor(anchor_id: uuid.UUID) -> db.Row:
    found = await db.row("SELECT * FROM trust_anchor WHERE id = $1 AND kind <> 'crl'", anchor_id)
    if found is None:
        raise NotFound(anchor_id=str(anchor_id))
    return found


async def _require_unmixed(is_test: bool) -> None:
    if await db.value(
        "SELECT 1 FROM trust_anchor WHERE is_test <> $1 AND status <> 'retired' LIMIT 1", is_test
    ):
        raise MixedTrust


async def _insert(
    actor: Actor,
    kind: str,
    der: bytes,
    *,
    is_test: bool,
    note: str = "",
    status: AnchorStatus = AnchorStatus.TRUSTED,
) -> int:
    moment = clock.now()
    try:
        return await db.execute(
            """INSERT INTO trust_anchor (kind, der, sha256, is_test, status, note, added_by,
                                         proposer_person_id, added_at, updated_at)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9) ON CONFLICT (sha256) DO NOTHING""",
            kind, der, hashlib.sha256(der).digest(), is_test, status, note, actor.id,
            actor.person_id, moment,
        )  # fmt: skip
    except asyncpg.ExclusionViolationError as problem:
        raise MixedTrust from problem


def _names(ders: Iterable[bytes]) -> list[str]:
    return [hashlib.sha256(der).hexdigest() for der in ders][:50]
