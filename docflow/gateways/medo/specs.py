"""A message as JSON and back: what `docflow medo read` prints, `docflow medo write` takes."""

import zipfile
from pathlib import Path
from typing import Any, Final

import msgspec

from core.errors import InvalidInput
from docflow.gateways.medo import checking, folders, values
from docflow.gateways.medo.findings import Notes
from docflow.gateways.medo.messages import Container, Kind, Message
from docflow.gateways.medo.writing import Source, completed

_ALWAYS: Final = (
    "kind", "version", "header_uid", "source", "destinations", "document", "files", "event",
    "event_number", "event_date", "reason", "warnings", "errors", "complete",
)  # fmt: skip
_LISTS = ("destinations", "files", "warnings", "errors")
_LIFTED = {"event": "event", "number": "event_number", "date": "event_date", "reason": "reason"}
"""Parts of the notification that stand at the top of the JSON."""
_MOST_MEMBER = 1 << 30


def as_json(message: Message) -> dict[str, Any]:
    """The message as plain values; parts that are empty are left out, save the promised ones."""
    plain: dict[str, Any] = msgspec.to_builtins(message)
    lacks, quiet = plain.pop("lacks"), plain.pop("quiet_seconds")
    told = plain["notification"]
    lifted = {top: told.pop(part) for part, top in _LIFTED.items()} if told else {}
    plain = _filled(plain)
    answer = {name: plain.pop(name, [] if name in _LISTS else None) for name in _ALWAYS}
    answer |= {name: one for name, one in lifted.items() if one not in ("", None)}
    answer["complete"] = not lacks
    if lacks:
        answer |= {"lacks": lacks, "quiet_seconds": quiet}
    return answer | plain


def _filled(value: Any) -> Any:
    """Without empty texts, empty lists and what is not there; false and zero stay."""
    if isinstance(value, dict):
        kept = {name: _filled(one) for name, one in value.items()}
        return {name: one for name, one in kept.items() if not _is_empty(one)}
    return [_filled(one) for one in value] if isinstance(value, list | tuple) else value


def _is_empty(value: Any) -> bool:
    return value is None or (isinstance(value, str | dict | list) and not value)


def from_json(data: bytes) -> Message:
    """The message of a specification; raises InvalidInput `medo_spec` with the place."""
    try:
        plain = msgspec.json.decode(data)
        if not isinstance(plain, dict):
            raise msgspec.ValidationError("an object is wanted")
        return msgspec.convert(_prepared(plain), Message)
    except (ValueError, TypeError, AttributeError, RecursionError) as problem:
        raise InvalidInput(
            f"Спецификация сообщения не читается: {problem}. "
            "За образец возьмите вывод «docflow medo read … --json».",
            f"The specification cannot be read: {problem}. "
            "Take what `docflow medo read … --json` prints as a pattern.",
            code="medo_spec",
        ) from problem


def _prepared(plain: dict[str, Any]) -> dict[str, Any]:
    """The shape of the dataclasses out of what people and `as_json` write."""
    told = {name: one for name, one in plain.items() if one is not None}
    for name in ("warnings", "errors", "lacks", "complete", "quiet_seconds"):
        told.pop(name, None)
    event = {part: told.pop(top) for part, top in _LIFTED.items() if top in told}
    if event or "notification" in told:
        told["notification"] = {**told.get("notification", {}), **event}
    told.setdefault("kind", _kind(told))
    told.setdefault("version", "2.7.1")
    if isinstance(told.get("source"), str):
        told["source"] = {"organization": told["source"]}
    told["destinations"] = [
        {"organization": one} if isinstance(one, str) else one
        for one in told.get("destinations", [])
    ]
    told["files"] = _files(told.get("files", []))
    with_uids: dict[str, Any] = _with_plain_uids(told)
    return with_uids


def _kind(told: dict[str, Any]) -> str:
    for part, kind in (("notification", Kind.NOTIFICATION), ("receipt", Kind.RECEIPT)):
        if part in told:
            return kind.value
    return Kind.CONTAINER.value


def _files(files: Any) -> Any:
    """Bare names too: the first is the document, the others go along as attachments."""
    if not isinstance(files, list):
        return files
    return [
        {"name": one, "role": "attachment" if place else "document"}
        if isinstance(one, str)
        else one
        for place, one in enumerate(files)
    ]


def _with_plain_uids(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            name: values.guid(one, Notes(), "") if name in ("uid", "header_uid")
            and isinstance(one, str) else _with_plain_uids(one)
            for name, one in value.items()
        }  # fmt: skip
    return [_with_plain_uids(one) for one in value] if isinstance(value, list) else value


def sources_of(message: Message, beside: Path) -> dict[str, Source]:
    """The content of every file the message names: beside the specification, else in its zip.

    A container that was read holds its files in the zip, which the specification names too; a file
    beside it goes before the one in the zip.
    """
    whole = completed(message)
    stored = {file.name: file.stored_as or file.name for file in whole.files}
    names = dict.fromkeys(checking.referenced(whole))
    container = whole.container or Container()
    if whole.kind is Kind.CONTAINER and container.signature:
        names[container.signature] = None
    found: dict[str, Source] = {}
    for name in names:
        for spelled in (name, stored.get(name, name)):
            path = beside / spelled
            if folders.is_safe(spelled) and path.is_file():
                found[name] = path
    left = {name: stored.get(name, name) for name in names if name not in found}
    body = beside / container.body
    if left and whole.kind is Kind.CONTAINER and folders.is_safe(body.name) and body.is_file():
        found |= _packed(body, left)
    return found


def _packed(path: Path, names: dict[str, str]) -> dict[str, bytes]:
    """Members of an archive by name; what cannot be read is simply not found."""
    found: dict[str, bytes] = {}
    try:
        with zipfile.ZipFile(path) as archive:
            infos = {info.filename: info for info in archive.infolist()}
            for name, spelled in names.items():
                info = infos.get(spelled)
                if info is not None and info.file_size <= _MOST_MEMBER:
                    found[name] = archive.read(info)
    except (zipfile.BadZipFile, OSError, RuntimeError, ValueError):
        return found
    return found
