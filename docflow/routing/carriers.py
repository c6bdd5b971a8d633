"""Carriers: the loop of a job process that keeps every channel's messages moving, until told to
stop.

Each channel has its own loop and its own room, so that a channel, or a target, that is slow holds
up nothing but itself.
"""

import asyncio
import logging
from contextlib import suppress

from core import clock, db
from docflow.routing import carrying, overdue
from docflow.routing.carriage import URGENT, Channel, Consignment
from docflow.routing.channels import CHANNELS

log = logging.getLogger(__name__)

LOOK_SECONDS = 0.5
"""How long a new message waits at most before somebody looks, when nothing else is under way."""

GRACE_SECONDS = 20.0
"""How long a stopping process waits for what is under way; then the lease runs out."""


async def run(stop: asyncio.Event) -> None:
    """Carry messages of every channel until `stop`; outlives a database that goes away."""
    await asyncio.gather(*(_Crew(channel).work(stop) for channel in CHANNELS.values()))


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
        self.freed = asyncio.Event()

    async def work(self, stop: asyncio.Event) -> None:
        """Claim whenever there is room, renew the leases, finish what runs at the stop."""
        beside = asyncio.create_task(self._keep_leases())
        try:
            while not stop.is_set():
                taken = 0
                try:
                    taken = await self._claim()
                except Exception:
                    log.exception("nothing could be claimed for %s; tried again", self.channel.name)
                if not taken:
                    await self._rest(stop)
            if self.tasks:
                await asyncio.wait(self.tasks, timeout=GRACE_SECONDS)
        finally:
            beside.cancel()
            for task in self.tasks:
                task.cancel()
            await asyncio.gather(beside, *self.tasks, return_exceptions=True)

    async def _claim(self) -> int:
        """Start what there is room for; the last quarter of it is for urgent messages."""
        await overdue.wake()
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
        self.freed.set()
        if not task.cancelled() and (problem := task.exception()) is not None:
            # Not recorded: the lease runs out, and the message goes again under the same id.
            log.error("a try by %s was not recorded", self.channel.name, exc_info=problem)

    async def _rest(self, stop: asyncio.Event) -> None:
        self.freed.clear()
        waits = [asyncio.create_task(self.freed.wait()), asyncio.create_task(stop.wait())]
        _, pending = await asyncio.wait(
            waits, timeout=LOOK_SECONDS, return_when=asyncio.FIRST_COMPLETED
        )
        for task in pending:
            task.cancel()
        await asyncio.gather(*waits, return_exceptions=True)

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
