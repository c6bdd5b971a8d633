"""The room's jobs: lists fetched from known addresses, and the alarm when one is stale."""

from datetime import timedelta

from core.actor import RULE
from core.jobs import RetryPolicy, periodic
from signatures import fetching, revocation_import

QUEUE = "revocation"
"""Waits for other people's servers, so the crew for the outside runs it."""


@periodic(
    "signatures.fetch_lists", every=timedelta(minutes=5), queue=QUEUE,
    retry=RetryPolicy(attempts=2),
)  # fmt: skip
async def fetch_lists() -> None:
    """Ask the addresses that are due."""
    await fetching.fetch_due()


@periodic("signatures.stale_lists", every=timedelta(minutes=10))
async def stale_lists() -> None:
    """A list that ran out without a successor is told of once."""
    await revocation_import.alarm_stale(RULE)
