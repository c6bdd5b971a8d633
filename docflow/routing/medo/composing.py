"""Our document as a МЭДО message: requisites, signers, files, links; what the card says."""

import mimetypes
import re
import uuid
from datetime import date, datetime
from pathlib import PurePath
from typing import Any

from core import clock, db
from docflow.documents import files
from docflow.documents.kinds import kind_of
from docflow.gateways.medo import messages as wire
from docflow.gateways.medo.messages import Event, Kind, Message, Party
from docflow.routing.medo import checks
from docflow.routing.medo.checks import DetachedSignature
from docflow.routing.medo.partners import Partner
from storage import blobs

_ROLES = {
    "approving": "Утверждающая",
    "certifying": "Заверяющая",
    "endorsing": "Согласующая",
    "sealing": "Заверяющая",
}
_SUFFIX = re.compile(r"\.[a-z0-9]{1,8}")


async def of_document(
    row: db.Row, document: db.Row, *, sender: Partner, partner: Partner
) -> tuple[Message, dict[str, bytes]]:
    """The message with the document of `row`, and the bytes of its files by name.

    Checks PDF/A, signatures and size first, and raises `checks.Blocked`.
    """
    present = [one for one in await files.current_files(document["id"]) if one["role"] != "scan"]
    main = next((one for one in present if one["role"] == "main"), None)
    if main is None:
        raise checks.Blocked("pdf_needed")
    if sum(one["size"] for one in present) > partner.max_bytes:
        raise checks.Blocked("message_too_large")
    await checks.pdfa(main, partner)
    signed = await checks.signatures(document["id"], present, partner)
    sources: dict[str, bytes] = {}
    named: list[wire.File] = []
    for place, one in enumerate([main, *(one for one in present if one is not main)]):
        named += await _files(one, place, signed[one["id"]], sources)
    message = Message(
        kind=Kind.CONTAINER if partner.version.startswith("2.7") else Kind.DOCUMENT,
        document=await _document(row, document, sender, partner, main, signed[main["id"]]),
        container=wire.Container() if partner.version.startswith("2.7") else None,
        files=tuple(named), **_header(row, sender, partner),
        envelope=wire.Envelope(
            addresses=(partner.address,), date=clock.now(),
            subject=f"ЭСД МЭДО ({document['number']} от {document['date']:%d.%m.%Y})",
        ),
    )  # fmt: skip
    return message, sources


def _header(row: db.Row, sender: Partner, partner: Partner) -> dict[str, Any]:
    return {
        "version": partner.version, "header_uid": str(row["header_uid"]), "created": clock.now(),
        "source": Party(uid=str(sender.participant_uid), organization=sender.name),
        "destinations": (Party(uid=str(partner.participant_uid), organization=partner.name),),
    }  # fmt: skip


async def _files(
    one: db.Row, place: int, signed: list[DetachedSignature], sources: dict[str, bytes]
) -> list[wire.File]:
    suffix = PurePath(one["file_name"]).suffix.lower()
    if not _SUFFIX.fullmatch(suffix):
        suffix = mimetypes.guess_extension(one["media_type"]) or ".bin"
    name = f"attachment{place}{suffix}" if place else "document.pdf"
    sources[name] = await blobs.read(one["blob_id"], limit=1 << 30)
    made = [
        wire.File(
            name=name, role=wire.Role.ATTACHMENT if place else wire.Role.DOCUMENT,
            size=one["size"], sha256=one["sha256"], type=suffix[1:], pages=one["pages"],
            description=one["title"] if place else "", order=place - 1 if place else None,
            signatures=tuple(_signature(each) for each in signed) if place else (),
        )
    ]  # fmt: skip
    for each in signed:
        sources[_name(each)] = await blobs.read(each.blob_id, limit=1 << 22)
        made.append(wire.File(name=_name(each), role=wire.Role.SIGNATURE))
    return made


def _name(one: DetachedSignature) -> str:
    return f"{one.signature_id.hex}.p7s"


def _signature(one: DetachedSignature) -> wire.Signature:
    return wire.Signature(name=_name(one), kind=_ROLES.get(one.role, _ROLES["approving"]))


async def _document(
    row: db.Row,
    document: db.Row,
    sender: Partner,
    partner: Partner,
    main: db.Row,
    signed: list[DetachedSignature],
) -> wire.Document:
    kind = kind_of(document["kind"])
    author = wire.Author(
        organization=Party(uid=str(sender.participant_uid), organization=sender.name),
        number=document["number"], date=document["date"],
        signers=tuple(_signer(one) for one in signed),
        executor=await _executor(document["executor_id"]),
    )  # fmt: skip
    return wire.Document(
        uid=row["document_uid"], id=str(document["id"]), number=document["number"],
        date=document["date"], kind=kind.ru, type=kind.ru, annotation=document["title"],
        pages=main["pages"] or 1, authors=(author,),
        addressees=(Party(uid=str(partner.participant_uid), organization=partner.name),),
        links=await _links(document["id"]),
    )  # fmt: skip


def _signer(one: DetachedSignature) -> wire.Signer:
    found = one.report["signatures"][0]
    moment = (found.get("timestamp") or {}).get("time") or found.get("signing_time")
    day = datetime.fromisoformat(moment).astimezone(clock.MOSCOW).date() if moment else None
    person = Party(
        person=one.signer, post=found["subject"].get("title", ""),
        organization=found["subject"].get("organization", ""),
    )  # fmt: skip
    return wire.Signer(person=person, signed=day or clock.today(), signatures=(_signature(one),))


async def _executor(person_id: uuid.UUID | None) -> Party | None:
    if person_id is None:
        return None
    found = await db.row(
        "SELECT last_name, first_name, middle_name, phone FROM person WHERE id = $1", person_id
    )
    if found is None:
        return None
    names = (found["last_name"], found["first_name"], found["middle_name"])
    return Party(person=" ".join(one for one in names if one), phone=found["phone"])


async def _links(document_id: uuid.UUID) -> tuple[wire.Link, ...]:
    """What our document answers, by their number, date and uid."""
    found = await db.rows(
        """SELECT l.kind, d.number, d.date, o.name, p.participant_uid, m.document_uid, m.header_uid
           FROM document_link AS l JOIN document AS d ON d.id = l.to_id
           JOIN organization AS o ON o.id = d.organization_id
           JOIN medo_message AS m ON m.document_id = d.id AND m.direction = 'in'
           LEFT JOIN medo_partner AS p ON p.organization_id = d.organization_id
           WHERE l.from_id = $1 AND l.kind IN ('reply_to', 'executes') ORDER BY l.id""",
        document_id,
    )
    return tuple(
        wire.Link(
            kind="В ответ на" if one["kind"] == "reply_to" else "Во исполнение",
            uid=one["document_uid"] or str(one["header_uid"] or ""),
            reference=wire.Reference(
                party=Party(organization=one["name"]), number=one["number"], date=one["date"]
            ),
        )
        for one in found
    )


def of_reply(row: db.Row, *, sender: Partner) -> Message:
    """A receipt or a notification of ours, as its row says."""
    facts = row["facts"]
    receipt = notification = None
    if row["kind"] == "receipt":
        receipt = wire.Receipt(
            uid=facts["uid"], time=row["created_at"].astimezone(clock.MOSCOW),
            is_accepted=facts["accepted"], comment=facts["comment"],
        )  # fmt: skip
    else:
        notification = _notification(row, sender)
    return Message(
        kind=Kind(row["kind"]), version=row["version"], header_uid=str(row["header_uid"]),
        created=clock.now(), receipt=receipt, notification=notification,
        source=Party(uid=str(sender.participant_uid), organization=sender.name),
        destinations=(Party(uid=facts["to_uid"], organization=facts.get("to_name", "")),),
        envelope=wire.Envelope(
            addresses=(facts["to_address"],), date=clock.now(),
            subject="Квитанция о приёме" if receipt else "ЭСД МЭДО (Уведомление)",
        ),
    )  # fmt: skip


def _notification(row: db.Row, sender: Partner) -> wire.Notification:
    facts, event = row["facts"], Event(row["event"])
    return wire.Notification(
        event=event,
        type="Зарегистрирован" if event is Event.ACCEPTED else "Отказано в регистрации",
        uid=facts["uid"], id=facts["id"], time=row["created_at"].astimezone(clock.MOSCOW),
        number=facts.get("number", ""), date=_day(facts.get("date")),
        reason=facts.get("reason", ""), comment=facts.get("comment", ""),
        foundation=wire.Reference(
            party=Party(organization=facts.get("to_name", "")),
            number=facts["their_number"] or "", date=_day(facts["their_date"]),
        ),
        correspondent=None,
    )  # fmt: skip


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None
