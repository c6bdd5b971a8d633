"""A warm pool of worker processes with limits of time and memory."""

import asyncio
import logging
import math
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

import msgspec

from core.errors import ServiceError, Unavailable
from core.sandbox import wire
from core.sandbox.errors import (
    SandboxAnswerTooLarge,
    SandboxCrash,
    SandboxFailure,
    SandboxMemory,
)
from core.sandbox.process import Worker
from core.settings import settings

logger = logging.getLogger(__name__)

PRELOAD = (
    "core.sandbox.extract",
    "signatures.validation",
    "signatures.remote",
    "docflow.documents.reading",
    "docflow.gateways.medo.reading",
    "compliance.searching.references",
    "compliance.looking.inspection",
)
"""Modules every worker of the process's own pool loads ahead; a room adds its line here."""

_RESTART_PAUSE = 1.0
_LIFE_BUSY_SECONDS = 1800.0


class Sandbox:
    """Runs functions on hostile bytes in other processes; use from one event loop.

    Calls are served first come, first served. A worker that runs late, dies or bloats is killed
    and a fresh one is started in the background.
    """

    def __init__(
        self,
        *,
        workers: int,
        preload: Sequence[str] = (),
        waiting: int = 512,
        patience: float = 60.0,
        recycle_after: int = 1000,
        answer_mb: int = 64,
    ) -> None:
        """Prepare a pool; processes start with `start` or the first call.

        `waiting` calls at most stand in the queue, each for at most `patience` seconds.
        """
        self._workers = workers
        self._preload = tuple(preload)
        self._waiting = waiting
        self._patience = patience
        self._recycle_after = recycle_after
        self._answer_bytes = answer_mb << 20
        self._idle: asyncio.Queue[Worker | None] = asyncio.Queue()
        self._alive: set[Worker] = set()
        self._hires: set[asyncio.Task[None]] = set()
        self._ends: set[asyncio.Task[None]] = set()
        self._in_queue = 0
        self._is_closed = False
        self._is_started = False
        self.loop: asyncio.AbstractEventLoop | None = None

    def start(self) -> None:
        """Start the processes without waiting for them; call it when the service starts."""
        if not self._is_started:
            self._is_started = True
            self.loop = asyncio.get_running_loop()
            for _ in range(self._workers):
                self._background(self._hires, self._hire())

    async def run(
        self,
        function: str | Callable[..., Any],
        *args: Any,
        timeout: float = 20.0,  # noqa: ASYNC109  # the worker is killed, not only left
        memory_mb: int = 1024,
        into: Any = Any,
        **keywords: Any,
    ) -> Any:
        """Run a module-level function (``module:name`` or itself) in a worker.

        Arguments and result are plain data: bytes, text, numbers, dates, lists, maps and
        dataclasses of these; a dataclass comes back as a map unless `into` names its type.
        `timeout` (seconds) counts from the moment a worker takes the call; `memory_mb` is what
        the call may use beyond what the worker holds already.

        Raises SandboxTimeout, SandboxCrash, SandboxMemory, SandboxAnswerTooLarge; SandboxFailure
        for an exception of the function; a ServiceError raised inside comes out as itself;
        Unavailable when too many calls wait.
        """
        buffers = wire.request(
            function=wire.function_path(function),
            args=args,
            keywords=keywords,
            cpu_seconds=math.ceil(timeout) + 2,
            memory_mb=memory_mb,
            answer_bytes=self._answer_bytes,
        )
        worker = await self._next_worker()
        try:
            answer, body = await worker.call(
                buffers, seconds=timeout, answer_bytes=self._answer_bytes
            )
        except BaseException as problem:
            # Cancellation too: the worker is in the middle of something nobody waits for.
            self._dismiss(worker, hire=True)
            if self._is_closed and isinstance(problem, SandboxCrash):
                raise Unavailable from problem
            if isinstance(problem, ServiceError):
                logger.warning("sandbox: %s in %s", problem.error_code, function)
            raise
        if answer.retire:
            self._dismiss(worker, hire=True)
        else:
            self._give_back(worker)
        return self._outcome(answer, body, into)

    async def close(self) -> None:
        """Kill all workers and refuse further calls; those that wait get Unavailable."""
        self._is_closed = True
        for task in self._hires:
            task.cancel()
        await asyncio.gather(*self._hires, return_exceptions=True)
        for worker in list(self._alive):
            self._dismiss(worker)
        for _ in range(self._in_queue):
            self._idle.put_nowait(None)
        await asyncio.gather(*self._ends, return_exceptions=True)

    @property
    def is_closed(self) -> bool:
        """Has `close` been called?"""
        return self._is_closed

    async def _next_worker(self) -> Worker:
        """The longest idle living worker; waits in turn."""
        if self._is_closed:
            raise Unavailable
        self.start()
        if self._in_queue >= self._waiting:
            raise Unavailable(code="sandbox_busy")
        self._in_queue += 1
        try:
            async with asyncio.timeout(self._patience):
                while True:
                    worker = await self._idle.get()
                    if worker is None or self._is_closed:
                        raise Unavailable
                    if worker.is_leaving:
                        self._dismiss(worker)
                    elif not worker.is_alive:
                        self._dismiss(worker, hire=True)
                    else:
                        return worker
        except TimeoutError as problem:
            raise Unavailable(code="sandbox_busy") from problem
        finally:
            self._in_queue -= 1

    def _give_back(self, worker: Worker) -> None:
        """Put a worker back in line; a worn-out one works on until its successor is warm."""
        if self._is_closed:
            self._dismiss(worker)
            return
        worn = worker.calls >= self._recycle_after or worker.busy_seconds >= _LIFE_BUSY_SECONDS
        if worn and not worker.is_leaving and not worker.is_followed:
            worker.is_followed = True
            self._background(self._hires, self._hire(predecessor=worker))
        self._idle.put_nowait(worker)

    async def _hire(self, predecessor: Worker | None = None) -> None:
        """Start a worker and put it in line once it is warm; try again until it works."""
        while not self._is_closed:
            worker = Worker(self._preload)
            self._alive.add(worker)
            try:
                await worker.ready()
            except (OSError, EOFError, msgspec.DecodeError, ServiceError):
                logger.exception("sandbox: a worker did not start")
                self._dismiss(worker)
                await asyncio.sleep(_RESTART_PAUSE)
                continue
            if predecessor is not None:
                predecessor.is_leaving = True
            self._idle.put_nowait(worker)
            return

    def _dismiss(self, worker: Worker, *, hire: bool = False) -> None:
        """Kill a worker; with `hire` start another in its place."""
        if worker not in self._alive:
            return
        self._alive.discard(worker)
        worker.kill()
        self._background(self._ends, worker.stopped())
        # One with a successor on its way is not replaced a second time.
        if hire and not worker.is_followed and not self._is_closed:
            self._background(self._hires, self._hire())

    def _background(self, group: set[asyncio.Task[None]], work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        group.add(task)
        task.add_done_callback(group.discard)

    def _outcome(self, answer: wire.Reply, body: bytearray, into: Any) -> Any:
        """The result, or the error that stands for what happened inside."""
        if answer.ran_out == "memory":
            raise SandboxMemory
        if answer.ran_out:
            raise SandboxAnswerTooLarge(limit=self._answer_bytes)
        if answer.failure is not None:
            raise _error(answer.failure)
        try:
            return wire.result(answer, body, into)
        except (msgspec.DecodeError, RecursionError) as problem:
            raise SandboxCrash(exit_code=None) from problem


def _error(failure: wire.Failure) -> ServiceError:
    """Our own errors as the nearest class known here, others as SandboxFailure."""
    if not failure.is_service_error:
        name = failure.classes[0] if failure.classes else "Exception"
        logger.warning("sandbox: %s: %s", name, failure.message)
        return SandboxFailure(exception=name, reason=failure.message)
    known = {kind.__name__: kind for kind in _kinds(ServiceError)}
    kind = next((known[name] for name in failure.classes if name in known), ServiceError)
    # Subclasses may have constructors of their own; what counts is what the handler reads.
    error = kind.__new__(kind)
    ServiceError.__init__(error, failure.ru, failure.en, code=failure.code, **failure.details)
    return error


def _kinds(kind: type[ServiceError]) -> list[type[ServiceError]]:
    """The class and all below it, nearest to the root first."""
    return [kind, *(found for child in kind.__subclasses__() for found in _kinds(child))]


_own: Sandbox | None = None


def pool() -> Sandbox:
    """The pool of this process, made at the first call; belongs to the running event loop."""
    global _own
    loop = asyncio.get_running_loop()
    if _own is None or _own.loop is not loop or _own.is_closed:
        _own = Sandbox(workers=settings().sandbox_workers, preload=PRELOAD)
        _own.start()
    return _own
