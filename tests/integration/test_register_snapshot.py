"""The index on disk: a started process answers what the registers say, whatever lies there."""

import fcntl
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

from compliance.index import HammingIndex
from compliance.local_index import EXACT, LocalIndex
from compliance.prints import Looked
from compliance.registers import register
from compliance.searching import register_index, snapshots
from core import clock, db, sandbox
from core.settings import settings
from tests import ground, painted

pytestmark = pytest.mark.slow


@pytest.fixture
async def office(database: str) -> painted.Office:
    return await painted.an_office(await ground.an_organization("union"))


async def looked(number: int) -> Looked:
    data = painted.jpeg(painted.cropped(painted.scene(number)))
    found: Looked = await sandbox.pool().run(
        "compliance.searching.references:looked", data, into=Looked
    )
    return found


async def started_anew() -> set[uuid.UUID]:
    """What a process that starts now finds for two pictures."""
    register_index._held.clear()
    found = [set((await register_index.candidates(await looked(number)))[0]) for number in (71, 73)]
    return found[0] | found[1]


async def written() -> Path:
    """Have the snapshot written, as after many changes."""
    index = await register_index.refreshed()
    index.unsaved = 10**9
    await register_index.refreshed()
    assert index.writing is not None
    await index.writing
    folder = await register_index._folder()
    assert folder is not None
    assert folder.is_relative_to(settings().data_dir)
    return folder


async def test_a_start_from_the_snapshot_knows_what_came_after(office: painted.Office) -> None:
    first = await painted.a_picture(office, painted.jpeg(painted.scene(71)))
    gone = await painted.a_picture(office, painted.jpeg(painted.scene(72)))
    folder = await written()
    held = snapshots.read(folder)
    assert held is not None
    assert (len(held.hashes), len(held.local), held.local.effort) == (2, 2, EXACT)
    later = await painted.a_picture(office, painted.jpeg(painted.scene(73)))
    await register.retire(office.editor, gone, reason="Внесено дважды")  # type: ignore[arg-type]  # reason: id
    assert await started_anew() == {first, later}
    index = await register_index.refreshed()
    assert (len(index.hashes), len(index.local)) == (2, 2)
    assert (await written(), snapshots.read(folder) is not None) == (folder, True)
    assert len(list(folder.iterdir())) == 4, "old files go"


@pytest.mark.parametrize("harm", ["torn", "flipped", "no file", "manifest", "recipe", "other past"])
async def test_a_snapshot_that_does_not_fit_is_passed_over(
    office: painted.Office, harm: str
) -> None:
    first = await painted.a_picture(office, painted.jpeg(painted.scene(71)))
    folder = await written()
    (hashes,) = folder.glob("hashes-*")
    manifest = folder / "manifest.json"
    said, data = manifest.read_text(), hashes.read_bytes()
    match harm:
        case "torn":
            hashes.write_bytes(data[:-8])
        case "flipped":
            hashes.write_bytes(data[:60] + bytes([data[60] ^ 1]) + data[61:])
        case "no file":
            hashes.unlink()
        case "manifest":
            manifest.write_text(said[:-20])
        case "recipe":
            manifest.write_text(said.replace(snapshots.RECIPE, "index-0"))
        case _:
            digest = await db.value("SELECT encode(digest, 'hex') FROM register_change LIMIT 1")
            last = said.partition('"digest":"')[2][:64]
            manifest.write_text(said.replace(last, "0" * 64 if last != digest else "1" * 64))
    assert await started_anew() == {first}


def test_one_process_writes_at_a_time(tmp_path: Path) -> None:
    index = HammingIndex()
    index.add(clock.new_id(), [bytes(32)])
    parts = {"digest": "", "effort": EXACT, "hashes": index.frozen(),
             "local": LocalIndex(EXACT).columns()}  # fmt: skip
    assert snapshots.write(tmp_path, seen=1, **parts)  # type: ignore[arg-type]  # reason: as listed
    with Path(tmp_path, "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert not snapshots.write(tmp_path, seen=2, **parts)  # type: ignore[arg-type]  # reason: as above
    assert snapshots.write(tmp_path, seen=3, **parts)  # type: ignore[arg-type]  # reason: as above
    found = snapshots.read(tmp_path)
    assert found is not None
    assert found.seen == 3


WRITER = """
import sys, uuid
from pathlib import Path
from compliance.index import HammingIndex
from compliance.local_index import EXACT, LocalIndex
from compliance.searching import snapshots
for turn in range(200):
    index = HammingIndex()
    for number in range(turn % 7 + 1):
        index.add(uuid.uuid4(), [bytes(32)])
    snapshots.write(Path(sys.argv[1]), seen=turn % 7 + 1, digest="", effort=EXACT,
                    hashes=index.frozen(), local=LocalIndex(EXACT).columns())
"""


def test_readers_see_a_whole_snapshot_while_others_write(tmp_path: Path) -> None:
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path)]) for _ in range(3)]
    seen = 0
    while any(one.poll() is None for one in writers):
        found = snapshots.read(tmp_path)
        if found is not None:
            seen += 1
            assert len(found.hashes) == found.seen
    assert [one.returncode for one in writers] == [0, 0, 0]
    assert seen > 10
