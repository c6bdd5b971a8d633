"""The description of a message as XML, element by element in the order of the schema."""

import datetime as dt

from core import clock
from docflow.gateways.medo import lists
from docflow.gateways.medo.lists import Version
from docflow.gateways.medo.markup import Markup
from docflow.gateways.medo.messages import (
    Clause,
    Document,
    Event,
    File,
    Kind,
    Link,
    Message,
    Notification,
    Party,
    Receipt,
    Reference,
    Role,
    Signer,
)  # fmt: skip

X = Markup("xdms")


def description(message: Message, name: str, version: Version) -> bytes:
    """The XML of `message` in edition `name`; whatever that edition does not know is left out."""
    has_zone = version.encoding == "UTF-8"
    said = lists.load().header_types[message.kind]
    header = X.branch(
        "header",
        _organization("source", message.source),
        X.leaf("operator", message.operator),
        X.leaf("comment", message.comment),
        type=said, uid=message.header_uid, created=moment(message.created, has_zone=has_zone),
    )  # fmt: skip
    return X.root(
        "communication", version.namespace, version.encoding,
        header, *_content(message, has_zone=has_zone), _index(message.destinations),
        version=name,
    )  # fmt: skip


def _content(message: Message, *, has_zone: bool) -> list[str]:
    if message.kind is Kind.DOCUMENT and message.document is not None:
        files = [file for file in message.files if file.role in (Role.DOCUMENT, Role.ATTACHMENT)]
        return [
            _document(message.document),
            X.branch("files", *map(_file, files, range(len(files)))),
        ]
    if message.kind is Kind.CONTAINER and message.container is not None:
        named = message.container
        parts = X.leaf("body", named.body), X.leaf("signature", named.signature)
        return [X.branch("container", *parts, type=named.type)]
    if message.notification is not None:
        return [_notification(message.notification, has_zone=has_zone)]
    if message.receipt is not None:
        return [_receipt(message.receipt, has_zone=has_zone)]
    return []


def moment(at: dt.datetime | None, *, has_zone: bool) -> str:
    """Moscow's time; before 2.7.1 without a zone, as everybody writes it."""
    if at is None:
        return ""
    local = at.astimezone(clock.MOSCOW)
    exact = "milliseconds" if local.microsecond else "seconds"
    return (local if has_zone else local.replace(tzinfo=None)).isoformat(timespec=exact)


def day(at: dt.date | None) -> str:
    """YYYY-MM-DD, or nothing."""
    return at.isoformat() if at else ""


def _organization(tag: str, party: Party) -> str:
    return X.branch(
        tag, X.leaf("organization", party.organization), X.leaf("comment", party.comment),
        uid=party.uid,
    )  # fmt: skip


def _index(destinations: tuple[Party, ...]) -> str:
    """Each addressee in a destination within a destination: the format has it so."""
    return X.branch(
        "deliveryIndex",
        *(X.branch("destination", _organization("destination", one)) for one in destinations),
    )


def _anyone(party: Party, *, organization: str = "", with_contact: bool = True) -> str:
    """The parts of type anyone, in its order."""
    contact = party.contact or ", ".join(filter(None, (party.address, party.phone, party.email)))
    return "".join((
        X.leaf("region", party.region),
        X.leaf("organization", party.organization or organization),
        X.leaf("person", party.person),
        X.leaf("department", party.department),
        X.leaf("post", party.post),
        X.leaf("contactInfo", contact) if with_contact else "",
    ))  # fmt: skip


def _num(number: str, date: dt.date | None) -> str:
    return X.branch("num", X.leaf("number", number), X.leaf("date", day(date)))


def _reference(tag: str, reference: Reference | None, *, with_contact: bool = True) -> str:
    if reference is None:
        return ""
    return X.branch(
        tag,
        _anyone(reference.party, with_contact=with_contact),
        _num(reference.number, reference.date),
        X.leaf("comment", reference.comment or reference.party.comment),
    )


def _party(tag: str, party: Party | None) -> str:
    if party is None:
        return ""
    return X.branch(tag, _anyone(party), X.leaf("comment", party.comment))


def _document(document: Document) -> str:
    signers = [
        _signatory(signer, author.organization.organization)
        for author in document.authors for signer in author.signers
    ]  # fmt: skip
    executor = next((one.executor for one in document.authors if one.executor), None)
    correspondents = [_reference("correspondent", one) for one in document.correspondents]
    return X.branch(
        "document",
        X.leaf("type", document.type),
        X.leaf("kind", document.kind),
        _num(document.number, document.date),
        X.leaf("classification", document.classification),
        X.leaf("urgency", document.urgency),
        X.leaf("specialMark", document.special_mark),
        X.branch("signatories", *signers),
        X.branch("addressees", *(_party("addressee", one) for one in document.addressees)),
        X.leaf("pages", document.pages),
        X.leaf("enclosuresPages", document.enclosure_pages),
        X.leaf("annotation", document.annotation),
        X.branch("correspondents", *correspondents),
        X.branch("links", *map(_link, document.links)),
        X.branch("clauses", *map(_clause, document.clauses)),
        _party("executor", executor),
        X.leaf("comment", document.comment),
        uid=document.uid, id=document.id,
    )  # fmt: skip


def _signatory(signer: Signer, organization: str) -> str:
    return X.branch(
        "signatory",
        _anyone(signer.person, organization=organization),
        X.leaf("signed", day(signer.signed)),
        X.leaf("comment", signer.person.comment),
    )


def _link(link: Link) -> str:
    return X.branch(
        "link",
        X.leaf("linkType", link.kind or lists.load().links.kinds[0]),
        _reference("reference", link.reference, with_contact=False),
        uid=link.uid, id=link.id,
    )  # fmt: skip


def _clause(clause: Clause) -> str:
    return X.branch(
        "clause",
        X.leaf("designation", clause.designation),
        X.leaf("text", clause.text),
        X.leaf("deadline", day(clause.deadline)),
        X.branch("principals", *(_party("principal", one) for one in clause.principals)),
        # The schema itself misspells the word.
        X.branch("parcipants", *(_party("parcipant", one) for one in clause.participants)),
        X.leaf("comment", clause.comment),
        localId=clause.local_id, id=clause.id,
    )  # fmt: skip


def _file(file: File, place: int) -> str:
    groups = lists.load().groups
    group = groups.document if file.role is Role.DOCUMENT else groups.attachment
    order = place if file.order is None else file.order
    return X.branch(
        "file",
        X.leaf("group", file.group or group),
        X.leaf("description", file.description),
        X.leaf("pages", file.pages),
        X.branch(
            "signedData", *(X.leaf("signerInfo", signature=one.name) for one in file.signatures)
        ),
        localName=file.name, localId=str(order), type=file.type or _suffix(file.name),
    )  # fmt: skip


def _suffix(name: str) -> str:
    return name.rpartition(".")[2].lower() if "." in name else ""


def _notification(told: Notification, *, has_zone: bool) -> str:
    event = told.event or Event.ACCEPTED
    return X.branch(
        "notification",
        X.branch(
            event,
            X.leaf("time", moment(told.time, has_zone=has_zone)),
            _reference("foundation", told.foundation),
            X.branch("clause", X.leaf("designation", told.clause)),
            _reference("correspondent", told.correspondent),
            _own_part(told, event),
        ),
        X.leaf("comment", told.comment),
        type=told.type or lists.load().events[event], uid=told.uid, id=told.id,
    )  # fmt: skip


def _own_part(told: Notification, event: Event) -> str:
    """What only this kind of notification holds."""
    num = _num(told.number, told.date)
    parts = {
        Event.ACCEPTED: lambda: num,
        Event.REFUSED: lambda: X.leaf("reason", told.reason),
        Event.EXECUTOR: lambda: "".join(
            _party(tag, getattr(told, tag)) for tag in ("secretary", "manager", "executor")
        ),
        Event.REPORT_PREPARED: lambda: _party("signatory", told.signatory),
        Event.REPORT_SENT: lambda: _reference("report", told.report),
        Event.COURSE: lambda: (
            X.leaf("courseText", told.course) + _reference("reference", told.report)
        ),
        # The names of these two were not found anywhere (medo.md section 5); ours.
        Event.PUBLISHED: lambda: num + X.leaf("publicationPlace", told.place),
    }
    return parts[event]()


def _receipt(told: Receipt, *, has_zone: bool) -> str:
    return X.branch(
        "acknowledgment",
        X.leaf("time", moment(told.time, has_zone=has_zone)),
        X.leaf("accepted", "true" if told.is_accepted else "false"),
        X.leaf("comment", told.comment),
        uid=told.uid, content=told.content,
    )  # fmt: skip
