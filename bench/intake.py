"""How many signed files a second the service takes in, beside pyHanko's check of them alone."""

import asyncio
import json
import tempfile
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from time import perf_counter
from typing import Any
from urllib.parse import quote

from bench import actors, files, pyhanko_alone
from bench.ground import Ground
from bench.http_client import Connection, send_all
from bench.results import Result, against
from bench.web import serving
from core import clock
from directory import dataset
from signatures import anchors

ROUNDS = 7
BATCH = 120
CONNECTIONS = 16

CARD = quote(json.dumps({"kind": "circular", "title": "О сроках представления отчётности"}))


async def measure(ground: Ground) -> Result:
    """Files never seen before; each is checked, stored and numbered when it is answered."""
    async with ground.database():
        made = dataset.generate("S")
        await dataset.load(made)
        token = await actors.token_of(await actors.clerk_of(made.health_union_id))
        authority = await actors.trusted_authority()
        trust = await anchors.store()
        chairman = await actors.chairman_of(made.health_union_id)
        papers = list(files.signed(BATCH * (ROUNDS + 1), authority, subject=chairman))
        with (
            tempfile.TemporaryDirectory(prefix="docflow-bench-") as folder,
            pyhanko_alone.two_processes() as pair,
        ):
            paths = _written(papers, Path(folder))
            async with serving(SANDBOX_WORKERS="2") as web:
                connections = [await Connection.open(web.port) for _ in range(CONNECTIONS)]
                values, floors = [], []
                for number in range(ROUNDS + 1):
                    part = slice(number * BATCH, (number + 1) * BATCH)
                    values.append(await _taken(connections, papers[part], token))
                    floors.append(await asyncio.to_thread(
                        _checked, pair, paths[part], (trust.roots, trust.others, trust.crls)
                    ))  # fmt: skip
                for connection in connections:
                    connection.close()
                peak = web.peak_mb()
    # the first round warms both
    return against(
        "intake", values[1:], floors[1:], unit="files/s", connections=CONNECTIONS,
        size_kb=len(papers[0]) / 1000, web_processes=1, sandbox_workers=2, web_peak_mb=peak,
    )  # fmt: skip


async def _taken(connections: list[Connection], papers: list[bytes], token: str) -> float:
    stem = clock.new_id().hex

    def request(number: int) -> tuple[str, str, Mapping[str, str]]:
        return (
            "POST", "/api/v1/intake",
            {"Authorization": f"Bearer {token}", "X-Card": CARD, "Content-Type": "application/pdf",
             "Idempotency-Key": f"{stem}-{number}"},
        )  # fmt: skip

    began = perf_counter()
    answers = await send_all(connections, papers, request)
    spent = perf_counter() - began
    bad = [answer for answer in answers if not _is_good(answer)]
    if bad:
        raise RuntimeError(f"{len(bad)} of {len(answers)} were not taken: {bad[0]}")
    return len(papers) / spent


def _is_good(answer: tuple[int, Any]) -> bool:
    status, told = answer
    return status == 201 and told["status"] == "registered" and told["verdict"] == "valid"


def _checked(pair: ProcessPoolExecutor, paths: list[str], trust: pyhanko_alone.Trust) -> float:
    began = perf_counter()
    halves = [pair.submit(pyhanko_alone.validated_all, paths[side::2], trust) for side in (0, 1)]
    good = sum(half.result() for half in halves)
    spent = perf_counter() - began
    if good != len(paths):
        raise RuntimeError(f"pyHanko finds {good} of {len(paths)} good")
    return len(paths) / spent


def _written(papers: list[bytes], folder: Path) -> list[str]:
    paths = []
    for number, paper in enumerate(papers):
        path = folder / f"{number}.pdf"
        path.write_bytes(paper)
        paths.append(str(path))
    return paths
