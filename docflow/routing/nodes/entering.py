"""What a message changes here: card, files, deliveries, hops, journal; one transaction."""

import uuid
from dataclasses import dataclass

import msgspec

from audit import events, transitions
from core import clock, db
from core.actor import RULE, Actor
from docflow.documents import external
from docflow.documents.states import TRANSITIONS, DocumentStatus
from docflow.gateways.node.container import Container
from docflow.gateways.node.messages import Hop, Manifest, Receipt, Recipient
from docflow.routing import announcing, bulk, lines, queueing, ways
from docflow.routing.nodes import journal, judging, points
from docflow.routing.nodes.intake import Call
from docflow.routing.states import DeliveryStatus

D = DeliveryStatus


@dataclass(frozen=True, slots=True)
class Placed:
    """The sender's deliveries, by how they stand here."""

    delivered: tuple[uuid.UUID, ...]
    waiting: tuple[uuid.UUID, ...]
    not_here: tuple[uuid.UUID, ...]


async def enter(
    call: Call,
    message: Container,
    looked: tuple[external.OutsideFile, ...],
    *,
    author_id: uuid.UUID,
) -> Receipt:
    """Write everything a message brings and the receipt for it; answers the receipt."""
    manifest, author = message.manifest, RULE.acting_for(author_id)
    async with db.transaction(), events.together():
        await journal.lock(call.peer.id, manifest.uid, manifest.card.id)
        view = await judging.look(call.peer.id, manifest)
        if view.message is not None and (known := await judging.again(call, view.message, message)):
            return known
        if view.is_recalled:
            raise judging.Refused("document_recalled", "Отправитель уже отозвал этот документ.")
        document_id = view.known_document(manifest)
        is_new = document_id is None
        if document_id is None:
            document_id = await _new_document(call.peer.id, author, manifest, looked)
        dispatch_id, placed = await _deliver(
            call.peer.id, author, document_id, manifest, is_new=is_new
        )
        await _enter_hops(document_id, manifest.hops)
        await _answer(call.peer.id, author, document_id, manifest)
        moment = clock.now()
        receipt = Receipt(
            uid=manifest.uid, sha256=message.sha256, status="accepted", time=moment,
            committed_at=moment, document=document_id, delivered=placed.delivered,
            waiting=placed.waiting, not_here=placed.not_here,
        )  # fmt: skip
        await journal.enter(
            call, message.raw, uid=manifest.uid, kind="document", receipt=receipt,
            row=view.message, origin_id=manifest.card.id, document_id=document_id,
            dispatch_id=dispatch_id, is_inline=message.parts is not None,
            identity=judging.identity_of(manifest),
        )  # fmt: skip
        await events.record(
            author, "document.received_by_node", subject=("document", document_id),
            document_id=document_id,
            data={"node_id": str(call.peer.id), "uid": str(manifest.uid),
                  "deliveries": len(placed.delivered) + len(placed.waiting)},
        )  # fmt: skip
        points.reach("before_commit")
    return receipt


async def _new_document(
    node_id: uuid.UUID, author: Actor, manifest: Manifest, looked: tuple[external.OutsideFile, ...]
) -> uuid.UUID:
    card = manifest.card
    if not looked:
        raise RuntimeError("a new document is entered from its judged files")
    document_id = await external.enter(
        author,
        card=external.OutsideCard(
            kind=card.kind, title=card.title, number=card.number, day=card.date,
            addressee=card.addressee, fields=card.fields,
            mark="dsp" if card.mark == "dsp" else "none",
        ),
        outside_files=looked,
    )  # fmt: skip
    await db.execute(
        """INSERT INTO node_document (node_id, origin_id, document_id, sha256)
           VALUES ($1, $2, $3, $4)""",
        node_id, card.id, document_id, judging.content_digest(manifest),
    )  # fmt: skip
    for link in manifest.links:
        await _link(node_id, author, document_id, link.kind, link.document)
    return document_id


async def _link(
    node_id: uuid.UUID, author: Actor, document_id: uuid.UUID, kind: str, origin_id: uuid.UUID
) -> None:
    """Tie it to a document of that node, or to one of ours that went there."""
    other = await db.value(
        """SELECT document_id FROM node_document WHERE node_id = $1 AND origin_id = $2
           UNION ALL
           SELECT document_id FROM node_outgoing WHERE node_id = $1 AND document_id = $2 LIMIT 1""",
        node_id, origin_id,
    )  # fmt: skip
    if other is not None and other != document_id and kind.isidentifier() and len(kind) < 40:
        await db.execute(
            """INSERT INTO document_link (from_id, to_id, kind, created_by, created_at)
               VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING""",
            document_id, other, kind, author.account_id, clock.now(),
        )  # fmt: skip


async def _deliver(
    node_id: uuid.UUID, author: Actor, document_id: uuid.UUID, manifest: Manifest, *, is_new: bool
) -> tuple[uuid.UUID, Placed]:
    """A dispatch of the author's, and a delivery for everybody named who lives here."""
    dispatch_id, moment = clock.new_id(), clock.now()
    recipients = manifest.recipients
    here = await db.rows(
        """SELECT w.origin_id, o.id AS organization_id FROM unnest($1::uuid[], $2::text[])
               AS w (origin_id, code) JOIN organization AS o ON o.code = w.code
           LEFT JOIN node_residence AS r ON r.organization_id = o.id
           LEFT JOIN node AS n ON n.id = r.node_id
           WHERE (r.node_id IS NULL OR n.status = 'own') AND o.id <> $3""",
        [one.delivery for one in recipients], [one.to for one in recipients], author.home_id,
    )  # fmt: skip
    ours = {row["origin_id"]: row["organization_id"] for row in here}
    if not ours:
        raise judging.Refused("not_here", "Ни один из адресатов не обслуживается этим узлом.")
    await db.execute(
        """INSERT INTO dispatch (id, document_id, organization_id, actor_id, mode, selector, as_of,
                                 deadlines, priority, recipients, created_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, '{}', $8, $9, $10)""",
        dispatch_id, document_id, author.home_id, author.account_id,
        "chancery" if any(one.via for one in recipients) else "direct",
        msgspec.to_builtins(lines.only([])), clock.today(), 10 if manifest.urgent else 0,
        0, moment,
    )  # fmt: skip
    named = [one for one in recipients if one.delivery in ours]
    made = await _write_deliveries(node_id, author, document_id, dispatch_id, manifest, ours)
    if not is_new:
        await _rename(node_id, document_id, manifest, ours)
        await _set_free(node_id, author, [one.delivery for one in named if not one.waits])
    if (
        is_new
        or await db.value("SELECT status FROM document WHERE id = $1", document_id)
        == DocumentStatus.REGISTERED
    ):
        await transitions.move(
            author, "document", document_id, graph=TRANSITIONS, source=DocumentStatus.REGISTERED,
            target=DocumentStatus.SENT, verb="document.sent", document_id=document_id,
        )  # fmt: skip
    if any(row["status"] == D.QUEUED for row in made):
        await queueing.after_queueing(dispatch_id)
    await announcing.received(dispatch_id=dispatch_id)
    return dispatch_id, _placed(made if is_new else await _here(node_id, manifest), manifest)


async def _write_deliveries(
    node_id: uuid.UUID, author: Actor, document_id: uuid.UUID, dispatch_id: uuid.UUID,
    manifest: Manifest, ours: dict[uuid.UUID, uuid.UUID],
) -> list[db.Row]:  # fmt: skip
    """In one statement: deliveries, their events, whose they are there, and how many.

    Answers those that are new: the sender's id, if it names nothing else, and how each stands.
    """
    # arrays in selects: the planner, blind to their length, keeps one plan for all
    named = [one for one in manifest.recipients if one.delivery in ours]
    channel = ways.first_sql("o.id", "o.channels", barred="$13::text[]", closed="$14::text[]")
    made = await db.rows(
        f"""WITH wanted AS MATERIALIZED (
               SELECT w.*, uuidv7() AS fresh, o.kind, {channel} AS channel
               FROM unnest((SELECT $1::uuid[]), (SELECT $2::uuid[]), (SELECT $3::date[]),
                           (SELECT $4::uuid[]), (SELECT $5::boolean[]))
                   AS w (origin_id, recipient_id, due_on, via, waits)
               JOIN organization AS o ON o.id = w.recipient_id),
           made AS (
               INSERT INTO delivery (id, dispatch_id, document_id, recipient_id, recipient_kind,
                                     channel, status, due_on, delivered_at, updated_at)
               SELECT w.fresh, $6, $7, w.recipient_id, w.kind, w.channel,
                      CASE WHEN w.waits THEN 'awaiting_relay'
                           WHEN w.channel = 'internal' THEN 'delivered' ELSE 'queued' END,
                      w.due_on,
                      CASE WHEN w.channel = 'internal' AND NOT w.waits THEN $8::timestamptz END,
                      $8
               FROM wanted AS w
               ON CONFLICT (recipient_id, document_id) DO NOTHING
               RETURNING id, recipient_id, status),
           told AS (
               INSERT INTO event (at, actor_kind, actor_id, organization_id, verb, subject_kind,
                                  subject_id, document_id, to_status)
               SELECT $8, $9, $10, $11, 'delivery.made', 'delivery', id, $7, status FROM made),
           known AS (
               INSERT INTO node_delivery (delivery_id, node_id, origin_id, document_id, told_status)
               SELECT m.id, $12, w.origin_id, $7, m.status
               FROM made AS m JOIN wanted AS w ON w.recipient_id = m.recipient_id
               ON CONFLICT DO NOTHING RETURNING delivery_id, origin_id),
           counted AS (
               UPDATE dispatch SET recipients = (SELECT count(*) FROM made) WHERE id = $6)
           SELECT k.origin_id, m.status
           FROM made AS m LEFT JOIN known AS k ON k.delivery_id = m.id""",
        [one.delivery for one in named], [ours[one.delivery] for one in named],
        [one.due for one in named], [one.via for one in named], [one.waits for one in named],
        dispatch_id, document_id, clock.now(), author.kind, author.id, author.home_id, node_id,
        ways.forbidden(manifest.card.mark), ways.not_set_up(),
    )  # fmt: skip
    await _relay(node_id, [one for one in named if one.via])
    return made


async def _relay(node_id: uuid.UUID, relayed: list[Recipient]) -> None:
    """Who gets it through a chancery that lives here too."""
    if not relayed:
        return
    await db.execute(
        """UPDATE delivery AS v SET via_id = relay.delivery_id
           FROM unnest($2::uuid[], $3::uuid[]) AS w (origin_id, via)
           JOIN node_delivery AS mine ON mine.node_id = $1 AND mine.origin_id = w.origin_id
           JOIN node_delivery AS relay ON relay.node_id = $1 AND relay.origin_id = w.via
           WHERE v.id = mine.delivery_id AND v.via_id IS NULL AND v.id <> relay.delivery_id""",
        node_id, [one.delivery for one in relayed], [one.via for one in relayed],
    )  # fmt: skip


async def _rename(
    node_id: uuid.UUID, document_id: uuid.UUID, manifest: Manifest, ours: dict[uuid.UUID, uuid.UUID]
) -> None:
    """A sender restored from a backup dispatches anew: the same recipient, another delivery."""
    named = [one.delivery for one in manifest.recipients if one.delivery in ours]
    await db.execute(
        """UPDATE node_delivery AS n SET origin_id = w.origin_id, told_status = 'awaiting_relay'
           FROM unnest($3::uuid[], $4::uuid[]) AS w (origin_id, recipient_id)
           JOIN delivery AS v ON v.recipient_id = w.recipient_id AND v.document_id = $2
           WHERE n.delivery_id = v.id AND n.node_id = $1 AND n.origin_id <> w.origin_id""",
        node_id, document_id, named, [ours[one] for one in named],
    )  # fmt: skip


async def _set_free(node_id: uuid.UUID, author: Actor, origin_ids: list[uuid.UUID]) -> None:
    """Who waited here for a chancery that has passed it on elsewhere waits no longer."""
    rows = await db.rows(
        """SELECT v.id FROM node_delivery AS n JOIN delivery AS v ON v.id = n.delivery_id
           WHERE n.node_id = $1 AND n.origin_id = ANY($2) AND v.status = 'awaiting_relay'
           AND v.channel = 'internal'""",
        node_id, origin_ids,
    )  # fmt: skip
    if rows:
        await bulk.settle(
            author, [row["id"] for row in rows], target=D.DELIVERED, sources=(D.AWAITING_RELAY,)
        )  # fmt: skip


async def _here(node_id: uuid.UUID, manifest: Manifest) -> list[db.Row]:
    """Those of the sender's deliveries that stand here, whichever message brought them."""
    return await db.rows(
        """SELECT n.origin_id, v.status FROM node_delivery AS n
           JOIN delivery AS v ON v.id = n.delivery_id
           WHERE n.node_id = $1 AND n.origin_id = ANY($2)""",
        node_id, [one.delivery for one in manifest.recipients],
    )  # fmt: skip


def _placed(rows: list[db.Row], manifest: Manifest) -> Placed:
    waits = (D.AWAITING_RELAY, D.QUEUED, D.FAILED)
    here = {row["origin_id"]: row["status"] for row in rows if row["origin_id"] is not None}
    return Placed(
        tuple(one for one, status in here.items() if status not in waits),
        tuple(one for one, status in here.items() if status in waits),
        tuple(one.delivery for one in manifest.recipients if one.delivery not in here),
    )


async def _enter_hops(document_id: uuid.UUID, hops: tuple[Hop, ...]) -> None:
    """Who passed it on before it came here; what is known already stays as it is."""
    for hop in hops[:200]:
        await enter_hop(document_id, hop, delivery_id=None)


async def enter_hop(document_id: uuid.UUID, hop: Hop, *, delivery_id: uuid.UUID | None) -> bool:
    """Write a passing on told by another node; answers whether it is new."""
    proof = msgspec.to_builtins(hop.proof) if hop.proof else {}
    return bool(
        await db.execute(
            """INSERT INTO node_hop (id, delivery_id, document_id, organization_id, number, date,
                                     resolution, verdict, passed, passed_at, told)
               SELECT $1, $2, $3, o.id, $5, $6, $7, $8, $9, $10, $11 FROM organization AS o
               WHERE o.code = $4 AND NOT EXISTS (SELECT 1 FROM hop WHERE id = $1)
               ON CONFLICT DO NOTHING""",
            hop.id, delivery_id, document_id, hop.organization, hop.number[:200], hop.date,
            hop.resolution[:4000], hop.verdict[:40], hop.passed, hop.passed_at, proof,
        )
    )  # fmt: skip


async def _answer(
    node_id: uuid.UUID, author: Actor, document_id: uuid.UUID, manifest: Manifest
) -> None:
    """It answers deliveries of ours that went to that node and to its author."""
    if not manifest.answers:
        return
    rows = await db.rows(
        """SELECT v.id FROM delivery AS v JOIN node_carried AS c ON c.delivery_id = v.id
           WHERE v.id = ANY($1) AND c.node_id = $2 AND v.recipient_id = $3""",
        list(manifest.answers), node_id, author.home_id,
    )  # fmt: skip
    for row in rows:
        await db.execute(
            """INSERT INTO answer (id, delivery_id, document_id, actor_id, created_at)
               VALUES ($1, $2, $3, $4, $5) ON CONFLICT (document_id) DO NOTHING""",
            clock.new_id(), row["id"], document_id, author.account_id, clock.now(),
        )  # fmt: skip
