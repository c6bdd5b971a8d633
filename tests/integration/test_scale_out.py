"""Two web and two job processes on one database and one store: work is shared, nothing twice."""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import httpx
import pytest

from core import db
from core.embedded.process import free_port
from core.settings import settings
from tests import ground, ways_stage
from tests.mail_relay import Relay, relaying
from tests.ways_stage import Ways

ROOT = Path(__file__).resolve().parents[2]
RECIPIENTS = 30

pytestmark = pytest.mark.slow


class House:
    """Processes of the service as they are run in production, on the test's own database."""

    def __init__(self) -> None:
        self.processes: list[subprocess.Popen[bytes]] = []

    def start(self, *words: str, program: str | None = None) -> subprocess.Popen[bytes]:
        called = [program] if program else [sys.executable, str(ROOT / "cli.py")]
        made = subprocess.Popen(
            [*called, *words], env=dict(os.environ),
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        self.processes.append(made)
        return made

    def web(self) -> str:
        port = free_port()
        self.start("serve", "--port", str(port))
        return f"http://127.0.0.1:{port}"

    def end(self) -> None:
        for one in self.processes:
            one.kill()
        for one in self.processes:
            one.wait(20)


@pytest.fixture
def house() -> Iterator[House]:
    made = House()
    yield made
    made.end()


async def until(holds: Callable[[], Awaitable[bool]], *, within: float = 150) -> None:
    began = time.monotonic()
    while not await holds():
        assert time.monotonic() - began < within, "not in time"
        await asyncio.sleep(0.1)


async def ready(client: httpx.AsyncClient, address: str) -> None:
    async def answers() -> bool:
        try:
            return (await client.get(f"{address}/health/ready")).status_code == 200
        except httpx.HTTPError:
            return False

    await until(answers)


def mail_goes_to(relay: Relay, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMTP_HOST", "127.0.0.1")
    monkeypatch.setenv("SMTP_PORT", str(relay.port))
    settings.cache_clear()


async def letters(stage: Ways, number: int) -> list[str]:
    """The ids of primaries that are reached by mail only, as JSON wants them."""
    return [
        str(await ways_stage.a_primary(stage, "email", email=f"p{place}@example.org"))
        for place in range(number)
    ]


async def test_work_is_shared_and_nothing_is_done_twice(
    database: str, monkeypatch: pytest.MonkeyPatch, house: House
) -> None:
    async with relaying(seconds=0.2) as relay, httpx.AsyncClient(timeout=30) as client:
        mail_goes_to(relay, monkeypatch)
        addresses = [house.web(), house.web()]
        stage = await ways_stage.a_stage()
        to = await letters(stage, RECIPIENTS)
        document_id = await ways_stage.a_registered(stage.clerk)
        token = await ground.token_of(stage.clerk)
        for address in addresses:
            await ready(client, address)
        house.start("work")
        house.start("work")
        # one key, two processes at once: one dispatch
        headers = {"authorization": f"Bearer {token}", "idempotency-key": "once"}
        body = {"selector": {"include": to}}
        answers = await asyncio.gather(
            *(client.post(f"{address}/api/v1/documents/{document_id}/dispatches",
                          json=body, headers=headers) for address in addresses)
        )  # fmt: skip
        assert len({answer.json()["id"] for answer in answers}) == 1
        await until(lambda: _all_sent(RECIPIENTS))
        assert sorted(to for _, to, _ in relay.took) == sorted(
            f"p{place}@example.org" for place in range(RECIPIENTS)
        )
        carriers = await db.value("SELECT count(DISTINCT carrier_id) FROM attempt")
        assert carriers == 2
        assert await db.value("SELECT count(*) FROM attempt") == RECIPIENTS
        # what one process forgets, the other one has forgotten too
        assert (await client.get(f"{addresses[1]}/api/v1/deliveries/", headers=headers)).is_success
        await db.execute("UPDATE api_token SET revoked_at = now()")
        for address in addresses:
            refused = await client.get(f"{address}/api/v1/deliveries/", headers=headers)
            assert refused.status_code == 401


async def test_a_killed_process_leaves_its_work_to_the_other(
    database: str, monkeypatch: pytest.MonkeyPatch, house: House
) -> None:
    async with relaying(seconds=0.5) as relay:
        mail_goes_to(relay, monkeypatch)
        first = house.start("work")
        house.start("work")
        stage = await ways_stage.a_stage()
        to = await letters(stage, RECIPIENTS)
        await ways_stage.a_letter(stage.clerk, *(uuid.UUID(one) for one in to))
        await until(lambda: _some_underway())
        first.send_signal(signal.SIGKILL)
        await until(lambda: _all_sent(RECIPIENTS))
        # a letter under way at the kill may have got through unrecorded: the same letter again
        letters_of: dict[str, set[bytes]] = {}
        for _, one, raw in relay.took:
            letters_of.setdefault(one, set()).add(raw)
        assert len(letters_of) == RECIPIENTS
        assert all(len(variants) == 1 for variants in letters_of.values())


async def test_an_upgrade_restarts_one_after_the_other_and_nobody_notices(
    database: str, house: House, tmp_path: Path
) -> None:
    program = shutil.which("haproxy")
    if program is None:
        pytest.skip("no haproxy: apt-get install haproxy")
    async with httpx.AsyncClient(timeout=30) as client:
        webs = [house.web(), house.web()]
        for address in webs:
            await ready(client, address)
        front, text = free_port(), (ROOT / "docker" / "haproxy.cfg").read_text("utf-8")
        # the containers' names are found by their name server; here they have ports of their own
        kept = [line for line in text.splitlines() if "server-template" not in line]
        servers = [f"    server web{n} {one.removeprefix('http://')}" for n, one in enumerate(webs)]
        config = tmp_path / "haproxy.cfg"
        config.write_text("\n".join([*kept, *servers, ""]).replace(":8080", f":{front}"))
        house.start("-f", str(config), program=program)
        await ready(client, f"http://127.0.0.1:{front}")
        stop, statuses = asyncio.Event(), list[int]()
        asking = asyncio.create_task(_ask(client, f"http://127.0.0.1:{front}", stop, statuses))
        for place in range(2):
            before = len(statuses)
            house.processes[place].send_signal(signal.SIGTERM)
            await asyncio.to_thread(house.processes[place].wait, 60)
            house.start("serve", "--port", webs[place].rpartition(":")[2])
            await ready(client, webs[place])
            await asyncio.sleep(3)
            assert len(statuses) > before
        stop.set()
        await asking
    assert set(statuses) == {200}


async def _ask(
    client: httpx.AsyncClient, address: str, stop: asyncio.Event, statuses: list[int]
) -> None:
    while not stop.is_set():
        statuses.append((await client.get(f"{address}/health/ready")).status_code)
        await asyncio.sleep(0.02)


async def _all_sent(number: int) -> bool:
    return bool(await db.value("SELECT count(*) FROM consignment WHERE status = 'sent'") == number)


async def _some_underway() -> bool:
    return bool(await db.value("SELECT count(*) FROM consignment WHERE status = 'sent'") >= 3)
