"""Checks: nonsense, too much and too slow hurt nobody."""

import asyncio
import contextlib
import ssl

import httpx

from core import clock
from docflow.gateways.node import container, messages
from docflow.gateways.node.kit import checking
from docflow.gateways.node.kit.checking import Bench, Check, Failed, receipt, require
from docflow.gateways.node.kit.line import Reply

_REFUSALS = (400, 401, 403, 404, 411, 413, 415, 422)
_TOO_LARGE = 512 * 1024 * 1024


async def _malformed(bench: Bench) -> None:
    manifest = bench.manifest()
    raw = messages.encode(manifest)
    packed = bench.packed(manifest)
    cases = {
        "empty": b"", "junk": b"\x00\x01\x02\x03junk", "long manifest": b"\xff" * 64,
        "no JSON": container.pack(b"{", []), "deep": container.pack(b"[" * 100_000, []),
        "too little": packed[:-1], "too much": packed + b"?",
        "no files": container.pack(raw.replace(b'"files":', b'"no":'), []),
    }  # fmt: skip
    for name, body in cases.items():
        reply = await bench.line.ask("POST", "/messages", body)
        if reply.status not in _REFUSALS:
            raise Failed(f"ожидался отказ 4xx ({name})", f"a refusal 4xx was due ({name})", reply)
    for body in (b"", b"{}", b"[" * 100_000, b'{"type": "nothing"}', b"\xff\xfe"):
        reply = await bench.line.ask("POST", "/notes", body)
        if reply.status not in _REFUSALS:
            raise Failed("ожидался отказ 4xx", "a refusal 4xx was due", reply)
    require(receipt(await bench.send(manifest), manifest), "accepted")


async def _too_large(bench: Bench) -> None:
    """Half a gigabyte is announced; who waits for it all does not answer in time."""
    reader, writer = await bench.line.connected()
    try:
        message = bench.line.drafted("POST", "/messages", b"")
        writer.write(bench.line.head(message, "/messages", _TOO_LARGE))
        with contextlib.suppress(OSError, ssl.SSLError):
            for _ in range(64):
                writer.write(b"\0" * (1 << 20))
                async with asyncio.timeout(bench.line.seconds):
                    await writer.drain()
                if reader.at_eof():
                    break
        line = await _first_line(reader, bench.line.seconds)
    finally:
        writer.transport.abort()
    status = int(line.split(b" ")[1]) if line.startswith(b"HTTP/1") else 0
    if line and status not in _REFUSALS:
        raise Failed("ожидался отказ или разрыв", "a refusal or a cut was due", line)


async def _first_line(reader: asyncio.StreamReader, seconds: float) -> bytes:
    """The status line; empty when the node has hung up."""
    try:
        async with asyncio.timeout(seconds):
            return await reader.readline()
    except TimeoutError as problem:
        raise Failed("узел ждёт полгигабайта", "the node waits for half a gigabyte") from problem
    except (OSError, ssl.SSLError):
        return b""


async def _slow(bench: Bench) -> None:
    """Many connections that send a byte now and then, and one proper message beside them."""
    before = asyncio.get_running_loop().time()
    manifest = bench.manifest()
    require(receipt(await bench.send(manifest), manifest), "accepted")
    alone = asyncio.get_running_loop().time() - before
    dribbling = [asyncio.create_task(_dribble(bench, place)) for place in range(bench.load)]
    try:
        await asyncio.sleep(bench.slow / 2)
        within = max(10 * alone, bench.slow)
        manifest = bench.manifest()
        try:
            async with asyncio.timeout(within):
                reply: Reply = await bench.send(manifest)
        except (TimeoutError, httpx.HTTPError) as problem:
            raise Failed(f"медленный сосед задержал другого: нет ответа за {within:.0f} с",
                         f"a slow neighbour held up another: no answer in {within:.0f} s",
                         type(problem).__name__) from problem  # fmt: skip
        require(receipt(reply, manifest), "accepted")
    finally:
        for one in dribbling:
            one.cancel()
        await asyncio.gather(*dribbling, return_exceptions=True)


async def _dribble(bench: Bench, place: int) -> None:
    """Half of them never finish their headers, the other half their body."""
    body = messages.encode(bench.recall(bench.manifest()))
    text = bench.line.head(bench.line.drafted("POST", "/notes", body), "/notes", len(body))
    text = text[:60] if place % 2 else text + body[:10]
    with contextlib.suppress(OSError, ssl.SSLError):
        _, writer = await bench.line.connected()
        try:
            writer.write(text)
            while not writer.is_closing():
                await asyncio.sleep(1)
                writer.write(b"x")
                await writer.drain()
        finally:
            writer.transport.abort()


async def _not_here(bench: Bench) -> None:
    """A recipient that lives elsewhere is named as such, the others get theirs."""
    nowhere = messages.Recipient(delivery=clock.new_id(), to=bench.author)
    manifest = bench.manifest()
    manifest = bench.manifest(recipients=(*manifest.recipients, nowhere))
    found = require(receipt(await bench.send(manifest), manifest), "accepted")
    checking.require_placed(found, manifest)
    if nowhere.delivery not in found.not_here:
        raise Failed("адресат другого узла не назван в not_here",
                     "a recipient of another node is not told as not_here", found)  # fmt: skip


CHECKS = (
    Check("malformed", "Бессмыслица вместо сообщений", "Nonsense in place of messages", _malformed),
    Check("too_large", "Слишком много байтов", "Far too many bytes", _too_large),
    Check("slow", "Много медленных соединений", "Many slow connections", _slow),
    Check("not_here", "Один из адресатов живёт не здесь", "One recipient does not live here",
          _not_here),
)  # fmt: skip
