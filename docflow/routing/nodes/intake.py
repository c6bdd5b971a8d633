"""Who speaks: a request of another node, verified before anything in it is looked at."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

from core.errors import NotFound
from docflow.gateways.node import signing
from docflow.gateways.node.messages import encode
from docflow.gateways.node.problems import BadSignature, KeyRefused, VersionRefused
from docflow.gateways.node.signing import Message, Signed
from docflow.routing.nodes import own, peers
from docflow.routing.nodes.peers import Peer, Standing


@dataclass(frozen=True, slots=True)
class Call:
    """A verified request: whose it is and in which version it speaks."""

    peer: Peer
    standing: Standing = field(repr=False)
    body: bytes = field(repr=False)
    message: Message = field(repr=False)
    signed: Signed = field(repr=False)


async def require_known(headers: Mapping[str, str]) -> None:
    """Raise `KeyRefused` unless the request says that it comes from a node we know."""
    try:
        node_id = uuid.UUID(headers.get("node-from", ""))
        if node_id not in _met:
            await peers.peer(node_id)
    except (ValueError, NotFound) as problem:
        raise KeyRefused(code="node_unknown") from problem


_met: set[uuid.UUID] = set()
"""Nodes whose signature held in this process: their requests are read, and judged anew each time,
without asking first whether we know them."""


async def verified(method: str, target: str, headers: Mapping[str, str], body: bytes) -> Call:
    """The node that signed this request for us.

    Raises `BadSignature`, `KeyRefused` (unknown, unconfirmed, expired, revoked key), `ClockRefused`
    (with our time), `PeerRefused` (not active), `VersionRefused` (with our versions).
    """
    message = Message(signing.plain_headers(headers), method=method, target=target)
    try:
        known = await peers.standing(uuid.UUID(message.headers.get("node-from", "")))
    except (ValueError, NotFound) as problem:
        raise KeyRefused(code="node_unknown") from problem
    peer = known.peer
    signed = signing.verify_request(message, body, key_of=known.find, window=own.window())
    if signed.recipient != str(known.own_id):
        raise BadSignature(code="node_addressed_elsewhere")
    peers.require_active(peer)
    if signed.version not in own.versions():
        raise VersionRefused(versions=list(own.versions()))
    await known.heard()
    _met.add(peer.id)
    return Call(peer, known, body, message, signed)


async def answered(
    call: Call, told: msgspec.Struct | bytes, *, status: int = 200
) -> tuple[int, bytes, dict[str, str]]:
    """Status, content and signed headers of our answer."""
    body = told if isinstance(told, bytes) else encode(told)
    back = Message(
        {"node-from": str(call.standing.own_id), "node-to": str(call.peer.id),
         "node-version": str(call.signed.version)},
        status_code=status, request=call.message,
    )  # fmt: skip
    signing.sign_answer(back, body, key=call.standing.key)
    return status, body, back.headers


async def introduced(target: str) -> tuple[bytes, dict[str, str]]:
    """Who we are, for anybody: signed over the request's target, so over the caller's nonce."""
    told = await own.identity()
    body = encode(told)
    back = Message(
        {"node-from": str(told.node), "node-version": str(max(own.versions()))},
        status_code=200, request=Message({}, method="GET", target=target),
    )  # fmt: skip
    signing.sign_answer(back, body, key=await own.signing_key(), to_anybody=True)
    return body, back.headers
