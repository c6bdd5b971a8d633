"""The journal of what other nodes sent: each uid once, with its content and what we answered."""

import logging
import uuid

import msgspec

from audit import events, transitions
from core import clock, db
from core.actor import RULE
from docflow.gateways.node.messages import Receipt, decode, encode
from docflow.routing.nodes import own
from docflow.routing.nodes.intake import Call
from docflow.routing.nodes.states import MESSAGE_TRANSITIONS, MessageStatus
from notify import notices

log = logging.getLogger(__name__)


async def known(node_id: uuid.UUID, uid: uuid.UUID, *, lock: bool = False) -> db.Row | None:
    """What came from this node under this uid before."""
    return await db.row(
        f"""SELECT id, sha256, status, receipt, kind FROM node_message
            WHERE node_id = $1 AND uid = $2 {"FOR UPDATE" if lock else ""}""",
        node_id, uid,
    )  # fmt: skip


async def lock(node_id: uuid.UUID, *uids: uuid.UUID) -> None:
    """Two who enter one message at once: the second waits, and then finds it."""
    await db.execute(
        """SELECT pg_advisory_xact_lock(hashtextextended(name, 3))
           FROM unnest($1::text[]) WITH ORDINALITY AS t (name, place) ORDER BY place""",
        [f"{node_id}/{uid}" for uid in uids],
    )


async def again(call: Call, row: db.Row, *, sha256: str, identity: bytes) -> Receipt | None:
    """The receipt for a message that came before; None when it is to be judged anew.

    What was accepted is a duplicate. Other content under the same uid is refused and told aloud:
    somebody's program, or somebody, is at work there. `identity` decides what the same content is;
    `sha256` is what the sender finds its receipt by.
    """
    if bytes(row["sha256"]) != identity:
        if row["status"] == MessageStatus.REFUSED:
            return None
        return await _reused(call, row, sha256)
    if row["status"] == MessageStatus.REFUSED:
        return None
    await db.execute(
        "UPDATE node_message SET tries = tries + 1, updated_at = $2 WHERE id = $1",
        row["id"], clock.now(),
    )  # fmt: skip
    first = decode(bytes(row["receipt"]), Receipt)
    return msgspec.structs.replace(
        first, sha256=sha256, status="duplicate", time=clock.now()
    )  # fmt: skip


async def _reused(call: Call, row: db.Row, sha256: str) -> Receipt:
    uid = decode(bytes(row["receipt"]), Receipt).uid
    log.error("node %s sends other content under the known uid %s", call.peer.id, uid)
    async with db.transaction():
        await events.record(
            RULE, "node.uid_reused", subject=("node", call.peer.id),
            data={"uid": str(uid), "sha256": sha256, "known": bytes(row["sha256"]).hex()},
        )  # fmt: skip
        keeper = await own.needed()
        await notices.post(
            keeper.organization_id, "node_uid_reused", ("node", call.peer.id),
            data={"node": call.peer.name, "uid": str(uid)},
        )  # fmt: skip
    return Receipt(
        uid=uid, sha256=sha256, status="refused", time=clock.now(), reason="uid_reused",
        text="Под этим идентификатором уже принято другое сообщение.",
    )  # fmt: skip


async def enter(
    call: Call,
    content: bytes,
    *,
    uid: uuid.UUID,
    kind: str,
    receipt: Receipt,
    identity: bytes,
    row: db.Row | None,
    is_inline: bool = True,
    origin_id: uuid.UUID | None = None,
    document_id: uuid.UUID | None = None,
    dispatch_id: uuid.UUID | None = None,
) -> None:
    """Write a message with the receipt it gets, in the transaction of all it changes.

    `row` is what came under this uid before, as found under the lock of the uid or of the row.
    """
    status = MessageStatus.REFUSED if receipt.status == "refused" else MessageStatus.ACCEPTED
    values = {
        "version": call.signed.version, "sha256": identity,
        "content": content, "is_inline": is_inline, "base": call.signed.base,
        "signature": call.signed.signature, "kid": call.signed.kid, "reason": receipt.reason,
        "origin_id": origin_id, "document_id": document_id, "dispatch_id": dispatch_id,
        "receipt": encode(receipt),
    }  # fmt: skip
    if row is not None:
        await transitions.move(
            RULE, "node_message", row["id"], graph=MESSAGE_TRANSITIONS,
            source=MessageStatus(row["status"]), target=status, verb=f"node_message.{status}",
            assign=values, data={"reason": receipt.reason},
        )  # fmt: skip
        return
    values |= {
        "id": clock.new_id(), "node_id": call.peer.id, "uid": uid, "kind": kind,
        "status": status.value, "created_at": clock.now(), "updated_at": clock.now(),
    }  # fmt: skip
    places = ", ".join(f"${place}" for place in range(1, len(values) + 1))
    await db.execute(
        f"INSERT INTO node_message ({', '.join(values)}) VALUES ({places})", *values.values()
    )
