"""What a benchmark answers, and the figures it is made of."""

import os
import platform
import statistics
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter
from typing import Any


@dataclass(frozen=True, slots=True)
class Result:
    """One figure beside its floor, both medians of the same run."""

    name: str
    value: float
    unit: str
    floor: float
    ratio: float
    """Value over floor; whether small or large is good is in docs/performance.md."""
    n: int
    notes: dict[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Plain values, figures cut to four places that count."""
        plain: dict[str, Any] = _plain(asdict(self))
        return plain


def against(
    name: str, values: Sequence[float], floors: Sequence[float], *, unit: str, **notes: Any
) -> Result:
    """The result of pairs measured one after the other.

    The ratio is the median of the pairs' ratios: what disturbs a shared machine for a minute
    disturbs both halves of a pair.
    """
    ratios = [value / floor for value, floor in zip(values, floors, strict=True)]
    spread = {"ratios": [min(ratios), max(ratios)]}
    return Result(
        name, statistics.median(values), unit, statistics.median(floors),
        statistics.median(ratios), len(values), {**spread, **notes},
    )  # fmt: skip


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest of the values that at least `share` of them do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, int(share * len(ordered) + 0.999999) - 1))]


def seconds_of(work: Callable[[], object]) -> float:
    """How long one call takes."""
    began = perf_counter()
    work()
    return perf_counter() - began


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    model = next(
        (
            line.partition(":")[2].strip()
            for line in _lines("/proc/cpuinfo")
            if "model name" in line
        ),
        platform.machine(),
    )
    total = next((line.split()[1] for line in _lines("/proc/meminfo") if "MemTotal" in line), "0")
    return {
        "processor": model,
        "cores": len(os.sched_getaffinity(0)),
        "memory_gb": round(int(total) / 1024 / 1024, 1),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "load": [round(part, 2) for part in os.getloadavg()],
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text(encoding="utf-8").splitlines()
    except OSError:
        return []


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.4g}")
    if isinstance(value, dict):
        return {str(name): _plain(one) for name, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, list | tuple) else value
