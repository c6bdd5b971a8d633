"""`docflow bench`: run benchmarks by name and say what they gave."""

import asyncio
import logging
from collections.abc import Mapping
from time import perf_counter
from typing import Any

from bench import ground
from bench.registry import BENCHMARKS, BY_NAME_ONLY, Benchmark
from bench.results import machine

log = logging.getLogger(__name__)


def names() -> list[str]:
    """What can be measured."""
    return list(BENCHMARKS)


def run(names: list[str], *, benchmarks: Mapping[str, Benchmark] = BENCHMARKS) -> dict[str, Any]:
    """Measure these, one after the other; blocks for minutes.

    When none is named, all that are not too long. Raises KeyError for a name that is not in
    `names()`.
    """
    wanted = names or [name for name in benchmarks if name not in BY_NAME_ONLY]
    chosen = {name: benchmarks[name] for name in wanted}
    before = machine()
    results = []
    with ground.standing() as standing:
        for name, benchmark in chosen.items():
            began = perf_counter()
            result = asyncio.run(_one(benchmark, standing))
            log.info("%s: %.0f s", name, perf_counter() - began)
            results.append(result)
    return {"results": results, "machine": before}


async def _one(benchmark: Benchmark, standing: ground.Ground) -> dict[str, Any]:
    return (await benchmark(standing)).as_dict()
