"""The channel ``node``: a consignment goes to its node, and a signed receipt comes back."""

import uuid
from datetime import timedelta

from core import db
from core.errors import ServiceError
from core.jobs import RetryPolicy
from docflow.gateways.node import container, transport
from docflow.gateways.node.container import INLINE, MEDIA_TYPE, PIECE
from docflow.gateways.node.messages import Had, Manifest, Need, Needs, Receipt, decode
from docflow.gateways.node.problems import BadMessage, PeerSilent
from docflow.gateways.node.transport import Answer, Declined
from docflow.routing.carriage import (
    Channel,
    Consignment,
    Outcome,
    accepted,
    broken,
    delivered,
    retry,
)
from docflow.routing.nodes import composing, notes, peers, points, receipts
from docflow.routing.nodes.peers import Peer, Standing
from docflow.routing.nodes.states import CHANNEL, NodeStatus
from storage import blobs

ROUNDS = 4
"""How often parts are asked for before the message rests: each round takes what is missing."""
SECONDS = 120.0
LAST_PIECE_SECONDS = 600.0
"""The receiver puts a part together at its last piece."""

_LATER = frozenset({"author_not_here", "node_busy"})
"""Refusals that end by themselves: a directory that is on its way, a node under load."""


async def send(message: Consignment) -> Outcome:
    """Hand a message to its node; as `carriage.Channel` asks."""
    known = await peers.standing(uuid.UUID(message.target))
    peer = known.peer
    if peer.status is not NodeStatus.ACTIVE:
        return retry("node_not_active", "Обмен с узлом не разрешён.", after=timedelta(minutes=5))
    version = peers.version_for(peer)
    outgoing = await composing.frozen(message, peer, version=version)
    points.reach("composed")
    try:
        answer = await _handed_over(message, known, outgoing)
        points.reach("answered")
        receipt = notes.receipt_of(
            answer, uid=message.id, sha256=transport.digest(bytes(outgoing["manifest"]))
        )
    except Declined as problem:
        return await _declined(message, peer, problem)
    except PeerSilent as problem:
        reason = str(problem.details.get("reason", ""))[:300]
        return retry(problem.error_code, reason, is_target_down=True)
    except ServiceError as problem:
        return retry(problem.error_code, problem.message_ru)
    await receipts.keep(
        peer.id, answer.signed.proof(answer.body), uid=message.id, kind="receipt",
        document_id=message.document_id,
    )  # fmt: skip
    await known.heard()
    points.reach("receipt_kept")
    return outcome_of(receipt, message)


def outcome_of(receipt: Receipt, message: Consignment) -> Outcome:
    """What a receipt means for the deliveries of its message."""
    facts = {"status": receipt.status, "reason": receipt.reason,
             "document_id": str(receipt.document) if receipt.document else None}  # fmt: skip
    if receipt.status == "refused":
        reason = receipt.reason or "refused"
        if reason in _LATER:
            return retry(reason, receipt.text, after=timedelta(minutes=1))
        return broken(reason, receipt.text)
    gone, waiting = set(receipt.not_here), set(receipt.waiting)
    known = gone | waiting | set(receipt.delivered)
    apart = {
        one.delivery_id: broken("not_here", "Организация не обслуживается этим узлом.")
        for one in message.deliveries
        if one.delivery_id in gone or one.delivery_id not in known
    }
    apart |= {
        one.delivery_id: accepted() for one in message.deliveries if one.delivery_id in waiting
    }
    return delivered(facts, apart=apart)


async def _handed_over(message: Consignment, known: Standing, outgoing: db.Row) -> Answer:
    raw = bytes(outgoing["manifest"])
    parts = decode(raw, Manifest).parts()
    stored = await composing.blobs_of(message.document_id)
    if sum(parts.values()) <= INLINE:
        bodies = [await blobs.read(blobs.of_row(stored[one]), limit=INLINE) for one in parts]
        return await _ask(known, outgoing, container.pack(raw, bodies))
    bare = container.pack(raw, [])
    answer = await _ask(known, outgoing, bare)
    for _ in range(ROUNDS):
        if answer.status != 202:
            break
        for need in decode(answer.body, Needs).needs:
            if need.sha256 not in stored or need.sha256 not in parts:
                raise BadMessage(reason="the node asks for a part that is not in the message")
            await _hand_part(known, outgoing, stored[need.sha256]["id"], need, parts[need.sha256])
        answer = await _ask(known, outgoing, bare)
    if answer.status == 202:
        raise PeerSilent(reason="the node goes on asking for parts")
    return answer


async def _ask(known: Standing, outgoing: db.Row, body: bytes) -> Answer:
    return await transport.ask(
        "POST", "/messages", body, way=known.peer.way,
        speaker=known.speaker(outgoing["version"]), key_of=known.find, seconds=SECONDS,
        media_type=MEDIA_TYPE,
    )  # fmt: skip


async def _hand_part(
    known: Standing, outgoing: db.Row, blob_id: uuid.UUID, need: Need, size: int
) -> None:
    """Give the rest of one part, piece by piece, each in memory at a time."""
    have = need.have
    while have < size:
        length = min(PIECE, size - have)
        stream = await blobs.open_blob(blob_id, start=have, length=length)
        piece = b"".join([chunk async for chunk in stream])
        is_last = have + length == size
        answer = await transport.ask(
            "PUT", f"/parts/{need.sha256}?offset={have}", piece, way=known.peer.way,
            speaker=known.speaker(outgoing["version"]), key_of=known.find,
            media_type="application/octet-stream",
            seconds=LAST_PIECE_SECONDS if is_last else SECONDS,
        )  # fmt: skip
        points.reach("piece_sent")
        told = decode(answer.body, Had)
        if told.have == have:
            raise PeerSilent(reason="the node does not take the piece")
        have = told.have


async def _declined(message: Consignment, peer: Peer, problem: Declined) -> Outcome:
    """A refusal nobody signed is no receipt: the message goes again, with the reason in sight."""
    code = problem.their_code
    if code == "node_version_unsupported":
        told = problem.details.get("facts", {}).get("versions", [])
        versions = [int(one) for one in told if str(one).isdigit()][:20]
        if versions:
            await db.execute("UPDATE node SET versions = $2 WHERE id = $1", peer.id, versions)
            await composing.thaw(message.id)
        return retry(code, after=timedelta(seconds=2))
    is_down = int(problem.details.get("status", 0)) in (429, 502, 503, 504)
    return retry(code, str(problem.details.get("told", "")) or None, is_target_down=is_down)


NODE = Channel(
    name=CHANNEL,
    send=send,
    target_sql=(
        "(SELECT r.node_id::text FROM node_residence AS r JOIN node AS n ON n.id = r.node_id"
        " WHERE r.organization_id = v.recipient_id AND n.status <> 'own')"
    ),
    per_target=8,
    timeout=timedelta(minutes=30),
    patience=timedelta(days=7),
    retry=RetryPolicy(attempts=10_000, first=timedelta(seconds=2), longest=timedelta(minutes=10)),
)
"""Its line in ``docflow.routing.channels``."""
