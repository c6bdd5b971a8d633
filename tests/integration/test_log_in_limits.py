"""Log-ins that fail are counted by account and by address, over all processes."""

import uuid
from collections.abc import Mapping
from datetime import timedelta

import httpx
import pytest
from access_people import CHEAP, an_administrator
from litestar.connection import ASGIConnection

from core import clock, db
from core.settings import settings
from directory import passwords, sessions
from directory.controllers.addresses import client_of
from litestar_app import create_app
from tests import ground


async def tried(address: str, login: str, headers: Mapping[str, str] = {}) -> httpx.Response:
    """One log-in from an address, to a process of its own."""
    transport = httpx.ASGITransport(app=create_app(), client=(address, 50_000))  # type: ignore[arg-type]  # reason: same protocol
    async with httpx.AsyncClient(transport=transport, base_url="http://service.test") as client:
        return await client.post(
            "/api/v1/sessions", json={"login": login, "password": "не тот пароль"}, headers=headers
        )


@pytest.fixture
def fast(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "hasher", CHEAP)
    monkeypatch.setattr(sessions, "refusal_takes", 0.0)


@pytest.mark.usefixtures("fast")
async def test_many_accounts_from_one_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "PER_ADDRESS", 5)
    with clock.frozen(clock.now()):
        told = [(await tried("192.0.2.7", str(uuid.uuid4()))).status_code for _ in range(8)]
        assert told == [401] * 5 + [429] * 3
        refused = await tried("192.0.2.7", "somebody")
        assert refused.json()["code"] == "too_many_requests"
        assert 0 < int(refused.headers["retry-after"]) <= 900
        assert (await tried("192.0.2.8", "somebody")).status_code == 401
        other = await tried("192.0.2.7", "x", {"x-forwarded-for": "203.0.113.9"})
        assert other.status_code == 429, "a header anybody can write changes nothing"
    with clock.frozen(clock.now() + timedelta(minutes=16)):
        assert (await tried("192.0.2.7", "somebody")).status_code == 401


@pytest.mark.usefixtures("fast")
async def test_one_account_from_many_addresses() -> None:
    actor = await an_administrator("admin", await ground.an_organization("center"))
    for number in range(12):
        assert (await tried(f"192.0.2.{number}", "admin")).status_code == 401
    row = await db.row("SELECT failed_count, locked_until FROM account WHERE id = $1", actor.id)
    assert row is not None
    assert row["failed_count"] == 5, "while it rests, nothing more is tried"
    assert row["locked_until"] > clock.now()


def asks(peer: str, forwarded: str = "") -> str:
    headers = [(b"x-forwarded-for", forwarded.encode())] if forwarded else []
    return client_of(
        ASGIConnection({"type": "http", "client": (peer, 1), "headers": headers, "path": "/"})  # type: ignore[typeddict-item]  # reason: what is read
    )


def test_only_our_own_proxies_are_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DATABASE_URL", "SECRET_KEY"):
        monkeypatch.setenv(name, "x" * 40)
    settings.cache_clear()
    assert asks("192.0.2.7", "203.0.113.9") == "192.0.2.7"
    monkeypatch.setenv("TRUSTED_PROXIES", "172.16.0.0/12, 10.0.0.1")
    settings.cache_clear()
    assert asks("192.0.2.7", "203.0.113.9") == "192.0.2.7"
    assert asks("172.18.0.2", "198.51.100.1, 203.0.113.9") == "203.0.113.9"
    assert asks("172.18.0.2", "203.0.113.9, 10.0.0.1") == "203.0.113.9"
    assert asks("172.18.0.2") == "172.18.0.2"
    assert asks("172.18.0.2", "no address") == "172.18.0.2"
    assert asks("2001:db8::1") == "2001:db8::/64"
    settings.cache_clear()
