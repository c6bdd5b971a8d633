"""The process that reads hostile files: ``python -m core.sandbox.worker FD PARENT [MODULE …]``.

It holds no secret, no database and, where the kernel allows, no network; its directory is a
deleted one, it may write no file and leave no core. Limits of memory and processor time are set
anew for each call. Whatever it answers is treated as untrue until shown otherwise.
"""

import ctypes
import gc
import importlib
import os
import resource
import signal
import socket
import sys
import tempfile
from collections.abc import Callable
from functools import lru_cache
from typing import Any, get_type_hints

import msgspec

from core.errors import ServiceError
from core.sandbox import wire

_PR_SET_PDEATHSIG = 1
_PR_SET_NO_NEW_PRIVS = 38
_CLONE_NEWUSER = 0x10000000
_CLONE_NEWNET = 0x40000000

_MB = 1 << 20
MEMORY_CEILING_MB = 4096
"""No call may ask for more; the hard limit, which the process itself cannot raise."""
CPU_CEILING_SECONDS = 3600
"""Over the life of a worker; the pool replaces workers long before."""
_BLOAT_MB = 256
"""A worker that keeps this much more than it started with is replaced after the call."""


def main(channel: int, parent: int, modules: list[str]) -> None:
    """Shut the doors, load `modules`, report, and answer calls until the parent hangs up."""
    connection = socket.socket(fileno=channel)
    is_cut_off = _shut_doors(parent)
    missing = [problem for module in modules if (problem := _load(module))]
    _limit_for_life()
    gc.collect()
    gc.freeze()
    baseline = _address_space()
    hello = {"missing": missing, "network": not is_cut_off}
    _send(connection, wire.reply(wire.Reply(), wire.encoded(hello)[1]))
    while (call := _receive(connection)) is not None:
        buffers = _answer(*call, baseline)
        call = None
        _send(connection, buffers)


def _shut_doors(parent: int) -> bool:
    """Die with the parent, gain no rights, leave every directory and, if possible, the network."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        raise SystemExit("the parent is gone")
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    empty = tempfile.mkdtemp(prefix="docflow-sandbox-")
    os.chdir(empty)
    os.rmdir(empty)
    # Root may leave the network at once; others must enter a user namespace first, which some
    # kernels forbid. A worker with network is still a worker.
    return any(
        libc.unshare(flags) == 0 for flags in (_CLONE_NEWNET, _CLONE_NEWUSER | _CLONE_NEWNET)
    )


def _load(module: str) -> str:
    """Import a module ahead of the first call; answer what went wrong, if anything did."""
    try:
        importlib.import_module(module)
    except Exception as problem:
        return f"{module}: {type(problem).__name__}: {problem}"
    return ""


def _limit_for_life() -> None:
    """Set what holds for every call; after loading, which may write byte code."""
    sys.dont_write_bytecode = True
    ceiling = _address_space() + MEMORY_CEILING_MB * _MB
    resource.setrlimit(resource.RLIMIT_AS, (ceiling, ceiling))
    resource.setrlimit(resource.RLIMIT_DATA, (ceiling, ceiling))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_CEILING_SECONDS, CPU_CEILING_SECONDS + 5))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256))


def _limit_for_call(call: wire.Request) -> None:
    """Let this call have its memory and time on top of what is already in use."""
    ceiling = resource.getrlimit(resource.RLIMIT_AS)[1]
    memory = min(_address_space() + call.memory_mb * _MB, ceiling)
    resource.setrlimit(resource.RLIMIT_AS, (memory, ceiling))
    used = resource.getrusage(resource.RUSAGE_SELF)
    seconds = int(used.ru_utime + used.ru_stime) + call.cpu_seconds
    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    resource.setrlimit(resource.RLIMIT_CPU, (min(seconds, hard), hard))


def _lift_memory_limit() -> None:
    """Give room to report what happened and to take the next call."""
    ceiling = resource.getrlimit(resource.RLIMIT_AS)[1]
    resource.setrlimit(resource.RLIMIT_AS, (ceiling, ceiling))


def _address_space() -> int:
    """Bytes of address space in use, which is what RLIMIT_AS counts."""
    with open("/proc/self/statm", "rb") as statm:
        return int(statm.read().split()[0]) * resource.getpagesize()


def _answer(call: wire.Request, values: list[Any], baseline: int) -> list[bytes]:
    """Run one call under its limits; whatever happens becomes an answer."""
    try:
        _limit_for_call(call)
        split = len(values) - len(call.names)
        function = _function(call.function)
        arguments = _typed(call.function, values, call.names)
        keywords = dict(zip(call.names, arguments[split:], strict=True))
        is_raw, body = wire.encoded(function(*arguments[:split], **keywords))
    except MemoryError:
        _lift_memory_limit()
        return wire.reply(wire.Reply(retire=True, ran_out="memory"))
    except BaseException as problem:
        # SystemExit too: a library that wants to leave must not take the worker along.
        _lift_memory_limit()
        return wire.reply(wire.Reply(failure=_failure(problem)))
    _lift_memory_limit()
    retire = _address_space() > baseline + _BLOAT_MB * _MB
    if len(body) > call.answer_bytes:
        return wire.reply(wire.Reply(retire=True, ran_out="answer"))
    return wire.reply(wire.Reply(is_raw=is_raw, retire=retire), body)


def _failure(problem: BaseException) -> wire.Failure:
    """The exception as data: no traceback, no objects, words cut short."""
    classes = [kind.__name__ for kind in type(problem).__mro__]
    if not isinstance(problem, ServiceError):
        return wire.Failure(classes[:1], str(problem)[:500])
    return wire.Failure(
        classes,
        str(problem),
        is_service_error=True,
        code=problem.error_code,
        ru=problem.message_ru,
        en=problem.message_en,
        details={name: _fact(value) for name, value in problem.details.items()},
    )


def _fact(value: Any) -> Any:
    """A detail of an error if it is plain data, its text otherwise."""
    try:
        msgspec.msgpack.encode(value)
    except (TypeError, ValueError, OverflowError):
        return str(value)
    return value


@lru_cache(maxsize=256)
def _function(path: str) -> Callable[..., Any]:
    module, _, name = path.partition(":")
    function: Callable[..., Any] = getattr(importlib.import_module(module), name)
    return function


@lru_cache(maxsize=256)
def _hints(path: str) -> tuple[list[Any], dict[str, Any]]:
    """The annotations of a function's parameters, in order and by name."""
    function = _function(path)
    try:
        hints = get_type_hints(function)
    except (NameError, TypeError):
        hints = {}
    code = getattr(function, "__code__", None)
    names = code.co_varnames[: code.co_argcount] if code else ()
    return [hints.get(name, Any) for name in names], hints


def _typed(path: str, values: list[Any], names: list[str]) -> list[Any]:
    """Dataclasses and tuples arrive as maps and lists; make of them what the function declares."""
    ordered, by_name = _hints(path)
    split = len(values) - len(names)
    kinds = [*(ordered + [Any] * split)[:split], *(by_name.get(name, Any) for name in names)]
    return [
        _converted(value, kind) if isinstance(value, dict | list) else value
        for value, kind in zip(values, kinds, strict=True)
    ]


def _converted(value: Any, kind: Any) -> Any:
    """`value` as `kind`, or as it came where `kind` is a type that msgspec does not know."""
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError:
        raise
    except (TypeError, ValueError):
        return value


def _receive(connection: socket.socket) -> tuple[wire.Request, list[Any]] | None:
    """The next call and its values; None when the parent hung up."""
    prefix = _exactly(connection, wire.PREFIX.size)
    if prefix is None:
        return None
    head = _exactly(connection, wire.PREFIX.unpack(prefix)[0])
    if head is None:
        return None
    call = wire.read_request(head)
    values = call.values
    for index, size in call.raw:
        values[index] = _exactly(connection, size)
    return call, values


def _exactly(connection: socket.socket, size: int) -> bytes | None:
    """`size` bytes, in one piece as a rule; None at the end of the stream."""
    data = connection.recv(size, socket.MSG_WAITALL) if size else b""
    while len(data) < size:
        piece = connection.recv(size - len(data), socket.MSG_WAITALL)
        if not piece:
            return None
        data += piece
    return data


def _send(connection: socket.socket, buffers: list[bytes]) -> None:
    for buffer in buffers:
        connection.sendall(buffer)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:])
