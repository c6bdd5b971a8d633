"""The witness as a process of its own: a folder with its key and what it saw of each log.

It needs no database and should run on another machine, under another administrator, than the log
it watches: what it remembers is what the log's owner cannot rewrite.
"""

import asyncio
import fcntl
import hashlib
import logging
import os
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from core import clock
from core.errors import Conflict, InvalidInput
from evidence.log import heads, notes, witnessing
from evidence.log.heads import Head
from evidence.log.notes import VerifierKey
from evidence.log.witnessing import Verdict

log = logging.getLogger(__name__)

MAX_SUSPICIONS = 1000
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back over HTTP."""

    status: int
    body: bytes
    kind: str = "text/plain; charset=utf-8"


@dataclass
class Witness:
    """A witness over its folder; one process at a time."""

    folder: Path
    name: str
    logs: Mapping[str, Sequence[VerifierKey]]
    _key: Ed25519PrivateKey = field(init=False, repr=False)
    _held: BinaryIO = field(init=False, repr=False)
    _turn: asyncio.Lock = field(init=False, default_factory=asyncio.Lock)

    def __post_init__(self) -> None:
        """Take the folder, and make a key when there is none."""
        if not notes.is_name(self.name):
            raise InvalidInput(
                "Имя свидетеля: без пробелов и знака «+».",
                "A witness's name: no spaces, no plus sign.", code="bad_witness_name",
            )  # fmt: skip
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._held = (self.folder / "lock").open("ab")
        try:
            fcntl.flock(self._held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as problem:
            raise Conflict(
                f"Папка {self.folder} занята другим свидетелем.",
                f"Another witness uses the folder {self.folder}.", code="already_running",
            ) from problem  # fmt: skip
        place = self.folder / "key"
        if not place.exists():
            _write(place, secrets.token_bytes(32).hex().encode())
        self._key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(place.read_text().strip()))

    def close(self) -> None:
        """Let go of the folder."""
        self._held.close()

    @property
    def verifier(self) -> VerifierKey:
        """The public key, for logs and everybody who trusts this witness."""
        return notes.key_of(self.name, self._key, notes.COSIGNED)

    def latest(self, origin: str) -> Head | None:
        """The last head cosigned for a log; None for one never seen."""
        place = self._place(origin)
        if not place.exists():
            return None
        return heads.parsed(notes.parse(place.read_bytes()).text)

    def _place(self, origin: str) -> Path:
        return self.folder / f"{hashlib.sha256(origin.encode()).hexdigest()[:32]}.checkpoint"

    async def add_checkpoint(self, body: bytes) -> Answer:
        """Judge, remember, cosign; what is remembered is on the disk before the answer leaves."""
        async with self._turn:
            found = witnessing.judged(body, logs=self.logs, latest=self.latest)
            if found.suspicion:
                await asyncio.to_thread(self._keep_suspicion, body, found)
            if found.status != 200 or found.note is None or found.head is None:
                return _refusal(found)
            kept = found.note.encoded().encode()
            await asyncio.to_thread(_write, self._place(found.head.origin), kept)
            line = notes.cosign(
                found.note.text, name=self.name, key=self._key,
                timestamp=int(clock.now().timestamp()),
            ).line()  # fmt: skip
        return Answer(200, line.encode())

    def suspicions(self, kind: str) -> int:
        """How many are kept of a kind: ``conflict`` or ``doubt``."""
        return len(list((self.folder / "suspicions").glob(f"*.{kind}")))

    def _keep_suspicion(self, body: bytes, found: Verdict) -> None:
        """What was seen before and what is shown now, both with the log's own signature."""
        origin = found.head.origin if found.head else ""
        log.error("%s: %s: %s", origin, found.suspicion, found.reason)
        folder = self.folder / "suspicions"
        folder.mkdir(exist_ok=True)
        place = folder / f"{hashlib.sha256(body).hexdigest()[:32]}.{found.suspicion}"
        if not place.exists() and self.suspicions(found.suspicion) < MAX_SUSPICIONS:
            seen = self._place(origin)
            before = seen.read_bytes() if seen.exists() else b""
            _write(place, before + b"\n--- refused: " + found.reason.encode() + b"\n\n" + body)

    def metrics(self) -> str:
        """Counts for a Prometheus scraper."""
        lines = ["# TYPE docflow_witness_size gauge"]
        for origin in self.logs:
            seen = self.latest(origin)
            lines.append(f'docflow_witness_size{{origin="{origin}"}} {seen.size if seen else 0}')
        lines.append("# TYPE docflow_witness_suspicions gauge")
        lines += [
            f'docflow_witness_suspicions{{kind="{kind}"}} {self.suspicions(kind)}'
            for kind in ("conflict", "doubt")
        ]
        return "\n".join(lines) + "\n"

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """Serve over ASGI: `add-checkpoint`, `vkey`, `metrics`."""
        if scope["type"] != "http":
            return
        answer = await self._answer(scope["method"], scope["path"], receive)
        headers = [(b"content-type", answer.kind.encode()),
                   (b"x-content-type-options", b"nosniff")]  # fmt: skip
        start = {"type": "http.response.start", "status": answer.status, "headers": headers}
        await send(start)
        await send({"type": "http.response.body", "body": answer.body})

    async def _answer(self, method: str, path: str, receive: Receive) -> Answer:
        if (method, path) == ("POST", "/add-checkpoint"):
            body = await _body(receive)
            if body is None:
                return Answer(413, b"too long\n")
            return await self.add_checkpoint(body)
        if (method, path) == ("GET", "/vkey"):
            return Answer(200, f"{self.verifier}\n".encode())
        if (method, path) == ("GET", "/metrics"):
            return Answer(200, self.metrics().encode())
        return Answer(404, b"no such thing\n")


async def _body(receive: Receive) -> bytes | None:
    """The request's body; None when it is too long."""
    got: bytes = b""
    while len(got) <= witnessing.MAX_REQUEST:
        message = await receive()
        got += message.get("body", b"")
        if not message.get("more_body"):
            return got
    return None


def _refusal(found: Verdict) -> Answer:
    if found.status == 409:
        return Answer(409, f"{found.seen_size}\n".encode(), witnessing.SIZE_TYPE)
    return Answer(found.status, f"{found.reason}\n".encode())


def _write(place: Path, content: bytes) -> None:
    """Replace a file so that a power cut leaves the old one or the new one."""
    beside = place.with_name(f".{place.name}.new")
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(place)
    folder = os.open(place.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def known_logs(keys: Sequence[str]) -> dict[str, list[VerifierKey]]:
    """Keys by log, from their spellings; raises `bad_log_key`."""
    found: dict[str, list[VerifierKey]] = {}
    for text in keys:
        try:
            key = notes.parsed_key(text)
        except notes.NoteError as problem:
            raise InvalidInput(
                f"Не ключ журнала: {text[:80]}", f"Not a log's key: {text[:80]}", code="bad_log_key"
            ) from problem
        found.setdefault(key.name, []).append(key)
    return found
