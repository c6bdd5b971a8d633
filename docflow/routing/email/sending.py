"""The channel «e-mail»: a letter with a link to read and acknowledge, or with the files too."""

import uuid
from datetime import timedelta

from core import clock, db
from core.settings import settings
from docflow.gateways.email.letters import Attachment, Letter, composed
from docflow.gateways.email.transport import hand_over
from docflow.routing import answer_codes, letters, ways
from docflow.routing.carriage import Channel, Consignment, Outcome, accepted, broken, retry
from docflow.routing.email import links
from docflow.routing.letters import Contents, in_words
from notify.relay import address_of
from storage import blobs

NAME = "email"
MOST_ATTACHED = 15 * 1024 * 1024
"""Relays refuse larger letters as a rule; above it the link alone goes."""


async def send(message: Consignment) -> Outcome:
    """Hand one letter to the relay; made again it has the same Message-ID and the same bytes.

    Accepted by the relay is *sent*; delivered it is when a report says so, or a reader.
    """
    smtp = settings().smtp
    if not smtp.host:
        return broken("not_set_up", ways.REASONS["not_set_up"][0])
    contents = await letters.contents_of(message.document_id)
    if NAME in ways.forbidden(contents.mark):
        return broken("mark_forbids", ways.REASONS["mark_forbids"][0])
    carried = message.deliveries[0]
    row = await db.row(
        """SELECT o.id, o.email, v.due_on FROM delivery AS v
           JOIN organization AS o ON o.id = v.recipient_id WHERE v.id = $1""",
        carried.delivery_id,
    )
    to = address_of(row["email"]) if row else None
    if row is None or to is None:
        return broken("no_email", ways.REASONS["no_email"][0])
    letter = await _letter(message, contents, to=to, due_on=in_words(row["due_on"]))
    handed = await hand_over(smtp, uid=message.id, to=to, message=composed(letter))
    if handed.result == "accepted":
        return accepted({"relay": "accepted", "reports": handed.reports})
    if handed.result == "permanent":
        await mark_faulty(row["id"], row["email"], code=handed.said[:3], said=handed.said)
        return broken("mail_refused", handed.said)
    return retry("mail_postponed", handed.said)


async def _letter(message: Consignment, contents: Contents, *, to: str, due_on: str) -> Letter:
    delivery_id = message.deliveries[0].delivery_id
    link, until = await links.issue(message.id, delivery_id)
    codes = await answer_codes.of_deliveries([delivery_id])
    return Letter(
        uid=message.id, sender=settings().smtp.sender, to=to, organization=contents.organization,
        title=contents.title, number=contents.number, day=in_words(contents.day), due_on=due_on,
        created_at=message.created_at, link=link,
        link_until=in_words(until.astimezone(clock.MOSCOW).date()),
        code=answer_codes.shown(codes[delivery_id]),
        attachments=await _attachments(contents),
    )  # fmt: skip


async def _attachments(contents: Contents) -> tuple[Attachment, ...]:
    """The files as they were signed, detached signatures beside them."""
    if not settings().ways.mail_attach or contents.size > MOST_ATTACHED:
        return ()
    found = []
    for one in contents.files:
        data = await blobs.read(one["blob_id"], limit=MOST_ATTACHED)
        found.append(Attachment(one["file_name"], one["media_type"], data))
        for place, mark in enumerate(one["signatures"], 1):
            data = await blobs.read(mark["blob_id"], limit=MOST_ATTACHED)
            name = f"{one['file_name']}.{place}.sig"
            found.append(Attachment(name, "application/pkcs7-signature", data))
    return tuple(found)


async def mark_faulty(organization_id: uuid.UUID, address: str, *, code: str, said: str) -> None:
    """Remember that this address takes no mail; a new address in the card starts afresh."""
    await db.execute(
        """INSERT INTO mail_fault (organization_id, address, code, said, since)
           VALUES ($1, $2, $3, $4, $5)
           ON CONFLICT (organization_id) DO UPDATE SET address = excluded.address,
               code = excluded.code, said = excluded.said,
               since = CASE WHEN mail_fault.address = excluded.address THEN mail_fault.since
                            ELSE excluded.since END""",
        organization_id, address, code[:20], said[:200], clock.now(),
    )  # fmt: skip


EMAIL = Channel(
    name=NAME,
    send=send,
    target_sql="""(SELECT o.id::text FROM organization AS o
                   WHERE o.id = v.recipient_id AND o.email <> '')""",
    parallel=16,
    per_target=1,
    patience=timedelta(days=7),
    is_quiet_at_night=True,
)
