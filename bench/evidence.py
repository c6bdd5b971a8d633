"""Evidence packages: checking one, and making one, beside what of the same bytes is the least."""

import asyncio
import hashlib
import secrets
import tempfile
import zipfile
from pathlib import Path
from time import perf_counter
from typing import Any, BinaryIO, cast

from bench import actors, files
from bench.ground import Ground
from bench.results import Result, against
from core import clock, db, sandbox
from core.actor import RULE, Actor
from directory import dataset
from directory.selection import Selector
from docflow.documents import intake
from docflow.routing import dispatch
from evidence.packages import exports
from evidence.packages.states import ExportKind
from evidence.verifier import package
from evidence.verifier.findings import Report
from evidence.verifier.own_gost import OwnGost
from signatures import digests
from storage import s3

DOCUMENTS = 100
RECIPIENTS = 5
ROUNDS = 7


async def verify(ground: Ground) -> Result:
    """Milliseconds for a package of signed letters, with events, deliveries and verdicts."""
    async with ground.database():
        with tempfile.TemporaryDirectory(prefix="docflow-bench-") as folder:
            path = Path(folder) / "package.zip"
            row = await _exported(await _letters())
            await _written(path, row["id"])
            values, floors, report = await asyncio.to_thread(_checked, path)
    facts = report.facts
    return against(
        "evidence-verify", values, floors, unit="ms", documents=DOCUMENTS, members=row["members"],
        megabytes=row["bytes"] / 1e6, signatures=facts["signatures"]["good"],
        events_in_the_log=facts["log"]["events"],
    )  # fmt: skip


def _checked(path: Path) -> tuple[list[float], list[float], Report]:
    gost, values, floors = OwnGost(), [], []
    for _ in range(ROUNDS + 1):  # the first warms both
        began = perf_counter()
        report = package.verify(path, gost=gost)
        values.append(1000 * (perf_counter() - began))
        if report.exit_code:
            raise RuntimeError(f"a good package was not found good: {report.as_dict()}")
        floors.append(1000 * _unzipped(path))
    return values[1:], floors[1:], report


def _unzipped(path: Path) -> float:
    began = perf_counter()
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            content = archive.read(name)
            hashlib.sha256(content).digest()
            digests.digest("streebog256", content)
    return perf_counter() - began


async def export(ground: Ground) -> Result:
    """Megabytes of letters a second into a finished package, from the request to its last byte."""
    async with ground.database():
        clerk = await _letters()
        keys = await db.rows(
            """SELECT DISTINCT b.key, b.size FROM document_file AS f
               JOIN blob AS b ON b.id = f.blob_id"""
        )
        size = sum(row["size"] for row in keys) / 1e6
        values, floors = [], []
        for _ in range(ROUNDS + 1):
            began = perf_counter()
            row = await _exported(clerk)
            values.append(size / (perf_counter() - began))
            floors.append(size / await asyncio.to_thread(_copied, keys))
    return against(
        "evidence-export", values[1:], floors[1:], unit="MB/s", documents=DOCUMENTS,
        megabytes=size, package_megabytes=row["bytes"] / 1e6, members=row["members"],
    )  # fmt: skip


def _copied(keys: list[db.Row]) -> float:
    """Each object out of the store and in again under another name, by the SDK."""
    client, bucket, made = s3.client(), s3.bucket(), []
    began = perf_counter()
    for row in keys:
        answer = client.get_object(bucket, row["key"])
        try:
            name = f"bench/{secrets.token_hex(8)}"
            client.put_object(bucket, name, cast(BinaryIO, answer), row["size"])
            made.append(name)
        finally:
            answer.close()
            answer.release_conn()
    spent = perf_counter() - began
    for name in made:
        client.remove_object(bucket, name)
    return spent


async def _letters() -> Actor:
    """Signed PDFs of 300 KB, checked, registered and delivered to some primaries each."""
    made = dataset.generate("S")
    await dataset.load(made)
    clerk = await actors.clerk_of(made.health_union_id)
    authority = await actors.trusted_authority()
    chairman = await actors.chairman_of(made.health_union_id)
    sandbox.pool().start()
    try:
        primaries = [
            row["id"]
            for row in await db.rows(
                """SELECT id FROM organization WHERE kind = 'primary' AND status = 'active'
                   AND channels[1] = 'internal' ORDER BY id LIMIT $1""",
                RECIPIENTS,
            )
        ]
        for number, paper in enumerate(files.signed(DOCUMENTS, authority, subject=chairman)):
            card = intake.card_from_json(
                f'{{"kind": "circular", "title": "О сроках отчётности № {number}"}}'
            )
            taken = await intake.take_in(
                clerk, card=card, stream=_stream(paper), file_name="письмо.pdf", key=None
            )
            wanted = dispatch.DispatchInput(selector=Selector(include=tuple(primaries)))
            await dispatch.send(clerk, taken.document_id, wanted=wanted)
    finally:
        await sandbox.pool().close()
    return clerk


async def _stream(content: bytes) -> Any:
    yield content


async def _exported(clerk: Actor) -> db.Row:
    today = clock.today()
    wanted = exports.Wanted(
        ExportKind.PERIOD, "Измерение", "Измерение", "Измерение", since=today, until=today
    )
    export_id = await exports.begin(RULE.acting_for(clerk.home_id), wanted)
    await exports.build(export_id)
    row = await exports.row_of(export_id)
    if row["status"] != "ready":
        raise RuntimeError(f"the export ended as {row['status']}: {row['error']}")
    return row


async def _written(path: Path, export_id: Any) -> None:
    with path.open("wb") as file:
        async for piece in exports.content(export_id):
            file.write(piece)
