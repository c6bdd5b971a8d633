"""Accounts (учётные записи): a person's login, made once and closed without a trace lost."""

import re
import uuid

from audit import events
from core import clock, db
from core.actor import Actor
from core.errors import Conflict, Forbidden, InvalidInput, NotFound
from directory import grants, lockout, passwords, second_factor, sessions, tokens

_LOGIN = re.compile(r"[a-z0-9][a-z0-9._@+-]{2,63}")
LANGUAGES = ("ru", "en")


def login_of(text: str) -> str:
    """The login as it is kept: lower case; Latin only, so that none looks like another.

    Raises `InvalidInput` (`login_form`).
    """
    login = text.strip().lower()
    if not _LOGIN.fullmatch(login):
        raise InvalidInput(
            "Логин: от 3 до 64 знаков, латинские буквы, цифры и знаки . _ - @ +",
            "Login: 3 to 64 characters, Latin letters, digits and . _ - @ +",
            code="login_form",
        )
    return login


async def create(
    actor: Actor, *, person_id: uuid.UUID, login: str, password: str, language: str = "ru"
) -> uuid.UUID:
    """Make an account for a person, by the service itself: set-up, demo, import.

    People come by invitation. Raises `InvalidInput` (`login_form`, `password_…`, `language`) and
    `Conflict` (`login_taken`).
    """
    if actor.kind != "rule":
        raise Forbidden
    name = login_of(login)
    passwords.check_strength(password, login=name)
    kept = await passwords.hash_password(password)
    async with db.transaction():
        return await add(
            actor, person_id=person_id, login=name, password_hash=kept, language=language
        )


async def add(
    actor: Actor, *, person_id: uuid.UUID, login: str, password_hash: str, language: str
) -> uuid.UUID:
    """Write the account and its event, asking for no right: part of `create` and of an invitation.

    The hash comes ready, so that no transaction waits for it.
    """
    if language not in LANGUAGES:
        raise InvalidInput(
            "Язык: ru или en.", "Language: ru or en.", code="language", known=list(LANGUAGES)
        )
    account_id = clock.new_id()
    made = await db.execute(
        """INSERT INTO account (id, person_id, login, password_hash, language, created_at)
           VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (login) DO NOTHING""",
        account_id, person_id, login, password_hash, language, clock.now(),
    )  # fmt: skip
    if not made:
        raise Conflict(
            "Такой логин уже занят. Придумайте другой.",
            "This login is taken. Choose another one.",
            code="login_taken",
        )
    await events.record(
        actor, "account.created", subject=("account", account_id), detail={"login": login}
    )
    return account_id


async def me(actor: Actor) -> db.Row:
    """The actor's own account, name and roles by organization."""
    found = await db.row(
        """SELECT a.id, a.login, a.language, a.person_id, p.last_name, p.first_name, p.middle_name,
                  a.totp_confirmed_at IS NOT NULL AS has_second_factor
           FROM account a JOIN person p ON p.id = a.person_id WHERE a.id = $1""",
        actor.account_id,
    )
    if found is None:
        raise NotFound
    found["organizations"] = await db.rows(
        """SELECT o.id, o.name, o.short_name, array_agg(g.role ORDER BY g.role) AS roles
           FROM role_grant g JOIN organization o ON o.id = g.organization_id
           WHERE g.account_id = $1 AND g.revoked_at IS NULL
           GROUP BY o.id, o.name, o.short_name ORDER BY o.name""",
        actor.account_id,
    )
    return found


async def change_password(
    actor: Actor, *, current: str, new: str, session_id: uuid.UUID | None = None
) -> None:
    """Take a new password into use; all other sessions end. Belongs outside a transaction.

    Raises `Forbidden` (`proof_refused`) if the present one is wrong, `InvalidInput`.
    """
    second_factor.only_a_person(actor)
    attempt = await lockout.prove(account_id=actor.account_id, password=current)
    if attempt is None:
        raise second_factor.refused()
    await lockout.succeed(attempt)
    passwords.check_strength(new, login=attempt.login)
    kept = await passwords.hash_password(new)
    async with db.transaction():
        await db.execute(
            "UPDATE account SET password_hash = $2 WHERE id = $1", attempt.account_id, kept
        )
        ended = await sessions.end_all(account_id=attempt.account_id, except_id=session_id)
        await events.record(
            actor, "account.password_changed", subject=("account", attempt.account_id),
            data={"sessions": ended},
        )  # fmt: skip


async def disable(actor: Actor, *, account_id: uuid.UUID) -> None:
    """Close an account: it cannot log in, its sessions and tokens end now; roles stay on record.

    For administrators of every organization it works in. Raises `NotFound`, `Conflict`
    (`last_administrator`, or it is closed already).
    """
    async with db.transaction():
        for home in await grants.require_over(actor, account_id=account_id):
            if await _administers(account_id, home):
                await grants.keep_an_administrator(home, without=account_id)
        await _turn(actor, account_id, before="active", after="disabled")
        await sessions.end_all(account_id=account_id)
        await tokens.revoke_all(account_id=account_id)


async def enable(actor: Actor, *, account_id: uuid.UUID) -> None:
    """Open a closed account again, with a fresh count of failures; it logs in anew."""
    async with db.transaction():
        await grants.require_over(actor, account_id=account_id)
        await _turn(actor, account_id, before="disabled", after="active")


async def reset_second_factor(actor: Actor, *, account_id: uuid.UUID) -> None:
    """Forget the authenticator of somebody who lost it; their sessions end, they set up anew."""
    if actor.id == account_id:
        raise Forbidden(
            "Свой второй фактор меняют в профиле, а не сбрасывают.",
            "Change your own second factor in your profile; it is not reset.",
            code="own_second_factor",
        )
    async with db.transaction():
        await grants.require_over(actor, account_id=account_id)
        await db.execute(
            "UPDATE account SET totp_secret = NULL, totp_confirmed_at = NULL WHERE id = $1",
            account_id,
        )
        ended = await sessions.end_all(account_id=account_id)
        await events.record(
            actor, "second_factor.reset", subject=("account", account_id), data={"sessions": ended}
        )


async def _administers(account_id: uuid.UUID, organization_id: uuid.UUID) -> bool:
    found = await db.value(
        """SELECT true FROM role_grant WHERE account_id = $1 AND organization_id = $2
           AND role = 'administrator' AND revoked_at IS NULL""",
        account_id, organization_id,
    )  # fmt: skip
    return found is not None


async def _turn(actor: Actor, account_id: uuid.UUID, *, before: str, after: str) -> None:
    turned = await db.execute(
        """UPDATE account SET status = $3, failed_count = 0, locked_until = NULL
           WHERE id = $1 AND status = $2""",
        account_id, before, after,
    )  # fmt: skip
    if not turned:
        raise Conflict
    await events.record(
        actor, f"account.{'enabled' if after == 'active' else 'disabled'}",
        subject=("account", account_id), change=(before, after),
    )  # fmt: skip
