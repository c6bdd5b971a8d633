"""Background jobs: declared by name, deferred in the caller's transaction, run by the worker.

The worker itself is ``core.jobs.worker.run_worker``, so that declaring and deferring does not
load it.
"""

from core.jobs.queue import defer, defer_many
from core.jobs.recovery import Reason, StuckJob, prune, retry_now, stuck, sweep
from core.jobs.registry import (
    JOBS,
    Retry,
    RetryPolicy,
    RunningJob,
    allow,
    job,
    periodic,
    running,
)

__all__ = [
    "JOBS",
    "Reason",
    "Retry",
    "RetryPolicy",
    "RunningJob",
    "StuckJob",
    "allow",
    "defer",
    "defer_many",
    "job",
    "periodic",
    "prune",
    "retry_now",
    "running",
    "stuck",
    "sweep",
]
