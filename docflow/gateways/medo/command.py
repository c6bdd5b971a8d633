"""`docflow medo read`, `write` and `check`: no database, no network, hostile bytes kept apart."""

import argparse
import asyncio
import dataclasses
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from core.errors import InvalidInput
from core.sandbox import HostileInput, Sandbox
from docflow.gateways.medo import checking, lists, specs
from docflow.gateways.medo.findings import finding
from docflow.gateways.medo.messages import Finding, Kind, Message
from docflow.gateways.medo.writing import WriteRefused, write_folder

GOOD, NO, USAGE = 0, 1, 64
Answer = tuple[dict[str, Any], int]

_REMARKS = frozenset(
    ("envelope_unsigned", "unlisted_files", "envelope_numbering", "uid_case", "not_in_passport",
     "container_unsigned", "no_stamp", "several_envelopes")
)  # fmt: skip
"""Warnings that contradict no rule; partners hear of them, and the message stays good."""
_SECONDS = 120.0


def register(
    verbs: Any, tell: Callable[[argparse.Namespace, dict[str, Any]], None], parser: type[Any]
) -> None:
    """Add `medo` and its three commands to the parser of `docflow`."""
    medo = verbs.add_parser("medo", help="Messages of МЭДО: read, write, check.")
    commands = medo.add_subparsers(required=True, metavar="COMMAND", parser_class=parser)

    def command(name: str, verb: Callable[[argparse.Namespace], Answer], words: str) -> Any:
        added = commands.add_parser(name, help=words, description=words)
        added.add_argument("--json", action="store_true", help="one JSON object on standard output")

        def run(arguments: argparse.Namespace) -> int:
            answer, code = _bad_lists() or verb(arguments)
            if code == USAGE:
                sys.stderr.write(f"{answer['error']['ru']}\n{answer['error']['en']}\n")
            if code != USAGE or arguments.json:
                tell(arguments, answer)
            return code

        added.set_defaults(verb=run)
        return added

    for name, verb, words in (
        ("read", _read, "What one message folder says, and what is wrong with it."),
        ("check", _check, "Is this message good, and if not, what is wrong, in words."),
    ):
        added = command(name, verb, words)
        added.add_argument("folder", type=Path, metavar="DIR")
        added.add_argument("--schemas", type=Path, metavar="DIR", help="official XSD files")
    write = command("write", _write, "A message folder from a specification.")
    write.add_argument("spec", type=Path, metavar="SPEC.json")
    write.add_argument("folder", type=Path, metavar="DIR", help="new, or empty")


def _read(arguments: argparse.Namespace) -> Answer:
    return read(arguments.folder, schemas=arguments.schemas)


def _check(arguments: argparse.Namespace) -> Answer:
    return check(arguments.folder, schemas=arguments.schemas)


def _write(arguments: argparse.Namespace) -> Answer:
    return write(arguments.spec, arguments.folder)


def _no_folder(path: Path | None) -> Answer | None:
    if path is None or path.is_dir():
        return None
    return _missing(path), USAGE


def _bad_lists() -> Answer | None:
    """A file of lists that cannot be used is wrong usage, whatever the message is like."""
    try:
        lists.load()
    except InvalidInput as problem:
        said = {"code": problem.error_code, "ru": problem.message_ru, "en": problem.message_en}
        return {"error": said}, USAGE
    return None


def _missing(path: Path) -> dict[str, Any]:
    return {
        "error": {
            "code": "no_such_file",
            "ru": f"Файл или папка не найдены: {path}. Проверьте путь.",
            "en": f"No such file or folder: {path}. Check the path.",
        }
    }


def read(folder: Path, *, schemas: Path | None = None) -> Answer:
    """What the folder says, and 0 when it can be taken in, 1 when not, 64 without a folder."""
    if missing := _no_folder(folder) or _no_folder(schemas):
        return missing
    message, _ = asyncio.run(_apart(folder.resolve(), schemas.resolve() if schemas else None))
    return specs.as_json(message), GOOD if message.is_readable else NO


async def _apart(
    folder: Path, schemas: Path | None, *, with_signatures: bool = False
) -> tuple[Message, list[Finding]]:
    """Read in a limited process of its own; its end is an error of the message, not of ours.

    With signatures: also those that bind other bytes than the message brings.
    """
    pool = Sandbox(workers=1, preload=("docflow.gateways.medo.reading",))
    faults: list[Finding] = []
    official = str(schemas) if schemas else None
    try:
        found: Message = await pool.run(
            "docflow.gateways.medo.reading:read_folder", str(folder),
            official=official, timeout=_SECONDS, into=Message,
        )  # fmt: skip
        if with_signatures and found.is_readable:
            faults = await pool.run(
                "docflow.gateways.medo.bindings:mismatches", str(folder),
                timeout=_SECONDS, into=list[Finding],
            )  # fmt: skip
    except HostileInput as problem:
        error = Finding(code=problem.error_code, ru=problem.message_ru, en=problem.message_en)
        return Message(kind=Kind.UNKNOWN, version="", errors=(error,)), []
    finally:
        await pool.close()
    return found, faults


def check(folder: Path, *, schemas: Path | None = None) -> Answer:
    """Judge a message as its receiver would: `errors`, then `faults`, then mere `remarks`."""
    if missing := _no_folder(folder) or _no_folder(schemas):
        return missing
    message, unbound = asyncio.run(
        _apart(folder.resolve(), schemas.resolve() if schemas else None, with_signatures=True)
    )
    faults = [one for one in message.warnings if one.code not in _REMARKS] + unbound
    if message.is_readable:
        known = {(one.code, one.where) for one in faults}
        faults += [one for one in checking.faults(message) if (one.code, one.where) not in known]
    remarks = [one for one in message.warnings if one.code in _REMARKS]
    remarks += checking.remarks(message)
    good = message.is_readable and not faults
    answer = {
        "good": good,
        "kind": message.kind.value,
        "version": message.version,
        "verdict": {"ru": _verdict(message, faults)[0], "en": _verdict(message, faults)[1]},
        "errors": [dataclasses.asdict(one) for one in message.errors],
        "faults": [dataclasses.asdict(one) for one in faults],
        "remarks": [dataclasses.asdict(one) for one in remarks],
    }
    return answer, GOOD if good else NO


def _verdict(message: Message, faults: list[Finding]) -> tuple[str, str]:
    if message.errors:
        return (
            "Сообщение принять нельзя: " + message.errors[0].ru,
            "The message cannot be taken in: " + message.errors[0].en,
        )
    if faults:
        return (
            f"Сообщение прочитано, но нарушает формат (нарушений: {len(faults)}). Исправьте их: "
            "другой получатель вправе его отклонить.",
            f"The message was read and yet breaks the format ({len(faults)} faults). Correct "
            "them: another receiver may refuse it.",
        )
    return "Сообщение составлено правильно.", "The message is good."


def write(spec: Path, folder: Path) -> Answer:
    """Write the folder and say what is in it; 1 with the faults in words when it would be wrong."""
    if not spec.is_file():
        return _missing(spec), USAGE
    try:
        message = specs.from_json(spec.read_bytes())
        sources = specs.sources_of(message, spec.parent)
        written = write_folder(message, folder, sources=sources)
    except WriteRefused as problem:
        errors = [dataclasses.asdict(one) for one in problem.findings]
        return {"ok": False, "folder": str(folder), "errors": errors}, NO
    except InvalidInput as problem:
        error = {"code": problem.error_code, "ru": problem.message_ru, "en": problem.message_en}
        return {"ok": False, "folder": str(folder), "errors": [error]}, NO
    except OSError as problem:
        text = problem.strerror or str(problem)
        error = {
            "code": "folder_not_written",
            "ru": f"Папку записать не удалось: {text}. Укажите новую или пустую папку.",
            "en": f"The folder could not be written: {text}. Name a new or an empty one.",
        }
        return {"ok": False, "folder": str(folder), "errors": [error]}, NO
    if written.container is not None and written.container.signature:
        kept = finding("signature_kept", written.container.signature)
        written = dataclasses.replace(written, warnings=(*written.warnings, kept))
    return {"ok": True, "folder": str(folder), **specs.as_json(written)}, GOOD
