"""Erasure by an act: nothing of the person anywhere, every other proof whole, holds, restores."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from core import clock, db
from core.actor import RULE
from core.errors import Conflict, Forbidden, InvalidInput, NotFound
from core.jobs import JOBS
from core.settings import settings
from directory import people as directory_people
from directory import purposes
from directory.states import PostKind
from docflow.documents import holds, search
from evidence.log import checking, sequencing
from evidence.packages.states import ExportKind
from evidence.privacy import acts, backups, consents, erasing, gate, register
from evidence.privacy import jobs as privacy_jobs
from storage import blobs, s3
from storage.destroying import ContentDestroyed
from tests import packages_made, packages_stage, people, privacy_ground
from tests.privacy_ground import dumped, nothing_left, restored, run, superuser_url
from tests.privacy_stage import (
    Stage,
    a_stage,
    approved,
    met_in,
    met_in_store,
    proposal,
    unpacked,
)

pytestmark = pytest.mark.slow


@pytest.fixture
async def stage(database: str) -> AsyncIterator[Stage]:
    async with privacy_ground.own_bucket():
        yield await a_stage()


async def test_after_an_erasure_nothing_is_left_and_all_else_is_proved(
    stage: Stage, tmp_path: Path
) -> None:
    home = stage.line.region
    for kind in ("organization", "document"):
        await packages_stage.a_package(
            home, tmp_path, kind=ExportKind(kind),
            subject_id=home if kind == "organization" else stage.about,
        )  # fmt: skip
    while await sequencing.take():
        pass
    before = await db.value("SELECT size FROM log_state")
    assert met_in(dumped()) != []
    assert await met_in_store() != []
    found = await acts.look(stage.lawyer, stage.person_id)
    assert [row["id"] for row in found.documents] == [stage.about]
    act_id = await approved(stage)
    await erasing.execute(act_id)
    act = await acts.show(stage.lawyer, act_id)
    assert (act["status"], act["remains"]) == ("done", [])
    await nothing_left(stage)
    while await sequencing.take():
        pass
    report = await checking.check_all()
    assert (report.findings, report.counts) == (0, {})
    assert report.size > before
    assert report.erased >= 4
    # what had nothing to do with her is whole, and packages tell of the rest without her
    for kind, subject in (("document", stage.other), ("document", stage.about),
                          ("organization", home), ("person", stage.person_id)):  # fmt: skip
        package = await packages_stage.a_package(
            home, tmp_path, kind=ExportKind(kind), subject_id=subject
        )
        verified = await asyncio.create_subprocess_exec(
            sys.executable, packages_made.verifier(), package,
            stdout=subprocess.PIPE,
        )  # fmt: skip
        said, _ = await verified.communicate()
        assert verified.returncode in (0, 2), (kind, said.decode()[:800])
        assert met_in(package.read_bytes() + b"".join(unpacked(package.read_bytes()))) == []
    told = await db.rows(
        "SELECT verb FROM event WHERE data->>'act_id' = $1 AND verb <> 'event.detail_erased'",
        str(act_id),
    )
    assert {row["verb"] for row in told} == {"person.erased", "document.content_erased"}
    files = await db.rows("SELECT blob_id FROM document_file WHERE document_id = $1", stage.about)
    with pytest.raises(ContentDestroyed):
        await blobs.stat(files[0]["blob_id"])


async def test_a_restored_backup_forgets_before_the_service_opens(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ERASURE_REGISTER", str(tmp_path / "register"))
    settings.cache_clear()
    backup = tmp_path / "backup"
    run("pg_dump", "--format=custom", "--file", backup, superuser_url())
    act_id = await approved(stage)
    await erasing.execute(act_id)
    await nothing_left(stage)
    assert await gate.pass_() == 0
    await restored(backup)
    assert met_in(dumped()) != []
    assert [one.id for one in await register.missing()] == [act_id]
    # the folder remembers when the store was restored as well
    await s3.call(s3.remove, [f"{register.PREFIX}{act_id}"])
    assert [one.id for one in await register.missing()] == [act_id]
    assert await gate.pass_() == 1
    await nothing_left(stage)
    assert await gate.pass_() == 0
    act = await acts.show(stage.lawyer, act_id)
    assert (act["status"], act["is_replay"]) == ("done", True)
    # when no backup can bring her back, the register forgets by what it looked for her
    assert await register.forget_values(older_than=clock.now()) == 1
    (entry,) = await register.entries()
    assert entry.sealed == b""


async def test_under_legal_hold_it_is_refused_until_the_hold_is_lifted(stage: Stage) -> None:
    act_id = await approved(stage)
    hold_id = await holds.place(
        stage.lawyer, kind="document", subject_id=stage.about, reason="Иск по делу № 2-1/2026"
    )
    for kind, subject in (("person", stage.person_id), ("organization", stage.line.region)):
        with pytest.raises(Conflict, match="legal_hold"):
            await erasing.execute(act_id)
        await holds.lift(stage.lawyer, hold_id, reason="Иск отозван")
        hold_id = await holds.place(stage.lawyer, kind=kind, subject_id=subject, reason="Проверка")
    with pytest.raises(Conflict, match="legal_hold"):
        await erasing.execute(act_id)
    assert (await acts.show(stage.lawyer, act_id))["stopped_by"] == "legal_hold"
    assert met_in(dumped()) != []
    assert await register.entries() == []
    told = await db.value("SELECT count(*) FROM event WHERE verb = 'erasure.refused'")
    assert told == 1
    await holds.lift(stage.lawyer, hold_id, reason="Проверка окончена")
    await erasing.execute(act_id)
    assert (await acts.show(stage.lawyer, act_id))["status"] == "done"


async def test_a_kill_between_any_two_steps_loses_nothing(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process dies after every commit in turn; each new one goes on."""
    act_id = await approved(stage)
    whole, left = db.transaction, [0]

    class Killed(BaseException):
        pass

    @asynccontextmanager
    async def mortal():  # type: ignore[no-untyped-def]  # reason: stands in for db.transaction
        nested = db.in_transaction()
        async with whole() as connection:
            yield connection
        if not nested:
            left[0] -= 1
            if left[0] == 0:
                raise Killed

    monkeypatch.setattr(db, "transaction", mortal)
    deaths = 0
    while True:
        left[0] = 1 + 2 * deaths if deaths < 12 else 60
        try:
            await erasing.execute(act_id)
        except Killed:
            deaths += 1
            continue
        break
    assert deaths >= 12
    monkeypatch.undo()
    await nothing_left(stage)
    assert await db.value("SELECT count(*) FROM event WHERE verb = 'erasure.done'") == 1
    assert await db.value("SELECT count(*) FROM event WHERE verb = 'person.erased'") == 1


async def test_who_may_not_and_what_an_act_must_say(stage: Stage) -> None:
    stranger = await people.clerk_of(stage.line.stranger, "lawyer", "administrator")
    with pytest.raises(NotFound):
        await acts.look(stranger, stage.person_id)
    with pytest.raises(Forbidden):
        await acts.look(await people.clerk_of(stage.line.region), stage.person_id)
    wrong: dict[str, dict[str, object]] = {
        "commission_too_small": {"members": [stage.others[0].account_id]},
        "member_unfit": {"members": [stage.others[0].account_id, stage.account_id]},
        "erasure_incomplete": {"documents": {}},
        "basis_names_person": {"basis": "Заявление Замоскворецкой Е.А."},
        "ground_unknown": {"ground": "because"},
        "basis_missing": {"basis": ""},
    }
    for code, more in wrong.items():
        with pytest.raises((InvalidInput, Conflict)) as refused:
            await acts.propose(stage.lawyer, proposal(stage, **more))
        assert refused.value.error_code == code
    act_id = await acts.propose(stage.lawyer, proposal(stage))
    with pytest.raises(Conflict, match="erasure_open"):
        await acts.propose(stage.lawyer, proposal(stage))
    with pytest.raises(NotFound):
        await acts.approve(stranger, act_id)
    await acts.approve(stage.others[0], act_id)
    assert (await acts.own(stage.lawyer, act_id))["status"] == "proposed"
    await erasing.execute(act_id)
    assert (await acts.own(stage.lawyer, act_id))["status"] == "proposed"
    await acts.cancel(stage.lawyer, act_id, reason="Ошибка в основании")
    assert await acts.propose(stage.lawyer, proposal(stage)) != act_id


async def test_a_withdrawn_consent_closes_packages_and_lists_at_once(
    stage: Stage, tmp_path: Path
) -> None:
    subject = {"kind": ExportKind.PERSON, "subject_id": stage.person_id}
    before = await packages_stage.a_package(stage.line.region, tmp_path, **subject)
    assert met_in(before.read_bytes()) != []
    await purposes.publish(RULE.acting_for(stage.line.region), purpose="directory", text="да " * 9)
    await consents.give(stage.lawyer, stage.person_id, purpose="directory", version=1)
    await consents.withdraw(stage.lawyer, stage.person_id, purpose="directory")
    assert await db.value("SELECT array_agg(DISTINCT status) FROM evidence_export") == ["expired"]
    after = await packages_stage.a_package(stage.line.region, tmp_path, **subject)
    assert met_in(after.read_bytes() + b"".join(unpacked(after.read_bytes()))) == []
    (shown,) = await directory_people.of_organization(
        stage.lawyer, organization_id=stage.line.region, purpose="test",
        posts=(PostKind.ACCOUNTANT,),
    )  # fmt: skip
    assert met_in(str(shown).encode()) == []
    waiting = await db.value(
        "SELECT args FROM procrastinate_jobs WHERE task_name = $1", consents.REMOVE_JOB
    )
    assert JOBS[consents.REMOVE_JOB].function is privacy_jobs.remove_objects
    await privacy_jobs.remove_objects(**waiting)
    # what is closed can still be erased: the values are opened for the search
    await erasing.execute(await approved(stage))
    await nothing_left(stage)


def test_backups_that_should_be_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, days in (("old.dump", 31), ("fresh.dump", 29), (".hidden", 99)):
        (tmp_path / name).write_bytes(b"x")
        moment = time.time() - days * 86400
        os.utime(tmp_path / name, (moment, moment))
    monkeypatch.setenv("BACKUPS", str(tmp_path))
    settings.cache_clear()
    assert asyncio.run(backups.overdue()) == ["old.dump"]
    settings.cache_clear()


async def test_what_is_kept_on_a_legal_ground_stays_whole_and_is_not_found(stage: Stage) -> None:
    kept = {stage.about: ("keep", "Приказ Росархива от 20.12.2019 № 236, ст. 434: 50 лет")}
    sent = await db.row("SELECT * FROM document_file WHERE document_id = $1", stage.about)
    assert sent is not None
    act_id = await approved(stage, documents=kept)
    await erasing.execute(act_id)
    act = await acts.show(stage.lawyer, act_id)
    assert (act["status"], act["remains"]) == ("done", [])
    assert len(await blobs.read(sent["blob_id"], limit=10**7)) == sent["size"]
    assert await search.documents(stage.lawyer, wanted=search.Wanted("Замоскворецкая")) == []
    person = await db.row("SELECT * FROM person WHERE id = $1", stage.person_id)
    assert person is not None
    assert (person["last_name"], person["email"]) == ("Данные удалены", "")


async def test_bytes_that_another_document_needs_stay(stage: Stage) -> None:
    blob_id = await db.value(
        "SELECT blob_id FROM document_file WHERE document_id = $1 AND is_current", stage.about
    )
    await db.execute(
        "UPDATE document_file SET blob_id = $2 WHERE document_id = $1", stage.other, blob_id
    )
    await erasing.execute(await approved(stage))
    assert (await blobs.stat(blob_id)).size > 0


def test_settings_of_backups(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BACKUP_DAYS", "14")
    settings.cache_clear()
    assert settings().backups_kept.days == 14
    settings.cache_clear()
