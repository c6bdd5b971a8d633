"""`docflow witness` and `docflow log check`: the watch over the log from outside of it."""

import argparse
import asyncio
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import InvalidInput

if TYPE_CHECKING:
    from evidence.log.heads import Head

GOOD, NO, USAGE = 0, 1, 64
Tell = Callable[[argparse.Namespace, dict[str, Any]], None]


def register(verbs: Any, tell: Tell, parser: type[Any]) -> None:
    """Add both commands to the parser of `docflow`."""
    words = "A witness of logs: cosigns what goes on from what it has seen. No database."
    witness = verbs.add_parser("witness", help=words, description=words)
    witness.add_argument("--json", action="store_true", help="one JSON object on standard output")
    witness.add_argument(
        "--state", type=Path, required=True, metavar="DIR", help="what it has seen"
    )
    witness.add_argument("--name", required=True, help="such as witness.example.org/w1")
    witness.add_argument(
        "--log", action="append", default=[], metavar="KEY", help="a log's key, as /log/vkey has it"
    )
    witness.add_argument("--host", default="127.0.0.1")
    witness.add_argument("--port", type=int, default=8390)
    witness.set_defaults(verb=lambda arguments: _witness(arguments, tell))

    log = verbs.add_parser("log", help="The evidence log.")
    commands = log.add_subparsers(required=True, metavar="COMMAND", parser_class=parser)
    words = "Compare every event with its leaf in the log."
    check = commands.add_parser("check", help=words, description=words)
    check.add_argument("--json", action="store_true", help="one JSON object on standard output")
    check.add_argument(
        "--against", type=Path, metavar="NOTE", help="a checkpoint that somebody kept"
    )
    check.set_defaults(verb=lambda arguments: _check(arguments, tell))


def _witness(arguments: argparse.Namespace, tell: Tell) -> int:
    import uvicorn  # noqa: PLC0415 - only a process that serves needs it

    from evidence.log.witness import Witness, known_logs  # noqa: PLC0415 - as above

    desk = Witness(arguments.state, arguments.name, known_logs(_keys(arguments)))
    try:
        with socket.create_server((arguments.host, arguments.port)) as door:
            host, port = door.getsockname()[:2]
            tell(arguments, {
                "address": f"http://{host}:{port}", "key": str(desk.verifier),
                "logs": sorted(desk.logs),
            })  # fmt: skip
            uvicorn.Server(
                uvicorn.Config(
                    desk, access_log=False, lifespan="off", log_level="warning",
                    proxy_headers=False, limit_concurrency=64, timeout_keep_alive=30,
                )
            ).run(sockets=[door])  # fmt: skip
    finally:
        desk.close()
    return GOOD


def _keys(arguments: argparse.Namespace) -> list[str]:
    """As given, and those of the file `logs` in the state folder, one a line."""
    place = arguments.state / "logs"
    listed = place.read_text(encoding="utf-8").splitlines() if place.is_file() else []
    return [*arguments.log, *(line for line in listed if line.strip())]


def _check(arguments: argparse.Namespace, tell: Tell) -> int:
    if arguments.against is not None and not arguments.against.is_file():
        sys.stderr.write(f"no such file: {arguments.against}\n")
        return USAGE
    report = asyncio.run(_checked(_head_in(arguments.against)))
    tell(arguments, report)
    return GOOD if report["ok"] else NO


def _head_in(place: Path | None) -> "Head | None":
    from evidence.log import heads, notes  # noqa: PLC0415 - other commands start without

    if place is None:
        return None
    try:
        return heads.parsed(notes.parse(place.read_bytes()).text)
    except notes.NoteError as problem:
        raise InvalidInput(
            f"{place}: не контрольная точка журнала.", f"{place}: not a checkpoint of a log.",
            code="bad_checkpoint",
        ) from problem  # fmt: skip


async def _checked(against: "Head | None") -> dict[str, Any]:
    from core.db import DB  # noqa: PLC0415 - the witness has no database
    from evidence.log import checking, findings  # noqa: PLC0415 - as above

    await DB.open()
    try:
        return findings.as_plain(await checking.check_all(against=against))
    finally:
        await DB.close()
