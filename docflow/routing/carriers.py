"""Carriers: the loop of a job process that keeps every channel's messages moving, until told to
stop.

Each channel has its own loop and its own room, so that a channel, or a target, that is slow holds
up nothing but itself.
"""

import asyncio
import logging
from collections.abc import Mapping
from contextlib import suppress

from core import clock, db
from docflow.routing import carrying, overdue
from docflow.routing.carriage import URGENT, Channel, Consignment
from docflow.routing.channels import CHANNELS

log = logging.getLogger(__name__)

LOOK_SECONDS = 0.5
"""How long a new message waits at most before somebody looks, when nothing else is under way."""

GATHER_SECONDS = 0.02
"""How long a busy crew lets places come free before it claims again."""

GRACE_SECONDS = 20.0
"""How long a stopping process waits for what is under way; then the lease runs out."""


async def run(stop: asyncio.Event) -> None:
    """Carry messages of every channel until `stop`; outlives a database that goes away."""
    crews = {channel.name: _Crew(channel) for channel in CHANNELS.values()}
    await asyncio.gather(_look(stop, crews), *(crew.work(stop) for crew in crews.values()))


async def _look(stop: asyncio.Event, crews: Mapping[str, "_Crew"]) -> None:
    """One look for all channels: who has something to carry is called."""
    while not stop.is_set():
        try:
            await overdue.wake()
            for row in await db.rows(_READY, list(crews)):
                crews[row["channel"]].called.set()
        except Exception:
            log.exception("nobody could look for messages; looked again")
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), LOOK_SECONDS)
    for crew in crews.values():
        crew.called.set()


_READY = """SELECT channel FROM unnest($1::text[]) AS channel WHERE EXISTS (
    SELECT 1 FROM consignment AS m WHERE m.channel = channel.channel
    AND m.status = 'waiting' AND m.next_attempt_at IS NULL)"""


async def carry_waiting(*, room: int = 64) -> int:
    """Carry what can go now, and return; answers how many tries were made. For tests and tools."""
    number = 0
    while True:
        await overdue.wake()
        before = number
        for channel in CHANNELS.values():
            carrier_id = clock.new_id()
            taken = await carrying.claim(channel, carrier_id=carrier_id, room=room)
            await asyncio.gather(
                *(carrying.carry(channel, one, carrier_id=carrier_id) for one in taken)
            )
            number += len(taken)
        if number == before:
            return number


class _Crew:
    """One channel's messages under way in this process."""

    def __init__(self, channel: Channel) -> None:
        self.channel = channel
        self.carrier_id = clock.new_id()
        self.tasks: dict[asyncio.Task[None], Consignment] = {}
        self.called = asyncio.Event()

    async def work(self, stop: asyncio.Event) -> None:
        """Claim whenever there is room, renew the leases, finish what runs at the stop."""
        beside = asyncio.create_task(self._keep_leases())
        try:
            while not stop.is_set():
                # Before the claim: who is called during it, or told to stop, does not sleep.
                self.called.clear()
                taken = 0
                try:
                    taken = await self._claim()
                except Exception:
                    log.exception("nothing could be claimed for %s; tried again", self.channel.name)
                if not taken and not stop.is_set():
                    await self.called.wait()
                if self.tasks:
                    # One claim for several places that come free: claims of a channel take turns
                    # over all processes.
                    await asyncio.sleep(GATHER_SECONDS)
            if self.tasks:
                await asyncio.wait(self.tasks, timeout=GRACE_SECONDS)
        finally:
            beside.cancel()
            for task in self.tasks:
                task.cancel()
            await asyncio.gather(beside, *self.tasks, return_exceptions=True)

    async def _claim(self) -> int:
        """Start what there is room for; the last quarter of it is for urgent messages."""
        room = self.channel.parallel - len(self.tasks)
        common = room - self.channel.parallel // 4
        if room <= 0:
            return 0
        taken = await carrying.claim(
            self.channel, carrier_id=self.carrier_id, room=common if common > 0 else room,
            least_priority=0 if common > 0 else URGENT,
        )  # fmt: skip
        for message in taken:
            task = asyncio.create_task(self._carry(message))
            self.tasks[task] = message
            task.add_done_callback(self._done)
        return len(taken)

    async def _carry(self, message: Consignment) -> None:
        await carrying.carry(self.channel, message, carrier_id=self.carrier_id)

    def _done(self, task: asyncio.Task[None]) -> None:
        del self.tasks[task]
        self.called.set()
        if not task.cancelled() and (problem := task.exception()) is not None:
            # Not recorded: the lease runs out, and the message goes again under the same id.
            log.error("a try by %s was not recorded", self.channel.name, exc_info=problem)

    async def _keep_leases(self) -> None:
        while True:
            await asyncio.sleep(carrying.LEASE.total_seconds() / 4)
            with suppress(Exception):
                await db.execute(
                    """UPDATE consignment SET leased_until = $3
                       WHERE id = ANY($1) AND carrier_id = $2 AND status = 'sending'""",
                    [one.id for one in self.tasks.values()], self.carrier_id,
                    clock.now() + carrying.LEASE,
                )  # fmt: skip
