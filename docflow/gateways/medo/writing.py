"""A message folder written strictly: built aside, moved whole."""

import dataclasses
import errno
import hashlib
import os
import secrets
import shutil
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from core import clock
from core.errors import InvalidInput
from docflow.gateways.medo import checking, composing, containers, lists, passport_writing
from docflow.gateways.medo.descriptions import read_description, read_tree
from docflow.gateways.medo.envelopes import envelope_bytes, read_envelope
from docflow.gateways.medo.findings import Notes, finding
from docflow.gateways.medo.limits import LIMITS
from docflow.gateways.medo.lists import Version
from docflow.gateways.medo.messages import (
    Author,
    Container,
    Document,
    Envelope,
    Event,
    File,
    Finding,
    Kind,
    Message,
    Role,
)  # fmt: skip

Source = bytes | Path
"""The content of a file, or where it lies."""

_DESCRIPTIONS = {Kind.NOTIFICATION: "notification.xml", Kind.RECEIPT: "acknowledgment.xml"}
_SIGNATURE = "containerSign.p7s"
_LONGEST_SUBJECT = 200


class WriteRefused(InvalidInput):
    """The message would not be a good one; `findings` says why, in words."""

    code = "medo_refused"

    def __init__(self, findings: Sequence[Finding] = ()) -> None:
        """The first faults as one text."""
        self.findings = tuple(findings)
        ru = _joined([(one.where, one.ru) for one in findings])
        en = _joined([(one.where, one.en) for one in findings])
        super().__init__(
            f"Сообщение МЭДО не составлено. {ru}",
            f"The МЭДО message was not written. {en}",
            findings=[{"code": one.code, "where": one.where} for one in findings],
        )  # fmt: skip


def _joined(texts: list[tuple[str, str]]) -> str:
    shown = "; ".join(f"{where}: {text}" if where else text for where, text in texts[:5])
    return shown + (f" (+{len(texts) - 5})" if len(texts) > 5 else "")


def write_folder(
    message: Message,
    folder: Path,
    *,
    sources: Mapping[str, Source],
    sign_container: Callable[[bytes], bytes] | None = None,
    scratch: Path | None = None,
) -> Message:
    """Write `message` as the new folder `folder` by the rules of `message.version`; all or nothing.

    `sources` holds every file the message names, by name. The folder is built beside its place (or
    in `scratch`, on the same file system) and renamed, so nobody sees half of it. `sign_container`
    gets the bytes of passport and files, in the format's order, and answers a detached CMS.
    Answers the message as written: uids, times and names that were left open are filled in.

    Raises `WriteRefused` with the faults in words, and FileExistsError for a folder with content.
    """
    message = completed(message, signs=sign_container is not None)
    found = checking.faults(message) or _missing(message, sources, signs=sign_container is not None)
    if found:
        raise WriteRefused(found)
    if folder.exists() and any(folder.iterdir()):
        raise FileExistsError(errno.EEXIST, "the folder holds something already", str(folder))
    aside = (scratch or folder.parent) / f".{folder.name}-{secrets.token_hex(6)}.part"
    aside.mkdir(mode=0o770, parents=True)
    try:
        written = _fill(message, aside, sources, sign_container)
        os.replace(aside, folder)
    except BaseException:
        shutil.rmtree(aside, ignore_errors=True)
        raise
    _settle_names(folder.parent)
    return written


def for_version(message: Message, version: str) -> Message:
    """The same message as a partner of this version takes it: loose files to 2.6, a zip from 2.7.

    What the version does not know (stamps and their places before 2.7) is left out when written.
    """
    found = lists.load().version(version)
    name = found[0] if found else version
    has_containers = bool(found and found[1].passport_namespace)
    kind, container = message.kind, message.container
    if kind in (Kind.DOCUMENT, Kind.CONTAINER):
        kind = Kind.CONTAINER if has_containers else Kind.DOCUMENT
        container = (container or Container()) if has_containers else None
    return dataclasses.replace(message, version=name, kind=kind, container=container)


def completed(message: Message, *, signs: bool = False) -> Message:
    """The message with what may be left open filled in: uids, time, envelope, names of files."""
    known = lists.load().version(message.version)
    version = known[0] if known else message.version
    document = _completed_document(message.document, message)
    container = message.container
    if message.kind is Kind.CONTAINER:
        container = container or Container()
        container = dataclasses.replace(
            container,
            body=container.body or Container().body,
            type=container.type or Container().type,
            passport=container.passport or containers.PASSPORT,
            signature=container.signature or (_SIGNATURE if signs else ""),
        )
    message = dataclasses.replace(
        message,
        version=version,
        header_uid=message.header_uid or str(clock.new_id()),
        created=message.created or clock.now().replace(microsecond=0),
        document=document,
        container=container,
        description=(known[1].description if known else "")
        or _DESCRIPTIONS.get(message.kind, "document.xml"),
    )
    return dataclasses.replace(message, envelope=_envelope(message))


def _completed_document(document: Document | None, message: Message) -> Document | None:
    """The document's own number is the first author's; the first author is the sender."""
    if document is None:
        return None
    first = document.authors[0] if document.authors else Author()
    is_named = bool(first.organization.organization) or message.kind is not Kind.CONTAINER
    first = dataclasses.replace(
        first,
        number=document.number or first.number,
        date=document.date or first.date,
        organization=first.organization if is_named else message.source,
    )
    return dataclasses.replace(
        document, uid=document.uid or str(clock.new_id()), number=first.number, date=first.date,
        authors=(first, *document.authors[1:]),
    )  # fmt: skip


def _envelope(message: Message) -> Envelope:
    """As given, with subject, date and list of files; payload first, description last."""
    given = message.envelope or _usual(message)
    payload = [message.container.body] if message.container and message.kind is Kind.CONTAINER \
        else checking.referenced(message)  # fmt: skip
    name = given.name if given.name.lower().endswith((".ini", ".ltr")) else Envelope().name
    return dataclasses.replace(
        given,
        name=name,
        subject=(given.subject or _subject(message))[:_LONGEST_SUBJECT],
        date=given.date or message.created,
        files=(*dict.fromkeys(payload), message.description),
    )


def _usual(message: Message) -> Envelope:
    """Which reports the transport is asked for, by the kind of message as practice has it."""
    told = message.notification
    is_refusal = told is not None and told.event is Event.REFUSED
    return Envelope(wants_delivered=not is_refusal, wants_read=message.kind is not Kind.RECEIPT)


def _subject(message: Message) -> str:
    if message.kind is Kind.RECEIPT:
        return "Квитанция о приеме"
    if message.notification is not None:
        return (
            f"ЭСД МЭДО (Уведомление: {lists.load().events.get(message.notification.event or '')})"
        )
    document = message.document or Document()
    date = f"{document.date:%d.%m.%Y}" if document.date else ""
    return f"ЭСД МЭДО ({document.number} от {date})"


def _missing(message: Message, sources: Mapping[str, Source], *, signs: bool) -> list[Finding]:
    names = dict.fromkeys(checking.referenced(message))
    found = [finding("source_missing", name, name=name) for name in names if name not in sources]
    total = sum(_size(sources[name]) for name in names if name in sources)
    limit = lists.load().limits.message_bytes
    if total > limit:
        found.append(finding("too_large", limit=limit))
    signature = message.container.signature if message.container else ""
    if signature and message.kind is Kind.CONTAINER and not signs and signature not in sources:
        found.append(finding("not_signed_name", signature))
    return found


def _size(source: Source) -> int:
    return len(source) if isinstance(source, bytes) else source.stat().st_size


def _fill(
    message: Message, aside: Path, sources: Mapping[str, Source],
    sign: Callable[[bytes], bytes] | None,
) -> Message:  # fmt: skip
    """All files of the message, and the message as its own reader understands them."""
    found = lists.load().version(message.version)
    if found is None or message.envelope is None:
        raise WriteRefused([finding("unknown_version", version=message.version)])
    name, version = found
    xml = composing.description(message, name, version)
    notes = Notes()
    understood = _understood(xml, message.description, notes)
    if message.kind is Kind.CONTAINER and message.container is not None:
        members, data = _pack(message, aside, sources, version, sign)
        opened = containers.understand(message.container, data, members, notes, LIMITS)
        understood = dataclasses.replace(
            understood, container=opened.container, document=opened.document, files=opened.files
        )
    else:
        files = _copy(message, understood.files, aside, sources)
        understood = dataclasses.replace(understood, files=files)
    _put(aside / message.description, xml)
    ini = envelope_bytes(message.envelope)
    _put(aside / message.envelope.name, ini)
    envelope = read_envelope(ini, message.envelope.name, notes, most=LIMITS.listed_files)
    if notes.errors:
        raise WriteRefused(notes.errors)
    _settle(aside)
    return dataclasses.replace(understood, envelope=envelope, warnings=tuple(notes.warnings))


def _understood(xml: bytes, name: str, notes: Notes) -> Message:
    root = read_tree(xml, name, notes, LIMITS)
    if root is None:
        raise WriteRefused(notes.errors)
    return read_description(root, name, notes)


def _put(path: Path, data: bytes) -> None:
    """A new file, never one that is there."""
    with path.open("xb") as stream:
        stream.write(data)


def _settle(aside: Path) -> None:
    """Have every file on the disk before anybody is told of it; all are started, then awaited."""
    handles = [os.open(path, os.O_RDONLY) for path in sorted(aside.iterdir())]
    try:
        for handle in handles:
            os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
        for handle in handles:
            os.fsync(handle)
    finally:
        for handle in handles:
            os.close(handle)


def _settle_names(folder: Path) -> None:
    """Make a new name in this folder survive a power cut."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def content(source: Source) -> bytes:
    """The bytes of a source."""
    return source if isinstance(source, bytes) else source.read_bytes()


def _copy(
    message: Message, named: tuple[File, ...], aside: Path, sources: Mapping[str, Source]
) -> tuple[File, ...]:
    """Loose files beside the description, with size and digest."""
    facts: dict[str, tuple[int, str]] = {}
    for name in checking.referenced(message):
        data = content(sources[name])
        _put(aside / name, data)
        facts[name] = len(data), hashlib.sha256(data).hexdigest()
    roles = {one.name: Role.SIGNATURE for file in named for one in file.signatures}
    known = {file.name: file for file in named}
    return tuple(
        dataclasses.replace(
            known.get(name, File(name=name, role=roles.get(name, Role.OTHER))),
            size=size, sha256=digest,
        )
        for name, (size, digest) in facts.items()
    )  # fmt: skip


def _pack(
    message: Message, aside: Path, sources: Mapping[str, Source], version: Version,
    sign: Callable[[bytes], bytes] | None,
) -> tuple[list[dict[str, Any]], bytes]:  # fmt: skip
    """The zip, flat: passport, files, the signature over all of them; its members and passport."""
    named = message.container or Container()
    passport = passport_writing.passport(message, version)
    names = list(dict.fromkeys(checking.referenced(message)))
    path = aside / named.body
    members: list[dict[str, Any]] = []
    with (
        path.open("xb") as stream,
        zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive,
    ):

        def add(name: str, data: bytes) -> None:
            archive.writestr(_info(name, message), data)
            digest = hashlib.sha256(data).hexdigest()
            members.append({"name": name, "size": len(data), "sha256": digest})

        add(named.passport, passport)
        for name in names:
            add(name, content(sources[name]))
        if named.signature:
            add(named.signature, _container_signature(passport, names, named, sources, sign))
    return members, passport


def _info(name: str, message: Message) -> zipfile.ZipInfo:
    """A plain file of the message's own time, so that the same message gives the same bytes."""
    at = (message.created or clock.now()).astimezone(clock.MOSCOW)
    info = zipfile.ZipInfo(name, at.timetuple()[:6] if at.year >= 1980 else (1980, 1, 1, 0, 0, 0))
    info.compress_type = zipfile.ZIP_DEFLATED
    info.external_attr = 0o100644 << 16
    return info


def signed_bytes(passport: bytes, names: list[str], sources: Mapping[str, Source]) -> bytes:
    """What a container's signature binds: the passport, then the other files by byte order."""
    ordered = sorted(names, key=lambda name: name.encode())
    return b"".join((passport, *(content(sources[name]) for name in ordered)))


def _container_signature(
    passport: bytes, names: list[str], named: Container, sources: Mapping[str, Source],
    sign: Callable[[bytes], bytes] | None,
) -> bytes:  # fmt: skip
    if sign is None:
        return content(sources[named.signature])
    return sign(signed_bytes(passport, names, sources))
