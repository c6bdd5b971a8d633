"""A message folder read leniently: what it says, what is odd about it, what stands against it."""

import dataclasses
from pathlib import Path
from typing import Any

from docflow.gateways.medo import containers, folders, schemas
from docflow.gateways.medo.descriptions import read_description, read_tree
from docflow.gateways.medo.envelopes import read_envelope
from docflow.gateways.medo.findings import Notes
from docflow.gateways.medo.folders import Folder
from docflow.gateways.medo.limits import LIMITS, Limits
from docflow.gateways.medo.messages import Container, Envelope, File, Kind, Message, Role
from docflow.gateways.medo.texts import decode_xml, encoding_of

_SNIFF = 4096


def read_folder(
    path: Path | str, *, limits: Limits = LIMITS, official: Path | str | None = None
) -> Message:
    """Read one message folder of any version; never raises for what lies in it.

    What cannot be read stands in `errors`, what was read in spite of a fault in `warnings`, what
    may still be on its way in `lacks`. `official`: a folder with official XSD files. Run it in
    the sandbox (`docflow.gateways.medo.reading:read_folder`, `into=Message`).
    """
    notes = Notes()
    message = Message(kind=Kind.UNKNOWN, version="")
    found: dict[str, Any] = {}
    quiet: float | None = None
    try:
        with folders.opened(Path(path), limits) as folder:
            quiet = folder.quiet_seconds
            message, found = _read(folder, notes, limits, str(official or ""))
            if folders.scan(folder.handle, limits) != folder.entries:
                notes.warn("changed_while_read")
                notes.lack("changed_while_read")
    except FileNotFoundError:
        notes.refuse("folder_gone")
    except folders.TooManyEntries:
        notes.refuse("too_many_files", limit=limits.folder_entries)
    except OSError as problem:
        notes.refuse("folder_unreadable", problem=problem.strerror or problem)
    return dataclasses.replace(
        message, **found, warnings=tuple(notes.warnings), errors=tuple(notes.errors),
        lacks=tuple(notes.lacks), quiet_seconds=quiet,
    )  # fmt: skip


def _read(
    folder: Folder, notes: Notes, limits: Limits, official: str
) -> tuple[Message, dict[str, Any]]:
    """The message as its description says it, and what was found in the folder besides."""
    envelope = _envelope(folder, notes, limits)
    listed = _listed(folder, envelope, notes)
    if sum(folder.entries[name].size for name in listed) > limits.message_bytes:
        notes.refuse("too_large", limit=limits.message_bytes)
        return Message(kind=Kind.UNKNOWN, version=""), {"envelope": envelope}
    message = _described(folder, envelope, listed, notes, limits, official)
    found: dict[str, Any] = {"envelope": envelope}
    files, body = message.files, ""
    if message.kind is Kind.DOCUMENT:
        files = _loose(folder, files, notes)
    elif message.kind is Kind.CONTAINER:
        named = message.container or Container()
        opened = containers.read_container(folder, named, notes, limits, official)
        found |= {"container": opened.container, "document": opened.document}
        files, body = opened.files, opened.container.body
    known = {message.description, body, *(file.stored_as or file.name for file in files)}
    if message.kind is not Kind.UNKNOWN:
        files += _others(folder, known, listed)
    _count_unlisted(folder, known.union(listed), notes)
    return message, {**found, "files": files}


def _envelope(folder: Folder, notes: Notes, limits: Limits) -> Envelope | None:
    """`.ltr` before `.ini`, `envelope.*` before any other name."""
    names = sorted(
        (name for name, one in folder.entries.items()
         if one.is_plain and name.lower().endswith((".ltr", ".ini"))),
        key=lambda name: (not name.lower().startswith("envelope."),
                          not name.lower().endswith(".ltr"), name),
    )  # fmt: skip
    if not names:
        notes.warn("no_envelope")
        notes.lack("no_envelope")
        return None
    if len(names) > 1:
        notes.warn("several_envelopes", name=names[0])
    data = folder.read(names[0], most=limits.envelope_bytes)
    if not data.strip():
        notes.lack("empty_file")
    return read_envelope(data[: limits.envelope_bytes], names[0], notes, most=limits.listed_files)


def _listed(folder: Folder, envelope: Envelope | None, notes: Notes) -> list[str]:
    """Names on disk of the files the envelope lists; of all files where it lists none."""
    if envelope is None or not envelope.files:
        known = {envelope.name} if envelope is not None else set()
        names = [one for one, entry in folder.entries.items() if entry.is_plain]
        return sorted(name for name in names if name not in known)
    found: list[str] = []
    for name in dict.fromkeys(envelope.files):
        if name == envelope.name:
            continue
        stored = folder.find(name, notes)
        if stored is None:
            notes.warn("listed_file_missing", name)
            notes.lack("listed_file_missing")
            continue
        found.append(stored)
        if not folder.entries[stored].size:
            notes.warn("empty_file", stored)
            notes.lack("empty_file")
    return found


def _described(
    folder: Folder, envelope: Envelope | None, listed: list[str], notes: Notes,
    limits: Limits, official: str,
) -> Message:  # fmt: skip
    """The message as its description says it, files only named."""
    name = _description(folder, listed, notes)
    if name is None:
        notes.refuse("no_description")
        notes.lack("no_description")
        return Message(kind=Kind.UNKNOWN, version="")
    data = folder.read(name, most=limits.xml_bytes)
    root = read_tree(data, name, notes, limits)
    if root is None:
        return Message(kind=Kind.UNKNOWN, version="", description=name)
    message = read_description(root, name, notes)
    if message.version == "2.7.1" and (actual := encoding_of(data)) != "utf-8":
        notes.warn("encoding_of_version", name, version="2.7.1", encoding="utf-8", actual=actual)
    schemas.check(data, root, official, name, notes)
    return message


def _description(folder: Folder, listed: list[str], notes: Notes) -> str | None:
    """From the envelope's list, never from a fixed name; an annex may be XML too."""
    names = [name for name in listed if name.lower().endswith(".xml")]
    if not names:
        names = sorted(name for name, one in folder.entries.items()
                       if one.is_plain and name.lower().endswith(".xml"))  # fmt: skip
        if not names:
            return None
        notes.warn("description_not_listed", name=names[0])
        notes.lack("description_not_listed")
    if len(names) == 1:
        return names[0]
    likely = [name for name in names[:20] if _is_description(folder, name)]
    if len(likely) != 1:
        notes.warn("several_descriptions", name=(likely or names)[0])
    return (likely or names)[0]


def _is_description(folder: Folder, name: str) -> bool:
    return "communication" in decode_xml(folder.read(name, most=_SNIFF)).text


def _loose(folder: Folder, named: tuple[File, ...], notes: Notes) -> tuple[File, ...]:
    """The files of a 2.x document with size and digest, and the signatures beside them."""
    signatures = [
        File(name=one.name, role=Role.SIGNATURE) for file in named for one in file.signatures
    ]
    return tuple(_weighed(folder, file, notes) for file in (*named, *signatures))


def _weighed(folder: Folder, file: File, notes: Notes) -> File:
    stored = folder.find(file.name, notes)
    if stored is None and file.type and not file.name.lower().endswith(f".{file.type.lower()}"):
        # Some senders leave the extension to the type attribute.
        stored = folder.find(f"{file.name}.{file.type}", notes)
        if stored is not None:
            notes.warn("name_without_extension", file.name, name=stored)
    if stored is None:
        is_signature = file.role is Role.SIGNATURE
        if file.type != "reference":
            notes.refuse("signature_missing" if is_signature else "file_missing", file.name)
            notes.lack("listed_file_missing")
        return file
    size, digest = folder.digest(stored)
    other = "" if stored == file.name else stored
    return dataclasses.replace(file, size=size, sha256=digest, stored_as=other)


def _others(folder: Folder, known: set[str], listed: list[str]) -> tuple[File, ...]:
    """Files that the envelope lists and the description does not name."""
    found = []
    for name in listed:
        if name not in known:
            size, digest = folder.digest(name)
            found.append(File(name=name, size=size, sha256=digest))
    return tuple(found)


def _count_unlisted(folder: Folder, known: set[str], notes: Notes) -> None:
    unlisted = [name for name in folder.entries
                if name not in known and not name.lower().endswith((".ini", ".ltr"))]  # fmt: skip
    if unlisted:
        notes.warn("unlisted_files", min(unlisted), count=len(unlisted))
