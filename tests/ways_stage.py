"""A union, a region under it and primaries reached in different ways; letters with real bytes."""

import uuid
from dataclasses import dataclass

from core import clock, db
from core.actor import Actor
from docflow.documents import registration
from docflow.routing import carriers, consignments, dispatch, lines, overdue
from storage import blobs
from tests import ground, people

BODY = b"%PDF-1.7\n% a letter that is only read, never parsed\n%%EOF\n"


@dataclass(frozen=True, slots=True)
class Ways:
    """Who sends, and to whom."""

    clerk: Actor
    """Of the union."""
    region: uuid.UUID
    regional: Actor
    """A clerk of the region."""


async def a_stage() -> Ways:
    """The union's and the region's clerks."""
    union = await ground.an_organization("union")
    region = await ground.an_organization("regional", under=union)
    return Ways(await people.clerk_of(union), region, await people.clerk_of(region))


async def a_primary(stage: Ways, *channels: str, email: str = "", phone: str = "") -> uuid.UUID:
    """A primary under the region with these channels and a chairman."""
    made = await ground.an_organization("primary", under=stage.region)
    await db.execute(
        "UPDATE organization SET channels = $2, email = $3, phone = $4 WHERE id = $1",
        made, list(channels), email, phone,
    )  # fmt: skip
    await a_chairman(made)
    return made


async def a_chairman(organization_id: uuid.UUID, last_name: str = "Иванова") -> uuid.UUID:
    """Somebody who holds the post today."""
    person_id = clock.new_id()
    await db.execute(
        """INSERT INTO person (id, last_name, first_name, middle_name, created_at)
           VALUES ($1, $2, 'Анна', 'Петровна', $3)""",
        person_id, last_name, clock.now(),
    )  # fmt: skip
    await db.execute(
        """INSERT INTO post (person_id, organization_id, kind, title, valid_from)
           VALUES ($1, $2, 'chairman', 'Председатель', '2020-01-01')""",
        person_id, organization_id,
    )  # fmt: skip
    return person_id


async def a_letter(actor: Actor, *to: uuid.UUID, mark: str = "none", **more: object) -> uuid.UUID:
    """A registered letter with real bytes, dispatched, its messages made."""
    document_id = await a_registered(actor, mark=mark)
    wanted = dispatch.DispatchInput(selector=lines.only(to), **more)
    dispatch_id = await dispatch.send(actor, document_id, wanted=wanted)
    await consignments.make(dispatch_id)
    return document_id


async def a_registered(actor: Actor, *, mark: str = "none", body: bytes = BODY) -> uuid.UUID:
    """A registered letter with real bytes."""
    (document_id,) = await ground.signed_documents(actor, 1, kind="appeal")
    blob = await blobs.store(people.stream(body), limit=1 << 24)
    await db.execute(
        "UPDATE document SET addressee = 'Всем', mark = $2 WHERE id = $1", document_id, mark
    )
    await db.execute(
        """UPDATE document_file SET blob_id = $2, size = $3, sha256 = $4
           WHERE document_id = $1""",
        document_id, blob.id, blob.size, bytes.fromhex(blob.sha256),
    )  # fmt: skip
    await registration.register(actor, document_id)
    return document_id


async def carry() -> int:
    """Carry everything that can go now, and sweep."""
    number = await carriers.carry_waiting()
    await overdue.sweep()
    return number


async def message_of(document_id: uuid.UUID, channel: str = "email") -> db.Row:
    """The newest message about a document by a channel."""
    found = await db.row(
        """SELECT * FROM consignment WHERE document_id = $1 AND channel = $2
           ORDER BY id DESC LIMIT 1""",
        document_id, channel,
    )  # fmt: skip
    assert found is not None
    return found


async def delivery_of(document_id: uuid.UUID) -> db.Row:
    """The one delivery of a document."""
    (found,) = await db.rows("SELECT * FROM delivery WHERE document_id = $1", document_id)
    return found


async def told(delivery_id: uuid.UUID) -> list[str]:
    """What was recorded of a delivery, in order."""
    rows = await db.rows("SELECT verb FROM event WHERE subject_id = $1 ORDER BY id", delivery_id)
    return [row["verb"] for row in rows]


def report(
    uid: uuid.UUID | None, action: str, status: str, *, quoted: uuid.UUID | None = None
) -> bytes:
    """A delivery report as Postfix writes it (RFC 3464)."""
    envelope = f"Original-Envelope-Id: {uid}\r\n" if uid else ""
    returned = (
        "--=_b\r\nContent-Type: text/rfc822-headers\r\n\r\n"
        f"Message-ID: <c.{quoted}@federation.example>\r\nTo: ppo@example.org\r\n\r\n"
        if quoted else ""
    )  # fmt: skip
    return (
        "From: MAILER-DAEMON@mail.example\r\nSubject: Delivery Status Notification\r\n"
        f"Message-ID: <{uuid.uuid4()}@mail.example>\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="=_b"\r\n\r\n'
        "--=_b\r\nContent-Type: text/plain\r\n\r\nThis is the mail system.\r\n\r\n"
        "--=_b\r\nContent-Type: message/delivery-status\r\n\r\n"
        f"{envelope}Reporting-MTA: dns; mail.example\r\n\r\n"
        f"Final-Recipient: rfc822; ppo@example.org\r\nAction: {action}\r\nStatus: {status}\r\n"
        "Diagnostic-Code: smtp; 550 <ppo@example.org>: no such user\r\n\r\n"
        f"{returned}--=_b--\r\n"
    ).encode()


async def consign() -> None:
    """What was passed on to its next channel gets its message."""
    await consignments.make_forgotten()
