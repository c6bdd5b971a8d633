"""What workers of the sandbox are made to do in its tests, and the pool they do it in."""

import asyncio
import os
import socket
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.errors import Conflict, NotFound
from core.sandbox import (
    Sandbox,
)


@dataclass(frozen=True)
class Parcel:
    name: str
    data: bytes
    tags: tuple[str, ...] = ()


class UnknownToTheParent(Conflict):
    code = "unknown_to_the_parent"

    def __init__(self, one: int, two: int) -> None:
        super().__init__("по-русски", "in English", one=one, two=two, odd=object)


def echo(value: Any) -> Any:
    return value


def halves(parcel: Parcel, *, twice: bool = False) -> Parcel:
    assert type(parcel) is Parcel
    return Parcel(parcel.name, parcel.data * (2 if twice else 1), parcel.tags)


def sleep(seconds: float) -> int:
    time.sleep(seconds)
    return os.getpid()


def spin() -> None:
    while True:
        pass


def hog() -> int:
    return len(bytearray(3 << 30))


def hog_slowly() -> int:
    held = []
    while True:
        held.append(bytearray(10 << 20))


def leak() -> int:
    globals()["_kept"] = bytearray(400 << 20)
    return os.getpid()


def leave(code: int) -> None:
    os._exit(code)


def kill_me(number: int) -> None:
    os.kill(os.getpid(), number)


def huge(size: int) -> bytes:
    return bytes(size)


def raise_value_error() -> None:
    raise ValueError("x" * 10_000)


def raise_not_found() -> None:
    raise NotFound("нет", "none", code="not_found_here", number=7)


def raise_unknown() -> None:
    raise UnknownToTheParent(1, 2)


def raise_system_exit() -> None:
    sys.exit(3)


def recurse() -> Any:
    return recurse()


def unpicklable() -> object:
    return object()


def surroundings() -> dict[str, Any]:
    try:
        Path("x").write_text("x")
        wrote = True
    except OSError:
        wrote = False
    try:
        socket.create_connection(("127.0.0.1", 9), timeout=1)
        network = "connected"
    except OSError as problem:
        network = str(problem.errno)
    return {"env": dict(os.environ), "wrote": wrote, "network": network, "pid": os.getpid()}


def fill_tmp(path: str) -> None:
    Path(path).write_bytes(b"x" * 100)


def lie_about_length() -> None:
    """What a taken-over worker could do: claim an endless answer."""
    import struct

    for descriptor in range(3, 64):
        try:
            os.write(descriptor, struct.pack("<IQ", 10, 1 << 60))
        except OSError:
            continue
    time.sleep(30)


def talk_rubbish() -> None:
    import struct

    for descriptor in range(3, 64):
        try:
            os.write(descriptor, struct.pack("<IQ", 5, 0) + b"\xc1\xc1\xc1\xc1\xc1")
        except OSError:
            continue
    time.sleep(30)


async def works(sandbox: Sandbox) -> None:
    answers = await asyncio.gather(*(sandbox.run(echo, number) for number in range(4)))
    assert answers == [0, 1, 2, 3]


class own_pool:
    def __init__(self, **options: Any) -> None:
        self.sandbox = Sandbox(preload=[__name__], **options)

    async def __aenter__(self) -> Sandbox:
        return self.sandbox

    async def __aexit__(self, *_: object) -> None:
        await self.sandbox.close()
