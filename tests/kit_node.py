"""A node of the exchange written from docs/node.md for the kit's tests: in memory, spoilt at will.

It knows nothing of our own node's code but the wire's forms; `faults` names what is wrong with it.
"""

import asyncio
import hashlib
import json
import uuid
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import msgspec

from core import clock
from core.errors import ServiceError
from docflow.gateways.node import container, keys, messages, signing
from docflow.gateways.node.container import MAX_BODY, PIECE
from docflow.gateways.node.kit.standing import Standing
from docflow.gateways.node.messages import (
    Had,
    Identity,
    Manifest,
    Need,
    Needs,
    Recall,
    Receipt,
    State,
    Statement,
)
from docflow.gateways.node.problems import BadSignature
from docflow.gateways.node.signing import Message
from tests import kit_node_notes
from tests.kit_node_notes import BASE, FAULTS, Refusal, Skip


@dataclass
class KitNode:
    """The node: one peer, one resident, and whatever is wrong with it."""

    peer: Standing
    peer_url: str = ""
    resident: str = "HERE"
    faults: frozenset[str] = frozenset()
    id: uuid.UUID = field(default_factory=clock.new_id)
    key: keys.SigningKey = field(default_factory=lambda: keys.new_key()[0])
    peer_keys: dict[str, keys.KeyInfo] = field(default_factory=dict)
    number: int = 0
    authors: set[str] = field(default_factory=set)
    known: dict[uuid.UUID, tuple[bytes, Receipt]] = field(default_factory=dict)
    documents: dict[uuid.UUID, tuple[bytes, uuid.UUID]] = field(default_factory=dict)
    recalled: set[uuid.UUID] = field(default_factory=set)
    waiting: set[uuid.UUID] = field(default_factory=set)
    parts: dict[str, bytearray] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)
    telling: set[asyncio.Task[None]] = field(default_factory=set)
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    def has(self, fault: str) -> bool:
        assert fault in FAULTS
        return fault in self.faults

    # -- HTTP ----------------------------------------------------------------------------------

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        headers = {name.decode(): text.decode() for name, text in scope["headers"]}
        target = scope["raw_path"].decode()
        if query := scope["query_string"].decode():
            target += f"?{query}"
        message = Message(signing.plain_headers(headers), method=scope["method"], target=target)
        try:
            if self.has("one_at_a_time"):
                await self.turn.acquire()
            try:
                body = await self._body(headers, receive)
                status, told, back = await self._answer(message, body)
            finally:
                if self.has("one_at_a_time"):
                    self.turn.release()
        except Refusal as problem:
            told = json.dumps({"code": problem.code, "details": problem.details}).encode()
            status, back = problem.status, {}
        except ServiceError as problem:
            status, back = (500 if self.has("breaks_on_nonsense") else 422), {}
            told = json.dumps({"code": problem.error_code}).encode()
        await send({
            "type": "http.response.start", "status": status,
            "headers": [(name.encode(), text.encode()) for name, text in back.items()],
        })  # fmt: skip
        await send({"type": "http.response.body", "body": told})

    async def _body(self, headers: dict[str, str], receive: Any) -> bytes:
        if int(headers.get("content-length", 0)) > MAX_BODY and not self.has("reads_everything"):
            raise Refusal(413, "too_large")
        body = bytearray()
        while True:
            event = await receive()
            if event["type"] == "http.disconnect":
                if self.has("takes_halves"):
                    return bytes(body)
                raise Refusal(400, "cut")
            body += event.get("body", b"")
            if not event.get("more_body"):
                return bytes(body)

    async def _answer(self, message: Message, body: bytes) -> tuple[int, bytes, dict[str, str]]:
        path = message.target.partition("?")[0].removeprefix(BASE)
        if path == "/identity":
            return self._introduced(message)
        try:
            self._verify(message, body)
        except Refusal:
            if not (self.has("takes_halves") and path == "/messages"):
                raise
            self._burn(body)
            raise
        if path == "/messages":
            status, told = await self._message(body)
        elif path == "/notes":
            status, told = 200, self._note(body)
        else:
            status, told = 200, self._piece(path, message.target, body)
        return self._signed(message, status, messages.encode(told))

    def _burn(self, body: bytes) -> None:
        """What a half told is taken for the whole: its uid is known from now on."""
        size = int.from_bytes(body[:4], "big")
        manifest = messages.decode(body[4 : 4 + size], Manifest)
        self.known[manifest.uid] = (b"", self._receipt(manifest, body[4 : 4 + size]))

    def _introduced(self, message: Message) -> tuple[int, bytes, dict[str, str]]:
        info = keys.key_info(
            self.key.private.public_key().public_bytes_raw(),
            valid_from=clock.now() - timedelta(days=1), valid_to=clock.now() + timedelta(days=9),
        )  # fmt: skip
        told = messages.encode(Identity(node=self.id, name="Узел", keys=(info,), versions=(1, 2),
                                        time=clock.now()))  # fmt: skip
        back = Message({"node-from": str(self.id), "node-version": "2"}, status_code=200,
                       request=message)  # fmt: skip
        if self.has("identity_canned"):
            back.request = Message({}, method="GET", target=BASE + "/identity?nonce=canned")
        signing.sign_answer(back, told, key=self.key, to_anybody=True)
        return 200, told, {} if self.has("identity_unsigned") else back.headers

    def _signed(
        self, message: Message, status: int, told: bytes
    ) -> tuple[int, bytes, dict[str, str]]:
        back = Message(
            {"node-from": str(self.id), "node-to": message.headers.get("node-from", ""),
             "node-version": message.headers.get("node-version", "")},
            status_code=status, request=message,
        )  # fmt: skip
        if self.has("receipts_of_any_request"):
            fixed = Message(dict(message.headers), method="POST", target="/")
            back.request = fixed
        key = keys.new_key()[0] if self.has("receipts_signed_with_a_new_key") else self.key
        if "signature" in message.headers:
            signing.sign_answer(back, told, key=key)
        return status, told, {} if self.has("receipts_unsigned") else back.headers

    # -- trust ---------------------------------------------------------------------------------

    def _verify(self, message: Message, body: bytes) -> None:
        headers = message.headers
        if "signature" not in headers:
            if self.has("takes_unsigned"):
                return
            raise Refusal(401, "not_authenticated")
        if headers.get("node-from") != str(self.peer.node) and not self.has("takes_unknown_nodes"):
            raise Refusal(401, "node_unknown")
        if self.has("refuses_replays"):
            if headers["signature"] in self.seen:
                raise Refusal(409, "seen_before")
            self.seen.add(headers["signature"])
        self._verify_signature(message, body)
        if headers.get("node-to") != str(self.id) and not self.has("takes_mail_of_others"):
            raise Refusal(401, "node_addressed_elsewhere")
        version = signing.version_of(headers.get("node-version", ""))
        if version not in (1, 2) and not self.has("takes_any_version"):
            raise Refusal(422, "node_version_unsupported", versions=[1, 2])

    def _verify_signature(self, message: Message, body: bytes) -> None:
        if not signing.has_digest(message.headers.get("content-digest", ""), body):
            if self.has("checks_no_digest"):
                return
            raise Refusal(401, "node_digest_wrong")
        if self.has("checks_no_signature"):
            return
        covered = ("content-digest",) if self.has("takes_less_covered") else signing.REQUEST
        try:
            signed = signing._verify(
                message, body, self._key, timedelta(days=9999), covered
            )  # fmt: skip
        except Skip:
            return
        except BadSignature as problem:
            if self.has("ignores_the_target") and message.target != BASE + "/messages":
                self._verify_signature(replace(message, target=BASE + "/messages"), body)
                return
            raise Refusal(401, problem.error_code) from problem
        if abs(clock.now() - signed.created) > timedelta(minutes=5):
            if self.has("takes_any_clock"):
                return
            told = {} if self.has("keeps_its_clock_to_itself") else {
                "our_time": clock.now().isoformat()}  # fmt: skip
            raise Refusal(401, "node_clock_skew", **told)

    def _key(self, kid: str) -> Any:
        info = self.peer_keys.get(kid)
        if info is None and self.has("takes_unknown_keys"):
            raise Skip
        if info is None:
            raise Refusal(401, "node_key_unknown")
        if clock.now() >= info.valid_to and not self.has("takes_expired_keys"):
            raise Refusal(401, "node_key_expired")
        return keys.public_key(keys.public_bytes(info))

    # -- messages ------------------------------------------------------------------------------

    async def _message(self, body: bytes) -> tuple[int, msgspec.Struct]:
        try:
            message = container.unpack(body)
        except ServiceError:
            if self.has("burns_uids") and len(body) > 4:
                self._burn(body)
            raise
        manifest = message.manifest
        if (again := self._again(manifest, message.sha256)) is not None:
            return 200, again
        if self.has("races"):
            await asyncio.sleep(0.05)
        if (reason := self._objection(manifest)) is not None:
            return 200, self._refused(manifest.uid, message.sha256, reason)
        if message.parts is None and (wanted := self._wanted(manifest)):
            return 202, Needs(manifest.uid, tuple(wanted))
        receipt = self._receipt(manifest, message.raw)
        self.known[manifest.uid] = (self._same(manifest, message.sha256), receipt)
        self.documents.setdefault(manifest.card.id, (self._content(manifest), receipt.document))  # type: ignore[arg-type]  # reason: there is one
        self._set_free(manifest)
        return 200, receipt

    def _same(self, manifest: Manifest, sha256: str) -> bytes:
        if self.has("wants_the_same_bytes"):
            return sha256.encode()
        named = sorted((str(one.delivery), one.to) for one in manifest.recipients)
        return self._content(manifest) + json.dumps(named).encode()

    def _content(self, manifest: Manifest) -> bytes:
        return msgspec.json.encode([manifest.author, manifest.card, manifest.files])

    def _again(self, manifest: Manifest, sha256: str) -> Receipt | None:
        if manifest.uid not in self.known or self.has("accepts_twice"):
            return None
        if self.has("refuses_repeats"):
            return self._refused(manifest.uid, sha256, "known_already")
        same, first = self.known[manifest.uid]
        if same != self._same(manifest, sha256) and same and not self.has("overwrites"):
            return self._refused(manifest.uid, sha256, "uid_reused")
        document = clock.new_id() if self.has("new_document_each_time") else first.document
        return msgspec.structs.replace(
            first, status="duplicate", time=clock.now(), sha256=sha256, document=document
        )  # fmt: skip

    def _objection(self, manifest: Manifest) -> str | None:
        known = self.documents.get(manifest.card.id)
        checks: list[tuple[str, bool, str]] = [
            ("author_of_another", manifest.author == self.resident, "takes_any_author"),
            ("author_unknown", manifest.author not in {*self.authors, self.resident},
             "takes_unknown_authors"),
            ("document_recalled", manifest.card.id in self.recalled, "forgets_recalls"),
            ("document_changed", known is not None and known[0] != self._content(manifest),
             "takes_changed_documents"),
        ]  # fmt: skip
        for reason, is_wrong, fault in checks:
            if is_wrong and not self.has(fault):
                return "author_not_here" if reason == "author_of_another" else reason
        return None

    def _receipt(self, manifest: Manifest, raw: bytes) -> Receipt:
        here = [one for one in manifest.recipients
                if one.to == self.resident or self.has("swallows_strangers")]  # fmt: skip
        self.waiting |= {one.delivery for one in here if one.waits}
        digest = hashlib.sha256(
            b"?" if self.has("receipts_name_another_digest") else raw
        ).hexdigest()
        is_silent = self.has("receipts_name_nobody")
        return Receipt(
            uid=manifest.uid, sha256=digest, status="accepted", time=clock.now(),
            committed_at=clock.now(), document=clock.new_id(),
            delivered=() if is_silent else tuple(one.delivery for one in here if not one.waits),
            waiting=tuple(one.delivery for one in here if one.waits),
            not_here=tuple(one.delivery for one in manifest.recipients if one not in here),
        )  # fmt: skip

    def _refused(self, uid: uuid.UUID, sha256: str, reason: str) -> Receipt:
        return Receipt(uid=uid, sha256=sha256, status="refused", time=clock.now(), reason=reason)

    # -- parts ---------------------------------------------------------------------------------

    def _wanted(self, manifest: Manifest) -> list[Need]:
        wanted = []
        for sha256, size in manifest.parts().items():
            self.sizes[sha256] = size
            part = self.parts.setdefault(sha256, bytearray())
            if self.has("forgets_pieces") and len(part) < size:
                part.clear()
            if len(part) < size:
                wanted.append(Need(sha256, len(part)))
        return wanted

    def _piece(self, path: str, target: str, body: bytes) -> Had:
        sha256 = path.removeprefix("/parts/")
        offset = int(target.rpartition("offset=")[2])
        part, size = self.parts[sha256], self.sizes[sha256]
        if len(part) == size:
            return Had(sha256, size)
        if offset != len(part) and not self.has("counts_any_piece"):
            return Had(sha256, len(part))
        if len(body) != min(PIECE, size - offset):
            raise Refusal(422, "node_piece_size")
        part += body
        is_wrong = len(part) >= size and hashlib.sha256(part).hexdigest() != sha256
        if is_wrong and not self.has("checks_no_part"):
            if not self.has("sticks_with_spoilt_parts"):
                part.clear()
            raise Refusal(422, "node_part_changed")
        return Had(sha256, len(part))

    # -- notes ---------------------------------------------------------------------------------

    def _note(self, body: bytes) -> Receipt:
        note = messages.decode_note(body)
        sha256 = hashlib.sha256(body).hexdigest()
        if note.uid in self.known:
            return msgspec.structs.replace(self.known[note.uid][1], status="duplicate")
        reason = None
        if isinstance(note, Recall):
            self.recalled.add(note.document)
        elif isinstance(note, Statement):
            reason = self._stated(note)
        elif not self.has("believes_any_report"):
            reason = "delivery_unknown"
        if reason is not None:
            return self._refused(note.uid, sha256, reason)
        receipt = Receipt(uid=note.uid, sha256=sha256, status="accepted", time=clock.now(),
                          committed_at=clock.now())  # fmt: skip
        self.known[note.uid] = (body, receipt)
        return receipt

    def _stated(self, told: Statement) -> str | None:
        if told.identity.node != self.peer.node and not self.has("believes_statements_of_others"):
            return "statement_of_another"
        if told.number <= self.number and not self.has("believes_old_statements"):
            return "statement_old"
        self.number = told.number
        self.authors = set(told.serves)
        self.peer_keys |= {one.kid: one for one in told.identity.keys}
        return None

    # -- its own notes -------------------------------------------------------------------------

    def _set_free(self, manifest: Manifest) -> None:
        """Who waited and waits no longer is reported, until a receipt comes."""
        free = {one.delivery for one in manifest.recipients if not one.waits} & self.waiting
        self.waiting -= free
        if free and self.peer_url:
            states = tuple(State(delivery=one, status="delivered") for one in free)
            task = asyncio.create_task(kit_node_notes.tell(self, manifest.card.id, states))
            self.telling.add(task)
            task.add_done_callback(self.telling.discard)
