"""Webhooks against real HTTP servers on loopback, real PostgreSQL and the real worker."""

import asyncio
import datetime
import json
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import suppress

import httpx
import pytest
from http_receiver import Receiver, receiving
from litestar import Litestar
from litestar.types import ASGIApp, Receive, Scope, Send

import notify.jobs  # noqa: F401 - declares the jobs that the worker runs
from core import clock, db
from core.actor import Actor
from core.errors import Conflict, Forbidden, IllegalTransition, InvalidInput, NotFound
from core.jobs.worker import run_worker
from directory.sessions import Access
from notify import notices, webhook_delivery, webhooks
from notify.controllers import NoticeController, WebhookController

DATA = {"document_id": "0190f3a0-0000-7000-8000-000000000001", "number": "01-12/345"}


def administrator() -> Actor:
    return Actor(
        kind="user", id=clock.new_id(), organization_id=clock.new_id(),
        roles=frozenset({"administrator"}),
    )  # fmt: skip


@pytest.fixture
async def receiver(database: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Receiver]:
    monkeypatch.setattr(webhooks, "ALLOW_PRIVATE", True)
    async with receiving() as made:
        yield made


async def _announced(actor: Actor, event_type: str = "document.sent") -> uuid.UUID:
    async with db.transaction():
        await webhooks.announce(actor.home_id, event_type, DATA)
    found = await db.value("SELECT id FROM webhook_message ORDER BY id DESC LIMIT 1")
    assert isinstance(found, uuid.UUID)
    return found


async def _jobs() -> list[db.Row]:
    return await db.rows("SELECT * FROM procrastinate_jobs WHERE status = 'todo' ORDER BY id")


async def test_signed_message_arrives_once(receiver: Receiver) -> None:
    actor = administrator()
    made = await webhooks.register(actor, receiver.url, ["document.sent", "delivery.opened"])
    assert made.secret is not None
    assert made.secret.startswith("whsec_")
    message_id = await _announced(actor)
    await run_worker(once=True)
    await run_worker(once=True)
    ((headers, body),) = receiver.got
    assert headers["webhook-id"] == str(message_id)
    assert headers["content-type"] == "application/json"
    webhooks.verify(made.secret, headers, body)
    told = json.loads(body)
    assert (told["type"], told["data"]) == ("document.sent", DATA)
    (message,) = await webhooks.messages_of(actor, made.id)
    assert (message.status, message.attempts, message.next_attempt_at) == ("sent", 1, None)
    assert message.body == body
    (listed,) = await webhooks.list_of(actor)
    assert (listed.url, listed.status) == (receiver.url, "active")


async def test_secret_is_sealed_in_the_database(receiver: Receiver) -> None:
    made = await webhooks.register(administrator(), receiver.url, ["*"])
    kept = await db.value("SELECT secret FROM webhook WHERE id = $1", made.id)
    key = webhooks.key_of(made.secret or "")
    assert key not in kept
    assert len(key) == 32


async def test_rollback_leaves_nothing_and_only_subscribers_are_told(receiver: Receiver) -> None:
    actor = administrator()
    await webhooks.register(actor, receiver.url, ["document.signed"])
    with suppress(ZeroDivisionError):
        async with db.transaction():
            await webhooks.announce(actor.home_id, "document.signed", DATA)
            raise ZeroDivisionError
    await webhooks.announce(actor.home_id, "document.sent", DATA)
    await webhooks.announce(clock.new_id(), "document.signed", DATA)
    assert await db.value("SELECT count(*) FROM webhook_message") == 0
    assert await _jobs() == []
    with pytest.raises(LookupError):
        await webhooks.announce(actor.home_id, "document.eaten", DATA)


async def test_nobody_listens_costs_one_query(database: str) -> None:
    asked: list[object] = []
    async with db.transaction() as connection:
        await webhooks.announce(clock.new_id(), "document.sent", DATA)  # the driver learns types
        connection.add_query_logger(asked.append)
        await webhooks.announce(clock.new_id(), "document.sent", DATA)
        connection.remove_query_logger(asked.append)
    assert len(asked) == 1


async def test_many_organizations_are_told_at_once(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = administrator(), administrator()
    for actor in (first, second):
        await webhooks.register(actor, receiver.url, ["document.received"])
    silent = {clock.new_id(): dict(DATA) for _ in range(5)}
    data_of = {**silent, first.home_id: {"n": 1}, second.home_id: {"n": 2}}
    for whole_table_from in (1000, 1):
        monkeypatch.setattr(webhooks, "WHOLE_TABLE_FROM", whole_table_from)
        assert await webhooks.announce_many("document.received", data_of) == 2
    await run_worker(once=True)
    assert sorted(json.loads(body)["data"]["n"] for _, body in receiver.got) == [1, 1, 2, 2]


async def test_failed_attempt_is_repeated_with_same_id_and_body(receiver: Receiver) -> None:
    actor = administrator()
    made = await webhooks.register(actor, receiver.url, ["*"])
    message_id = await _announced(actor)
    receiver.says("500 Oops", "нет\r\nместа".encode() + b"x" * 5000)
    at = clock.now()
    for attempt, pause in enumerate(webhooks.RETRIES, start=1):
        with clock.frozen(at):
            await db.execute("DELETE FROM procrastinate_jobs")
            await webhook_delivery.send(message_id)
            (message,) = await webhooks.messages_of(actor, made.id)
            assert (message.status, message.attempts) == ("waiting", attempt)
            assert message.next_attempt_at == at + pause
            assert [row["scheduled_at"] for row in await _jobs()] == [at + pause]
        at += pause
    assert message.last_error is not None
    assert message.last_error.startswith("HTTP 500: нет местаxxx")
    assert len(message.last_error) <= 200
    with clock.frozen(at):
        await webhook_delivery.send(message_id)
        await webhook_delivery.send(message_id)
    (message,) = await webhooks.messages_of(actor, made.id)
    assert (message.status, message.attempts) == ("failed", len(webhooks.RETRIES) + 1)
    assert message.next_attempt_at is None
    assert len(receiver.got) == len(webhooks.RETRIES) + 1
    assert len({headers["webhook-id"] for headers, _ in receiver.got}) == 1
    assert len({body for _, body in receiver.got}) == 1
    assert len({headers["webhook-timestamp"] for headers, _ in receiver.got}) > 5
    receiver.answer = Receiver("").answer
    await webhooks.resend(actor, message_id)
    await run_worker(once=True)
    (message,) = await webhooks.messages_of(actor, made.id)
    assert (message.status, message.attempts, message.last_error) == ("sent", 1, None)
    assert receiver.got[-1][1] == receiver.got[0][1]


async def test_message_is_not_sent_long_before_its_time(receiver: Receiver) -> None:
    actor = administrator()
    await webhooks.register(actor, receiver.url, ["*"])
    message_id = await _announced(actor)
    receiver.says("503 Busy")
    at = clock.now()
    for moment in (at, at + datetime.timedelta(seconds=5)):
        with clock.frozen(moment):
            await webhook_delivery.send(message_id)
    await webhook_delivery.send(message_id)
    assert len(receiver.got) == 2


async def test_gone_disables_at_once_and_says_so(receiver: Receiver) -> None:
    actor = administrator()
    made = await webhooks.register(actor, receiver.url, ["*"])
    await _announced(actor)
    await _announced(actor)
    receiver.says("410 Gone")
    await run_worker(once=True)
    assert len(receiver.got) == 1
    (listed,) = await webhooks.list_of(actor)
    assert (listed.status, listed.disabled_reason) == ("disabled", "gone")
    found = await webhooks.messages_of(actor, made.id)
    assert [one.status for one in found] == ["failed", "failed"]
    (notice,) = await notices.unread(actor)
    assert notice.kind == "webhook_disabled"
    assert "localhost" in notice.text_ru
    with pytest.raises(Conflict) as refused:
        await webhooks.resend(actor, found[0].id)
    assert refused.value.error_code == "webhook_disabled"
    await webhooks.enable(actor, made.id)
    with pytest.raises(IllegalTransition):
        await webhooks.enable(actor, made.id)
    receiver.answer = Receiver("").answer
    await webhooks.resend(actor, found[0].id)
    await run_worker(once=True)
    assert len(receiver.got) == 2


async def test_days_of_failing_disable(receiver: Receiver) -> None:
    actor = administrator()
    made = await webhooks.register(actor, receiver.url, ["*"])
    receiver.says("500 Oops")
    start = clock.now()
    for days in (0, 3, 6):
        with clock.frozen(start + datetime.timedelta(days=days)):
            await webhook_delivery.send(await _announced(actor))
            (listed,) = await webhooks.list_of(actor)
            assert listed.failing_since == start
            assert listed.status == ("disabled" if days == 6 else "active")
    assert listed.disabled_reason == "failing"
    verbs = await db.rows("SELECT verb, data FROM event WHERE subject_id = $1 ORDER BY id", made.id)
    assert [row["verb"] for row in verbs] == ["webhook.registered", "webhook.disabled"]
    assert verbs[1]["data"] == {"reason": "failing", "failed": 3}


async def test_success_ends_the_failing(receiver: Receiver) -> None:
    actor = administrator()
    await webhooks.register(actor, receiver.url, ["*"])
    receiver.says("500 Oops")
    await webhook_delivery.send(await _announced(actor))
    receiver.answer = Receiver("").answer
    await webhook_delivery.send(await _announced(actor))
    (listed,) = await webhooks.list_of(actor)
    assert listed.failing_since is None


async def test_redirect_is_a_failure_and_is_not_followed(receiver: Receiver) -> None:
    actor = administrator()
    made = await webhooks.register(actor, receiver.url, ["*"])
    async with receiving() as inside:
        receiver.says("302 Found", headers=f"location: {inside.url}\r\n")
        await webhook_delivery.send(await _announced(actor))
        assert inside.got == []
    (message,) = await webhooks.messages_of(actor, made.id)
    assert message.last_error == "HTTP 302"


async def test_timeout_and_refused_connection_are_told(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    actor = administrator()
    made = await webhooks.register(actor, receiver.url, ["*"])
    monkeypatch.setattr(webhook_delivery, "TIMEOUT_SECONDS", 0.2)
    receiver.delay = 1.0
    await webhook_delivery.send(await _announced(actor))
    (message,) = await webhooks.messages_of(actor, made.id)
    assert message.last_error is not None
    assert message.last_error.startswith("timeout")
    outcome = await webhook_delivery.post("http://127.0.0.1:9/", {}, b"{}")
    assert outcome.error is not None
    assert outcome.error.startswith("connection")


async def test_slow_webhook_does_not_block_others(receiver: Receiver) -> None:
    slow, quick = administrator(), administrator()
    receiver.delay = 0.4
    await webhooks.register(slow, receiver.url, ["*"])
    for _ in range(4):
        await _announced(slow)
    async with receiving() as other:
        await webhooks.register(quick, other.url, ["*"])
        for _ in range(4):
            await _announced(quick)
        work = asyncio.create_task(run_worker(once=True, concurrency=2))
        start = time.monotonic()
        while len(other.got) < 4:
            await asyncio.sleep(0.01)
            assert time.monotonic() - start < 10
        assert len(receiver.got) < 4
        await work
    assert len(receiver.got) == 4


async def test_forgotten_message_is_queued_again_and_old_ones_go(receiver: Receiver) -> None:
    actor = administrator()
    await webhooks.register(actor, receiver.url, ["*"])
    await _announced(actor)
    await db.execute("DELETE FROM procrastinate_jobs")
    assert await webhook_delivery.requeue_forgotten() == 0
    with clock.frozen(clock.now() + datetime.timedelta(hours=1)):
        assert await webhook_delivery.requeue_forgotten() == 1
    await run_worker(once=True)
    assert len(receiver.got) == 1
    assert await webhook_delivery.prune() == 0
    with clock.frozen(clock.now() + datetime.timedelta(days=31)):
        assert await webhook_delivery.prune() == 1


async def test_rules_of_registration(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    actor = administrator()
    for url in ("https://127.0.0.1/", "http://localhost/", "https://169.254.169.254/"):
        with pytest.raises(InvalidInput) as refused:
            await webhooks.register(actor, url, ["*"])
        assert refused.value.error_code == "webhook_url_forbidden"
    for types in ([], ["document.eaten"]):
        with pytest.raises(InvalidInput) as refused:
            await webhooks.register(actor, "https://77.88.8.8/", types)
        assert refused.value.error_code == "webhook_event_unknown"
    clerk = Actor(kind="user", id=clock.new_id(), organization_id=actor.home_id)
    with pytest.raises(Forbidden):
        await webhooks.register(clerk, "https://77.88.8.8/", ["*"])
    first = await webhooks.register(actor, "https://77.88.8.8/", ["*"], idempotency_key="k")
    again = await webhooks.register(actor, "https://77.88.8.8/", ["*"], idempotency_key="k")
    assert (again.id, again.secret) == (first.id, None)
    monkeypatch.setattr(webhooks, "MOST_PER_ORGANIZATION", 1)
    with pytest.raises(Conflict):
        await webhooks.register(actor, "https://77.88.8.8/", ["*"])
    await webhooks.disable(actor, first.id)
    with pytest.raises(IllegalTransition):
        await webhooks.disable(actor, first.id)


async def test_address_that_turned_private_is_not_called(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The check is made again at every attempt, not only at the registration."""
    actor = administrator()
    made = await webhooks.register(actor, receiver.url, ["*"])
    message_id = await _announced(actor)
    monkeypatch.setattr(webhooks, "ALLOW_PRIVATE", False)
    await webhook_delivery.send(message_id)
    assert receiver.got == []
    (message,) = await webhooks.messages_of(actor, made.id)
    assert message.last_error == "webhook_url_forbidden"


async def test_other_organizations_see_nothing(receiver: Receiver) -> None:
    actor, stranger = administrator(), administrator()
    made = await webhooks.register(actor, receiver.url, ["*"])
    message_id = await _announced(actor)
    assert await webhooks.list_of(stranger) == []
    for forbidden in (
        webhooks.messages_of(stranger, made.id),
        webhooks.disable(stranger, made.id),
        webhooks.enable(stranger, made.id),
        webhooks.resend(stranger, message_id),
    ):
        with pytest.raises(NotFound):
            await forbidden


async def test_over_http(receiver: Receiver) -> None:
    actor = administrator()

    def signed_in(app: ASGIApp) -> ASGIApp:
        async def go(scope: Scope, receive: Receive, send: Send) -> None:
            scope["auth"] = Access(actor=actor, id=clock.new_id())
            await app(scope, receive, send)

        return go

    app = Litestar([WebhookController, NoticeController], middleware=[signed_in])
    transport = httpx.ASGITransport(app)  # in this loop, where the pool is
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        types = (await client.get("/api/v1/webhooks/event-types")).json()
        assert types["retries_seconds"][:3] == [5, 300, 1800]
        asked = {"url": receiver.url, "event_types": ["document.sent"]}
        again = {"Idempotency-Key": "k1"}
        made = await client.post("/api/v1/webhooks", json=asked, headers=again)
        assert made.status_code == 201
        assert made.json()["secret"].startswith("whsec_")
        same = await client.post("/api/v1/webhooks", json=asked, headers=again)
        assert same.json() == {"id": made.json()["id"], "secret": None}
        assert (await client.post("/api/v1/webhooks", json={"url": 1})).status_code == 400
        await _announced(actor)
        receiver.says("410 Gone")
        await run_worker(once=True)
        place = f"/api/v1/webhooks/{made.json()['id']}"
        (message,) = (await client.get(f"{place}/messages", params={"limit": 5})).json()
        assert (message["status"], message["body"]["data"]) == ("failed", DATA)
        assert (await client.get(f"{place}/messages", params={"limit": 0})).status_code == 400
        (notice,) = (await client.get("/api/v1/notices")).json()
        read = await client.post("/api/v1/notices/read", json={"ids": [notice["id"]]})
        assert (read.status_code, read.json()) == (200, {"marked": 1})
        assert (await client.post(f"{place}/enable")).status_code == 204
        resend = await client.post(f"/api/v1/webhooks/messages/{message['id']}/resend")
        assert resend.status_code == 204
        assert (await client.delete(place)).status_code == 204
        (listed,) = (await client.get("/api/v1/webhooks")).json()
        assert (listed["status"], listed["disabled_reason"]) == ("disabled", "by_administrator")
        assert "secret" not in listed
