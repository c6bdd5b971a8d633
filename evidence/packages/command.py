"""`docflow evidence export` by the operator, straight into a file; `verify`; `verifier`."""

import argparse
import asyncio
import hashlib
import os
import sys
import time
import uuid
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import date
from pathlib import Path
from typing import Any

from core.errors import InvalidInput, NotFound, ServiceError
from evidence.packages.states import ExportKind, ExportStatus

GOOD, NO, USAGE = 0, 1, 64
OPERATOR = "оператор сервиса (командой на сервере)"

Running = Callable[[], AbstractAsyncContextManager[None]]
"""Opens and closes what an export needs: database, sandbox, store."""


def register(
    verbs: Any,
    tell: Callable[[argparse.Namespace, dict[str, Any]], None],
    parser: type[Any],
    *,
    running: Running,
) -> None:
    """Add `evidence` and its three commands to the parser of `docflow`."""
    evidence = verbs.add_parser("evidence", help="Evidence packages: make one, check one.")
    commands = evidence.add_subparsers(required=True, metavar="COMMAND", parser_class=parser)
    export = commands.add_parser("export", help="A package into a file; it is registered.")
    export.add_argument("kind", choices=list(ExportKind), metavar="KIND",
                        help=", ".join(ExportKind))  # fmt: skip
    export.add_argument("id", metavar="ID", help="of a period: 2026-01-01..2026-03-31")
    export.add_argument("file", type=Path, metavar="FILE.zip")
    export.add_argument("--purpose", required=True)
    export.add_argument("--basis", required=True, help="the legal ground")
    export.add_argument("--recipient", default=OPERATOR)
    export.add_argument("--organization", type=uuid.UUID, help="through whose eyes; its id")
    export.add_argument("--level", choices=["full", "masked"], default="full")
    export.add_argument("--data", type=Path, help="an embedded installation, running or not")
    check = commands.add_parser("verify", help="Is this package whole and true?")
    check.add_argument("file", type=Path, metavar="FILE.zip")
    check.add_argument("--signer", default="", help="SHA-256 of the certificate expected")
    check.add_argument("--trust", type=Path, action="append", default=[], metavar="PATH")
    check.add_argument("--sha256-only", action="store_true", help="leave GOST R 34.11 out")
    check.add_argument("--replay", action="store_true", help="make every verdict again")
    alone = commands.add_parser("verifier", help="The file that checks a package without us.")
    alone.add_argument("file", type=Path, metavar="docflow_verify.py")
    for added, verb in ((export, _export), (check, _verify), (alone, _verifier)):
        added.add_argument("--json", action="store_true", help="one JSON object on standard output")
        added.set_defaults(verb=lambda arguments, verb=verb: verb(arguments, tell, running))


def _verify(arguments: argparse.Namespace, tell: Callable[..., None], _: Running) -> int:
    from evidence.verifier import checking  # noqa: PLC0415 - only here

    try:
        answer, code = checking.check(
            arguments.file, signer=arguments.signer, trust=arguments.trust,
            streebog=not arguments.sha256_only, replay=arguments.replay,
        )  # fmt: skip
    except (OSError, ValueError) as problem:
        sys.stderr.write(f"{arguments.file}: {problem}\n")
        return USAGE
    tell(arguments, answer)
    return code


def _verifier(arguments: argparse.Namespace, tell: Callable[..., None], _: Running) -> int:
    from evidence.verifier import standalone  # noqa: PLC0415 - only here

    try:
        standalone.write(arguments.file)
        sha256 = hashlib.sha256(arguments.file.read_bytes()).hexdigest()
    except OSError as problem:
        sys.stderr.write(f"{arguments.file}: {problem.strerror}\n")
        return USAGE
    tell(arguments, {"file": str(arguments.file), "sha256": sha256})
    return GOOD


def _export(arguments: argparse.Namespace, tell: Callable[..., None], running: Running) -> int:
    since, until = None, None
    subject_id = None
    try:
        if arguments.kind == ExportKind.PERIOD:
            since, until = (date.fromisoformat(day) for day in arguments.id.split(".."))
        else:
            subject_id = uuid.UUID(arguments.id)
    except ValueError:
        sys.stderr.write("ID: a UUID; of a period 2026-01-01..2026-03-31\n")
        return USAGE
    if not arguments.file.absolute().parent.is_dir():
        sys.stderr.write(f"no such folder: {arguments.file.absolute().parent}\n")
        return USAGE
    engines = _engines(arguments.data)
    try:
        answer = asyncio.run(_exported(arguments, subject_id, since, until, running))
    finally:
        if engines is not None:
            engines.stop()
    tell(arguments, answer)
    return GOOD if answer["ok"] else NO


def _engines(data: Path | None) -> Any:
    """Lead this process to an installation; engines it had to start are answered."""
    if data is None and "DATABASE_URL" in os.environ:
        return None
    from core.embedded import services  # noqa: PLC0415 - only here

    home = services.data_home()
    for place in [data] if data else [home / name for name in ("data", "demo-M", "demo-S")]:
        if (found := services.running(place)) is not None:
            os.environ.update(found)
            return None
    if data is None:
        raise NotFound(
            "Служба не найдена: задайте DATABASE_URL и остальное или папку данных (--data).",
            "No service was found: set DATABASE_URL and the rest, or name its folder (--data).",
            code="no_installation",
        )
    engines = services.start(data)
    os.environ.update(engines.environment)
    return engines


async def _exported(
    arguments: argparse.Namespace,
    subject_id: uuid.UUID | None,
    since: date | None,
    until: date | None,
    running: Running,
) -> dict[str, Any]:
    # The service's rooms load here and not for `verify`, which needs none of them.
    from core.actor import RULE  # noqa: PLC0415 - as said above
    from evidence.packages import exports, keys  # noqa: PLC0415 - as above

    async with running():
        home = arguments.organization or await _home(arguments.kind, subject_id)
        wanted = exports.Wanted(
            ExportKind(arguments.kind), arguments.purpose, arguments.basis, arguments.recipient,
            subject_id, since, until, arguments.level,
        )  # fmt: skip
        began = time.monotonic()
        export_id = await exports.begin(RULE.acting_for(home), wanted)
        await exports.build(export_id, progress=_progress)
        row = await exports.row_of(export_id)
        if row["status"] != ExportStatus.READY:
            raise InvalidInput(row["error"], row["error"], code=row["error_code"])
        sha256 = await _written(arguments.file, exports.content(export_id))
        return {
            "ok": True, "id": str(export_id), "file": str(arguments.file), "bytes": row["bytes"],
            "members": row["members"], "sha256": sha256, "expires_at": row["expires_at"],
            "signer": hashlib.sha256(await keys.certificate()).hexdigest(),
            "seconds": round(time.monotonic() - began, 2),
        }  # fmt: skip


def _progress(export: dict[str, Any]) -> None:
    sys.stderr.write(f"{export['items_done']} / {export['items']}\n")


async def _home(kind: str, subject_id: uuid.UUID | None) -> uuid.UUID:
    """Whose eyes, unless told: the author's, the publisher's, the body's own, the center's."""
    from core import db  # noqa: PLC0415 - as in `_exported`

    found = await db.value(_HOME[ExportKind(kind)], subject_id)
    if found is None:
        raise NotFound(kind=kind, id=str(subject_id))
    return uuid.UUID(str(found))


_CENTER = "SELECT id FROM organization WHERE kind = 'center' AND $1::uuid IS NULL ORDER BY id"
_HOME = {
    ExportKind.DOCUMENT: "SELECT organization_id FROM document WHERE id = $1",
    ExportKind.PICTURE: "SELECT organization_id FROM picture_use WHERE id = $1",
    ExportKind.ORGANIZATION: "SELECT id FROM organization WHERE id = $1",
    ExportKind.PERSON: """SELECT organization_id FROM post WHERE person_id = $1
        ORDER BY valid_to IS NULL DESC, valid_from DESC LIMIT 1""",
    ExportKind.PERIOD: _CENTER,
}


async def _written(path: Path, content: Any) -> str:
    """Write beside, then rename: a broken-off copy never has the name of a whole one."""
    beside = path.with_name(f".{path.name}.part")
    hashed = hashlib.sha256()
    try:
        with beside.open("wb") as file:
            async for piece in content:
                hashed.update(piece)
                await asyncio.to_thread(file.write, piece)
        beside.replace(path)
    except (OSError, ServiceError):
        beside.unlink(missing_ok=True)
        raise
    return hashed.hexdigest()
