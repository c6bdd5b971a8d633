"""The first step of an installation: one organization and its administrator."""

import secrets
from dataclasses import dataclass

from core import clock, db
from core.actor import RULE
from core.errors import Conflict
from directory import accounts, grants, organizations
from directory.cards import Card, checked
from directory.states import OrganizationKind


@dataclass(frozen=True, slots=True)
class Founded:
    """What the administrator needs; the password is shown this once."""

    organization_id: str
    code: str
    login: str
    password: str


async def found(*, name: str, kind: OrganizationKind, login: str, last_name: str) -> Founded:
    """Create the first organization with an administrator, in an empty installation only.

    The password is made up here; the administrator sets up an authenticator at first log-in.
    Raises `already_founded` once there is any account; then people come by invitation.
    """
    password = secrets.token_urlsafe(18)
    async with db.transaction():
        await db.execute("LOCK TABLE account IN EXCLUSIVE MODE")
        if await db.value("SELECT 1 FROM account LIMIT 1"):
            raise Conflict(
                "Установка уже начата: учётные записи есть. Новых людей приглашает администратор.",
                "The installation is founded: there are accounts. An administrator invites others.",
                code="already_founded",
            )
        made = await organizations.insert(checked(Card(code="00-01", kind=kind, name=name)))
        person_id = clock.new_id()
        await db.execute(
            "INSERT INTO person (id, last_name, created_at) VALUES ($1, $2, $3)",
            person_id, last_name, clock.now(),
        )  # fmt: skip
        account_id = await accounts.create(
            RULE, person_id=person_id, login=login, password=password
        )
        await grants.grant(
            RULE, account_id=account_id, organization_id=made["id"], role="administrator"
        )
    return Founded(str(made["id"]), made["code"], login, password)
