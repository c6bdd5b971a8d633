"""Which benchmarks there are, by the names docs/performance.md explains."""

from collections.abc import Awaitable, Callable, Mapping

from bench import fanout, intake
from bench.ground import Ground
from bench.results import Result

Benchmark = Callable[[Ground], Awaitable[Result]]

BENCHMARKS: Mapping[str, Benchmark] = {
    "fanout-7805": fanout.members,
    "fanout-100k": fanout.everybody,
    "intake": intake.measure,
}
