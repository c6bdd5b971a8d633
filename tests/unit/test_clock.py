"""Ids by the clock: UUIDv7, in the order of their making, whatever the system clock does."""

import time
import uuid

import pytest

from core import clock


def test_ids_are_version_7_in_order_and_near_now() -> None:
    made = [clock.new_id() for _ in range(20_000)]
    assert made == sorted(set(made))
    assert {(one.version, one.variant) for one in made} == {(7, uuid.RFC_4122)}
    assert abs((made[-1].int >> 80) - time.time_ns() // 1_000_000) < 60_000


def test_a_clock_set_back_gives_no_earlier_id(monkeypatch: pytest.MonkeyPatch) -> None:
    first = clock.new_id()
    monkeypatch.setattr(time, "time_ns", lambda: 1_700_000_000_000_000_000)
    later = [clock.new_id() for _ in range(5)]
    assert [first, *later] == sorted([first, *later])
