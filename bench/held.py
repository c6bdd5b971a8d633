"""Processes held to a share of a core each by the kernel, as if each had a small machine.

By control groups (cgroups(7)) of version 1 or 2, for who may make them: root, as a rule.
"""

import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

PERIOD = 20_000
"""Microseconds in which a share is counted: short, so that nothing stands still for long."""
_ROOT = Path("/sys/fs/cgroup")


def possible() -> bool:
    """May we hold processes here?"""
    try:
        _dissolve(_group(0.5))
    except OSError:
        return False
    return True


@contextmanager
def held(pids: Sequence[int], share: float) -> Iterator[None]:
    """Let none of these processes have more than `share` of a core, until they end.

    The processes must have ended by the end of the block. Raises OSError where it is not allowed.
    """
    groups: list[Path] = []
    try:
        for pid in pids:
            groups.append(_group(share))
            (groups[-1] / "cgroup.procs").write_text(str(pid), encoding="ascii")
        yield
    finally:
        for group in groups:
            _dissolve(group)


def _group(share: float) -> Path:
    is_first = (_ROOT / "cpu" / "cgroup.procs").exists()
    group = _ROOT / "cpu" if is_first else _ROOT
    group /= f"docflow-bench-{secrets.token_hex(4)}"
    group.mkdir()
    quota = int(PERIOD * share)
    try:
        if is_first:
            (group / "cpu.cfs_period_us").write_text(str(PERIOD), encoding="ascii")
            (group / "cpu.cfs_quota_us").write_text(str(quota), encoding="ascii")
        else:
            (group / "cpu.max").write_text(f"{quota} {PERIOD}", encoding="ascii")
    except OSError:
        _dissolve(group)
        raise
    return group


def _dissolve(group: Path) -> None:
    with suppress(OSError):  # a process that has not ended: the kernel keeps the empty name
        group.rmdir()
