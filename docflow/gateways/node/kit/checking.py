"""What a check of the kit is made of: its words, what it may ask for, and how it fails."""

import hashlib
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Literal

import httpx
import msgspec

from core import clock
from core.errors import ServiceError
from docflow.gateways.node import container, messages
from docflow.gateways.node.kit.line import STRAIGHT, Line, Reply, Twist
from docflow.gateways.node.kit.listener import Listener
from docflow.gateways.node.kit.standing import Standing, next_number
from docflow.gateways.node.messages import (
    Card,
    File,
    Had,
    Manifest,
    Needs,
    Note,
    Recall,
    Receipt,
    Recipient,
    Statement,
)

Group = Literal["requests", "answers"]


class Failed(Exception):
    """The node does not do what the protocol asks."""

    def __init__(self, ru: str, en: str, seen: object = "") -> None:
        self.ru, self.en, self.seen = ru, en, str(seen)[:400]
        super().__init__(en)


class NotMade(Exception):
    """The check could not be made, so nothing is said of the node."""

    def __init__(self, ru: str, en: str) -> None:
        self.ru, self.en = ru, en
        super().__init__(en)


@dataclass(frozen=True, slots=True)
class Check:
    """One thing a bad neighbour does, and what a node must make of it."""

    code: str
    ru: str
    en: str
    make: Callable[["Bench"], Awaitable[None]]
    group: Group = "requests"


@dataclass
class Bench:
    """Everything a check works with."""

    line: Line
    author: str
    """Code of the organization the kit writes for; the node's registry knows it."""
    recipient: str
    """Code of an organization that lives with the node."""
    document: bytes
    """A signed PDF."""
    base_url: str = ""
    listener: Listener | None = None
    patience: float = 120.0
    """Seconds within which the node has to send a note again."""
    load: int = 40
    """Connections that are held open by a slow neighbour."""
    slow: float = 5.0
    """Seconds for which they are."""

    @property
    def standing(self) -> Standing:
        """Who the kit is."""
        return self.line.standing

    def manifest(self, *parts: bytes, **more: Any) -> Manifest:
        """A circular of the kit's author to the node's recipient, about these files."""
        wanted: dict[str, Any] = {
            "uid": clock.new_id(), "version": 1, "author": self.author, "made_at": clock.now(),
            "dispatch": clock.new_id(),
            "card": Card(
                id=clock.new_id(), kind="circular", number="ПРОВЕРКА-1", date=clock.today(),
                title="Проверка обмена между узлами", mark="none",
            ),
            "files": _files(parts or (self.document,)),
            "recipients": (Recipient(delivery=clock.new_id(), to=self.recipient),),
        }  # fmt: skip
        return Manifest(**{**wanted, **more})

    async def send(
        self, manifest: Manifest, *parts: bytes, twist: Twist = STRAIGHT
    ) -> Reply:  # fmt: skip
        """A message in one request."""
        return await self.line.ask("POST", "/messages", self.packed(manifest, *parts), twist)

    def packed(self, manifest: Manifest, *parts: bytes) -> bytes:
        """The container of a message."""
        return container.pack(messages.encode(manifest), list(parts or (self.document,)))

    def bare(self, manifest: Manifest) -> bytes:
        """The container of a message whose parts come one by one."""
        return container.pack(messages.encode(manifest), [])

    async def note(self, note: Note, twist: Twist = STRAIGHT) -> Reply:
        """A report, recall or statement."""
        return await self.line.ask("POST", "/notes", messages.encode(note), twist)

    async def piece(self, sha256: str, offset: int, body: bytes) -> Reply:
        """A piece of a part."""
        return await self.line.ask("PUT", f"/parts/{sha256}?offset={offset}", body)

    def recall(self, manifest: Manifest) -> Recall:
        """Takes a document of the kit back."""
        return Recall(
            uid=clock.new_id(), document=manifest.card.id, reason="Проверка окончена",
            recalled_at=clock.now(),
        )  # fmt: skip

    def statement(self, *, number: int | None = None) -> Statement:
        """Who lives with the kit: its author, nobody else."""
        return Statement(
            uid=clock.new_id(), number=number or next_number(self.standing),
            issued_at=clock.now(), identity=self.standing.identity(base_url=self.base_url),
            serves=(self.author,),
        )  # fmt: skip


def _files(parts: tuple[bytes, ...]) -> tuple[File, ...]:
    return tuple(
        File(
            sha256=hashlib.sha256(part).hexdigest(), size=len(part), position=place,
            role="main" if place == 0 else "annex",
            file_name="письмо.pdf" if place == 0 else f"приложение-{place}.txt",
        )
        for place, part in enumerate(parts)
    )  # fmt: skip


def an_annex(size: int) -> bytes:
    """Text nobody has seen before."""
    line = f"Проверка обмена {secrets.token_hex(16)}\n".encode()
    return (line * (size // len(line) + 1))[: size - 1] + b"\n"


def receipt(reply: Reply, note: Manifest | Note) -> Receipt:
    """The receipt in an answer: signed, over this request, about this message."""
    if reply.status != 200 or not reply.is_signed:
        raise Failed("ожидалась подписанная квитанция", "a signed receipt was due", reply)
    try:
        found = messages.decode(reply.content, Receipt)
    except ServiceError as problem:
        raise Failed("квитанция не читается", "the receipt cannot be read", reply) from problem
    digest = hashlib.sha256(messages.encode(note)).hexdigest()
    if (found.uid, found.sha256) != (note.uid, digest):
        raise Failed("квитанция о другом сообщении", "the receipt is about another message", reply)
    return found


def require(found: Receipt, *status: str, reason: str | None = None) -> Receipt:
    """The receipt, if it says one of these; else the check fails."""
    told = found.status + (f" ({found.reason})" if found.reason else "")
    due = " / ".join(status) + (f" ({reason})" if reason else "")
    if found.status not in status or (reason and found.reason != reason):
        raise Failed(f"ожидалось: {due}", f"due: {due}", told)
    return found


def require_placed(found: Receipt, manifest: Manifest) -> None:
    """An accepted message's receipt names every recipient exactly once."""
    named = [*found.delivered, *found.waiting, *found.not_here]
    if found.committed_at is None or sorted(named) != sorted(
        one.delivery for one in manifest.recipients
    ):
        raise Failed(
            "квитанция не называет каждого адресата один раз",
            "the receipt does not name each recipient once",
            msgspec.json.encode(found).decode(),
        )


def require_same(first: Receipt, again: Receipt) -> None:
    """A duplicate's receipt tells what was committed the first time."""
    require(again, "duplicate")
    told = [(one.document, one.committed_at, one.delivered, one.waiting, one.not_here)
            for one in (first, again)]  # fmt: skip
    if told[0] != told[1]:
        raise Failed(
            "квитанция повтора говорит другое, чем первая",
            "the receipt of the repeat differs from the first one",
            f"{told[0]} / {told[1]}",
        )


def require_refused(reply: Reply, *codes: str, status: tuple[int, ...] = (401,)) -> None:
    """The request as such is refused, with one of these codes (none given: whichever)."""
    if reply.status not in status or (codes and reply.code not in codes):
        due = f"{'/'.join(map(str, status))} {' / '.join(codes)}".strip()
        raise Failed(f"ожидался отказ {due}", f"a refusal was due: {due}", reply)


def needs(reply: Reply) -> dict[str, int]:
    """Which parts the node still wants, from which byte on."""
    if reply.status != 202 or not reply.is_signed:
        raise Failed("ожидался ответ 202 с недостающими частями", "202 with needs was due", reply)
    return {one.sha256: one.have for one in messages.decode(reply.content, Needs).needs}


def had(reply: Reply) -> int:
    """How many bytes of a part the node has."""
    if reply.status != 200 or not reply.is_signed:
        raise Failed("часть файла не принята", "the piece was not taken", reply)
    return messages.decode(reply.content, Had).have


async def answered_or_cut(asked: Awaitable[Reply]) -> Reply | None:
    """The answer, or None when the node hung up: to nonsense it may."""
    try:
        return await asked
    except httpx.TimeoutException:
        raise
    except httpx.HTTPError:
        return None
