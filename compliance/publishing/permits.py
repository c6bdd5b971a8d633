"""Permits: one call of an outside site, and a signed word it can verify offline.

A compact JWS (RFC 7515, RFC 8037): EdDSA over Ed25519, `typ` docflow-permit. Only what is clear
gets one; it holds until the answer turns, thirty days at most.
"""

import hashlib
import uuid
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

import msgspec

from audit import events
from compliance.checking.checks import UseInput
from compliance.publishing import gate, permit_keys, publications
from compliance.publishing.gate import Judged, PublicationBlocked
from compliance.publishing.permit_keys import LONGEST, Signer, encoded
from compliance.registers import changes
from core import canonical, clock, db, idempotency
from core.actor import Actor
from core.errors import InvalidInput, NotFound, Unavailable
from core.settings import settings
from notify import webhooks

TYPE = "docflow-permit"
VERSION = 1
_TRIES = 4


class PermitUse(UseInput, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How an outside site wants to show a picture."""

    place: str
    """Address of the page, for looking back and for claims."""


@dataclass(frozen=True, slots=True)
class Permit:
    """A permit as it was given."""

    id: uuid.UUID
    token: str
    check_id: uuid.UUID
    use_id: uuid.UUID
    valid_from: datetime
    valid_until: datetime
    attribution: list[str]


async def permit(
    actor: Actor, *, data: bytes, use: PermitUse, file_name: str = "", key: str | None = None
) -> Permit:
    """Judge a picture and sign that it may be shown so; the use is written down.

    Raises `publication_blocked` (409) with the reasons when it is not clear, and what
    `checks.check` raises. The same `key` answers the same permit.
    """
    actor.require(*publications.WRITERS)
    if not 1 <= len(use.place.strip()) <= 2000:
        raise InvalidInput(
            "Укажите адрес страницы, на которой появится изображение.",
            "Give the address of the page the picture will stand on.",
            code="permit_place", field="place",
        )  # fmt: skip
    request = idempotency.request_hash(
        "permit", hashlib.sha256(data).hexdigest(), msgspec.json.encode(use)
    )
    if await idempotency.is_used(scope=actor.home_id, key=key):
        permit_id, _ = await idempotency.once(
            scope=actor.home_id, key=key, request=request, create=_gone
        )
        return await show(actor, permit_id)
    for _ in range(_TRIES):
        judged = await gate.judge(actor, data=data, use=_asked(use), file_name=file_name)
        if not judged.is_clear:
            raise PublicationBlocked(pictures={judged.sha256: judged.told()})
        signer = await permit_keys.signer()
        try:
            permit_id, _ = await idempotency.once(
                scope=actor.home_id, key=key, request=request,
                create=lambda j=judged, s=signer: _give(actor, j, use, s),  # type: ignore[misc]  # reason: bound per turn
            )  # fmt: skip
        except _Moved:
            continue
        return await show(actor, permit_id)
    raise Unavailable(code="register_busy")


class _Moved(Exception):
    """The registers moved after the judgement."""


async def _gone() -> uuid.UUID:
    raise Unavailable(code="register_busy")


async def show(actor: Actor, permit_id: uuid.UUID) -> Permit:
    """A permit of the actor's organization."""
    found = await db.row(
        """SELECT p.*, c.verdict_json FROM permit AS p JOIN picture_check AS c ON c.id = p.check_id
           WHERE p.id = $1 AND p.organization_id = $2""",
        permit_id, actor.home_id,
    )  # fmt: skip
    if found is None:
        raise NotFound(permit_id=str(permit_id))
    lines = msgspec.json.decode(found["verdict_json"])["attribution"]
    return Permit(
        found["id"], found["token"], found["check_id"], found["use_id"], found["valid_from"],
        found["valid_until"], [one["line"] for one in lines],
    )  # fmt: skip


async def _give(actor: Actor, judged: Judged, use: PermitUse, signer: Signer) -> uuid.UUID:
    """Write the use and the permit while the registers stand still."""
    head = await changes.hold()
    if judged.seen_at != head.id or judged.answer is None:
        raise _Moved
    permit_id, row = clock.new_id(), judged.answer.row
    begin, end = period(row["used_on"], judged.ends_on, now=clock.now())
    use_id = await gate.record_use(actor, judged, place=use.place.strip())
    claims = await _claims(actor, judged, use, permit_id=permit_id, use_id=use_id)
    claims |= {"nbf": int(begin.timestamp()), "exp": int(end.timestamp())}
    token = signed(claims, signer)
    await db.execute(
        """INSERT INTO permit (id, organization_id, account_id, check_id, use_id, key_id,
               valid_from, valid_until, token, created_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)""",
        permit_id, actor.home_id, actor.account_id, judged.check_id, use_id, signer.id, begin, end,
        token, clock.now(),
    )  # fmt: skip
    await events.record(
        actor, "permit.given", subject=("permit", permit_id),
        data={"check_id": str(judged.check_id), "use_id": str(use_id), "kid": signer.kid},
    )  # fmt: skip
    await webhooks.announce(
        actor.home_id, "permit.given",
        {"permit_id": permit_id, "use_id": use_id, "valid_until": end},
    )  # fmt: skip
    return permit_id


def period(on: date, ends_on: date | None, *, now: datetime) -> tuple[datetime, datetime]:
    """From the day of use (or now) to the day the answer turns, thirty days at most."""
    begin = max(_midnight(on), now) if on <= now.astimezone(clock.MOSCOW).date() else _midnight(on)
    end = begin + LONGEST
    return begin, end if ends_on is None else min(end, _midnight(ends_on))


def signed(claims: dict[str, Any], signer: Signer) -> str:
    """The compact form of a JWS over canonical JSON."""
    header = {"alg": "EdDSA", "kid": signer.kid, "typ": TYPE}
    body = f"{encoded(canonical.dumps(header))}.{encoded(canonical.dumps(claims))}"
    return f"{body}.{encoded(signer.private.sign(body.encode()))}"


async def _claims(
    actor: Actor, judged: Judged, use: PermitUse, *, permit_id: uuid.UUID, use_id: uuid.UUID
) -> dict[str, Any]:
    answer = judged.answer
    if answer is None:
        raise LookupError("only a judged picture gets a permit")
    stored = await db.row(
        """SELECT b.media_type, b.size, p.hashes, p.canon, o.name FROM blob AS b
           LEFT JOIN picture_print AS p ON p.blob_id = b.id
           JOIN organization AS o ON o.id = $2 WHERE b.id = $1""",
        answer.row["blob_id"], actor.home_id,
    )  # fmt: skip
    if stored is None:
        raise LookupError("a judged picture is stored")
    picture: dict[str, Any] = {
        "sha256": judged.sha256, "size": stored["size"], "media_type": stored["media_type"],
    }  # fmt: skip
    from compliance.hashes import PDQ_QUALITY  # noqa: PLC0415 - heavy; the web process stays light

    if answer.case.evidence.quality >= PDQ_QUALITY and stored["hashes"]:
        picture["pdq"] = bytes(stored["hashes"][:32]).hex()
        picture["canon"] = stored["canon"]
    turns = answer.verdict.turns
    return {
        "v": VERSION,
        "iss": settings().public_url,
        "jti": str(permit_id),
        "iat": int(clock.now().timestamp()),
        "organization": {"id": str(actor.home_id), "name": stored["name"]},
        "picture": picture,
        "use": {
            "id": str(use_id), "channel": use.channel, "place": use.place.strip(),
            "on": answer.case.use.on.isoformat(), "caption": use.caption,
            "territory": use.territory,
        },
        "outcome": "clear",
        "by_lawyer": answer.verdict.outcome != "clear",
        "attribution": [one.line for one in answer.verdict.attribution],
        "turns": None if turns is None else {"on": turns.on.isoformat(), "outcome": turns.outcome},
        "rules": answer.verdict.rules,
        "register": answer.case.register,
        "check": str(judged.check_id),
    }  # fmt: skip


def _asked(use: PermitUse) -> UseInput:
    return UseInput(**{name: getattr(use, name) for name in UseInput.__struct_fields__})


def _midnight(day: date) -> datetime:
    """The first moment of a day in Moscow."""
    return datetime.combine(day, time(), clock.MOSCOW)
