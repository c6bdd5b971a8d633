"""Every state in which something can stay has an owner, a limit, a sweep and a place to be seen."""

import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from enum import StrEnum
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

import worker
from core import clock, db, jobs
from core.jobs import JOBS
from core.machines import said_of
from tests import ground, people
from web import stuck

ROOT = Path(__file__).resolve().parents[2]
assert worker.ROOMS_WITH_JOBS  # importing it declares every job


async def test_every_status_in_the_database_is_spoken_of_exactly_once(database: str) -> None:
    rows = await db.rows(
        """SELECT c.conrelid::regclass::text AS table, a.attname AS column,
                  pg_get_constraintdef(c.oid) AS text
           FROM pg_constraint AS c JOIN pg_attribute AS a ON a.attrelid = c.conrelid
                AND a.attnum = ANY (c.conkey)
           WHERE c.contype = 'c' AND a.attname LIKE '%status' AND cardinality(c.conkey) = 1"""
    )
    there = {
        (row["table"], row["column"]): set(re.findall(r"'(\w+)'::text", row["text"]))
        for row in rows
    }
    enum = await db.rows("SELECT unnest(enum_range(NULL::procrastinate_job_status))::text AS one")
    there["procrastinate_jobs", "status"] = {row["one"] for row in enum}
    spoken = {(m.table, m.column): m for m in stuck.MACHINES if m.column}
    assert set(there) == set(spoken)
    for key, states in there.items():
        said = said_of(spoken[key])
        assert sorted(said) == sorted(states), key


def graphs() -> Iterator[tuple[str, Mapping[StrEnum, frozenset[StrEnum]]]]:
    for path in sorted(ROOT.glob("*/**/*states.py")):
        if ".venv" in path.parts or "tests" in path.parts:
            continue
        module = import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
        for name, value in vars(module).items():
            if name.endswith("TRANSITIONS"):
                yield f"{module.__name__}.{name}", value


@pytest.mark.parametrize(("name", "graph"), list(graphs()))
def test_every_graph_of_states_is_a_machine_with_the_same_ends(
    name: str, graph: Mapping[StrEnum, frozenset[StrEnum]]
) -> None:
    states = {state.value for state in graph}
    machines = [m for m in stuck.MACHINES if set(said_of(m)) == states]
    assert machines, f"{name}: no machine speaks of {sorted(states)}"
    ends = {state.value for state, ways in graph.items() if not ways}
    assert any(machine.ends == ends for machine in machines)


def test_every_watch_has_an_owner_a_limit_a_sweep_and_is_seen() -> None:
    codes = [watch.code for machine in stuck.MACHINES for watch in machine.watches]
    assert len(codes) == len(set(codes))
    for machine in stuck.MACHINES:
        assert all(why for why in machine.rests.values())
        for watch in machine.watches:
            assert watch.owner in stuck.OWNERS
            assert watch.sweep in JOBS, watch.sweep
            assert isinstance(watch.limit, timedelta) or re.fullmatch(r"[a-z_]+", watch.limit)
            assert bool(watch.sql) != bool(watch.seen), watch.code
            assert all((watch.ru, watch.en))


async def test_every_list_can_be_read_and_counted(database: str) -> None:
    center = await ground.an_organization("center")
    keeper = await people.clerk_of(center, "administrator")
    assert await stuck.kinds(keeper) == []
    assert len(await stuck.kinds(keeper, all_of_them=True)) == len(stuck.WATCHES)
    for code in stuck.WATCHES:
        assert await stuck.listed(keeper, code) == []
    lines = await stuck.metrics()
    assert 'docflow_stuck{kind="message_failed"} 0' in lines


async def test_what_is_stuck_is_seen_by_its_own_and_by_the_center_and_mended(
    database: str,
) -> None:
    center, union = await ground.an_organization("center"), await ground.an_organization("union")
    keeper = await people.clerk_of(center, "administrator")
    clerk, stranger = await people.clerk_of(union), await people.clerk_of(center)
    to = await ground.an_organization("primary", channel="pigeon")
    document_id = await ground.a_sent(clerk, to)
    delivery_id = await ground.delivery_to(document_id, to)
    with clock.frozen(clock.now() + timedelta(hours=2)):
        [kind] = await stuck.kinds(clerk)
        assert (kind.code, kind.number, kind.owner) == ("delivery_loose", 1, "administrator")
        [one] = await stuck.listed(keeper, "delivery_loose")
        assert (one.id, one.code) == (str(delivery_id), "channel_pigeon")
        assert await stuck.kinds(stranger) == []
    await db.execute(
        "UPDATE delivery SET status = 'failed', reason = 'no_mailbox: нет' WHERE id = $1",
        delivery_id,
    )
    [kind] = await stuck.kinds(clerk)
    assert (kind.code, kind.may_retry) == ("delivery_failed", True)
    assert 'docflow_stuck{kind="delivery_failed"} 1' in await stuck.metrics()
    await stuck.retry(clerk, "delivery_failed", delivery_id)
    assert await stuck.kinds(clerk) == []


async def test_over_http(database: str) -> None:
    center = await ground.an_organization("center")
    clerk = await people.clerk_of(center)
    document_id = await ground.a_sent(clerk, to := await ground.an_organization("primary"))
    delivery_id = await ground.delivery_to(document_id, to)
    await db.execute("UPDATE delivery SET status = 'failed' WHERE id = $1", delivery_id)
    async with ground.api(clerk) as client:
        told: dict[str, Any] = (await client.get("/api/v1/stuck/")).json()
        assert [one["code"] for one in told["kinds"]] == ["delivery_failed"]
        page = (await client.get("/api/v1/stuck/delivery_failed")).json()
        assert [one["id"] for one in page["items"]] == [str(delivery_id)]
        answer = await client.post(f"/api/v1/stuck/delivery_failed/{delivery_id}/retry")
        assert answer.status_code == 204
        assert (await client.get("/api/v1/stuck/")).json() == {"kinds": []}
        assert (await client.get("/api/v1/stuck/nothing")).status_code == 404


async def test_jobs_are_listed_and_run_again_over_http(database: str) -> None:
    center, union = await ground.an_organization("center"), await ground.an_organization("union")
    keeper = await people.clerk_of(center, "administrator")
    await jobs.defer("notify.send_mail")
    at = "/api/v1/stuck/jobs"
    async with ground.api(keeper) as client:
        assert (await client.get(at)).json() == {"items": [], "after": None}
        await db.execute("UPDATE procrastinate_jobs SET status = 'failed', attempts = 3")
        told: dict[str, Any] = (await client.get(at, params={"limit": 1})).json()
        (one,) = told["items"]
        assert (one["name"], one["reason"], one["runs"]) == ("notify.send_mail", "failed", 3)
        assert told["after"] == one["id"]
        assert (await client.get(at, params={"after": 10**30})).json()["items"] == []
        for number in (one["id"] + 1, 10**30, -(10**30)):
            assert (await client.post(f"{at}/{number}/retry")).status_code == 404
        assert (await client.post(f"{at}/{one['id']}/retry")).status_code == 204
        row = await db.row("SELECT status::text, attempts FROM procrastinate_jobs")
        assert row == {"status": "todo", "attempts": 0}
    for home, role in ((center, "clerk"), (union, "administrator")):
        async with ground.api(await people.clerk_of(home, role)) as client:
            for answer in (await client.get(at), await client.post(f"{at}/{one['id']}/retry")):
                assert answer.status_code == 403
