"""Invitations (приглашения): how a person comes to an account, asked by their own organization."""

import re
import secrets
import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from audit import events
from core import clock, db
from core.actor import Actor
from core.errors import InvalidInput, NotFound
from directory import accounts, grants, passwords, second_factor
from directory.sessions import fingerprint

LIFETIME = timedelta(days=7)
PREFIX = "dfi_"
_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s]{1,190}\.[^@\s.]{2,63}")


@dataclass(frozen=True, slots=True)
class Issued:
    """A new invitation; the secret goes to the invited person and is kept only as a hash."""

    id: uuid.UUID
    token: str = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class NewPerson:
    """What an invited person says of themselves."""

    last_name: str
    first_name: str
    middle_name: str = ""


@dataclass(frozen=True, slots=True)
class Accepted:
    """What came of an invitation."""

    account_id: uuid.UUID
    person_id: uuid.UUID
    organization_id: uuid.UUID
    role: str


async def invite(
    actor: Actor,
    *,
    organization_id: uuid.UUID,
    role: str,
    email: str,
    person_id: uuid.UUID | None = None,
) -> Issued:
    """Invite somebody to a role in the organization that the actor administers; for 7 days, once.

    `person_id` names one who is in the directory with a post there already; otherwise accepting
    makes a new person. Raises `Forbidden`, `InvalidInput` (`unknown_role`, `email_form`,
    `person_not_of_organization`).
    """
    second_factor.only_a_person(actor)
    grants.check_role(role)
    grants.require_administration(actor, organization_id)
    address = email.strip()
    if not _EMAIL.fullmatch(address):
        raise InvalidInput(
            "Проверьте адрес электронной почты.", "Check the e-mail address.", code="email_form"
        )
    token = PREFIX + secrets.token_urlsafe(32)
    invitation_id, now = clock.new_id(), clock.now()
    async with db.transaction():
        if person_id is not None:
            await _check_post(person_id, organization_id)
        await db.execute(
            """INSERT INTO invitation (id, token_hash, organization_id, role, email, person_id,
                   invited_by, created_at, expires_at)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)""",
            invitation_id, fingerprint(token), organization_id, role, address, person_id,
            actor.account_id, now, now + LIFETIME,
        )  # fmt: skip
        await events.record(
            actor, "invitation.made", subject=("invitation", invitation_id),
            data={"organization_id": str(organization_id), "role": role},
            detail={"email": address},
        )  # fmt: skip
    return Issued(id=invitation_id, token=token, expires_at=now + LIFETIME)


async def withdraw(actor: Actor, *, invitation_id: uuid.UUID) -> None:
    """Take back an invitation nobody has used yet; `NotFound` otherwise."""
    async with db.transaction():
        organization_id = await db.value(
            """UPDATE invitation SET revoked_at = $2
               WHERE id = $1 AND used_at IS NULL AND revoked_at IS NULL
               RETURNING organization_id""",
            invitation_id, clock.now(),
        )  # fmt: skip
        if organization_id is None or not grants.may_administer(actor, organization_id):
            raise NotFound
        grants.require_administration(actor, organization_id)
        await events.record(actor, "invitation.withdrawn", subject=("invitation", invitation_id))


async def accept(
    *,
    token: str,
    person: NewPerson,
    login: str,
    password: str,
    language: str = "ru",
    request_id: uuid.UUID | None = None,
) -> Accepted:
    """Make person, account and role in one transaction and use the invitation up.

    An invitation dies with the inviter's own right to give roles. Raises `NotFound`
    (`invitation_invalid`), `Conflict` (`login_taken`), `InvalidInput`; after any of these the
    invitation still holds.
    """
    name = accounts.login_of(login)
    passwords.check_strength(password, login=name)
    _check_name(person)
    waits = await db.value(f"SELECT id FROM invitation {_OPEN}", fingerprint(token), clock.now())
    if waits is None:
        raise _invalid()  # before the costly hash
    kept = await passwords.hash_password(password)
    async with db.transaction():
        used = await _use(token)
        person_id = used["person_id"] or await _add_person(person, email=used["email"])
        anyone = Actor(kind="user", id=None, organization_id=None, request_id=request_id)
        account_id = await accounts.add(
            anyone, person_id=person_id, login=name, password_hash=kept, language=language
        )
        return await _give(used, account_id, person_id, request_id)


async def join(actor: Actor, *, token: str) -> Accepted:
    """Accept an invitation with the account one has already, in another organization say."""
    second_factor.only_a_person(actor)
    async with db.transaction():
        used = await _use(token)
        person_id = await db.value("SELECT person_id FROM account WHERE id = $1", actor.account_id)
        if used["person_id"] not in (None, person_id):
            raise _invalid()
        return await _give(used, actor.account_id, person_id, actor.request_id)


async def of_organization(actor: Actor, *, organization_id: uuid.UUID) -> list[db.Row]:
    """The invitations that still wait, newest first."""
    grants.require_administration(actor, organization_id)
    return await db.rows(
        """SELECT id, role, email, created_at, expires_at FROM invitation
           WHERE organization_id = $1 AND used_at IS NULL AND revoked_at IS NULL
             AND expires_at > $2 ORDER BY id DESC LIMIT 200""",
        organization_id, clock.now(),
    )  # fmt: skip


_OPEN = """
WHERE token_hash = $1 AND used_at IS NULL AND revoked_at IS NULL AND expires_at > $2
  AND EXISTS (
      SELECT FROM role_grant g JOIN account a ON a.id = g.account_id AND a.status = 'active'
      WHERE g.account_id = invitation.invited_by AND g.role = 'administrator'
        AND g.organization_id = invitation.organization_id AND g.revoked_at IS NULL)
"""


async def _use(token: str) -> db.Row:
    used = await db.row(
        f"""UPDATE invitation SET used_at = $2 {_OPEN}
            RETURNING id, organization_id, role, email, person_id, invited_by""",
        fingerprint(token), clock.now(),
    )  # fmt: skip
    if used is None:
        raise _invalid()
    return used


async def _give(
    used: db.Row, account_id: uuid.UUID, person_id: uuid.UUID, request_id: uuid.UUID | None
) -> Accepted:
    organization_id, role = used["organization_id"], used["role"]
    inviter = Actor(
        kind="user", id=used["invited_by"], organization_id=organization_id, request_id=request_id
    )
    await grants.add(inviter, account_id=account_id, organization_id=organization_id, role=role)
    accepter = Actor(
        kind="user", id=account_id, organization_id=organization_id, request_id=request_id
    )
    await events.record(accepter, "invitation.accepted", subject=("invitation", used["id"]))
    return Accepted(
        account_id=account_id, person_id=person_id, organization_id=organization_id, role=role
    )


async def _add_person(person: NewPerson, *, email: str) -> uuid.UUID:
    person_id = clock.new_id()
    await db.execute(
        """INSERT INTO person (id, last_name, first_name, middle_name, email, created_at)
           VALUES ($1, $2, $3, $4, $5, $6)""",
        person_id, person.last_name.strip(), person.first_name.strip(),
        person.middle_name.strip(), email, clock.now(),
    )  # fmt: skip
    return person_id


async def _check_post(person_id: uuid.UUID, organization_id: uuid.UUID) -> None:
    holds = await db.value(
        """SELECT true FROM post WHERE person_id = $1 AND organization_id = $2
             AND valid_from <= $3 AND (valid_to IS NULL OR valid_to > $3) LIMIT 1""",
        person_id, organization_id, clock.today(),
    )  # fmt: skip
    if not holds:
        raise InvalidInput(
            "Этот человек не занимает должности в организации. Пригласите без указания человека.",
            "This person holds no post in the organization. Invite without naming a person.",
            code="person_not_of_organization",
        )


def _check_name(person: NewPerson) -> None:
    for text in (person.last_name, person.first_name):
        if not 1 <= len(text.strip()) <= 100:
            raise InvalidInput(
                "Укажите фамилию и имя.", "Give the last and the first name.", code="person_name"
            )
    if len(person.middle_name) > 100:
        raise InvalidInput(
            "Отчество слишком длинное.", "The middle name is too long.", code="person_name"
        )


def _invalid() -> NotFound:
    return NotFound(
        "Приглашение не действует: срок вышел, оно использовано или отозвано."
        " Попросите администратора организации прислать новое.",
        "The invitation does not hold: expired, used or withdrawn."
        " Ask the organization's administrator for a new one.",
        code="invitation_invalid",
    )
