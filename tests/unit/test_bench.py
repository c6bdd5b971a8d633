"""The benchmarks are there under their promised names, and answer in the promised shape."""

import contextlib
import json

import pytest

from bench import command, ground
from bench.results import Result, against, percentile

PROMISED = {
    "fanout-7805", "fanout-100k", "intake", "inbox-1e4", "inbox-1e5", "inbox-1e6", "upload-1g",
    "sign-bb", "sign-blta", "gost-verify", "validate-parallel", "node-exchange", "urgent", "soak",
    "medo-write", "medo-read", "hash-search-1e6", "hash-search-1e7", "image-fast", "image-full",
    "copy-recall", "log-overhead", "evidence-verify", "evidence-export",
}  # fmt: skip
"""Every name the outside may rely on; those of parts that are not built yet are missing."""

BUILT = {
    "fanout-7805", "fanout-100k", "intake", "inbox-1e4", "inbox-1e5", "inbox-1e6", "upload-1g",
    "sign-bb", "sign-blta", "gost-verify", "validate-parallel", "hash-search-1e6",
    "hash-search-1e7", "image-fast", "image-full", "copy-recall",
}  # fmt: skip

MORE = {"credit-lines", "channels-scale", "log-fanout-100k"}
"""Benchmarks of our own beside the promised ones."""


def test_names_are_the_promised_ones() -> None:
    assert set(command.names()) <= PROMISED | MORE
    assert set(command.names()) >= BUILT


def test_result_has_the_promised_shape(monkeypatch: pytest.MonkeyPatch) -> None:
    async def trivial(_: ground.Ground) -> Result:
        return against("trivial", [3.0, 2.0, 4.0], [1.0, 2.0, 2.0], unit="s", seen=1 / 3)

    monkeypatch.setattr(command.ground, "standing", contextlib.nullcontext)
    answer = command.run(["trivial"], benchmarks={"trivial": trivial})
    assert json.loads(json.dumps(answer)) == answer
    (result,) = answer["results"]
    assert result == {
        "name": "trivial", "value": 3.0, "unit": "s", "floor": 2.0, "ratio": 2.0, "n": 3,
        "notes": {"ratios": [1.0, 3.0], "seen": 0.3333},
    }  # fmt: skip
    assert answer["machine"]["cores"] >= 1


def test_unknown_name_is_refused() -> None:
    with pytest.raises(KeyError):
        command.run(["no-such-thing"])


@pytest.mark.parametrize(("share", "expected"), [(0.5, 5), (0.95, 10), (0.9, 9), (0.01, 1)])
def test_percentile_is_the_nearest_rank(share: float, expected: float) -> None:
    assert percentile([10, 9, 8, 7, 6, 5, 4, 3, 2, 1], share) == expected
