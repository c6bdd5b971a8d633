"""Roles (полномочия): who may do what in which organization, and the moment that ends it."""

import uuid

from audit import events, reads
from core import clock, db
from core.actor import Actor
from core.errors import Conflict, Forbidden, InvalidInput, NotFound
from directory import second_factor, sessions, tokens

ROLES = frozenset({"clerk", "signatory", "editor", "lawyer", "administrator"})


def may_administer(actor: Actor, organization_id: uuid.UUID) -> bool:
    """May the actor give and take roles in this organization? Its own administrators may."""
    if actor.kind == "rule":
        return True
    return actor.organization_id == organization_id and "administrator" in actor.roles


def require_administration(actor: Actor, organization_id: uuid.UUID) -> None:
    """Raise Forbidden unless `may_administer`, with a second factor where one is due."""
    if not may_administer(actor, organization_id):
        raise Forbidden(needs=["administrator"])
    second_factor.demand(actor)


def check_role(role: str) -> None:
    """Raise `InvalidInput` (`unknown_role`) for what is no role."""
    if role not in ROLES:
        raise InvalidInput(
            "Такой роли нет. Выберите роль из списка.",
            "There is no such role. Choose one from the list.",
            code="unknown_role",
            known=sorted(ROLES),
        )


async def grant(
    actor: Actor, *, account_id: uuid.UUID, organization_id: uuid.UUID, role: str
) -> uuid.UUID:
    """Give an account a role; giving it again answers the same grant and changes nothing.

    A person gives roles only to accounts that have or had one in the organization; others are
    invited (`not_a_member`), so that nobody is enlisted unasked and logins cannot be probed.
    """
    check_role(role)
    require_administration(actor, organization_id)
    async with db.transaction():
        if actor.kind != "rule" and not await db.value(
            "SELECT true FROM role_grant WHERE account_id = $1 AND organization_id = $2 LIMIT 1",
            account_id, organization_id,
        ):  # fmt: skip
            raise NotFound(
                "Этот человек ещё не работал в организации. Отправьте ему приглашение.",
                "This person has held no role in the organization. Send an invitation.",
                code="not_a_member",
            )
        return await add(actor, account_id=account_id, organization_id=organization_id, role=role)


async def add(
    actor: Actor, *, account_id: uuid.UUID, organization_id: uuid.UUID, role: str
) -> uuid.UUID:
    """Write the grant and its event, asking for no right: part of `grant` and of an invitation."""
    granted = await db.value(
        """INSERT INTO role_grant (id, account_id, organization_id, role, granted_by, granted_at)
           SELECT $1, $2, o.id, $4, $5, $6 FROM organization o
           WHERE o.id = $3 AND o.status = 'active'
           ON CONFLICT (account_id, organization_id, role) WHERE revoked_at IS NULL DO NOTHING
           RETURNING id""",
        clock.new_id(), account_id, organization_id, role,
        None if actor.kind == "rule" else actor.id, clock.now(),
    )  # fmt: skip
    if granted is None:
        granted = await db.value(
            """SELECT id FROM role_grant WHERE account_id = $1 AND organization_id = $2
               AND role = $3 AND revoked_at IS NULL""",
            account_id, organization_id, role,
        )  # fmt: skip
        if granted is None:
            raise NotFound(
                "Организация не найдена или закрыта.",
                "The organization is not known or closed.",
                code="organization_not_active",
            )
        return _id(granted)
    await events.record(
        actor, "role.granted", subject=("account", account_id),
        data={"grant_id": str(granted), "organization_id": str(organization_id), "role": role},
    )  # fmt: skip
    return _id(granted)


async def revoke(actor: Actor, *, organization_id: uuid.UUID, grant_id: uuid.UUID) -> None:
    """Take a role away; the next request of the account already goes without it.

    With the last role in the organization go its sessions and tokens for it. Raises `NotFound`,
    and `Conflict` (`last_administrator`) where nobody would be left to give roles.
    """
    async with db.transaction():
        found = await db.row(
            """SELECT account_id, role FROM role_grant
               WHERE id = $1 AND organization_id = $2 AND revoked_at IS NULL""",
            grant_id, organization_id,
        )  # fmt: skip
        if found is None or not may_administer(actor, organization_id):
            raise NotFound
        require_administration(actor, organization_id)
        account_id = found["account_id"]
        if found["role"] == "administrator":
            await keep_an_administrator(organization_id, without=account_id)
        taken = await db.execute(
            "UPDATE role_grant SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL",
            grant_id, clock.now(),
        )  # fmt: skip
        if not taken:
            raise NotFound
        cut = {"sessions": 0, "tokens": 0}
        if organization_id not in await sessions.organizations_of(account_id):
            cut["sessions"] = await sessions.end_all(
                account_id=account_id, organization_id=organization_id
            )
            cut["tokens"] = await tokens.revoke_all(
                account_id=account_id, organization_id=organization_id
            )
        data = {"grant_id": str(grant_id), "organization_id": str(organization_id)}
        await events.record(
            actor, "role.revoked", subject=("account", account_id),
            data=data | {"role": found["role"]} | cut,
        )  # fmt: skip


async def keep_an_administrator(organization_id: uuid.UUID, *, without: uuid.UUID) -> None:
    """Raise `Conflict` if an active organization would lose its last administrator able to log in.

    Locks the administrators' grants, so that two who remove each other at once cannot both win.
    """
    others = await db.rows(
        """SELECT g.id, g.account_id, a.status FROM role_grant g
           JOIN account a ON a.id = g.account_id
           WHERE g.organization_id = $1 AND g.role = 'administrator' AND g.revoked_at IS NULL
           ORDER BY g.id FOR UPDATE""",
        organization_id,
    )
    if any(one["account_id"] != without and one["status"] == "active" for one in others):
        return
    if await db.value("SELECT status FROM organization WHERE id = $1", organization_id) == "active":
        raise Conflict(
            "Это последний администратор организации. Сначала назначьте другого.",
            "This is the organization's last administrator. Appoint another one first.",
            code="last_administrator",
            organization_id=str(organization_id),
        )


async def of_organization(actor: Actor, *, organization_id: uuid.UUID) -> list[db.Row]:
    """The roles held in an organization, with names; the read is logged (152-ФЗ)."""
    if not may_administer(actor, organization_id):
        raise NotFound
    async with db.transaction():
        found = await db.rows(
            """SELECT g.id, g.account_id, g.role, g.granted_at, a.login, a.status,
                      a.totp_confirmed_at IS NOT NULL AS has_second_factor,
                      p.last_name, p.first_name, p.middle_name
               FROM role_grant g
               JOIN account a ON a.id = g.account_id
               JOIN person p ON p.id = a.person_id
               WHERE g.organization_id = $1 AND g.revoked_at IS NULL
               ORDER BY p.last_name, p.first_name, g.account_id, g.role""",
            organization_id,
        )
        await reads.log(
            actor, subject=("organization", organization_id), purpose="administer_roles",
            count=len({one["account_id"] for one in found}),
        )  # fmt: skip
    return found


async def require_over(actor: Actor, *, account_id: uuid.UUID) -> list[uuid.UUID]:
    """Raise unless the actor administers every organization the account works in; answers them.

    An account without any role is nobody's but the service's.
    """
    homes = await sessions.organizations_of(account_id)
    if actor.kind != "rule" and (
        not homes or not all(may_administer(actor, home) for home in homes)
    ):
        raise NotFound
    second_factor.demand(actor)
    return homes


def _id(value: object) -> uuid.UUID:
    return uuid.UUID(str(value))
