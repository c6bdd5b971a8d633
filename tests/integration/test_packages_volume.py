"""Many packages and large ones: 1,000 checked where there is nothing else, 10,000 documents."""

import asyncio
import json
import os
import random
import shutil
import subprocess
import sys
import time
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from core import clock, db
from core.actor import RULE, Actor
from evidence.packages import exports
from evidence.packages.states import ExportKind
from evidence.verifier import archive, package
from storage import blobs
from tests import ground, packages_made, packages_stage, people

PACKAGES = 1000
ISOLATED = ("unshare", "--user", "--map-root-user", "--net")
"""A network of its own, in which there is nobody."""


def alone(*words: str | Path) -> subprocess.CompletedProcess[str]:
    """The one file in an empty folder, without network and without anything of ours."""
    cut_off = ISOLATED if shutil.which("unshare") and _may_unshare() else ()
    return subprocess.run(
        [*cut_off, sys.executable, "-I", packages_made.verifier(), *words],
        capture_output=True, text=True, check=False, env={"PATH": "/usr/bin:/bin"}, cwd="/",
    )  # fmt: skip


def _may_unshare() -> bool:
    return subprocess.run([*ISOLATED, "true"], capture_output=True, check=False).returncode == 0


async def blob_of(content: bytes) -> blobs.StoredBlob:
    async def stream() -> AsyncIterator[bytes]:
        yield content

    return await blobs.store(stream(), limit=1 << 30)


async def documents(actor: Actor, number: int, *, size: int) -> list[uuid.UUID]:
    """Registered letters with a file of their own each, put there by SQL."""
    noise = random.Random(5).randbytes(size)  # noqa: S311 - bytes of some size
    made = []
    for start in range(0, number, 50):
        count = min(50, number - start)
        ids = await ground.signed_documents(actor, count, title="О сроках отчётности")
        stored = await asyncio.gather(*(blob_of(one.bytes + noise) for one in ids))
        for document_id, blob in zip(ids, stored, strict=True):
            await db.execute(
                """UPDATE document_file SET blob_id = $2, size = $3, sha256 = $4
                   WHERE document_id = $1""",
                document_id, blob.id, blob.size, bytes.fromhex(blob.sha256),
            )  # fmt: skip
        made += ids
    return made


@pytest.mark.prove
async def test_evidence_thousand_packages_checked_with_nothing_around(
    database: str, tmp_path: Path
) -> None:
    """Each is good as it is, and none with one byte changed, by the file run on its own."""
    line = await ground.a_ground()
    clerk = await people.clerk_of(line.union)
    await people.give_key(line.union)
    letters = [await packages_stage.a_letter_sent(clerk, line.region) for _ in range(10)]
    made = await documents(clerk, PACKAGES - len(letters), size=20_000)
    chance = random.Random(17)  # noqa: S311 - places to change
    seconds = 0.0
    for document_id in (*letters, *made):
        path = await packages_stage.a_package(
            line.union, tmp_path, kind=ExportKind.DOCUMENT, subject_id=document_id
        )
        began = time.perf_counter()
        good = await asyncio.to_thread(alone, path)
        seconds += time.perf_counter() - began
        assert good.returncode == 0, good.stdout + good.stderr
        data = bytearray(path.read_bytes())
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        path.write_bytes(data)
        changed = await asyncio.to_thread(alone, path)
        assert changed.returncode == 1, changed.stdout + changed.stderr
        path.unlink()
    sys.stderr.write(
        f"{PACKAGES} packages, {1000 * seconds / PACKAGES:.0f} ms each with start-up\n"
    )


@pytest.mark.prove
async def test_evidence_flips_in_every_member_of_a_real_package(
    database: str, tmp_path: Path
) -> None:
    """In each member, its header, its entry in the directory, and in the ending: found."""
    line = await ground.a_ground()
    clerk = await people.clerk_of(line.union)
    await people.give_key(line.union)
    document_id = await packages_stage.a_letter_sent(clerk, line.region)
    path = await packages_stage.a_package(
        line.union, tmp_path, kind=ExportKind.DOCUMENT, subject_id=document_id
    )
    data = path.read_bytes()
    with path.open("rb") as stream:
        members = archive.read_archive(stream)
    chance = random.Random(23)  # noqa: S311 - places to change
    places = {at for one in members for at in range(one.start, one.data)}
    for one in members:
        inside = range(one.data, one.data + one.size)
        places |= {*inside[:2], *inside[-2:], *chance.sample(inside, min(20, one.size))}
    directory = members[-1].data + members[-1].size
    places |= set(range(directory, len(data), 3)) | set(range(len(data) - 200, len(data)))
    missed = []
    for at in sorted(places):
        path.write_bytes(data[:at] + bytes([data[at] ^ 1 << at % 8]) + data[at + 1 :])
        if package.verify(path).exit_code != 1:
            missed.append(at)
    assert missed == []
    sys.stderr.write(f"{len(places)} places in {len(members)} members\n")


async def until_done(export_id: uuid.UUID, number: int) -> None:
    """Wait until so many items are recorded."""
    for _ in range(6000):
        if (await exports.row_of(export_id))["items_done"] >= number:
            return
        await asyncio.sleep(0.1)
    raise TimeoutError


@pytest.mark.prove
async def test_evidence_ten_thousand_documents_at_constant_memory(
    database: str, tmp_path: Path
) -> None:
    """Twenty times as many documents take no more memory; killed, it goes on where it was."""
    line = await ground.a_ground()
    clerk = await people.clerk_of(line.union)
    peaks = {}
    for number in (500, 9_500):
        await documents(clerk, number, size=30_000)
        today = clock.today()
        wanted = exports.Wanted(
            ExportKind.PERIOD, "Проверка", "Запрос", "Комиссия", since=today, until=today
        )
        export_id = await exports.begin(RULE.acting_for(line.union), wanted)
        began, killed = time.perf_counter(), 0
        while (row := await exports.row_of(export_id))["status"] != "ready":
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-c", _BUILD, str(export_id), stdout=subprocess.PIPE,
                env=dict(os.environ),
            )  # fmt: skip
            if number > 1000 and killed < 2:
                await until_done(export_id, row["items_done"] + 500)
                process.kill()
                killed += 1
            told, _ = await process.communicate()
            if told:
                peaks[number] = json.loads(told)
        spent = time.perf_counter() - began
        path = tmp_path / "period.zip"
        with path.open("wb") as file:
            async for piece in exports.content(export_id):
                file.write(piece)
        report = await asyncio.to_thread(package.verify, path)
        assert report.exit_code == 0, report.as_dict()["problems"][:5]
        row = await exports.row_of(export_id)
        sys.stderr.write(
            f"{number}: {row['members']} members, {row['bytes'] / 1e6:.0f} MB, {spent:.0f} s, "
            f"peak {peaks[number]:.0f} MB, killed {killed} times\n"
        )
    assert peaks[9_500] < 1.15 * peaks[500] + 20


_BUILD = """
import asyncio, json, resource, sys, uuid
sys.path.insert(0, ".")
from core import sandbox
from core.db import DB
from evidence.packages import exports
async def main():
    await DB.open()
    try:
        await exports.build(uuid.UUID(sys.argv[1]))
    finally:
        await sandbox.pool().close()
        await DB.close()
asyncio.run(main())
print(json.dumps(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000))
"""
