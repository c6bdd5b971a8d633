"""Accounts, second factors and sessions on a real database."""

import asyncio
import statistics
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pyotp
import pytest
from access_people import (
    CHEAP,
    PASSWORD,
    an_account,
    an_organization,
    verbs_of,
    with_authenticator,
)

from core import clock, db, sealing
from core.actor import RULE, Actor
from core.errors import Conflict, Forbidden, InvalidInput, NotAuthenticated
from directory import (
    accounts,
    grants,
    invitations,
    lockout,
    passwords,
    second_factor,
    sessions,
)

START = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _quick(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "hasher", CHEAP)
    monkeypatch.setattr(sessions, "refusal_takes", 0.0)


@pytest.fixture
def _noon() -> Iterator[None]:
    with clock.frozen(START):
        yield


async def refused_login(**values: str) -> str:
    with pytest.raises(NotAuthenticated) as refused:
        await sessions.begin(**values)  # type: ignore[arg-type]
    return refused.value.error_code


async def test_a_session_carries_the_roles_of_the_moment() -> None:
    home = await an_organization()
    account_id = await an_account("petrova", home, "clerk", "editor", "administrator")
    other = await an_account("sidorova", home, "administrator")
    opened = await sessions.begin(login=" Petrova ", password=PASSWORD)
    assert opened.actor.organization_id == home
    assert opened.actor.roles == {"clerk", "editor", "administrator"}
    assert opened.is_second_factor_due
    assert not opened.actor.second_factor
    grant_id = await db.value(
        "SELECT id FROM role_grant WHERE account_id = $1 AND role = 'administrator'", account_id
    )
    boss = Actor(
        kind="user", id=other, organization_id=home, roles=frozenset({"administrator"}),
        second_factor=True,
    )  # fmt: skip
    await grants.revoke(boss, organization_id=home, grant_id=grant_id)
    access = await sessions.resolve(opened.token)
    assert access is not None
    assert access.actor.roles == {"clerk", "editor"}
    assert await verbs_of(account_id) == [
        "account.created", "role.granted", "role.granted", "role.granted", "session.begun",
        "role.revoked",
    ]  # fmt: skip


async def test_nothing_secret_is_kept_in_the_open() -> None:
    home = await an_organization()
    account_id = await an_account("petrova", home, "clerk")
    one_time = await with_authenticator(account_id)
    kept = await db.row("SELECT * FROM account WHERE id = $1", account_id)
    assert kept is not None
    assert one_time.byte_secret() not in kept["totp_secret"]
    with pytest.raises(sealing.SealBroken):
        sealing.unseal(kept["totp_secret"], purpose="totp", bound_to=b"another account")
    with pytest.raises(sealing.SealBroken):
        sealing.unseal(kept["totp_secret"], purpose="other", bound_to=account_id.bytes)
    opened = await sessions.begin(
        login="petrova", password=PASSWORD, code=one_time.at(clock.now() + timedelta(seconds=30))
    )
    text = str(await db.rows("SELECT * FROM session"))
    assert opened.token not in text
    assert opened.csrf not in text
    assert opened.token not in repr(opened)
    events = str(await db.rows("SELECT data FROM event"))
    assert "petrova" not in events


async def test_one_answer_for_unknown_wrong_disabled_and_locked() -> None:
    home = await an_organization()
    account_id = await an_account("petrova", home, "clerk")
    await an_account("closed", home, "clerk")
    closed = await db.value("SELECT id FROM account WHERE login = 'closed'")
    await accounts.disable(RULE, account_id=closed)
    codes = [
        await refused_login(login="nobody", password=PASSWORD),
        await refused_login(login="petrova", password="wrong wrong wrong"),
        await refused_login(login="closed", password=PASSWORD),
    ]
    for _ in range(lockout.FAILURES - 1):
        codes.append(await refused_login(login="petrova", password="wrong wrong wrong"))
    codes.append(await refused_login(login="petrova", password=PASSWORD))
    assert set(codes) == {"login_failed"}
    assert (await verbs_of(account_id)).count("account.locked") == 1


async def test_refusals_take_the_same_time(monkeypatch: pytest.MonkeyPatch) -> None:
    home = await an_organization()
    await an_account("petrova", home, "clerk")
    monkeypatch.setattr(sessions, "refusal_takes", 0.15)
    taken: dict[str, list[float]] = {"nobody": [], "petrova": []}
    for _ in range(4):
        for login, times in taken.items():
            started = time.monotonic()
            await refused_login(login=login, password="wrong wrong wrong")
            times.append(time.monotonic() - started)
    # The quickest of each: a busy machine makes any single one late.
    quickest = [min(times) for times in taken.values()]
    assert min(quickest) >= 0.145
    assert abs(quickest[0] - quickest[1]) < 0.02


async def test_the_rest_after_failures_grows_and_success_forgets() -> None:
    home = await an_organization()
    account_id = await an_account("petrova", home, "clerk")
    moment = START
    for expected in (60, 120, 240, 480, 960, 1920, 3600, 3600):
        while True:
            with clock.frozen(moment):
                await refused_login(login="petrova", password="wrong wrong wrong")
            until = await db.value("SELECT locked_until FROM account WHERE id = $1", account_id)
            if until is not None:
                break
        assert (until - moment).total_seconds() == expected
        with clock.frozen(until - timedelta(seconds=1)):
            assert await refused_login(login="petrova", password=PASSWORD) == "login_failed"
        moment = until
    with clock.frozen(moment):
        await sessions.begin(login="petrova", password=PASSWORD)
    row = await db.row("SELECT failed_count, locked_until FROM account WHERE id = $1", account_id)
    assert row == {"failed_count": 0, "locked_until": None}


async def test_guesses_at_once_are_counted_before_they_are_checked() -> None:
    home = await an_organization()
    account_id = await an_account("petrova", home, "clerk")
    guesses = (refused_login(login="petrova", password=f"wrong guess {n:03}") for n in range(30))
    await asyncio.gather(*guesses)
    failed = await db.value("SELECT failed_count FROM account WHERE id = $1", account_id)
    assert failed == lockout.FAILURES
    assert (await verbs_of(account_id)).count("session.refused") == lockout.FAILURES


@pytest.mark.usefixtures("_noon")
async def test_a_code_is_asked_for_taken_once_and_guessing_it_locks() -> None:
    home = await an_organization()
    account_id = await an_account("petrova", home, "signatory")
    one_time = await with_authenticator(account_id)
    assert await refused_login(login="petrova", password=PASSWORD) == "code_required"
    used = one_time.at(START)
    assert await refused_login(login="petrova", password=PASSWORD, code=used) == "login_failed"
    late = START + timedelta(seconds=90)
    with clock.frozen(late):
        too_old = one_time.at(late - timedelta(seconds=60))
        answer = await refused_login(login="petrova", password=PASSWORD, code=too_old)
        assert answer == "login_failed"
        code = one_time.at(late - timedelta(seconds=30))
        opened = await sessions.begin(login="petrova", password=PASSWORD, code=code)
        assert opened.actor.second_factor
        second_factor.demand(opened.actor)
        rivals = await asyncio.gather(
            *(
                sessions.begin(login="petrova", password=PASSWORD, code=one_time.at(late))
                for _ in range(4)
            ),
            return_exceptions=True,
        )
        assert sum(isinstance(one, sessions.Opened) for one in rivals) == 1
        await db.execute("UPDATE account SET failed_count = 0, locked_until = NULL")
        for _ in range(lockout.FAILURES):
            # The right password in between, without a code, must not give guesses back.
            assert await refused_login(login="petrova", password=PASSWORD) == "code_required"
            await refused_login(login="petrova", password=PASSWORD, code="000000")
        assert await refused_login(login="petrova", password=PASSWORD) == "login_failed"


@pytest.mark.usefixtures("_noon")
async def test_without_the_second_factor_nobody_signs_or_administers() -> None:
    home = await an_organization()
    account_id = await an_account("petrova", home, "signatory", "administrator")
    opened = await sessions.begin(login="petrova", password=PASSWORD)
    with pytest.raises(Forbidden) as refused:
        second_factor.demand(opened.actor)
    assert refused.value.error_code == "second_factor_required"
    with pytest.raises(Forbidden) as refused:
        await invitations.invite(
            opened.actor, organization_id=home, role="clerk", email="a@example.org"
        )
    assert refused.value.error_code == "second_factor_required"
    begun = await second_factor.begin(opened.actor, password=PASSWORD)
    with pytest.raises(InvalidInput) as wrong:
        await second_factor.confirm(opened.actor, code="000000", session_id=opened.id)
    assert wrong.value.error_code == "code_wrong"
    one_time = pyotp.TOTP(begun.secret)
    await second_factor.confirm(opened.actor, code=one_time.at(START), session_id=opened.id)
    access = await sessions.resolve(opened.token)
    assert access is not None
    assert access.actor.second_factor
    with pytest.raises(Conflict):
        await second_factor.confirm(access.actor, code="000000")
    with pytest.raises(Forbidden) as refused:
        await second_factor.begin(access.actor, password=PASSWORD, code="000000")
    assert refused.value.error_code == "proof_refused"
    assert (await verbs_of(account_id))[-2:] == ["second_factor.confirmed", "session.refused"]


async def test_sessions_end_by_idleness_age_logout_and_password_change() -> None:
    home = await an_organization()
    account_id = await an_account("petrova", home, "clerk")
    with clock.frozen(START):
        idle = await sessions.begin(login="petrova", password=PASSWORD)
        busy = await sessions.begin(login="petrova", password=PASSWORD)
    moment = START
    for _ in range(16):
        moment += timedelta(hours=11)
        if moment - START >= sessions.ABSOLUTE:
            break
        with clock.frozen(moment):
            assert await sessions.resolve(busy.token) is not None
    with clock.frozen(START + timedelta(hours=12, seconds=1)):
        assert await sessions.resolve(idle.token) is None
    with clock.frozen(START + sessions.ABSOLUTE):
        assert await sessions.resolve(busy.token) is None
    first = await sessions.begin(login="petrova", password=PASSWORD)
    second = await sessions.begin(login="petrova", password=PASSWORD)
    with pytest.raises(Forbidden):
        await accounts.change_password(first.actor, current="wrong", new="новая фраза для входа")
    with pytest.raises(InvalidInput):
        await accounts.change_password(first.actor, current=PASSWORD, new="short")
    await accounts.change_password(
        first.actor, current=PASSWORD, new="новая фраза для входа", session_id=first.id
    )
    assert await sessions.resolve(second.token) is None
    await sessions.end(first.actor, session_id=first.id)
    assert await sessions.resolve(first.token) is None
    assert await sessions.resolve("never issued") is None
    # Both may fall into one millisecond, and then either comes first.
    assert "session.ended" in (await verbs_of(account_id))[-2:]
    with clock.frozen(clock.now() + timedelta(days=40)):
        assert await sessions.sweep() == 4


async def test_resolving_an_actor_is_fast() -> None:
    home = await an_organization()
    await an_account("petrova", home, "clerk", "editor")
    opened = await sessions.begin(login="petrova", password=PASSWORD)
    times = []
    for _ in range(200):
        started = time.perf_counter()
        await sessions.resolve(opened.token)
        times.append(time.perf_counter() - started)
    median = statistics.median(times) * 1000
    print(f"resolve: median {median:.3f} ms, p95 {sorted(times)[190] * 1000:.3f} ms")  # noqa: T201
    assert median < 10, "one indexed query; the goal on a quiet machine is below 1 ms"
