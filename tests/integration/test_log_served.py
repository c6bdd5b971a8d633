"""The log as the outside gets it: read by a second reader, stamped, witnessed by a process."""

import asyncio
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from audit import events
from core import clock, db
from core.actor import RULE
from core.errors import Unavailable
from core.settings import settings
from evidence.log import alarm, checking, cosigning, identity, jobs, proofs, sequencing, stamping
from signatures import stamp_client
from tests import ground, people, tlog_reader
from tests.rfc4998 import openssl_holds
from tests.stamping_places import BEGIN, StampingPlace

ROOT = Path(__file__).resolve().parents[2]
GO_LIBRARY = Path("/usr/share/gocode/src/golang.org/x/mod/sumdb/tlog")
HAS_GO = GO_LIBRARY.is_dir()


async def some_events(number: int) -> None:
    async with db.transaction():
        for count in range(number):
            await events.record(RULE, "test.done", subject=("test", clock.new_id()),
                                data={"n": count})  # fmt: skip
    await sequencing.take()


async def fetched(client: httpx.AsyncClient, size: int) -> dict[str, bytes]:
    """Everything a reader asks for."""
    wanted = ["checkpoint", "vkey"]
    for level, number, width in tlog_reader.row_widths(size):
        wanted.append(tlog_reader.tile_path(level, number, width))
        if level == 0:
            wanted.append(tlog_reader.tile_path("entries", number, width))
    found = {}
    for name in wanted:
        answer = await client.get(f"/log/{name}")
        assert answer.status_code == 200, (name, answer.text)
        found[name] = answer.content
    return found


async def test_a_stranger_reads_the_whole_log(database: str) -> None:
    await some_events(300)
    await some_events(299)
    async with ground.api() as client:
        files = await fetched(client, 600)
        known = tlog_reader.key(files["vkey"].decode())
        size, entries = tlog_reader.read_log(files.__getitem__, known)
        assert size == 600
        assert all(len(entry) == 32 for entry in entries)
        _, _, root = tlog_reader.checkpoint(files["checkpoint"].decode())
        between = await proofs.consistency(301, 600)
        assert list(between.path) == tlog_reader.proof(301, entries)
        older = tlog_reader.mth(entries[:301])
        assert tlog_reader.roots_by_proof(301, 600, older, list(between.path)) == (older, root)
        earlier = await client.get("/log/tile/0/001.p/45")
        assert earlier.content == files["tile/0/001"][: 45 * 32], "of the first checkpoint"
        assert earlier.headers["cache-control"].endswith("immutable")
        for missing in ("tile/0/002.p/89", "tile/0/003", "tile/1/000.p/3", "tile/0/000.p/256",
                        "tile/64/000", "tile/entries/x000/001", "tile/0/1", "nothing"):  # fmt: skip
            answer = await client.get(f"/log/{missing}")
            assert answer.status_code == 404, missing


async def test_an_organization_gets_the_proof_of_its_own_events(database: str) -> None:
    center, other = [await ground.an_organization(kind) for kind in ("center", "union")]
    clerk, stranger = await people.clerk_of(other), await people.clerk_of(
        await ground.an_organization("union"))  # fmt: skip
    async with db.transaction():
        mine = await events.record(clerk, "test.done", subject=("test", clock.new_id()))
    await some_events(40)
    known = tlog_reader.key(str(await identity.verifier()))
    async with ground.api(clerk) as client:
        told = (await client.get(f"/api/v1/log/events/{mine}/proof")).json()
        entry = tlog_reader.sha(bytes.fromhex(told["salt"]), told["event"].encode())
        assert entry.hex() == told["entry"]
        assert tlog_reader.read_proof(told["proof"], entry, known) == told["leaf"]
        assert json.loads(told["event"])["actor_id"] == str(clerk.id)
        bad = await client.get("/api/v1/log/consistency", params={"old": 9, "new": 5})
        assert (bad.status_code, bad.json()["code"]) == (422, "bad_sizes")
        assert (await client.get("/api/v1/log")).status_code == 403
        missing = await client.get(f"/api/v1/log/events/{clock.new_id()}/proof")
        assert missing.status_code == 404
    async with ground.api(stranger) as client:
        assert (await client.get(f"/api/v1/log/events/{mine}/proof")).status_code == 404
    async with ground.api(await people.clerk_of(center, "administrator")) as client:
        assert (await client.get(f"/api/v1/log/events/{mine}/proof")).status_code == 200
        await checking.check_all()
        checks = (await client.get("/api/v1/log/checks")).json()
        assert [one["findings"] for one in checks] == [0]
        assert (await client.post("/api/v1/log/checks")).status_code == 202
        standing = (await client.get("/api/v1/log")).json()
        assert (standing["troubles"], standing["size"]) == ([], 42)
        ready = (await client.get("/health/ready")).json()
        assert ready["log"] == "ok"
        metrics = (await client.get("/metrics")).text
        assert "docflow_log_size 42\n" in metrics


async def an_authority_is_named() -> None:
    await db.execute(
        """INSERT INTO stamp_service (id, name, url, position, status, added_at, updated_at)
           VALUES ($1, 'TSA', 'http://tsa.example.org', 0, 'active', $2, $2)""",
        clock.new_id(), clock.now(),
    )  # fmt: skip


async def test_an_outage_of_the_authority_is_loud_and_drops_nothing(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with clock.frozen(BEGIN):
        place = StampingPlace()
        place.new_key()
        await an_authority_is_named()
        await some_events(3)
        assert await stamping.stamp_newest(stamp=place.stamp) == 4
        assert await stamping.stamp_newest(stamp=place.stamp) is None, "nothing is due"
        await some_events(3)
        assert await stamping.stamp_newest(stamp=place.stamp) is None, "not each second"
    with clock.frozen(BEGIN + stamping.EVERY):

        async def down(digest: bytes, *, algorithm: str = "sha256") -> bytes:
            raise Unavailable(code="timestamp_unavailable")

        async def of_something_else(digest: bytes, *, algorithm: str) -> bytes:
            return place.token(bytes(32), "sha256")

        for client in (down, of_something_else):
            with pytest.raises(Unavailable):
                await stamping.stamp_newest(stamp=client)
        monkeypatch.setattr(stamp_client, "stamp", down)
        await jobs.stamp()  # a short outage is no failed job
        assert (await alarm.standing()).troubles == []
    with clock.frozen(BEGIN + stamping.LATE * 2):
        await some_events(2)
        assert (await alarm.standing()).troubles == ["stamp_late"]
        assert "docflow_log_stamp_late 1" in await alarm.metrics()
        assert await alarm.word() == "stamp_late"
        with pytest.raises(Unavailable):
            await jobs.stamp()
        await ground.an_organization("center")
        assert await alarm.tell() == 1
        assert await alarm.tell() == 0, "once a day"
        assert (await stamping.due()).number == 2
        assert await stamping.stamp_newest(stamp=place.stamp) == 9
        assert (await alarm.standing()).troubles == []
        covering = await proofs.stamped_checkpoint(7)
        assert covering is not None
        assert covering.head.size == 9, "the later token covers the one that was missed"
        note = tmp_path / "ca.pem"
        note.write_bytes(place.pem())
        assert covering.token is not None
        assert openssl_holds(
            covering.token, stamping.digest_of(covering.note), roots=note, at=clock.now(),
            folder=tmp_path,
        )  # fmt: skip


async def a_witness_process(state: Path, log_key: str) -> tuple[asyncio.subprocess.Process, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(ROOT / "cli.py"), "witness", "--json", "--state", str(state),
        "--name", "witness.example/w1", "--log", log_key, "--port", "0",
        stdout=asyncio.subprocess.PIPE, env={"PATH": "/usr/bin:/bin"},
    )  # fmt: skip
    assert process.stdout is not None
    told = json.loads(await asyncio.wait_for(process.stdout.readline(), 60))
    return process, told


@pytest.mark.slow
async def test_a_witness_process_cosigns_and_remembers_over_its_death(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WEBHOOK_ALLOW_PRIVATE", "yes")
    settings.cache_clear()
    await some_events(20)
    log_key = str(await identity.verifier())
    process, told = await a_witness_process(tmp_path / "w", log_key)
    try:
        await until_answered(told["address"])
        await cosigning.add_witness(RULE, url=told["address"], vkey=told["key"])
        assert await cosigning.ask_all() == 1
        assert await cosigning.ask_all() == 0, "it has the newest"
        latest = await proofs.checkpoint()
        assert tlog_reader.signed_by(latest.cosigned, tlog_reader.key(told["key"]))
        assert (await checking.check_all()).findings == 0
    finally:
        process.kill()
        await process.wait()
    await some_events(5)
    assert await cosigning.ask_all() == 0
    [row] = await cosigning.witnesses()
    assert row["last_error"].startswith("no_answer")
    assert (await alarm.standing()).troubles == [], "one that is away has not refused"
    process, told = await a_witness_process(tmp_path / "w", log_key)
    try:
        await until_answered(told["address"])
        await db.execute("UPDATE log_witness SET url = $1, seen_size = 3", told["address"])
        assert await cosigning.ask_all() == 1, "it tells what it has seen"
        await db.execute("UPDATE log_tile SET data = set_byte(data, 33, 0) WHERE level = 0")
        await some_events(5)
        assert await cosigning.ask_all() == 0
        assert (await alarm.standing()).troubles == ["witness_refuses"]
        async with httpx.AsyncClient() as client:
            counts = (await client.get(told["address"] + "/metrics")).text
        assert re.search(r"docflow_witness_suspicions\{kind=\"doubt\"\} 1\n", counts)
    finally:
        process.kill()
        await process.wait()


async def until_answered(address: str) -> None:
    async with httpx.AsyncClient() as client:
        for _ in range(100):
            try:
                assert (await client.get(f"{address}/vkey")).status_code == 200
            except httpx.TransportError:
                await asyncio.sleep(0.1)
            else:
                return
    raise TimeoutError(address)


@pytest.mark.slow
async def test_the_go_team_s_own_client_reads_the_log(database: str, tmp_path: Path) -> None:
    """`golang.org/x/mod/sumdb` checks tiles, every inclusion and some consistencies."""
    go = shutil.which("go")
    if go is None or not HAS_GO:
        pytest.skip("needs the packages golang-go and golang-golang-x-mod-dev")
    await some_events(400)
    await some_events(299)
    async with ground.api() as client:
        for name, content in (await fetched(client, 700)).items():
            place = tmp_path / name
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content)
    done = await asyncio.to_thread(
        subprocess.run,
        [go, "run", str(ROOT / "tests/independent/read_log.go"), str(tmp_path)],
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "GO111MODULE": "off",
             "GOPATH": "/usr/share/gocode", "GOCACHE": str(tmp_path / "cache")},
        capture_output=True, text=True, timeout=200,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout == "700 entries, 700 inclusions, 699 consistencies\n"
