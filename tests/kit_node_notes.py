"""Around the kit's test node: the faults that can be seeded, its own notes, a real port."""

import asyncio
import hashlib
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import httpx
import msgspec
import uvicorn

from core import clock
from docflow.gateways.node import messages, signing
from docflow.gateways.node.messages import Receipt, Report, State
from docflow.gateways.node.problems import BadSignature
from docflow.gateways.node.signing import Message

BASE = "/api/v1/exchange"
PAUSE = 0.05
"""Seconds between the tries of a note."""

FAULTS: dict[str, str] = {
    "identity_unsigned": "identity",
    "identity_canned": "identity",
    "takes_any_clock": "clock",
    "keeps_its_clock_to_itself": "clock",
    "takes_expired_keys": "key_expired",
    "takes_unknown_keys": "key_unknown",
    "takes_unknown_nodes": "node_unknown",
    "takes_unsigned": "unsigned",
    "checks_no_signature": "signature_wrong",
    "checks_no_digest": "digest_wrong",
    "ignores_the_target": "other_target",
    "takes_less_covered": "less_covered",
    "takes_mail_of_others": "other_node",
    "takes_any_version": "version",
    "takes_any_author": "author_of_another",
    "takes_unknown_authors": "author_unknown",
    "believes_statements_of_others": "statement_of_another",
    "believes_any_report": "report_of_stranger",
    "receipts_unsigned": "accepted",
    "receipts_signed_with_a_new_key": "accepted",
    "receipts_of_any_request": "accepted",
    "receipts_name_another_digest": "accepted",
    "receipts_name_nobody": "accepted",
    "accepts_twice": "duplicate",
    "new_document_each_time": "duplicate",
    "refuses_repeats": "receipt_lost",
    "refuses_replays": "replayed",
    "races": "at_once",
    "overwrites": "uid_reused",
    "burns_uids": "failed_try",
    "takes_changed_documents": "document_changed",
    "takes_halves": "half_message",
    "forgets_pieces": "half_part",
    "counts_any_piece": "half_part",
    "checks_no_part": "part_changed",
    "sticks_with_spoilt_parts": "part_changed",
    "forgets_recalls": "recall_first",
    "believes_old_statements": "statements",
    "wants_the_same_bytes": "restored",
    "breaks_on_nonsense": "malformed",
    "reads_everything": "too_large",
    "one_at_a_time": "slow",
    "swallows_strangers": "not_here",
    "tells_once": "answer_lost",
    "believes_anything": "answer_unsigned",
    "believes_any_receipt": "answer_foreign",
    "believes_any_key": "answer_wrong_key",
    "gives_up_when_busy": "answer_busy",
    "tells_anew": "answer_lost",
    "gives_up_when_late": "answer_late",
}
"""Every fault that can be seeded, and the check that has to find it."""


class Refusal(Exception):
    def __init__(self, status: int, code: str, **details: object) -> None:
        self.status, self.code, self.details = status, code, details
        super().__init__(code)


class Skip(Exception):
    """A key nobody knows is taken as good."""


async def tell(node: Any, document: uuid.UUID, states: tuple[State, ...]) -> None:
    note = Report(uid=clock.new_id(), document=document, states=states)
    async with httpx.AsyncClient(timeout=1.0) as client:
        for _ in range(20):
            if await _told(node, client, messages.encode(note)):
                return
            await asyncio.sleep(PAUSE)
            if node.has("tells_anew"):
                note = msgspec.structs.replace(note, document=clock.new_id())


async def _told(node: Any, client: httpx.AsyncClient, body: bytes) -> bool:
    """Is the note settled, by what this node takes for a receipt?"""
    message = Message({"node-from": str(node.id), "node-to": str(node.peer.node),
                       "node-version": "2"}, method="POST", target=BASE + "/notes")  # fmt: skip
    signing.sign_request(message, body, key=node.key)
    try:
        answer = await client.post(node.peer_url + BASE + "/notes", content=body,
                                   headers=message.headers)  # fmt: skip
    except httpx.TimeoutException:
        return node.has("gives_up_when_late")
    except httpx.HTTPError:
        return node.has("tells_once")
    if answer.status_code != 200:
        return node.has("gives_up_when_busy")
    return _is_receipt(node, answer, body, message)


def _is_receipt(node: Any, answer: httpx.Response, body: bytes, message: Message) -> bool:
    if "signature" not in answer.headers:
        return node.has("believes_anything")
    back = Message(signing.plain_headers(answer.headers), status_code=200, request=message)
    if not node.has("believes_any_key"):
        try:
            signing.verify_answer(back, answer.content, key_of=node._key,
                                  window=timedelta(minutes=5))  # fmt: skip
        except (Refusal, BadSignature):
            return False
    told = messages.decode(answer.content, Receipt)
    return told.sha256 == hashlib.sha256(body).hexdigest() or node.has("believes_any_receipt")


@asynccontextmanager
async def serving(app: Callable[..., Awaitable[None]], port: int) -> AsyncIterator[str]:
    """An ASGI application behind a real port of this machine; answers its base URL."""
    config = uvicorn.Config(app, host="127.0.0.1", port=port, log_level="error", lifespan="off",
                            ws="none", timeout_graceful_shutdown=1)  # fmt: skip
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        await task
