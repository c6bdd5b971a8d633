"""What a message that came changes here; everything in the transaction that enters it."""

import uuid

import msgspec

from audit import events
from core import clock, db
from core.actor import RULE, Actor
from docflow.documents import external
from docflow.gateways.medo.messages import Kind
from docflow.routing import announcing, lines
from docflow.routing.medo import applying, journal, matching, replies
from docflow.routing.medo.arrival import Arrival
from docflow.routing.medo.partners import Partner
from docflow.routing.medo.states import CHANNEL, MessageStatus

S = MessageStatus

_APPEALS = ("обращение", "жалоба", "заявление")


async def match(arrival: Arrival) -> db.Row | None:
    """The message of ours that a receipt or a notification answers, or None.

    Holds it (`sender_differs`) when another participant than the one we wrote to speaks; only that
    a message could not be delivered may come from the operator.
    """
    message = arrival.message
    uids = matching.uids_of(message)
    sent = await matching.sent_by_uids(uids)
    partner_id = arrival.partner.id if arrival.partner else None
    if sent is None and message.notification:
        references = matching.references_of(message.notification)
        sent = await matching.sent_by_number(partner_id, references)
    if sent is None:
        return await _reply_of_ours(uids)
    undelivered = message.receipt is not None and message.receipt.is_accepted is False
    if sent["partner_id"] != partner_id and not undelivered:
        arrival.hold("sender_differs")
    return sent


async def _reply_of_ours(uids: list[str]) -> db.Row | None:
    """A receipt for a notification of ours: nothing waits for it, but it is known."""
    wanted = [found for uid in uids if (found := journal.uuid_of(uid))]
    return await db.row(
        """SELECT * FROM medo_message WHERE direction = 'out' AND header_uid = ANY($1)
           AND kind IN ('notification', 'receipt') LIMIT 1""",
        wanted,
    )


async def settle(arrival: Arrival, *, sent: db.Row | None = None) -> None:
    """Do what the message asks for, once it stands in the journal."""
    message = arrival.message
    if arrival.status is S.MATCHED and sent is not None and sent["document_id"] is not None:
        await apply(arrival, sent)
    elif arrival.status is S.TAKEN:
        await take(arrival)
    if replies.is_acknowledged(message):
        await replies.receipt(arrival, accepted=True)
    elif message.kind is Kind.UNKNOWN:
        await replies.receipt(arrival, accepted=False)


async def apply(arrival: Arrival, sent: db.Row) -> None:
    """Carry what a receipt or a notification says over to the message it answers."""
    if arrival.message.receipt:
        await applying.apply_receipt(sent, arrival.message.receipt)
    elif arrival.message.notification:
        await applying.apply_notification(sent, arrival.message.notification)


async def take(arrival: Arrival) -> uuid.UUID:
    """Enter the document that came and deliver it to those of ours it names."""
    if arrival.partner is None:
        raise RuntimeError("a document is taken from a known participant")
    author = RULE.acting_for(arrival.partner.organization_id)
    document_id = await external.enter(
        author, card=_card(arrival), outside_files=arrival.outside
    )  # fmt: skip
    deliveries = await _deliver(author, document_id, arrival.ours)
    await db.execute(
        "UPDATE medo_message SET document_id = $2, delivery_id = $3 WHERE id = $1",
        arrival.id, document_id, deliveries[0],
    )  # fmt: skip
    for one in arrival.ours:
        await events.record(
            RULE.acting_for(one.organization_id), "medo.received",
            subject=("medo_message", arrival.id), document_id=document_id,
            data={"version": journal.clean(arrival.message.version)},
        )  # fmt: skip
    await _match_links(arrival, document_id, author)
    return document_id


def _card(arrival: Arrival) -> external.OutsideCard:
    document = arrival.message.document
    if document is None:
        raise RuntimeError("a message without a document is not taken")
    is_appeal = any(word in f"{document.kind} {document.type}".lower() for word in _APPEALS)
    people = [party.person or party.organization for party in document.addressees]
    signers = [
        ", ".join(part for part in (signer.person.post, signer.person.person) if part)
        for author in document.authors for signer in author.signers
    ]  # fmt: skip
    fields = {
        "medo_kind": document.kind or document.type, "medo_uid": document.uid,
        "medo_signatories": "; ".join(one for one in signers if one),
        "medo_executor": _executor(arrival),
    }  # fmt: skip
    return external.OutsideCard(
        kind="appeal" if is_appeal else "letter",
        title=journal.clean(document.annotation), number=journal.clean(document.number),
        day=document.date, addressee=journal.clean("; ".join(one for one in people if one))[:2000],
        fields={name: journal.clean(text)[:1000] for name, text in fields.items() if text},
    )  # fmt: skip


def _executor(arrival: Arrival) -> str:
    document = arrival.message.document
    for author in document.authors if document else ():
        if author.executor:
            found = author.executor
            return " ".join(part for part in (found.person, found.phone or found.contact) if part)
    return ""


async def _deliver(author: Actor, document_id: uuid.UUID, ours: list[Partner]) -> list[uuid.UUID]:
    """A dispatch of the sender's with a delivery that has arrived for each addressee of ours."""
    dispatch_id, moment = clock.new_id(), clock.now()
    selector = msgspec.to_builtins(lines.only([one.organization_id for one in ours]))
    await db.execute(
        """INSERT INTO dispatch (id, document_id, organization_id, actor_id, mode, selector, as_of,
                                 deadlines, priority, recipients, created_at)
           VALUES ($1, $2, $3, $4, 'direct', $5, $6, '{}', 0, $7, $8)""",
        dispatch_id, document_id, author.home_id, author.account_id, selector, clock.today(),
        len(ours), moment,
    )  # fmt: skip
    made = []
    for one in ours:
        made.append(clock.new_id())
        await db.execute(
            """INSERT INTO delivery (id, dispatch_id, document_id, recipient_id, recipient_kind,
                                     channel, status, delivered_at, updated_at)
               SELECT $1, $2, $3, id, kind, $5, 'delivered', $6, $6
               FROM organization WHERE id = $4""",
            made[-1], dispatch_id, document_id, one.organization_id, CHANNEL, moment,
        )  # fmt: skip
        await events.record(
            author, "delivery.made", subject=("delivery", made[-1]), document_id=document_id,
            change=(None, "delivered"),
        )  # fmt: skip
    await announcing.received(dispatch_id=dispatch_id)
    return made


async def _match_links(arrival: Arrival, document_id: uuid.UUID, author: Actor) -> None:
    """A letter that says which of ours it answers is tied to it."""
    uids, references = matching.links_of(arrival.message)
    sent = await matching.sent_by_uids(uids)
    if sent is None and arrival.partner:
        sent = await matching.sent_by_number(arrival.partner.id, references)
    if sent is None or arrival.partner is None or sent["partner_id"] != arrival.partner.id:
        return
    await applying.apply_answer(sent, document_id, author=author)
    await db.execute(
        "UPDATE medo_message SET answers_id = $2 WHERE id = $1", arrival.id, sent["id"]
    )
