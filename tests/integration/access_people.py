"""Organizations and people for the tests of access."""

import uuid

import argon2
import pyotp

from core import clock, db
from core.actor import RULE, Actor
from directory import accounts, grants, second_factor

CHEAP = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
PASSWORD = "синий трактор едет в поле"


async def an_organization(code: str = "77-001") -> uuid.UUID:
    organization_id = clock.new_id()
    await db.execute(
        """INSERT INTO organization (id, code, kind, name, opened_on, created_at, updated_at)
           VALUES ($1, $2, 'primary', $3, '1990-01-01', now(), now())""",
        organization_id, code, f"Первичная организация {code}",
    )  # fmt: skip
    return organization_id


async def an_account(login: str, organization_id: uuid.UUID, *roles: str) -> uuid.UUID:
    person_id = clock.new_id()
    await db.execute(
        "INSERT INTO person (id, last_name, created_at) VALUES ($1, 'Петрова', now())", person_id
    )
    account_id = await accounts.create(RULE, person_id=person_id, login=login, password=PASSWORD)
    for role in roles:
        await grants.grant(RULE, account_id=account_id, organization_id=organization_id, role=role)
    return account_id


async def with_authenticator(account_id: uuid.UUID) -> pyotp.TOTP:
    actor = Actor(kind="user", id=account_id, organization_id=None)
    begun = await second_factor.begin(actor, password=PASSWORD)
    one_time = pyotp.TOTP(begun.secret)
    await second_factor.confirm(actor, code=one_time.at(clock.now()))
    return one_time


async def an_administrator(login: str, organization_id: uuid.UUID) -> Actor:
    account_id = await an_account(login, organization_id, "administrator")
    return Actor(
        kind="user", id=account_id, organization_id=organization_id,
        roles=frozenset({"administrator"}), second_factor=True,
    )  # fmt: skip


async def verbs_of(subject_id: uuid.UUID) -> list[str]:
    found = await db.rows("SELECT verb FROM event WHERE subject_id = $1 ORDER BY id", subject_id)
    return [one["verb"] for one in found]
