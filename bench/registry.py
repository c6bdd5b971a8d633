"""Which benchmarks there are, by the names docs/performance.md explains."""

from collections.abc import Awaitable, Callable, Mapping

from bench import (
    channels,
    credits,
    evidence,
    fanout,
    gost,
    hashes,
    images,
    inbox,
    intake,
    log,
    medo,
    node,
    recall,
    sign,
    soak,
    upload,
    urgent,
    validate,
)
from bench.ground import Ground
from bench.results import Result

Benchmark = Callable[[Ground], Awaitable[Result]]

BENCHMARKS: Mapping[str, Benchmark] = {
    "fanout-7805": fanout.members,
    "fanout-100k": fanout.everybody,
    "intake": intake.measure,
    "inbox-1e4": inbox.ten_thousand,
    "inbox-1e5": inbox.hundred_thousand,
    "inbox-1e6": inbox.million,
    "upload-1g": upload.measure,
    "sign-bb": sign.b_b,
    "hash-search-1e6": hashes.million,
    "hash-search-1e7": hashes.ten_million,
    "copy-recall": recall.measure,
    "credit-lines": credits.measure,
    "image-fast": images.fast,
    "image-full": images.full,
    "sign-blta": sign.b_lta,
    "gost-verify": gost.verify,
    "validate-parallel": validate.parallel,
    "evidence-verify": evidence.verify,
    "evidence-export": evidence.export,
    "urgent": urgent.measure,
    "soak": soak.measure,
    "medo-write": medo.write,
    "medo-read": medo.read,
    "node-exchange": node.measure,
    "channels-scale": channels.scale,
    "log-overhead": log.overhead,
    "log-fanout-100k": log.after_fanout,
}

BY_NAME_ONLY = frozenset({"soak"})
"""Too long to be run along with all others."""
