"""The zip of a container: unpacked to its end without writing anything, passport and files told."""

import dataclasses
from dataclasses import dataclass
from typing import IO, Any

from core.sandbox.archives import ZipLimits, inspect_zip
from core.sandbox.errors import HostileInput
from docflow.gateways.medo import schemas
from docflow.gateways.medo.descriptions import read_tree
from docflow.gateways.medo.findings import Notes
from docflow.gateways.medo.folders import Folder, is_safe, spelling
from docflow.gateways.medo.limits import Limits
from docflow.gateways.medo.messages import Container, Document, File, Role
from docflow.gateways.medo.passports import named_by, read_passport

PASSPORT = "passport.xml"


@dataclass(frozen=True, slots=True)
class Opened:
    """What was found in the zip; `document` is None when no passport could be read."""

    container: Container
    document: Document | None = None
    files: tuple[File, ...] = ()


def read_container(
    folder: Folder, named: Container, notes: Notes, limits: Limits, official: str
) -> Opened:
    """Open the zip the description names; whatever is wrong stands in the notes."""
    name = _body(folder, named, notes)
    if name is None:
        notes.refuse("file_missing", named.body or "container/body")
        notes.lack("listed_file_missing")
        return Opened(named)
    container = dataclasses.replace(named, body=name)
    with folder.open(name) as stream:
        members = _members(stream, name, notes, limits)
    if members is None:
        return Opened(container)
    chosen = _passport(members, notes)
    if chosen is None:
        notes.refuse("no_passport", name)
        return Opened(container, files=_stray(members, set()))
    data = next(bytes(one.get("data", b"")) for one in members if one["name"] == chosen)
    container = dataclasses.replace(container, passport=chosen)
    return understand(container, data, members, notes, limits, official)


def understand(
    container: Container,
    passport: bytes,
    members: list[dict[str, Any]],
    notes: Notes,
    limits: Limits,
    official: str = "",
) -> Opened:
    """What a passport says, its files matched with the members of the zip."""
    root = read_tree(passport, container.passport, notes, limits)
    if root is None:
        return Opened(container, files=_stray(members, {container.passport}))
    if root.name != "container":
        notes.refuse("not_a_passport", container.passport, name=root.name)
        return Opened(container, files=_stray(members, {container.passport}))
    schemas.check(passport, root, official, container.passport, notes)
    document, files = read_passport(root, notes)
    named = named_by(document, files)
    if not any(one.role is Role.SIGNATURE for one in named):
        notes.warn("no_signature", container.passport)
    if container.signature:
        named += (File(name=container.signature, role=Role.CONTAINER_SIGNATURE),)
    version = root.get("version")
    container = dataclasses.replace(container, passport_version=version)
    matched = _matched((*files, *named), members, container.passport, notes)
    return Opened(container, document, matched)


def _body(folder: Folder, named: Container, notes: Notes) -> str | None:
    """The zip on disk; a sender's slip of its name is forgiven where only one zip is there."""
    found = folder.find(named.body, notes) if named.body else None
    if found is not None:
        return found
    zips = [name for name, one in folder.entries.items()
            if one.is_plain and name.lower().endswith(".zip")]  # fmt: skip
    if len(zips) != 1:
        return None
    notes.warn("body_guessed", named.body, name=zips[0])
    return zips[0]


def _members(
    stream: IO[bytes], name: str, notes: Notes, limits: Limits
) -> list[dict[str, Any]] | None:
    bounds = ZipLimits(members=limits.zip_members, total_bytes=limits.unpacked_bytes, nesting=None)
    try:
        return list(inspect_zip(stream, bounds, keep=".xml")["members"])
    except HostileInput as problem:
        notes.refuse(problem.error_code, name)
        if problem.error_code == "broken_zip":
            notes.lack("broken_zip")
        return None


def _passport(members: list[dict[str, Any]], notes: Notes) -> str | None:
    """`passport.xml`, else the first XML, as federal receivers do."""
    names = [str(one["name"]) for one in members]
    bare = {spelling(name.rpartition("/")[2]): name for name in reversed(names)}
    if found := bare.get(PASSPORT):
        if found.rpartition("/")[2] != PASSPORT:
            notes.warn("passport_name", name=found)
        return found
    xml = [name for name in names if name.lower().endswith(".xml")]
    if not xml:
        return None
    notes.warn("passport_name", name=xml[0])
    if len(xml) > 1:
        notes.warn("several_passports", name=xml[0])
    return xml[0]


def _stray(members: list[dict[str, Any]], apart: set[str]) -> tuple[File, ...]:
    return tuple(
        File(name=one["name"], size=one["size"], sha256=one["sha256"])
        for one in members if one["name"] not in apart
    )  # fmt: skip


def _matched(
    named: tuple[File, ...], members: list[dict[str, Any]], passport: str, notes: Notes
) -> tuple[File, ...]:
    """The named files with size and digest; then members nobody names."""
    by_name = {str(one["name"]): one for one in members}
    if any("/" in name for name in by_name):
        notes.warn("zip_not_flat", passport)
    loose = {spelling(name.rpartition("/")[2]): name for name in reversed(by_name)}
    used = {passport}
    found: list[File] = []
    for file in named:
        stored = _stored(file, by_name, loose, notes)
        if stored is None:
            found.append(file)
            continue
        used.add(stored)
        found.append(_in_zip(file, by_name[stored]))
        if not by_name[stored]["size"]:
            notes.warn("empty_file", file.name)
    for name in by_name.keys() - used:
        notes.warn("not_in_passport", name)
    return (*found, *_stray(members, used))


def _in_zip(file: File, member: dict[str, Any]) -> File:
    """The file with the member's facts; spelled out, since `replace` costs four times as much."""
    name = member["name"]
    return File(
        name=file.name, role=file.role, stored_as="" if name == file.name else name,
        size=member["size"], sha256=member["sha256"], type=file.type, group=file.group,
        description=file.description, pages=file.pages, order=file.order,
        signatures=file.signatures,
    )  # fmt: skip


def _stored(
    file: File, by_name: dict[str, dict[str, Any]], loose: dict[str, str], notes: Notes
) -> str | None:
    """The member that is this file; what it means when there is none depends on its role."""
    if file.name in by_name:
        return file.name
    found = loose.get(spelling(file.name)) if is_safe(file.name) else None
    if found is not None:
        if "/" not in found:
            notes.warn("name_case", file.name, name=found)
        return found
    if file.role is Role.STAMP:
        notes.warn("stamp_missing", file.name)
    elif file.role is Role.CONTAINER_SIGNATURE:
        notes.warn("signature_missing", file.name)
    elif file.role is Role.SIGNATURE:
        notes.refuse("signature_missing", file.name)
    else:
        notes.refuse("file_missing", file.name)
    return None
