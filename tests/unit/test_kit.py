"""The partner test kit finds every fault that is seeded in a node, and none in a sound one."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

import cli
from core.embedded.process import free_port
from docflow.gateways.node.kit import running, standing
from docflow.gateways.node.kit.checking import Bench
from docflow.gateways.node.kit.line import Line
from docflow.gateways.node.kit.listener import Listener
from tests import kit_node_notes
from tests.kit_node import KitNode
from tests.kit_node_notes import FAULTS

DOCUMENT = b"%PDF-1.7 signed, as far as this node looks"


@asynccontextmanager
async def benched(
    *faults: str, path: Path | None = None, patience: float = 20.0
) -> AsyncIterator[Bench]:
    """The kit at its bench, before a node with these faults that has entered it."""
    who = standing.fresh(path)
    ear, port = Listener(who, "", late=3.0), free_port()
    node = KitNode(who, faults=frozenset(faults))
    node.peer_keys[who.key.kid] = who.infos[0]
    node.peer_url = ear.base_url = f"http://127.0.0.1:{port}"
    async with (
        kit_node_notes.serving(node, free_port()) as url,
        Line(url, who, seconds=2.0).opened() as line,
        ear.listening("127.0.0.1", port),
    ):
        yield Bench(line, author="KIT", recipient="HERE", document=DOCUMENT, listener=ear,
                    base_url=ear.base_url, patience=patience, load=10, slow=1.0)  # fmt: skip


@pytest.mark.slow
async def test_nothing_is_found_in_a_sound_node() -> None:
    async with benched() as bench:
        assert await running.is_known(bench) == (True, "")
        results = await running.run(bench, running.chosen(listens=True))
        told = running.report(bench, results, ready=True, why="")
    assert [one for one in results if one.verdict != "pass"] == []
    assert told["ok"]
    assert told["pass"] == len(running.CHECKS)
    assert running.exit_code(results) == 0
    json.dumps(told)


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(one, marks=() if one in ("accepts_twice", "overwrites") else pytest.mark.slow)
        for one in FAULTS
    ],
)
async def test_a_seeded_fault_is_found(fault: str) -> None:
    async with benched(fault, patience=2.0) as bench:
        await running.is_known(bench)
        (result,) = await running.run(bench, running.chosen(only=[FAULTS[fault]]))
    assert result.verdict == "fail", result
    assert result.told_ru
    assert result.told_en
    assert running.exit_code([result]) == 1


def test_every_check_is_held_by_a_fault() -> None:
    assert set(FAULTS.values()) == {one.code for one in running.CHECKS}


async def test_who_does_not_know_the_kit_is_shown_its_card() -> None:
    async with benched() as bench:
        bench.line.standing = standing.fresh()
        ready, why = await running.is_known(bench)
        told = running.report(bench, [], ready=ready, why=why)
    assert not ready
    assert "node_unknown" in why
    assert not told["ok"]
    assert len(told["kit"]["fingerprint"].split()) == 16
    assert running.exit_code([]) == 2


def test_keys_stay_and_numbers_grow(tmp_path: Path) -> None:
    path = tmp_path / "kit.json"
    first = standing.load(path)
    assert path.stat().st_mode & 0o777 == 0o600
    again = standing.load(path)
    assert (first.node, first.key.kid, first.infos) == (again.node, again.key.kid, again.infos)
    numbers = [standing.next_number(again) for _ in range(5)]
    assert sorted(set(numbers)) == numbers
    path.write_text("{}")
    with pytest.raises(ValueError, match="no file of the kit"):
        standing.load(path)


def test_the_command_says_what_it_needs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    state = ["--state", str(tmp_path / "kit.json"), "--recipient", "X"]
    assert cli.main(["kit", "--json", "--list"]) == 0
    assert len(json.loads(capsys.readouterr().out)["checks"]) == len(running.CHECKS)
    assert cli.main(["kit"]) == 64
    assert cli.main(["kit", "ftp://x", *state]) == 64
    assert cli.main(["kit", "http://x", *state, "--only", "nothing"]) == 64
    assert cli.main(["kit", "http://x", *state, "--listen", "there"]) == 64
    assert "there" in capsys.readouterr().err


@pytest.mark.slow
async def test_the_command_against_a_sound_node_and_nobody(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    document, path = tmp_path / "a.pdf", tmp_path / "kit.json"
    document.write_bytes(DOCUMENT)
    async with benched(path=path) as bench:
        words = ["--state", str(path), "--recipient", "HERE", "--document", str(document)]
        only = ["--only", "accepted", "--only", "clock"]
        code = await asyncio.to_thread(cli.main, ["kit", bench.line.url, *words, *only])
        assert code == 0
        assert "прошло / pass 2, не прошло / fail 0" in capsys.readouterr().out
        code = await asyncio.to_thread(cli.main, ["kit", "--json", bench.line.url, *words, *only])
        told = json.loads(capsys.readouterr().out)
        assert (code, told["ok"], [one["verdict"] for one in told["checks"]]) == (
            0, True, ["pass", "pass"])  # fmt: skip
    nobody = f"http://127.0.0.1:{free_port()}"
    code = await asyncio.to_thread(cli.main, ["kit", "--json", nobody, *words])
    told = json.loads(capsys.readouterr().out)
    assert (code, told["ready"], told["checks"]) == (2, False, [])
