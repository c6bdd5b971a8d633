"""The `docflow` command; its words and exit codes are promised to the outside.

Exit codes: 0 good, 1 the answer is no, 2 cannot tell, 64 wrong usage or no such file, 70 our fault.
"""

import argparse
import asyncio
import json
import logging
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

sys.path.insert(0, str(Path(__file__).resolve().parent))

from core.errors import ServiceError

GOOD, NO, CANNOT_TELL, USAGE, OUR_FAULT = 0, 1, 2, 64, 70
_SECONDS = 18.0  # one file; with start-up less than the twenty that are promised


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Wrong usage ends with 64, as sysexits has it."""
        self.print_usage(sys.stderr)
        self.exit(USAGE, f"{self.prog}: {message}\n")


def main(argv: list[str] | None = None) -> int:
    """Run one command; never a traceback for bad input."""
    arguments = _parser().parse_args(argv)
    logging.basicConfig(
        stream=sys.stderr, level=logging.WARNING, format="%(levelname)s %(message)s"
    )
    verb: Callable[[argparse.Namespace], int] = arguments.verb
    try:
        return verb(arguments)
    except ServiceError as problem:
        _tell(arguments, {"ok": False, "code": problem.error_code, "error": problem.message_en,
                          "error_ru": problem.message_ru})  # fmt: skip
        return NO
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        return GOOD
    except Exception:
        logging.getLogger(__name__).exception("a defect of ours; please report it")
        return OUR_FAULT


def _parser() -> _Parser:
    parser = _Parser(prog="docflow", description="Routes signed electronic documents.")
    verbs = parser.add_subparsers(required=True, metavar="COMMAND", parser_class=_Parser)

    def command(name: str, verb: Callable[[argparse.Namespace], int], words: str) -> _Parser:
        added: _Parser = verbs.add_parser(name, help=words, description=words)
        added.add_argument("--json", action="store_true", help="one JSON object on standard output")
        added.set_defaults(verb=verb)
        return added

    up = command("up", _up, "Everything on one machine, until Ctrl-C.")
    up.add_argument("--data", type=Path, help="where data lies")
    up.add_argument("--port", type=int, help="port of the web process (8000, or a free one)")
    up.add_argument("--demo", action="store_true", help="with demo registry and accounts")
    demo = command("demo", _demo, "The main job, end to end; the last line is one JSON object.")
    demo.set_defaults(json=True)
    demo.add_argument("--scale", choices=["S", "M"], default="M")
    demo.add_argument("--document", type=Path, help="a PDF of your own")
    demo.add_argument("--picture", type=Path, help="a picture of your own")
    demo.add_argument("--data", type=Path, help="where data lies")
    check = command("validate", _validate, "Check the signatures of one file.")
    check.add_argument("file", type=Path)
    check.add_argument("--signature", type=Path, help="a detached signature")
    check.add_argument("--trust", type=Path, action="append", default=[], metavar="PATH")
    check.add_argument("--crl", type=Path, action="append", default=[], metavar="PATH")
    check.add_argument("--at", metavar="TIME", help="2024-01-31T12:00:00Z")
    _image_commands(verbs)
    _commands_of_rooms(verbs)
    bench = command("bench", _bench, "Measure.")
    bench.add_argument("names", nargs="*", metavar="NAME")
    bench.add_argument("--list", action="store_true", help="what can be measured")
    serve = command("serve", _serve, "The web process.")
    serve.add_argument("--host", default="127.0.0.1")
    serve.add_argument("--port", type=int, default=8000)
    serve.add_argument("--certificate", type=Path, help="PEM with chain and key, to serve HTTPS")
    command("work", _work, "The job process.")
    found = command("found", _found, "The first organization and its administrator.")
    found.add_argument("name", help="the organization's full name")
    found.add_argument("--kind", default="center", help="center, union, territorial, regional …")
    found.add_argument("--login", default="admin")
    found.add_argument("--last-name", default="Администратор")
    found.add_argument("--data", type=Path, help="an embedded installation, not running now")
    command("migrate", _migrate, "Bring the database to this version's schema.")
    return parser


def _commands_of_rooms(verbs: Any) -> None:
    """What rooms add themselves below a word of their own."""
    from docflow.gateways.medo import command as medo  # noqa: PLC0415 - light, and only here
    from docflow.gateways.node.kit import command as kit  # noqa: PLC0415 - as above
    from docflow.gateways.offline import command as offline  # noqa: PLC0415 - as above
    from evidence.log import command as log  # noqa: PLC0415 - as above
    from evidence.packages import command as evidence  # noqa: PLC0415 - as above

    for room in (medo, offline, log, kit):
        room.register(verbs, _tell, _Parser)
    evidence.register(verbs, _tell, _Parser, running=_running)


def _running() -> Any:
    """What a command that works on the service opens and closes."""
    import wiring  # noqa: PLC0415 - only the commands that need the service load it

    return wiring.running()


def _image_commands(verbs: Any) -> None:
    """`docflow image …`: commands of their own below one word."""
    image = verbs.add_parser("image", help="What a picture is and where it came from.")
    pictures = image.add_subparsers(required=True, metavar="COMMAND", parser_class=_Parser)
    match = pictures.add_parser("match", help="Which pictures of a folder this was made from.")
    match.add_argument("--json", action="store_true", help="one JSON object on standard output")
    match.add_argument("file", type=Path)
    match.add_argument("--register", type=Path, required=True, metavar="DIR")
    match.set_defaults(verb=_image_match)
    look = pictures.add_parser("evidence", help="What a picture is and what it says of itself.")
    look.add_argument("--json", action="store_true", help="one JSON object on standard output")
    look.add_argument("file", type=Path)
    look.set_defaults(verb=_image_evidence)


def _tell(arguments: argparse.Namespace, answer: dict[str, Any]) -> None:
    """The answer on standard output: one JSON object, or lines for people."""
    if arguments.json:
        sys.stdout.write(json.dumps(answer, ensure_ascii=False, default=str) + "\n")
    else:
        for name, value in answer.items():
            shown = value if isinstance(value, str | int | float) else json.dumps(
                value, ensure_ascii=False, default=str, indent=2)  # fmt: skip
            sys.stdout.write(f"{name}: {shown}\n")
    sys.stdout.flush()


def _up(arguments: argparse.Namespace) -> int:
    import installation  # noqa: PLC0415 - only the commands that serve load the service
    from core.embedded import services  # noqa: PLC0415 - as above
    from demo import ground  # noqa: PLC0415 - as above

    data = arguments.data or services.data_home() / ("demo-M" if arguments.demo else "data")
    engines = installation.start_engines(data)
    try:
        told: dict[str, Any] = {}
        if arguments.demo:
            told["accounts"] = asyncio.run(ground.prepare("M")).for_people()
        else:
            asyncio.run(ground.migrate_only())
        with installation.open_doors(engines, port=arguments.port) as running:
            _tell(arguments, {"address": running.address, "data": str(data), **told})
            while not (fallen := running.fallen()):
                time.sleep(1)
            sys.stderr.write(f"stopped by itself: {', '.join(fallen)}; see the logs in {data}\n")
            return OUR_FAULT
    finally:
        engines.stop()


def _demo(arguments: argparse.Namespace) -> int:
    from demo import journey  # noqa: PLC0415 - only this command needs it

    for given in (arguments.document, arguments.picture):
        if given and not given.is_file():
            sys.stderr.write(f"no such file: {given}\n")
            return USAGE
    answer = journey.run(
        scale=arguments.scale, document=arguments.document, picture=arguments.picture,
        data=arguments.data,
    )  # fmt: skip
    sys.stdout.write(json.dumps(answer, ensure_ascii=False, default=str) + "\n")
    return GOOD if answer["ok"] else NO


def _validate(arguments: argparse.Namespace) -> int:
    from signatures import command  # noqa: PLC0415 - only here

    report, code = asyncio.run(_validate_apart(arguments, command))
    _tell(arguments, report)
    return int(code)


async def _validate_apart(
    arguments: argparse.Namespace, command: Any
) -> tuple[dict[str, Any], int]:
    """Parse at arm's length: hostile bytes meet a limited process, not this one."""
    from core.sandbox import HostileInput, Sandbox  # noqa: PLC0415 - only here

    pool = Sandbox(workers=1, preload=("signatures.validation",))
    pool.start()  # loads its libraries while this process reads the files
    try:
        await asyncio.sleep(0)
        request = await asyncio.to_thread(
            command.load, file=arguments.file, signature=arguments.signature,
            trust=arguments.trust, crls=arguments.crl, at=arguments.at,
        )  # fmt: skip
        if isinstance(request, tuple):
            return request
        if command.is_outsized(arguments.file, request):
            report = command.outsized()
        else:
            if request["data"] is None:
                request["digests"] = await _digests(pool, command, arguments.file, request)
            report = await pool.run(
                "signatures.validation:validate_bytes", request, timeout=_SECONDS
            )
    except HostileInput as problem:
        reason = {"code": problem.error_code, "ru": problem.message_ru, "en": problem.message_en}
        return {"verdict": "indeterminate", "reasons": [reason], "signatures": []}, CANNOT_TELL
    finally:
        await pool.close()
    return report, command.exit_code(report)


async def _digests(
    pool: Any, command: Any, file: Path, request: dict[str, Any]
) -> dict[str, bytes]:
    """What a detached signature wants of a file too big for memory; nothing if it is no CMS."""
    try:
        names = await pool.run("signatures.validation:digests_needed", request["signature"])
    except ServiceError:
        return {}
    found: dict[str, bytes] = await asyncio.to_thread(command.digests_of, file, names)
    return found


def _image_match(arguments: argparse.Namespace) -> int:
    from compliance import command  # noqa: PLC0415 - only here

    answer, code = command.match(file=arguments.file, register=arguments.register)
    for warning in answer.get("warnings", []):
        sys.stderr.write(f"{warning['file']}: {warning['code']}: {warning['en']}\n")
    _tell(arguments, answer)
    return code


def _image_evidence(arguments: argparse.Namespace) -> int:
    from compliance.looking import evidence_command  # noqa: PLC0415 - only here

    answer, code = evidence_command.examine(arguments.file)
    if "error" in answer:
        sys.stderr.write(f"{answer['error']['ru']}\n{answer['error']['en']}\n")
    _tell(arguments, answer)
    return code


def _bench(arguments: argparse.Namespace) -> int:
    from bench import command  # noqa: PLC0415 - loads every benchmark

    if arguments.list:
        _tell(arguments, {"benchmarks": command.names()})
        return GOOD
    unknown = set(arguments.names) - set(command.names())
    if unknown:
        sys.stderr.write(f"unknown benchmark: {', '.join(sorted(unknown))}\n")
        return USAGE
    _tell(arguments, command.run(arguments.names))
    return GOOD


def _serve(arguments: argparse.Namespace) -> int:
    from core import memory  # noqa: PLC0415 - before anything large is loaded

    memory.return_freed()
    import uvicorn  # noqa: PLC0415 - only the web process needs it

    uvicorn.run(
        "litestar_app:served", factory=True, host=arguments.host, port=arguments.port,
        access_log=False, log_level="warning", proxy_headers=False, timeout_graceful_shutdown=15,
        ssl_certfile=arguments.certificate,
    )  # fmt: skip
    return GOOD


def _work(_: argparse.Namespace) -> int:
    import worker  # noqa: PLC0415 - only the job process needs it

    asyncio.run(worker.work())
    return GOOD


def _found(arguments: argparse.Namespace) -> int:
    import dataclasses  # noqa: PLC0415 - only here

    from core.db import DB  # noqa: PLC0415 - as above
    from directory import founding  # noqa: PLC0415 - as above
    from directory.states import OrganizationKind  # noqa: PLC0415 - as above

    if arguments.kind not in set(OrganizationKind):
        sys.stderr.write(f"--kind: one of {', '.join(OrganizationKind)}\n")
        return USAGE

    async def run() -> founding.Founded:
        from demo import ground  # noqa: PLC0415 - as above

        await ground.migrate_only()
        await DB.open()
        try:
            return await founding.found(
                name=arguments.name, kind=OrganizationKind(arguments.kind), login=arguments.login,
                last_name=arguments.last_name,
            )  # fmt: skip
        finally:
            await DB.close()

    engines = None
    if arguments.data is not None:
        import installation  # noqa: PLC0415 - as above

        engines = installation.start_engines(arguments.data)
    try:
        _tell(arguments, dataclasses.asdict(asyncio.run(run())))
    finally:
        if engines is not None:
            engines.stop()
    return GOOD


def _migrate(arguments: argparse.Namespace) -> int:
    from core.migrations import migrate  # noqa: PLC0415 - as above
    from core.settings import settings  # noqa: PLC0415 - as above

    asyncio.run(migrate(owner_url=settings().owner_url, app_url=settings().database_url))
    _tell(arguments, {"ok": True})
    return GOOD


if __name__ == "__main__":
    sys.exit(main())
