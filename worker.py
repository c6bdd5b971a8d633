"""The job process: every room's jobs, the periodic ones, until it is told to stop."""

import asyncio
import signal

import wiring
from compliance import jobs as compliance_jobs
from core.jobs import JOBS
from core.jobs.worker import run_worker
from directory import jobs as directory_jobs
from docflow.documents import jobs as document_jobs
from docflow.documents.records import jobs as records_jobs
from docflow.routing import carriers
from docflow.routing import jobs as routing_jobs
from docflow.routing.nodes import jobs as node_jobs
from evidence.log import jobs as log_jobs
from evidence.log import sequencing
from evidence.packages import jobs as evidence_jobs
from evidence.privacy import jobs as privacy_jobs
from notify import jobs as notify_jobs
from signatures import jobs as signature_jobs
from storage import jobs as storage_jobs

ROOMS_WITH_JOBS = (
    storage_jobs,
    signature_jobs,
    directory_jobs,
    notify_jobs,
    compliance_jobs,
    document_jobs,
    records_jobs,
    routing_jobs,
    evidence_jobs,
    privacy_jobs,
    node_jobs,
    log_jobs,
)
"""Importing them declares their jobs; what is missing here is never run."""

OUTSIDE = frozenset({"webhooks", "mail", "revocation", "nodes", log_jobs.QUEUE})
"""Queues whose jobs wait for somebody else's server."""


async def work() -> None:
    """Run jobs until SIGTERM or SIGINT; what has begun is finished first."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop.set)
    ours = {job.queue for job in JOBS.values()} - OUTSIDE
    async with wiring.running():
        # Crews of their own: addresses that answer slowly never hold up the work inside.
        await asyncio.gather(
            run_worker(stop, queues=sorted(ours)),
            run_worker(stop, queues=sorted(OUTSIDE)),
            carriers.run(stop),
            sequencing.run(stop),
        )
