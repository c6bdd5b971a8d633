"""What a МЭДО message says, the same for every version of the format; no bytes, only names.

A text that is not there is empty, anything else that is not there is None. Uids are GUIDs in lower
case; the nil GUID is read as none. Times are aware: one without a zone is Moscow's.
"""

import datetime as dt
from dataclasses import dataclass, field
from enum import StrEnum


class Kind(StrEnum):
    """What sort of message (вид сообщения); decided by its content, not by the header's words."""

    DOCUMENT = "document"
    """Документ of 2.0 to 2.6: loose files beside the description."""
    CONTAINER = "container"
    """Транспортный контейнер of 2.7 and 2.7.1: one zip with a passport in it."""
    NOTIFICATION = "notification"
    """Уведомление: the office answers."""
    RECEIPT = "receipt"
    """Квитанция: the transport answers."""
    UNKNOWN = "unknown"
    """Nothing could be told of it; the errors say why. It is received all the same."""


class Event(StrEnum):
    """What a notification tells (вид уведомления), by the name of its element."""

    ACCEPTED = "documentAccepted"
    """Зарегистрирован; also Государственная регистрация."""
    REFUSED = "documentRefused"
    """Отказано в регистрации."""
    EXECUTOR = "executorAssigned"
    """Назначен исполнитель."""
    REPORT_PREPARED = "reportPrepared"
    """Доклад подготовлен."""
    REPORT_SENT = "reportSent"
    """Доклад направлен."""
    COURSE = "courseChanged"
    """Исполнение: how it is going, in words."""
    PUBLISHED = "documentPublished"
    """Опубликование."""


class Role(StrEnum):
    """What a file is in its message."""

    DOCUMENT = "document"
    ATTACHMENT = "attachment"
    SIGNATURE = "signature"
    """A detached signature over the document or over one attachment."""
    CONTAINER_SIGNATURE = "container_signature"
    STAMP = "stamp"
    """A picture the receiver lays over a copy; it is never part of the signed document."""
    OTHER = "other"


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One thing that is not as it should be, in words; `code` is stable."""

    code: str
    ru: str
    en: str
    where: str = ""
    """A file's name, or the path of an element in one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Party:
    """An organization or a person in it; any part may be missing."""

    uid: str = ""
    """GUID of the organization in the participants' directory; senders may write other ids."""
    organization: str = ""
    region: str = ""
    department: str = ""
    post: str = ""
    person: str = ""
    person_id: str = ""
    contact: str = ""
    """Contact data in one line (2.x)."""
    address: str = ""
    phone: str = ""
    email: str = ""
    comment: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Stamp:
    """A picture and its place on a page: whole millimetres from the page's top left, y down."""

    name: str
    page: int | None = None
    x: int | None = None
    y: int | None = None
    width: int | None = None
    height: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Signature:
    """A detached signature's file; `kind` is Утверждающая, Заверяющая, Согласующая …"""

    name: str
    kind: str = ""
    stamp: Stamp | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Signer:
    """One official who signed the document (подписант)."""

    person: Party
    signed: dt.date | None = None
    """2.x only; containers do not say it."""
    signatures: tuple[Signature, ...] = ()
    """Containers from 2.7, and signed files of later 2.x."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Author:
    """A body that signs and registers the document; the first of several is the sender.

    In 2.x all signatories stand under one author.
    """

    organization: Party = Party()
    number: str = ""
    date: dt.date | None = None
    stamp: Stamp | None = None
    signers: tuple[Signer, ...] = ()
    executor: Party | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Reference:
    """Another document, as somebody's number and date."""

    party: Party = Party()
    number: str = ""
    date: dt.date | None = None
    comment: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Link:
    """A document this one goes with; `kind` is «В ответ на», «Во исполнение», «Связан с» …"""

    reference: Reference = Reference()
    uid: str = ""
    id: str = ""
    kind: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Clause:
    """A task set by the document (пункт поручения), 2.x only."""

    designation: str = ""
    text: str = ""
    deadline: dt.date | None = None
    principals: tuple[Party, ...] = ()
    participants: tuple[Party, ...] = ()
    comment: str = ""
    id: str = ""
    local_id: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Document:
    """The document that is sent (документ), from the 2.x element or from a container's passport."""

    uid: str = ""
    """Of the document in 2.x, of the container from 2.7; never the header's."""
    id: str = ""
    """The sender's own id, to be echoed in notifications."""
    number: str = ""
    """The sender's number; when written, it is also the first author's."""
    date: dt.date | None = None
    kind: str = ""
    kind_id: str = ""
    """Classifier DK…, 2.7.1."""
    type: str = ""
    annotation: str = ""
    classification: str = ""
    classification_id: str = ""
    """Classifier DC…, 2.7.1."""
    is_restricted: bool = False
    """Marked as restricted (ограниченного распространения): route it apart and do not read it."""
    place: str = ""
    place_id: str = ""
    urgency: str = ""
    special_mark: str = ""
    pages: int | None = None
    enclosure_pages: int | None = None
    comment: str = ""
    authors: tuple[Author, ...] = ()
    addressees: tuple[Party, ...] = ()
    correspondents: tuple[Reference, ...] = ()
    """2.x only."""
    links: tuple[Link, ...] = ()
    clauses: tuple[Clause, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class File:
    """One file of the message: beside the description in 2.x, inside the zip from 2.7."""

    name: str
    role: Role = Role.OTHER
    stored_as: str = ""
    """Its name on disk or in the zip where that differs in spelling."""
    size: int | None = None
    """Bytes; None when the file is named and not there."""
    sha256: str = ""
    type: str = ""
    group: str = ""
    """2.x: «Текст документа» or «Текст приложения»."""
    description: str = ""
    pages: int | None = None
    order: int | None = None
    """2.7: place among attachments; 2.x: localId."""
    signatures: tuple[Signature, ...] = ()
    """Of an attachment; those of the document stand at its authors' signers."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Container:
    """How the zip is called and what it is made of (транспортный контейнер)."""

    body: str = "document.edc.zip"
    type: str = "Документ в электронном виде"
    signature: str = ""
    """Name in the zip of the signature over all its files; empty when there is none."""
    passport: str = "passport.xml"
    passport_version: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Notification:
    """What the receiver's office did with a document (уведомление)."""

    event: Event | None = None
    type: str = ""
    """The words of the sender; the element, not they, decides the event."""
    uid: str = ""
    """Of the document or of the message it answers: senders differ, so try both."""
    id: str = ""
    time: dt.datetime | None = None
    number: str = ""
    """Given by the receiver (documentAccepted), or of the publication."""
    date: dt.date | None = None
    reason: str = ""
    """Why it was refused, in the sender's words."""
    foundation: Reference | None = None
    """The document as its sender registered it."""
    clause: str = ""
    correspondent: Reference | None = None
    executor: Party | None = None
    manager: Party | None = None
    secretary: Party | None = None
    signatory: Party | None = None
    report: Reference | None = None
    course: str = ""
    place: str = ""
    """Where it was published."""
    comment: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Receipt:
    """Did the message arrive (квитанция); `is_accepted` False is final: not delivered."""

    uid: str = ""
    """Header uid of the message received; some send the document's."""
    time: dt.datetime | None = None
    is_accepted: bool | None = None
    content: str = ""
    comment: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Envelope:
    """The transport's file (envelope.ini out, envelope.ltr in), windows-1251."""

    name: str = "envelope.ini"
    subject: str = ""
    addresses: tuple[str, ...] = ()
    """NAME~DOMAIN: the receivers when sent, the SENDER's when received."""
    files: tuple[str, ...] = ()
    date: dt.datetime | None = None
    is_signed: bool = True
    wants_delivered: bool = True
    wants_read: bool = True
    text_file: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Message:
    """One message folder (сообщение МЭДО)."""

    kind: Kind
    version: str = "2.7.1"
    header_uid: str = ""
    """Empty when missing or nil: such a message has no key against duplicates."""
    header_type: str = ""
    created: dt.datetime | None = None
    source: Party = Party()
    operator: str = ""
    comment: str = ""
    destinations: tuple[Party, ...] = ()
    """From deliveryIndex; one copy may reach us that names others too."""
    document: Document | None = None
    container: Container | None = None
    notification: Notification | None = None
    receipt: Receipt | None = None
    files: tuple[File, ...] = ()
    envelope: Envelope | None = None
    description: str = ""
    """Name of the XML description file."""
    warnings: tuple[Finding, ...] = ()
    """Read in spite of it."""
    errors: tuple[Finding, ...] = ()
    """Why it cannot be taken in; it must be kept as received all the same."""
    lacks: tuple[str, ...] = field(default=())
    """Codes of what may still be on its way: look again before you judge."""
    quiet_seconds: float | None = None
    """How long nothing in the folder has changed when it was read."""

    @property
    def is_readable(self) -> bool:
        """Nothing stands against taking it in."""
        return not self.errors

    @property
    def is_complete(self) -> bool:
        """Nothing suggests that the folder is still being written."""
        return not self.lacks
