"""What the sandbox pool makes of two cores, beside a bare loop in two processes."""

import asyncio
import pickle
import tempfile
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import fields
from multiprocessing import get_context
from pathlib import Path
from time import perf_counter
from typing import Any

from bench import mixed
from bench.ground import Ground
from bench.results import Result, against
from core import clock
from core.sandbox import Sandbox
from signatures.trust import TrustStore
from signatures.validation import validate_bytes

ROUNDS = 3
FILES = 1000


async def parallel(_: Ground) -> Result:
    """Speed-up over one process, on the same files in the same order."""
    made = await asyncio.to_thread(mixed.made, FILES)
    common: dict[str, Any] = {
        **{one.name: list(getattr(made.trust, one.name)) for one in fields(TrustStore)},
        "at": clock.now().isoformat(),
    }
    values, floors, alone = [], [], []
    with (
        tempfile.TemporaryDirectory(prefix="docflow-bench-") as folder,
        ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pair,
    ):
        paths = await asyncio.to_thread(_written, made.calls, Path(folder), common)
        pool = Sandbox(workers=2, preload=("signatures.validation",), recycle_after=100_000)
        try:
            verdicts = await _pooled(pool, made.calls[:40], common)
            await asyncio.to_thread(_bare, pair, paths[:40], 2)
            for _round in range(ROUNDS):
                single = await asyncio.to_thread(_seconds, _bare, pair, paths, 1)
                both = await asyncio.to_thread(_seconds, _bare, pair, paths, 2)
                began = perf_counter()
                verdicts = await _pooled(pool, made.calls, common)
                pooled = perf_counter() - began
                alone.append(single)
                values.append(single / pooled)
                floors.append(single / both)
        finally:
            await pool.close()
    return against(
        "validate-parallel", values, floors, unit="times one process", files=FILES,
        one_process_seconds=alone, **verdicts,
    )  # fmt: skip


async def _pooled(
    pool: Sandbox, calls: Sequence[mixed.Call], common: dict[str, Any]
) -> Counter[str]:
    """Sixteen calls wait at a time, as under load."""
    waiting = iter(calls)
    verdicts: Counter[str] = Counter()

    async def client() -> None:
        for data, signature in waiting:
            request = {**common, "data": data, "signature": signature}
            report = await pool.run("signatures.validation:validate_bytes", request)
            verdicts[report["verdict"]] += 1

    await asyncio.gather(*(client() for _ in range(16)))
    return verdicts


def _seconds(work: Any, *arguments: Any) -> float:
    began = perf_counter()
    work(*arguments)
    return perf_counter() - began


def _bare(pair: ProcessPoolExecutor, paths: list[str], processes: int) -> None:
    parts = [pair.submit(_validated, paths[side::processes]) for side in range(processes)]
    if sum(part.result() for part in parts) != len(paths):
        raise RuntimeError("a file got no verdict")


def _validated(paths: list[str]) -> int:
    """The bare loop: the same call on the same requests, nothing around it."""
    return sum(
        validate_bytes(pickle.loads(Path(path).read_bytes()))["verdict"] != ""  # noqa: S301 - ours
        for path in paths
    )


def _written(calls: Sequence[mixed.Call], folder: Path, common: dict[str, Any]) -> list[str]:
    paths = []
    for number, (data, signature) in enumerate(calls):
        path = folder / str(number)
        path.write_bytes(pickle.dumps({**common, "data": data, "signature": signature}))
        paths.append(str(path))
    return paths
