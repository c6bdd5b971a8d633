"""How parent and worker speak: a fixed prefix, a msgpack head, then raw bytes.

Large byte strings travel beside the head and are never encoded. Nothing is unpickled on either
side: an answer made while reading a hostile file is data, and is decoded as data.
"""

import struct
from collections.abc import Callable
from typing import Any

import msgspec

PREFIX = struct.Struct("<IQ")
"""Length of the head, length of the body."""

RAW_FROM = 4096
"""Byte strings of at least this many bytes go beside the head."""


class Request(msgspec.Struct, array_like=True):
    """One call: `names` belong to the last values, `raw` says which values lie in the body."""

    function: str
    values: list[Any]
    names: list[str]
    raw: list[tuple[int, int]]
    cpu_seconds: int
    memory_mb: int
    answer_bytes: int


class Failure(msgspec.Struct, array_like=True):
    """An exception as data: class names from the nearest up, and for our own errors the words."""

    classes: list[str]
    message: str
    is_service_error: bool = False
    code: str = ""
    ru: str = ""
    en: str = ""
    details: dict[str, Any] = {}


class Reply(msgspec.Struct, array_like=True):
    """One answer; the body holds the result, raw when it is a byte string, msgpack otherwise."""

    is_raw: bool = False
    retire: bool = False
    failure: Failure | None = None
    ran_out: str = ""
    """"memory" or "answer" when a limit was hit, which is no exception of the function's own."""


def _plain(value: Any) -> Any:
    """Byte-like things as bytes; anything else is not data and is refused."""
    if isinstance(value, bytearray | memoryview):
        return bytes(value)
    raise TypeError(f"{type(value).__name__} cannot leave the sandbox: plain data only")


_encoder = msgspec.msgpack.Encoder(enc_hook=_plain)
_request_decoder = msgspec.msgpack.Decoder(Request)
_reply_decoder = msgspec.msgpack.Decoder(Reply)


def function_path(function: str | Callable[..., Any]) -> str:
    """``module:name`` of a function at module level; raises ValueError for any other callable."""
    if isinstance(function, str):
        path = function
    else:
        path = f"{function.__module__}:{function.__qualname__}"
    module, colon, name = path.partition(":")
    if not colon or not name.isidentifier() or module in ("", "__main__"):
        raise ValueError(f"not a function at the level of an importable module: {path}")
    return path


def request(
    *,
    function: str,
    args: tuple[Any, ...],
    keywords: dict[str, Any],
    cpu_seconds: int,
    memory_mb: int,
    answer_bytes: int,
) -> list[bytes | bytearray | memoryview]:
    """The buffers of a call, in the order in which they are sent; large ones are not copied."""
    values = [*args, *keywords.values()]
    buffers: list[bytes | bytearray | memoryview] = []
    raw: list[tuple[int, int]] = []
    for index, value in enumerate(values):
        if isinstance(value, bytes | bytearray | memoryview) and len(value) >= RAW_FROM:
            view = value if isinstance(value, bytes) else memoryview(value).cast("B")
            raw.append((index, len(view)))
            buffers.append(view)
            values[index] = None
    head = _encoder.encode(
        Request(function, values, list(keywords), raw, cpu_seconds, memory_mb, answer_bytes)
    )
    return [PREFIX.pack(len(head), sum(size for _, size in raw)) + head, *buffers]


def read_request(head: bytes) -> Request:
    """The call a head describes; its raw values are still to be read."""
    return _request_decoder.decode(head)


def encoded(result: Any) -> tuple[bool, bytes]:
    """A result as a body, and whether it is raw; raises TypeError if it is not plain data."""
    return (True, result) if isinstance(result, bytes) else (False, _encoder.encode(result))


def reply(answer: Reply, body: bytes = b"") -> list[bytes]:
    """The buffers of an answer."""
    head = _encoder.encode(answer)
    return [PREFIX.pack(len(head), len(body)) + head, body]


def read_reply(head: bytes | bytearray) -> Reply:
    """The answer a head describes; raises msgspec.DecodeError for anything else."""
    return _reply_decoder.decode(head)


def result(answer: Reply, body: bytearray, into: Any) -> Any:
    """The result as plain data, or as `into` where a type is named."""
    if answer.is_raw:
        return bytes(body)
    return msgspec.msgpack.decode(body, type=into)
