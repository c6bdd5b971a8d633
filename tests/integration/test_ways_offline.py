"""Documents on a stick: out into a real folder, into another installation, answers back."""

import shutil
import uuid
import zipfile
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from core import clock, db
from core.actor import Actor
from core.errors import Conflict, InvalidInput
from core.sandbox.errors import HostileInput
from core.settings import settings
from docflow.gateways.offline import answering, reading
from docflow.gateways.offline.manifests import Manifest, Named
from docflow.routing import recall
from docflow.routing.offline import incoming, keys, packages
from tests import people, ways_second, ways_stage
from tests.ways_stage import Ways


@pytest.fixture
async def stage(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Ways]:
    monkeypatch.setenv("OFFLINE_OUT", str(tmp_path / "out"))
    settings.cache_clear()
    yield await ways_stage.a_stage()
    settings.cache_clear()


async def _out(stage: Ways, tmp_path: Path, letters: int = 1) -> tuple[uuid.UUID, Path]:
    """A primary with so many letters waiting, and its newest package."""
    primary = await ways_stage.a_primary(stage, "offline", "paper")
    for _ in range(letters):
        await ways_stage.a_letter(stage.clerk, primary)
    await ways_stage.carry()
    return primary, max((tmp_path / "out").rglob("*.zip"))


def _manifest(path: Path) -> Manifest:
    return reading.read(str(path)).parsed()[0]


async def _answered(path: Path, target: Path, **more: object) -> Path:
    person = Named("Иванова", "Анна", "Петровна", "председатель")
    await answering.answer(_manifest(path), target, person=person, **more)  # type: ignore[arg-type]
    return target


async def _statuses() -> list[str]:
    return [row["status"] for row in await db.rows("SELECT status FROM delivery ORDER BY id")]


async def test_one_file_holds_everything_that_waits(stage: Ways, tmp_path: Path) -> None:
    primary, path = await _out(stage, tmp_path, letters=3)
    manifest = _manifest(path)
    assert len(manifest.documents) == 3
    assert manifest.recipient.id == primary
    assert len(list((tmp_path / "out").rglob("*.zip"))) == 1
    assert await _statuses() == ["queued"] * 3
    rows = await db.rows("SELECT status FROM consignment")
    assert [row["status"] for row in rows] == ["sent"] * 3
    with zipfile.ZipFile(path) as archive:
        assert archive.read(manifest.documents[0].files[0].path) == ways_stage.BODY
    # a clerk may ask for it as well; what was answered meanwhile is not in it
    await incoming.take(await _answered(path, tmp_path / "a.zip", numbers=[1]))
    again = await packages.make(stage.clerk, primary, folder=tmp_path / "asked")
    assert (again.documents, again.sequence) == (2, manifest.sequence + 1)


async def test_answers_come_back_once(stage: Ways, tmp_path: Path) -> None:
    _, path = await _out(stage, tmp_path, letters=2)
    answers = await _answered(path, tmp_path / "a.zip")
    taken = await incoming.take(answers)
    assert (taken.is_repeat, taken.answers) == (False, {"acknowledged": 2})
    assert await _statuses() == ["acknowledged"] * 2
    assert (await incoming.take(answers)).is_repeat
    other = await _answered(path, tmp_path / "b.zip")
    assert (await incoming.take(other)).answers == {"known": 2}
    (delivery, *_) = await db.rows("SELECT * FROM delivery ORDER BY id")
    chairman = await db.value("SELECT person_id FROM post WHERE organization_id = $1",
                              delivery["recipient_id"])  # fmt: skip
    assert delivery["acknowledged_by"] == chairman
    assert await ways_stage.told(delivery["id"]) == [
        "delivery.made", "delivery.delivered", "delivery.opened", "delivery.acknowledged",
    ]  # fmt: skip
    assert {row["status"] for row in await db.rows("SELECT status FROM consignment")} == {"done"}


async def test_a_refusal_comes_back_with_its_reason(stage: Ways, tmp_path: Path) -> None:
    _, path = await _out(stage, tmp_path)
    back = await _answered(path, tmp_path / "a.zip", kind="refused", reason="не наш документ")
    assert (await incoming.take(back)).answers == {"refused": 1}
    (delivery,) = await db.rows("SELECT * FROM delivery")
    assert delivery["status"] == "refused"
    assert "не наш документ" in delivery["reason"]


async def test_packages_that_are_not_taken(stage: Ways, tmp_path: Path) -> None:
    _, path = await _out(stage, tmp_path)
    answers = await _answered(path, tmp_path / "a.zip")
    broken = tmp_path / "broken.zip"
    broken.write_bytes(answers.read_bytes().replace("Анна".encode(), "Инна".encode()))
    with pytest.raises(HostileInput):
        await incoming.take(broken)
    with pytest.raises(InvalidInput) as own:
        await incoming.take(path)
    assert own.value.error_code == "package_own"
    # answers to a document that another organization got
    _, other = await _out(stage, tmp_path)
    ours, theirs = _manifest(path), _manifest(other)
    mixed = msgspec.structs.replace(theirs, documents=ours.documents)
    person = Named("Иванова")
    await answering.answer(mixed, tmp_path / "m.zip", person=person)
    with pytest.raises(InvalidInput) as foreign:
        await incoming.take(tmp_path / "m.zip")
    assert foreign.value.error_code == "package_foreign"
    assert await _statuses() == ["queued"] * 2
    assert await db.value("SELECT count(*) FROM offline_package WHERE direction = 'in'") == 0
    stranger = await ways_stage.a_primary(stage, "internal")
    with pytest.raises(InvalidInput):
        await incoming.take(answers, actor=await people.clerk_of(stranger))


async def test_half_good_answers_change_nothing(stage: Ways, tmp_path: Path) -> None:
    _, path = await _out(stage, tmp_path, letters=2)
    package = _manifest(path)
    (first, second) = package.documents
    strange = msgspec.structs.replace(second, delivery_id=uuid.uuid4())
    half = msgspec.structs.replace(package, documents=(first, strange))
    await answering.answer(half, tmp_path / "h.zip", person=Named("Иванова"))
    with pytest.raises(InvalidInput) as refused:
        await incoming.take(tmp_path / "h.zip")
    assert refused.value.error_code == "package_foreign"
    assert await _statuses() == ["queued"] * 2


async def test_restricted_and_recalled_documents_are_in_no_package(
    stage: Ways, tmp_path: Path
) -> None:
    primary = await ways_stage.a_primary(stage, "offline")
    await ways_stage.a_letter(stage.clerk, primary, mark="dsp")
    recalled = await ways_stage.a_letter(stage.clerk, primary)
    await recall.recall(stage.clerk, recalled, reason="Ошибка в тексте")
    await ways_stage.carry()
    assert not (tmp_path / "out").exists()
    with pytest.raises(InvalidInput) as refused:
        await packages.make(stage.clerk, primary, folder=tmp_path / "asked")
    assert refused.value.error_code == "nothing_to_pack"


async def _trusting(template: str, stage: Ways, primary: uuid.UUID, url: str) -> Actor:
    """The second installation with the registry and our key, and its clerk."""
    rows, ours = await ways_second.registry(), await keys.public_hex()
    async with ways_second.standing_in(url):
        await ways_second.enter_registry(rows)
        clerk = await people.clerk_of(primary, "clerk", "signatory", "administrator")
        await keys.trust(clerk, public=ours, organization_id=stage.clerk.home_id)
    return clerk


async def test_from_one_installation_to_another_and_back(
    stage: Ways, tmp_path: Path, template: str
) -> None:
    from docflow.routing import deliveries

    primary, path = await _out(stage, tmp_path, letters=2)
    (tmp_path / "stick").mkdir()
    stick = Path(shutil.copy(path, tmp_path / "stick" / "first.zip"))
    async with ways_second.second_database(template) as url:
        clerk = await _trusting(template, stage, primary, url)
        async with ways_second.standing_in(url):
            taken = await incoming.take(stick)
            assert (taken.documents, taken.is_repeat) == (2, False)
            assert (await incoming.take(stick)).is_repeat
            rows = await db.rows(
                """SELECT v.id, v.status, d.origin FROM delivery AS v
                   JOIN document AS d ON d.id = v.document_id ORDER BY v.id"""
            )
            assert [(row["status"], row["origin"]) for row in rows] == [
                ("delivered", "external")
            ] * 2
            await deliveries.acknowledge(clerk, rows[0]["id"])
            back = await packages.make(clerk, stage.clerk.home_id, folder=tmp_path / "back")
            assert (back.documents, back.answers) == (0, 2)
            theirs = await keys.public_hex()
        with pytest.raises(HostileInput) as unknown:
            await incoming.take(back.path)
        assert unknown.value.error_code == "package_key_unknown"
        administrator = replace(stage.clerk, roles=frozenset({"administrator", "clerk"}))
        await keys.trust(administrator, public=theirs, organization_id=primary)
        came = await incoming.take(back.path)
        assert came.answers == {"acknowledged": 1, "delivered": 1}
        assert await _statuses() == ["acknowledged", "delivered"]
        await _older_is_refused(stage, primary, clerk, path, url)


async def _older_is_refused(
    stage: Ways, primary: uuid.UUID, clerk: Actor, path: Path, url: str
) -> None:
    """One more letter; the package before it is an older one then, and a key may be withdrawn."""
    await ways_stage.a_letter(stage.clerk, primary)
    await ways_stage.carry()
    newer = max(path.parent.rglob("*.zip"))
    async with ways_second.standing_in(url):
        assert (await incoming.take(newer)).documents == 1
        assert (await incoming.take(path)).is_repeat
        await db.execute("DELETE FROM offline_package WHERE sequence = 1")
        with pytest.raises(Conflict) as older:
            await incoming.take(path)
        assert older.value.error_code == "package_older"
        assert await db.value("SELECT count(*) FROM document") == 3
        await keys.distrust(clerk, public=await _public(newer))
        await db.execute("DELETE FROM offline_package")
        with pytest.raises(HostileInput):
            await incoming.take(newer)


async def _public(path: Path) -> str:
    return reading.read(str(path)).parsed()[1].key


async def test_a_key_speaks_only_for_its_own_and_to_those_who_trust_it(
    stage: Ways, tmp_path: Path, template: str
) -> None:
    primary, path = await _out(stage, tmp_path)
    neighbour = await ways_stage.a_primary(stage, "offline")
    async with ways_second.second_database(template) as url:
        rows, ours = await ways_second.registry(), await keys.public_hex()
        async with ways_second.standing_in(url):
            await ways_second.enter_registry(rows)
            for home, speaks_for in ((neighbour, stage.clerk.home_id), (primary, stage.region)):
                clerk = await people.clerk_of(home, "administrator")
                await keys.trust(clerk, public=ours, organization_id=speaks_for)
            with pytest.raises(InvalidInput) as refused:
                await incoming.take(path)
            assert refused.value.error_code == "package_foreign"
            assert await db.value("SELECT count(*) FROM document") == 0


async def test_a_folder_that_is_gone_is_tried_again(
    stage: Ways, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("OFFLINE_OUT", str(tmp_path / "file" / "out"))
    settings.cache_clear()
    primary = await ways_stage.a_primary(stage, "offline")
    document_id = await ways_stage.a_letter(stage.clerk, primary)
    await ways_stage.carry()
    row = await ways_stage.message_of(document_id, "offline")
    assert (row["status"], row["error_code"]) == ("waiting", "offline_folder")
    assert row["next_attempt_at"] > clock.now()
