"""A neighbour played by the test: a node with a key of its own that speaks to ours over HTTP."""

import hashlib
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import httpx
import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from core import clock, db
from core.actor import Actor
from directory.selection import Selector
from docflow.gateways.node import container, keys, messages, signing
from docflow.gateways.node.messages import Card, File, Manifest, Receipt, Recipient
from docflow.gateways.node.signing import Message, Signed
from docflow.routing.nodes import own, residence
from signatures import pdf
from signatures.authority import Subject
from tests import ground, people

BASE = "/api/v1/exchange"


@dataclass
class Neighbour:
    """Another node and its way to ours."""

    id: uuid.UUID
    key: keys.SigningKey
    client: httpx.AsyncClient
    our_id: uuid.UUID
    our_key: Ed25519PublicKey
    version: int = 2
    author: str = "N-1"
    skew: timedelta = timedelta()
    """How far its clock is from ours."""
    heard: list[Signed] = field(default_factory=list)

    async def ask(
        self, method: str, path: str, body: bytes, *, key: keys.SigningKey | None = None,
        **headers: str,
    ) -> httpx.Response:  # fmt: skip
        """Send a signed request; the answer's signature is checked when it has one."""
        told = {"node-from": str(self.id), "node-to": str(self.our_id),
                "node-version": str(self.version)} | headers  # fmt: skip
        message = Message(told, method=method, target=BASE + path)
        with clock.frozen(clock.now() + self.skew):
            signing.sign_request(message, body, key=key or self.key)
        answer = await self.client.request(
            method, BASE + path, content=body, headers=message.headers
        )
        if "signature" in answer.headers:
            back = Message(signing.plain_headers(answer.headers), status_code=answer.status_code,
                           request=message)  # fmt: skip
            self.heard.append(
                signing.verify_answer(back, answer.content, key_of=lambda _: self.our_key,
                                      window=timedelta(minutes=5))
            )  # fmt: skip
        return answer

    async def send(self, manifest: Manifest, parts: list[bytes]) -> Receipt:
        """A message in one request; its receipt."""
        answer = await self.ask(
            "POST", "/messages", container.pack(messages.encode(manifest), parts)
        )
        assert answer.status_code == 200, answer.text
        return messages.decode(answer.content, Receipt)

    async def note(self, note: msgspec.Struct) -> Receipt:
        """A report, recall or statement; its receipt."""
        answer = await self.ask("POST", "/notes", messages.encode(note))
        assert answer.status_code == 200, answer.text
        return messages.decode(answer.content, Receipt)

    def manifest(self, *parts: bytes, to: tuple[str, ...] = ("P-0",), **more: Any) -> Manifest:
        """A circular of the neighbour's author to these organizations."""
        wanted: dict[str, Any] = {
            "uid": clock.new_id(), "version": self.version, "author": self.author,
            "made_at": clock.now(), "dispatch": clock.new_id(),
            "card": Card(id=clock.new_id(), kind="circular", title="О сроках отчётности",
                         number="7/1", date=clock.today()),
            "files": files_of(*parts),
            "recipients": tuple(Recipient(delivery=clock.new_id(), to=code) for code in to),
        }  # fmt: skip
        return Manifest(**{**wanted, **more})


def files_of(*parts: bytes) -> tuple[File, ...]:
    """The first is the main file, the others annexes."""
    return tuple(
        File(sha256=hashlib.sha256(part).hexdigest(), size=len(part),
             role="main" if place == 0 else "annex", position=place,
             file_name=f"файл-{place}.pdf")
        for place, part in enumerate(parts)
    )  # fmt: skip


async def a_signed_letter(text: str = "О сроках отчётности") -> bytes:
    """A PDF signed by an authority that is trusted here."""
    authority = await people.trusted_authority()
    issued = authority.issue(Subject("Смирнов Пётр Ильич", title="Председатель"))
    return pdf.sign_pdf(await people.a_letter(text), key=issued.key())


@dataclass(frozen=True, slots=True)
class Home:
    """Our node: who looks after it, who lives here."""

    admin: Actor
    region: uuid.UUID
    primaries: tuple[uuid.UUID, ...]
    neighbour: Neighbour


async def _organization(kind: str, code: str, under: uuid.UUID | None = None) -> uuid.UUID:
    made = await ground.an_organization(kind, under=under)
    await db.execute("UPDATE organization SET code = $2 WHERE id = $1", made, code)
    return made


@asynccontextmanager
async def a_home(**more: Any) -> AsyncIterator[Home]:
    """A region with three primaries on our node, their union on the neighbour's."""
    union = await _organization("union", "N-1")
    region = await _organization("regional", "R-1", union)
    primaries = [await _organization("primary", f"P-{one}", region) for one in range(3)]
    admin = await people.clerk_of(region, "administrator", "clerk", "signatory")
    our_id = await own.found(admin, name="Область", base_url="https://region.test")
    key, _ = keys.new_key()
    their_id = clock.new_id()
    await db.execute(
        """INSERT INTO node (id, name, base_url, status, versions, created_at, updated_at)
           VALUES ($1, 'Центр', 'https://center.test', 'active', '{1,2}', $2, $2)""",
        their_id, clock.now(),
    )  # fmt: skip
    await give_key(their_id, key)
    await residence.serve(admin, selector=Selector(include=(region, *primaries)))
    await db.execute(
        "INSERT INTO node_residence (organization_id, node_id, created_at) VALUES ($1, $2, $3)",
        union, their_id, clock.now(),
    )  # fmt: skip
    await db.execute("UPDATE organization SET channels = '{node}' WHERE id = $1", union)
    ours = await own.signing_key()
    async with ground.api() as client:
        neighbour = Neighbour(
            their_id, key, client, our_id, ours.private.public_key(), **more
        )  # fmt: skip
        yield Home(admin, region, tuple(primaries), neighbour)


async def give_key(
    node_id: uuid.UUID, key: keys.SigningKey, *, days: tuple[int, int] = (-1, 30),
    is_confirmed: bool = True,
) -> None:  # fmt: skip
    """Enter a key of a node, in force between these days from now."""
    now = clock.now()
    await db.execute(
        """INSERT INTO node_key (kid, node_id, public, valid_from, valid_to, confirmed_at,
                                 created_at) VALUES ($1, $2, $3, $4, $5, $6, $7)""",
        key.kid, node_id, key.private.public_key().public_bytes_raw(),
        now + timedelta(days=days[0]), now + timedelta(days=days[1]),
        now if is_confirmed else None, now,
    )  # fmt: skip
