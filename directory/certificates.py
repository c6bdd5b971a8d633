"""Certificates of people (сертификаты подписантов): whose key it is, and for which organization.

A binding is what an administrator vouches for, or what a person showed in a signing session with a
second factor. It says who signed, never that a signature holds.
"""

import uuid
from dataclasses import dataclass
from typing import Literal

from audit import events
from core import clock, db
from core.actor import Actor
from core.errors import Conflict, Forbidden, NotFound
from directory import links

_SHOWN = """c.id, c.person_id, c.organization_id, encode(c.sha256, 'hex') AS sha256, c.source,
    c.registered_by, c.registered_at, c.withdrawn_at"""


@dataclass(frozen=True, slots=True)
class Numbers:
    """Digits the certificate itself names its holder by; they recognize the next certificate."""

    snils: str = ""
    inn: str = ""


async def register(
    actor: Actor,
    *,
    person_id: uuid.UUID,
    organization_id: uuid.UUID,
    sha256: bytes,
    numbers: Numbers | None = None,
) -> uuid.UUID:
    """Vouch that this certificate is this person's, for this organization.

    Needs an administrator of the organization or above. Raises `person_unknown`,
    `organization_unknown`, `certificate_of_another` while it is somebody else's; again the same
    answers the same binding.
    """
    await links.require_authority(actor, organization_id)
    async with db.transaction():
        if not await db.value("SELECT true FROM person WHERE id = $1", person_id):
            raise NotFound(code="person_unknown", person=str(person_id))
        if not await db.value("SELECT true FROM organization WHERE id = $1", organization_id):
            raise NotFound(code="organization_unknown", organization=str(organization_id))
        return await _bind(
            actor, person_id, organization_id, sha256, numbers or Numbers(), "administrator"
        )


async def remember(
    actor: Actor, *, organization_id: uuid.UUID, sha256: bytes, numbers: Numbers
) -> bool:
    """Note that the actor has just used this certificate's key in a session of their own.

    Part of finishing a signing session, in its transaction. False, and nothing changed, when the
    actor is no person with a second factor or the certificate is somebody else's.
    """
    if actor.person_id is None or not actor.second_factor:
        return False
    try:
        await _bind(actor, actor.person_id, organization_id, sha256, numbers, "session")
    except Conflict:
        return False
    return True


async def _bind(
    actor: Actor,
    person_id: uuid.UUID,
    organization_id: uuid.UUID,
    sha256: bytes,
    numbers: Numbers,
    source: Literal["administrator", "session"],
) -> uuid.UUID:
    # Two at once wait for each other, so that one certificate never gets two holders.
    await db.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", sha256.hex())
    found = await db.rows(
        """SELECT id, person_id, organization_id FROM person_certificate
           WHERE sha256 = $1 AND withdrawn_at IS NULL""",
        sha256,
    )
    if any(row["person_id"] != person_id for row in found):
        raise Conflict(
            "Этот сертификат записан за другим человеком. Сначала снимите прежнюю запись.",
            "This certificate belongs to another person. Withdraw that entry first.",
            code="certificate_of_another",
        )
    known = next((row for row in found if row["organization_id"] == organization_id), None)
    if known is not None:
        return uuid.UUID(str(known["id"]))
    certificate_id = clock.new_id()
    await db.execute(
        """INSERT INTO person_certificate (id, person_id, organization_id, sha256, snils, inn,
               source, registered_by, registered_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)""",
        certificate_id, person_id, organization_id, sha256, numbers.snils, numbers.inn, source,
        actor.id, clock.now(),
    )  # fmt: skip
    await events.record(
        actor, "person_certificate.registered", subject=("person_certificate", certificate_id),
        data={"person_id": str(person_id), "organization_id": str(organization_id),
              "certificate": sha256.hex(), "source": source},
    )  # fmt: skip
    return certificate_id


async def withdraw(actor: Actor, *, certificate_id: uuid.UUID) -> None:
    """End a binding from now on; signatures judged before keep their answer."""
    async with db.transaction():
        found = await db.row(
            "SELECT organization_id FROM person_certificate WHERE id = $1", certificate_id
        )
        if found is None:
            raise NotFound(person_certificate=str(certificate_id))
        try:
            await links.require_authority(actor, found["organization_id"])
        except Forbidden:  # whose it is, or that it is there, is not told
            raise NotFound(person_certificate=str(certificate_id)) from None
        ended = await db.execute(
            """UPDATE person_certificate SET withdrawn_at = $2
               WHERE id = $1 AND withdrawn_at IS NULL""",
            certificate_id, clock.now(),
        )  # fmt: skip
        if ended:
            await events.record(
                actor, "person_certificate.withdrawn",
                subject=("person_certificate", certificate_id),
            )  # fmt: skip


async def of_organization(*, organization_id: uuid.UUID) -> list[db.Row]:
    """All bindings of an organization, ended ones too, oldest first."""
    return await db.rows(
        f"""SELECT {_SHOWN} FROM person_certificate AS c WHERE c.organization_id = $1
            ORDER BY c.id""",
        organization_id,
    )
