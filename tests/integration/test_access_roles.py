"""Tokens, roles and invitations on a real database."""

import asyncio
import uuid
from datetime import timedelta

import pytest
from access_people import (
    CHEAP,
    PASSWORD,
    an_account,
    an_administrator,
    an_organization,
    verbs_of,
    with_authenticator,
)

from core import clock, db
from core.actor import RULE, Actor
from core.errors import Conflict, Forbidden, InvalidInput, NotFound
from directory import accounts, grants, invitations, passwords, sessions, tokens


@pytest.fixture(autouse=True)
def _quick(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "hasher", CHEAP)
    monkeypatch.setattr(sessions, "refusal_takes", 0.0)


async def test_the_last_role_takes_sessions_and_tokens_with_it() -> None:
    home = await an_organization()
    boss = await an_administrator("boss", home)
    account_id = await an_account("petrova", home, "clerk")
    opened = await sessions.begin(login="petrova", password=PASSWORD)
    made = await tokens.create(
        opened.actor, name="1С", scopes=frozenset({"documents:read"}), days=30
    )
    assert made.token.startswith("dfl_")
    access = await tokens.resolve(made.token)
    assert access is not None
    assert access.actor.kind == "integration"
    assert access.actor.scopes == frozenset({"documents:read"})
    [grant_id] = [
        one["id"]
        for one in await grants.of_organization(boss, organization_id=home)
        if one["account_id"] == account_id
    ]
    await grants.revoke(boss, organization_id=home, grant_id=grant_id)
    assert await tokens.resolve(made.token) is None
    assert await sessions.resolve(opened.token) is None
    with pytest.raises(NotFound):
        await grants.revoke(boss, organization_id=home, grant_id=grant_id)
    again = await sessions.begin(login="petrova", password=PASSWORD)
    assert again.actor.organization_id is None
    assert again.actor.roles == frozenset()
    assert await db.value("SELECT count FROM read_log WHERE subject_id = $1", home) == 2


async def test_a_role_gone_by_another_way_cuts_open_sessions_too() -> None:
    home = await an_organization()
    account_id = await an_account("petrova", home, "clerk")
    opened = await sessions.begin(login="petrova", password=PASSWORD)
    made = await tokens.create(
        opened.actor, name="1С", scopes=frozenset({"documents:read"}), days=1
    )
    await db.execute("UPDATE role_grant SET revoked_at = now() WHERE account_id = $1", account_id)
    access = await sessions.resolve(opened.token)
    assert access is not None
    assert (access.actor.organization_id, access.actor.roles) == (None, frozenset())
    assert await tokens.resolve(made.token) is None


async def test_tokens_have_limits() -> None:
    home = await an_organization()
    await an_account("petrova", home, "signatory")
    opened = await sessions.begin(login="petrova", password=PASSWORD)
    sign = frozenset({"documents:sign"})
    for values, code in (
        ({"name": " ", "scopes": frozenset({"documents:read"}), "days": 1}, "token_name"),
        ({"name": "x", "scopes": frozenset({"everything"}), "days": 1}, "token_scopes"),
        ({"name": "x", "scopes": frozenset[str](), "days": 1}, "token_scopes"),
        ({"name": "x", "scopes": frozenset({"documents:read"}), "days": 366}, "token_days"),
        ({"name": "x", "scopes": sign, "days": 9}, "second_factor_required"),
    ):  # fmt: skip
        with pytest.raises((InvalidInput, Forbidden)) as refused:
            await tokens.create(opened.actor, **values)  # type: ignore[arg-type]
        assert refused.value.error_code == code
    made = await tokens.create(
        opened.actor, name="x", scopes=frozenset({"directory:read"}), days=365
    )
    access = await tokens.resolve(made.token)
    assert access is not None
    assert not access.actor.second_factor
    with pytest.raises(Forbidden):
        await tokens.create(access.actor, name="y", scopes=frozenset({"directory:read"}), days=1)
    with clock.frozen(clock.now() + timedelta(days=366)):
        assert await tokens.resolve(made.token) is None
    assert [one["id"] for one in await tokens.mine(opened.actor)] == [made.id]
    stranger = await an_administrator("stranger", await an_organization("78-001"))
    with pytest.raises(NotFound):
        await tokens.revoke(stranger, token_id=made.id)
    boss = await an_administrator("boss", home)
    await tokens.revoke(boss, token_id=made.id)
    assert await tokens.resolve(made.token) is None


async def test_the_last_administrator_stays_even_when_two_remove_each_other() -> None:
    home = await an_organization()
    one, two = await an_administrator("one", home), await an_administrator("two", home)
    held = {
        row["account_id"]: row["id"]
        for row in await grants.of_organization(one, organization_id=home)
    }
    answers = await asyncio.gather(
        grants.revoke(one, organization_id=home, grant_id=held[two.account_id]),
        grants.revoke(two, organization_id=home, grant_id=held[one.account_id]),
        return_exceptions=True,
    )
    refused = [answer for answer in answers if isinstance(answer, Conflict)]
    assert [answer.error_code for answer in refused] == ["last_administrator"]
    left = await db.value("SELECT account_id FROM role_grant WHERE revoked_at IS NULL")
    with pytest.raises(Conflict) as last:
        await accounts.disable(RULE, account_id=left)
    assert last.value.error_code == "last_administrator"
    await db.execute(
        "UPDATE organization SET status = 'closed', closed_on = '2026-01-01' WHERE id = $1", home
    )
    await accounts.disable(RULE, account_id=left)


async def test_roles_are_given_by_own_administrators_to_own_people() -> None:
    home, elsewhere = await an_organization(), await an_organization("78-001")
    boss = await an_administrator("boss", home)
    account_id = await an_account("petrova", home, "clerk")
    stranger = await an_account("stranger", elsewhere, "clerk")
    first = await grants.grant(boss, account_id=account_id, organization_id=home, role="editor")
    again = await grants.grant(boss, account_id=account_id, organization_id=home, role="editor")
    assert first == again
    assert (await verbs_of(account_id)).count("role.granted") == 2
    with pytest.raises(NotFound) as unknown:
        await grants.grant(boss, account_id=stranger, organization_id=home, role="clerk")
    assert unknown.value.error_code == "not_a_member"
    with pytest.raises(Forbidden):
        await grants.grant(boss, account_id=stranger, organization_id=elsewhere, role="editor")
    with pytest.raises(NotFound):
        await grants.of_organization(boss, organization_id=elsewhere)
    with pytest.raises(InvalidInput):
        await grants.grant(boss, account_id=account_id, organization_id=home, role="king")
    with pytest.raises(NotFound):
        await accounts.disable(boss, account_id=stranger)
    await grants.grant(RULE, account_id=account_id, organization_id=elsewhere, role="clerk")
    with pytest.raises(NotFound):
        await accounts.reset_second_factor(boss, account_id=account_id)


async def test_a_lost_authenticator_is_reset_by_the_administrator() -> None:
    home = await an_organization()
    boss = await an_administrator("boss", home)
    account_id = await an_account("petrova", home, "signatory")
    await with_authenticator(account_id)
    with pytest.raises(Forbidden):
        await accounts.reset_second_factor(boss, account_id=boss.account_id)
    await accounts.reset_second_factor(boss, account_id=account_id)
    opened = await sessions.begin(login="petrova", password=PASSWORD)
    assert opened.is_second_factor_due
    await accounts.disable(boss, account_id=account_id)
    assert await sessions.resolve(opened.token) is None
    await accounts.enable(boss, account_id=account_id)
    with pytest.raises(Conflict):
        await accounts.enable(boss, account_id=account_id)
    await sessions.begin(login="petrova", password=PASSWORD)


async def test_an_invitation_makes_person_account_and_role_once() -> None:
    home = await an_organization()
    boss = await an_administrator("boss", home)
    made = await invitations.invite(
        boss, organization_id=home, role="clerk", email="new@example.org"
    )
    values = {
        "token": made.token,
        "person": invitations.NewPerson("Иванова", "Анна"),
        "password": PASSWORD,
    }
    for login, code in (("boss", "login_taken"), ("Я", "login_form")):
        with pytest.raises((Conflict, InvalidInput)) as refused:
            await invitations.accept(login=login, **values)  # type: ignore[arg-type]
        assert refused.value.error_code == code
    assert await db.value("SELECT count(*) FROM person WHERE last_name = 'Иванова'") == 0
    answers = await asyncio.gather(
        *(invitations.accept(login=f"ivanova{n}", **values) for n in range(3)),  # type: ignore[arg-type]
        return_exceptions=True,
    )
    [accepted] = [one for one in answers if isinstance(one, invitations.Accepted)]
    assert sum(isinstance(one, NotFound) for one in answers) == 2
    assert await db.value("SELECT count(*) FROM person WHERE last_name = 'Иванова'") == 1
    login = await db.value("SELECT login FROM account WHERE id = $1", accepted.account_id)
    opened = await sessions.begin(login=login, password=PASSWORD)
    assert opened.actor.roles == {"clerk"}
    granted_by = await db.value(
        "SELECT granted_by FROM role_grant WHERE account_id = $1", accepted.account_id
    )
    assert granted_by == boss.id
    assert await verbs_of(made.id) == ["invitation.made", "invitation.accepted"]
    assert "example.org" not in str(await db.rows("SELECT data FROM event"))


async def test_an_invitation_dies_of_age_withdrawal_and_the_inviters_fall() -> None:
    home = await an_organization()
    boss, other = await an_administrator("boss", home), await an_administrator("other", home)
    person = invitations.NewPerson("Иванова", "Анна")

    async def code_of(token: str) -> str:
        with pytest.raises(NotFound) as refused:
            await invitations.accept(token=token, person=person, login="iva", password=PASSWORD)
        return refused.value.error_code

    async def invite(actor: Actor) -> invitations.Issued:
        return await invitations.invite(
            actor, organization_id=home, role="clerk", email="a@example.org"
        )

    old = await invite(boss)
    with clock.frozen(clock.now() + timedelta(days=7, seconds=1)):
        assert await code_of(old.token) == "invitation_invalid"
    taken_back = await invite(boss)
    await invitations.withdraw(boss, invitation_id=taken_back.id)
    assert await code_of(taken_back.token) == "invitation_invalid"
    waiting = await invitations.of_organization(boss, organization_id=home)
    assert [one["id"] for one in waiting] == [old.id]
    orphan = await invite(other)
    await accounts.disable(boss, account_id=other.account_id)
    assert await code_of(orphan.token) == "invitation_invalid"
    with pytest.raises(Forbidden):
        await invitations.invite(
            boss, organization_id=await an_organization("78-001"), role="clerk", email="a@b.ru"
        )
    with pytest.raises(InvalidInput):
        await invitations.invite(boss, organization_id=home, role="clerk", email="nonsense")
    with pytest.raises(InvalidInput):
        await invitations.invite(
            boss, organization_id=home, role="clerk", email="a@b.ru", person_id=uuid.uuid4()
        )


async def test_a_second_organization_is_joined_and_chosen() -> None:
    home, elsewhere = await an_organization(), await an_organization("78-001")
    boss = await an_administrator("boss", elsewhere)
    await an_account("petrova", home, "clerk")
    opened = await sessions.begin(login="petrova", password=PASSWORD)
    made = await invitations.invite(
        boss, organization_id=elsewhere, role="editor", email="p@example.org"
    )
    with pytest.raises(Forbidden):
        await sessions.choose_organization(
            opened.actor, session_id=opened.id, organization_id=elsewhere
        )
    await invitations.join(opened.actor, token=made.token)
    await sessions.choose_organization(
        opened.actor, session_id=opened.id, organization_id=elsewhere
    )
    access = await sessions.resolve(opened.token)
    assert access is not None
    assert access.actor.organization_id == elsewhere
    assert access.actor.roles == {"editor"}
    undecided = await sessions.begin(login="petrova", password=PASSWORD)
    assert undecided.actor.organization_id is None
    with pytest.raises(Forbidden) as refused:
        await sessions.begin(login="petrova", password=PASSWORD, organization_id=uuid.uuid4())
    assert refused.value.error_code == "no_role"
    mine = await accounts.me(opened.actor)
    assert [one["roles"] for one in mine["organizations"]] == [["clerk"], ["editor"]]
