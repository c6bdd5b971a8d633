"""Malware scan of incoming files by ClamAV's daemon, where the operator has one.

The protocol is the daemon's own (man clamd, INSTREAM): `zINSTREAM` and a zero byte, chunks with
their length in four bytes, a length of zero at the end; the answer is `stream: OK`,
`stream: NAME FOUND` or words that end with `ERROR`.
"""

import asyncio
import contextlib
import logging
import socket
import struct
from collections.abc import AsyncIterator
from dataclasses import dataclass

from core.errors import InvalidInput, TooLarge, Unavailable
from core.settings import ScanSettings, settings
from storage import blobs
from storage.blobs import StoredBlob

log = logging.getLogger(__name__)

CHUNK = 256 * 1024
AT_ONCE = 4
"""Scans of one process under way; the daemon has ten threads unless told otherwise."""
NOT_SCANNED = "not_scanned"
"""The remark on a file that was let in although nobody could scan it."""
_CLEAN = "stream: OK"
_TOO_LARGE = "size limit exceeded"
_LONGEST_ANSWER = 64 * 1024

_turns = asyncio.Semaphore(AT_ONCE)


class MalwareFound(InvalidInput):
    """The scanner knows the file as malware; it is kept apart (422)."""

    code = "malware_found"
    ru = "Антивирус нашёл в файле вредоносную программу. Файл помещён в карантин."
    en = "The malware scanner found something in the file. It lies in quarantine."


class ScanUnavailable(Unavailable):
    """The scanner does not answer, and files are not taken without it (503)."""

    code = "malware_scan_unavailable"
    ru = "Антивирусная проверка недоступна, без неё файлы не принимаются. Повторите позже."
    en = "The malware scanner does not answer, and no file is taken without it. Try again later."


class ScanTooLarge(TooLarge):
    """The daemon takes no stream of that length; the operator sets its limit (413)."""

    code = "malware_scan_too_large"
    ru = "Файл больше, чем проверяет антивирус. Разделите его или обратитесь к оператору."
    en = "The file is larger than the malware scanner takes. Split it or ask the operator."


@dataclass(frozen=True, slots=True)
class Found:
    """What the daemon said: `malware` names what it found, `problem` why it could not tell."""

    malware: str | None = None
    problem: str | None = None


async def require_clean(blob: StoredBlob, *, content: bytes | None = None) -> list[str]:
    """Have a stored file scanned before it is accepted; answers remarks to keep with it.

    `content`: its bytes, where the caller has them still. Raises `MalwareFound`, and where the
    scanner cannot tell `ScanUnavailable` or `ScanTooLarge`, or by `CLAMD_DOWN=accept` the remark
    `not_scanned`. Nothing is asked where no scanner is set. Outside a transaction.
    """
    scan = settings().scan
    if not scan.address:
        return []
    pieces = _once(content) if content is not None else _stored(blob)
    found = await ask(scan, pieces)
    if found.malware is not None:
        log.error("malware in blob %s: %s", blob.id, found.malware)
        raise MalwareFound(malware=found.malware)
    if found.problem is None:
        return []
    log.error("blob %s could not be scanned: %s", blob.id, found.problem)
    if scan.accepts_unscanned:
        return [NOT_SCANNED]
    raise ScanTooLarge if _TOO_LARGE in found.problem else ScanUnavailable


async def ask(scan: ScanSettings, pieces: AsyncIterator[bytes]) -> Found:
    """Stream bytes to the daemon; whatever goes wrong on the way is a `problem`, never raised."""
    try:
        async with _turns, asyncio.timeout(scan.seconds):
            return _read(await _talk(scan, b"zINSTREAM\0", pieces))
    except TimeoutError:
        return Found(problem="no answer in time")
    except OSError as problem:
        return Found(problem=type(problem).__name__)


async def word() -> str:
    """`off` without a scanner, `ok`, or what is wrong with it; for the health page."""
    scan = settings().scan
    if not scan.address:
        return "off"
    try:
        async with asyncio.timeout(5):
            answer = await _talk(scan, b"zPING\0", None)
    except (OSError, TimeoutError) as problem:
        return type(problem).__name__
    return "ok" if answer == "PONG" else "wrong answer"


async def _talk(scan: ScanSettings, command: bytes, pieces: AsyncIterator[bytes] | None) -> str:
    """Ask and hear the answer, on a bare socket.

    The daemon answers and hangs up in the middle of a file that is longer than it takes. A stream
    of asyncio gives up both directions when a write fails then, and what it has not read yet, the
    answer, is lost with it.
    """
    with await _connect(scan.address) as line:
        answer = asyncio.create_task(_answer(line))
        try:
            is_whole = False
            with contextlib.suppress(ConnectionError):
                is_whole = await _send(line, command, pieces, answer)
            said = await answer
            # a word on a part of the file is no word on the file
            return said if is_whole or said != _CLEAN else "OK before it had the whole file"
        finally:
            answer.cancel()
            await asyncio.gather(answer, return_exceptions=True)


async def _answer(line: socket.socket) -> str:
    said = bytearray()
    while not said.endswith(b"\0") and len(said) < _LONGEST_ANSWER:
        part = await asyncio.get_running_loop().sock_recv(line, _LONGEST_ANSWER)
        if not part:
            break
        said += part
    return said.removesuffix(b"\0").decode("utf-8", "replace").strip()


async def _send(
    line: socket.socket,
    command: bytes,
    pieces: AsyncIterator[bytes] | None,
    answer: asyncio.Task[str],
) -> bool:
    """Answers whether all of it was sent: no more is when the daemon has spoken."""
    loop = asyncio.get_running_loop()
    await loop.sock_sendall(line, command)
    if pieces is None:
        return True
    async for piece in pieces:
        for start in range(0, len(piece), CHUNK):
            if answer.done():
                return False
            part = piece[start : start + CHUNK]
            await loop.sock_sendall(line, struct.pack(">I", len(part)) + part)
    await loop.sock_sendall(line, struct.pack(">I", 0))
    return True


async def _connect(address: str) -> socket.socket:
    kind, _, where = address.partition(":")
    if kind == "unix":
        return await _connected(socket.AF_UNIX, where)
    host, _, port = where.rpartition(":")
    loop = asyncio.get_running_loop()
    problem: OSError = ConnectionRefusedError(address)
    for found in await loop.getaddrinfo(host.strip("[]"), int(port), type=socket.SOCK_STREAM):
        try:
            return await _connected(found[0], found[4])
        except OSError as this:
            problem = this
    raise problem


async def _connected(family: int, address: str | tuple[object, ...]) -> socket.socket:
    line = socket.socket(family, socket.SOCK_STREAM)
    line.setblocking(False)
    try:
        await asyncio.get_running_loop().sock_connect(line, address)
    except BaseException:
        line.close()
        raise
    return line


def _read(answer: str) -> Found:
    """The daemon's words; anything but a clear «OK» or «FOUND» is no answer."""
    if answer == _CLEAN:
        return Found()
    if answer.startswith("stream: ") and answer.endswith(" FOUND"):
        return Found(malware=answer.removeprefix("stream: ").removesuffix(" FOUND")[:200])
    return Found(problem=answer[:200] or "hung up without an answer")


async def _once(content: bytes) -> AsyncIterator[bytes]:
    yield content


async def _stored(blob: StoredBlob) -> AsyncIterator[bytes]:
    async for piece in await blobs.open_blob(blob.id):
        yield piece
