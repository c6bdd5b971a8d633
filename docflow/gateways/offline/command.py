"""`docflow offline read` and `answer`: no database, no network, hostile bytes kept apart."""

import argparse
import asyncio
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from core.errors import ServiceError
from core.sandbox import Sandbox
from docflow.gateways.offline import answering, reading, seals
from docflow.gateways.offline.manifests import Manifest, Named, Seal

GOOD, NO, CANNOT_TELL, USAGE = 0, 1, 2, 64
Answer = tuple[dict[str, Any], int]
_SECONDS = 600.0


def register(
    verbs: Any, tell: Callable[[argparse.Namespace, dict[str, Any]], None], parser: type[Any]
) -> None:
    """Add `offline` and its two commands to the parser of `docflow`."""
    offline = verbs.add_parser("offline", help="Packages on a stick: read, answer.")
    commands = offline.add_subparsers(required=True, metavar="COMMAND", parser_class=parser)

    def command(name: str, verb: Callable[[argparse.Namespace], Answer], words: str) -> Any:
        added = commands.add_parser(name, help=words, description=words)
        added.add_argument("--json", action="store_true", help="one JSON object on standard output")
        added.add_argument("file", type=Path, metavar="PACKAGE")
        added.add_argument("--key", action="append", default=[], metavar="HEX",
                           help="public key of an installation that is trusted")  # fmt: skip

        def run(arguments: argparse.Namespace) -> int:
            answer, code = verb(arguments)
            if code == USAGE:
                sys.stderr.write(f"{answer['error_ru']}\n{answer['error']}\n")
            if code != USAGE or arguments.json:
                tell(arguments, answer)
            return code

        added.set_defaults(verb=run)
        return added

    command("read", _read, "What a package holds, and is it whole and as it was sealed.")
    added = command("answer", _answer, "A file of answers to a package, to be carried back.")
    added.add_argument("answers", type=Path, metavar="ANSWERS", help="the file to be written")
    added.add_argument("--name", required=True, help="who answers: last, first, middle name")
    added.add_argument("--post", default="", help="and in which post")
    added.add_argument(
        "--document", type=int, action="append", default=[], metavar="N",
        help="the document's place in the package, from 1; all by default",
    )  # fmt: skip
    added.add_argument("--refuse", metavar="REASON", help="refuse instead of acknowledging")


def _read(arguments: argparse.Namespace) -> Answer:
    return read(arguments.file, keys=arguments.key)


def read(file: Path, *, keys: list[str]) -> Answer:
    """What the package holds; 0 whole and sealed by a key given, 1 not whole, 2 by another key."""
    if not file.is_file():
        return _missing(file), USAGE
    try:
        manifest, seal = asyncio.run(_apart(file.resolve()))
    except ServiceError as problem:
        return _refused(problem), NO
    trusted = _is_trusted(seal, keys)
    return {"ok": True, "trusted": trusted, **described(manifest, seal)}, (
        GOOD if trusted else CANNOT_TELL
    )


def described(manifest: Manifest, seal: Seal) -> dict[str, Any]:
    """The package in plain values, without its secret."""
    return {
        "id": str(manifest.id),
        "sequence": manifest.sequence,
        "made_at": manifest.made_at.isoformat(),
        "sender": {"code": manifest.sender.code, "name": manifest.sender.name},
        "recipient": {"code": manifest.recipient.code, "name": manifest.recipient.name},
        "seal": {"form": seal.form, "key": seal.key},
        "documents": [
            {
                "place": place, "uid": str(one.uid), "title": one.title, "number": one.number,
                "date": one.date, "due_on": one.due_on, "mark": one.mark, "code": one.code,
                "author": one.author.name,
                "files": [
                    {"path": file.path, "file_name": file.file_name, "size": file.size,
                     "sha256": file.sha256, "signatures": len(file.signatures)}
                    for file in one.files
                ],
            }
            for place, one in enumerate(manifest.documents, 1)
        ],
        "answers": [
            {"uid": str(one.uid), "kind": one.kind, "at": one.at.isoformat(),
             "reason": one.reason}
            for one in manifest.answers
        ],
    }  # fmt: skip


def _answer(arguments: argparse.Namespace) -> Answer:
    if not arguments.file.is_file():
        return _missing(arguments.file), USAGE
    names = [*arguments.name.split(), "", "", ""]
    person = Named(names[0], names[1], " ".join(names[2:]).strip(), arguments.post)
    try:
        arguments.file = arguments.file.resolve()
        return asyncio.run(_answered(arguments, person))
    except ServiceError as problem:
        return _refused(problem), NO
    except OSError as problem:
        return {
            "ok": False, "code": "cannot_write", "error": f"Cannot write: {problem.strerror}.",
            "error_ru": "Файл ответов не записан. Проверьте место и права.",
        }, NO  # fmt: skip


async def _answered(arguments: argparse.Namespace, person: Named) -> Answer:
    package, seal = await _apart(arguments.file)
    if arguments.key and not _is_trusted(seal, arguments.key):
        raise seals.unknown(seal.key)
    made = await answering.answer(
        package, arguments.answers, person=person, numbers=arguments.document,
        kind="refused" if arguments.refuse is not None else "acknowledged",
        reason=arguments.refuse or "",
    )  # fmt: skip
    return {"ok": True, "file": str(arguments.answers), "answers": len(made.answers)}, GOOD


async def _apart(file: Path) -> tuple[Manifest, Seal]:
    """Read at arm's length: what came on a stick meets a limited process, not this one."""
    sandbox = Sandbox(workers=1, preload=("docflow.gateways.offline.reading",))
    sandbox.start()
    try:
        found: reading.Found = await sandbox.run(
            "docflow.gateways.offline.reading:read", str(file), into=reading.Found,
            timeout=_SECONDS,
        )  # fmt: skip
    finally:
        await sandbox.close()
    return found.parsed()


def _is_trusted(seal: Seal, keys: list[str]) -> bool:
    return seal.form == "ed25519" and seal.key in {one.strip().lower() for one in keys}


def _refused(problem: ServiceError) -> dict[str, Any]:
    return {"ok": False, "code": problem.error_code, "error": problem.message_en,
            "error_ru": problem.message_ru, **problem.details}  # fmt: skip


def _missing(path: Path) -> dict[str, Any]:
    return {
        "ok": False, "code": "no_such_file", "error": f"No such file: {path}. Check the path.",
        "error_ru": f"Файл не найден: {path}. Проверьте путь.",
    }  # fmt: skip
