"""The strict check: everything the format demands of a message that is sent."""

import dataclasses
import re
from collections.abc import Iterator
from typing import Any

from docflow.gateways.medo import lists
from docflow.gateways.medo.envelopes import ADDRESS
from docflow.gateways.medo.findings import finding
from docflow.gateways.medo.folders import is_safe, spelling
from docflow.gateways.medo.lists import Lists
from docflow.gateways.medo.markup import FORBIDDEN
from docflow.gateways.medo.messages import (
    Author,
    Document,
    Event,
    File,
    Finding,
    Kind,
    Message,
    Notification,
    Receipt,
    Role,
    Signature,
    Stamp,
)  # fmt: skip
from docflow.gateways.medo.values import GUID

Faults = Iterator[Finding]

_LATIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._\-]{0,250}")
_PASSPORT = re.compile(r"[A-Za-z0-9]{1,251}\.xml")
_CONTAINER_VERSIONS = ("2.7", "2.7.1")
_FILES = (Role.DOCUMENT, Role.ATTACHMENT)


def faults(message: Message) -> list[Finding]:
    """What stands against sending this message, in words; empty when it may go."""
    known = lists.load()
    found = known.version(message.version)
    if found is None or not found[1].is_written:
        versions = [name for name, one in known.versions.items() if one.is_written]
        return [finding("version_not_written", version=message.version,
                        versions=", ".join(versions))]  # fmt: skip
    return [
        *_kind(message),
        *_header(message),
        *_envelope(message),
        *_contents(message, known),
        *_files(message),
        *_characters(dataclasses.asdict(message), ""),
        *_lengths(message, known),
    ]


def _want(present: object, where: str) -> Faults:
    if present is None or present == "" or present == ():
        yield finding("required", where)


def _guid(uid: str, where: str) -> Faults:
    if not uid:
        yield finding("required", where)
    elif not GUID.fullmatch(uid):
        yield finding("not_a_guid", where, value=uid)


def _kind(message: Message) -> Faults:
    is_new = message.version in _CONTAINER_VERSIONS
    due = {Kind.DOCUMENT: not is_new, Kind.CONTAINER: is_new, Kind.UNKNOWN: False}
    if not due.get(message.kind, True):
        yield finding("kind_of_version", version=message.version, kind=message.kind.value)


def _header(message: Message) -> Faults:
    yield from _guid(message.header_uid, "header/@uid")
    yield from _want(message.created, "header/@created")
    yield from _guid(message.source.uid, "header/source/@uid")
    if message.version == "2.7.1":
        yield from _want(message.source.organization, "header/source/organization")
        yield from _want(message.destinations, "deliveryIndex")
    for one in message.destinations:
        yield from _guid(one.uid, "deliveryIndex/destination/@uid")


def _envelope(message: Message) -> Faults:
    addresses = message.envelope.addresses if message.envelope else ()
    if not addresses:
        yield finding("envelope_addresses", "envelope")
    for address in addresses:
        if not ADDRESS.fullmatch(address):
            yield finding("envelope_address", "envelope", address=address)


def _contents(message: Message, known: Lists) -> Faults:
    if message.kind is Kind.NOTIFICATION:
        yield from _notification(message.notification or Notification(), message.version, known)
    elif message.kind is Kind.RECEIPT:
        yield from _receipt(message.receipt or Receipt())
    elif message.kind is Kind.DOCUMENT:
        yield from _document(message.document or Document())
    elif message.kind is Kind.CONTAINER:
        yield from _container(message)


def _document(document: Document) -> Faults:
    """2.6: what its schema calls required."""
    yield from _guid(document.uid, "document/@uid")
    yield from _want(document.number, "document/num/number")
    yield from _want(document.date, "document/num/date")
    yield from _want(document.annotation, "document/annotation")
    yield from _want(document.pages, "document/pages")
    yield from _want(document.addressees, "document/addressees")
    signers = [signer for author in document.authors for signer in author.signers]
    yield from _want(tuple(signers), "document/signatories")
    for signer in signers:
        yield from _want(signer.signed, "document/signatories/signatory/signed")


def _container(message: Message) -> Faults:
    document = message.document or Document()
    yield from _guid(document.uid, "container/@uid")
    yield from _want(document.kind, "requisites/documentKind")
    yield from _want(document.annotation, "requisites/annotation")
    yield from _want(document.addressees, "addressees")
    yield from _want(document.authors, "authors")
    for one in document.addressees:
        yield from _want(one.organization, "addressees/addressee/organization/title")
    if message.version == "2.7.1":
        yield from _want(document.pages, "document/pagesQuantity")
        yield from _classifiers(document)
    for author in document.authors:
        yield from _author(author)
    for link in document.links:
        if link.uid:
            yield from _guid(link.uid, "requisites/links/link/@uid")
    named = message.container
    if named is not None and not _PASSPORT.fullmatch(named.passport):
        yield finding("file_name", "container/passport", name=named.passport)


def _classifiers(document: Document) -> Faults:
    codes = (document.kind_id, "DK"), (document.place_id, "DP"), (document.classification_id, "DC")
    for code, prefix in codes:
        if code and not re.fullmatch(prefix + r"\d{8}", code):
            yield finding("classifier", "requisites", value=code, prefix=prefix)


def _author(author: Author) -> Faults:
    where = "authors/author"
    yield from _want(author.organization.organization, f"{where}/organization/title")
    yield from _want(author.number, f"{where}/registration/number")
    yield from _want(author.date, f"{where}/registration/date")
    if author.stamp is not None:
        yield from _stamp(author.stamp, f"{where}/registrationStamp")
    yield from _want(author.signers, f"{where}/sign")
    for signer in author.signers:
        yield from _want(signer.person.person, f"{where}/sign/person/name")
        yield from _want(signer.person.post, f"{where}/sign/person/post")
        yield from _want(signer.signatures, f"{where}/sign/documentSignature")
        for one in signer.signatures:
            if one.stamp is not None:
                yield from _stamp(one.stamp, f"{where}/signatureStamp")


def _stamp(stamp: Stamp, where: str) -> Faults:
    places = (stamp.page, stamp.x, stamp.y, stamp.width, stamp.height)
    if any(one is None or one < 0 for one in places) or not stamp.page:
        yield finding("stamp_place", f"{where}/{stamp.name}")


def _notification(told: Notification, version: str, known: Lists) -> Faults:
    where = "notification"
    yield from _guid(told.uid, f"{where}/@uid")
    yield from _want(told.event, where)
    yield from _want(told.time, f"{where}/time")
    needed: dict[Event, tuple[str, ...]] = {
        Event.ACCEPTED: ("number", "date"),
        Event.REFUSED: ("reason",),
        Event.EXECUTOR: ("secretary", "manager", "executor"),
        Event.REPORT_PREPARED: ("signatory",),
        Event.REPORT_SENT: ("report",),
        Event.COURSE: ("course",),
        Event.PUBLISHED: ("number", "date"),
    }
    for part in needed[told.event] if told.event else ():
        yield from _want(getattr(told, part), f"{where}/{told.event}/{part}")
    refusals = known.refusals
    if told.reason and version in refusals.closed_in and told.reason not in refusals.reasons:
        yield finding("reason_not_listed", f"{where}/reason", reason=told.reason,
                      reasons="; ".join(refusals.reasons))  # fmt: skip


def _receipt(told: Receipt) -> Faults:
    yield from _guid(told.uid, "acknowledgment/@uid")
    yield from _want(told.time, "acknowledgment/time")
    yield from _want(told.is_accepted, "acknowledgment/accepted")


def _files(message: Message) -> Faults:
    """Names, doubles, one main document in PDF."""
    is_container = message.kind is Kind.CONTAINER
    seen: set[str] = set()
    for name in referenced(message):
        if spelling(name) in seen:
            yield finding("same_name", name, name=name)
        seen.add(spelling(name))
        fits = _LATIN.fullmatch(name) if is_container else _is_loose(name)
        if not fits:
            yield finding("file_name", name, name=name)
    if message.kind not in (Kind.DOCUMENT, Kind.CONTAINER):
        return
    main = [file for file in message.files if file.role is Role.DOCUMENT]
    if len(main) != 1:
        yield finding("required", "document/@localName")
    elif not main[0].name.lower().endswith(".pdf") and is_container:
        yield finding("not_pdf", main[0].name)


def _is_loose(name: str) -> bool:
    """Loose files are named in an envelope in windows-1251, which must know the letters."""
    try:
        name.encode("windows-1251")
    except UnicodeEncodeError:
        return False
    return is_safe(name) and "=" not in name and name.strip() == name


def referenced(message: Message) -> list[str]:
    """Every file the message needs, by name, in the order of the description; doubles kept."""
    document = message.document or Document()
    content = [file for file in message.files if file.role in _FILES]
    signatures = [one for author in document.authors for signer in author.signers
                  for one in signer.signatures]  # fmt: skip
    signatures += [one for file in content for one in file.signatures]
    stamps = [author.stamp for author in document.authors] + [one.stamp for one in signatures]
    names = [file.name for file in content]
    if message.kind is Kind.CONTAINER:
        names += dict.fromkeys([*(one.name for one in signatures), *_names(stamps)])
    elif message.kind is Kind.DOCUMENT:
        names += dict.fromkeys(one.name for file in content for one in file.signatures)
    names += [file.name for file in message.files if _is_more(file, names, message.kind)]
    return names


def _names(stamps: list[Stamp | None]) -> list[str]:
    return [stamp.name for stamp in stamps if stamp is not None]


def _is_more(file: File, names: list[str], kind: Kind) -> bool:
    """Files beyond the document's own that travel along; not signatures nobody names."""
    return file.role is Role.OTHER and file.name not in names and kind is not Kind.UNKNOWN


def _characters(value: Any, where: str) -> Faults:
    """Control characters in any text."""
    if isinstance(value, str):
        if FORBIDDEN.search(value):
            yield finding("bad_character", where)
    elif isinstance(value, dict):
        for name, one in value.items():
            if name not in ("warnings", "errors", "lacks"):
                yield from _characters(one, f"{where}/{name}".lstrip("/"))
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _characters(one, where)


def _lengths(message: Message, known: Lists) -> Faults:
    bounds = known.limits
    told = message.notification or Notification()
    document = message.document or Document()
    for text, limit, where in (
        (message.comment, bounds.comment, "header/comment"),
        (told.comment, bounds.comment, "notification/comment"),
        (told.reason, bounds.reason, "notification/reason"),
        (document.comment, bounds.comment, "document/comment"),
        ((message.receipt or Receipt()).comment, bounds.comment, "acknowledgment/comment"),
    ):
        if len(text) > limit:
            yield finding("too_long", where, limit=limit)


def remarks(message: Message) -> list[Finding]:
    """What is not forbidden and yet makes trouble with some receivers."""
    found = []
    document = message.document or Document()
    if message.kind is Kind.CONTAINER and message.container and not message.container.signature:
        found.append(finding("container_unsigned"))
    if message.kind is Kind.CONTAINER:
        signatures = [one for author in document.authors for signer in author.signers
                      for one in signer.signatures]  # fmt: skip
        if any(author.stamp is None for author in document.authors):
            found.append(finding("no_stamp", "registration/registrationStamp"))
        found += [finding("no_stamp", one.name) for one in signatures if one.stamp is None]
    return found


def signatures_of(message: Message) -> list[Signature]:
    """All detached signatures the message names, the document's first."""
    document = message.document or Document()
    of_document = [one for author in document.authors for signer in author.signers
                   for one in signer.signatures]  # fmt: skip
    return of_document + [one for file in message.files for one in file.signatures]
