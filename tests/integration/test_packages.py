"""Evidence packages over a real service: what is in them, that they hold, who may have them."""

import asyncio
import json
import sys
import zipfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from core import clock, db
from core.actor import Actor
from core.errors import Forbidden, NotFound, ServiceError
from docflow.routing import deliveries
from evidence.packages import exports, packing
from evidence.packages.states import ExportKind
from evidence.verifier import checking, package
from storage import blobs
from tests import ground, people
from tests.packages_stage import a_letter_sent, a_package

WHY = {"purpose": "Проверка комиссии", "basis": "Запрос № 17", "recipient": "Комиссия"}


def members(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def lines(content: bytes) -> Iterator[dict[str, Any]]:
    return map(json.loads, content.splitlines())


def whole(path: Path) -> dict[str, Any]:
    report = package.verify(path)
    assert report.exit_code == 0, report.as_dict()
    return report.facts


async def sent_letter() -> tuple[ground.Ground, Actor, Any]:
    line = await ground.a_ground()
    clerk = await people.clerk_of(line.union)
    await people.give_key(line.union)
    return line, clerk, await a_letter_sent(clerk, line.region, line.local)


async def a_node_receipt(document_id: Any) -> None:
    """What another node signed for, as its room keeps it."""
    node_id, moment = clock.new_id(), clock.now()
    await db.execute(
        """INSERT INTO node (id, name, base_url, status, versions, created_at, updated_at)
           VALUES ($1, 'Узел', 'https://node.test', 'active', '{1}', $2, $2)""",
        node_id, moment,
    )  # fmt: skip
    await db.execute(
        """INSERT INTO node_receipt (id, node_id, uid, kind, document_id, base, signature, kid,
               body, received_at) VALUES ($1, $2, $1, 'receipt', $3, '', '', 'k', '{}', $4)""",
        clock.new_id(), node_id, document_id, moment,
    )  # fmt: skip


@pytest.mark.slow
async def test_package_of_a_document_has_all_of_it(database: str, tmp_path: Path) -> None:
    line, _, document_id = await sent_letter()
    reader = await people.clerk_of(line.region)
    delivery_id = await ground.delivery_to(document_id, line.region)
    await deliveries.acknowledge(reader, delivery_id)
    await a_node_receipt(document_id)
    path = await a_package(line.union, tmp_path, kind=ExportKind.DOCUMENT, subject_id=document_id)
    facts = whole(path)
    assert facts["signatures"] == {"good": 1, "known_broken": 0, "unchecked": 0}
    assert facts["package"]["lacks"] == []
    found = members(path)
    place = f"documents/{document_id}"
    card = json.loads(found[f"{place}/document.json"])
    (signature,) = card["signatures"]
    assert card["number"]
    assert signature["verdict"] == "valid"
    assert found[signature["file"]].startswith(b"%PDF")
    verdict = json.loads(found[signature["verdict_member"]])
    assert {found[one["member"]][:1] for one in verdict["inputs"]} == {b"\x30"}
    told = {one["recipient_id"]: one for one in lines(found[f"{place}/deliveries-001.jsonl"])}
    assert told[str(line.region)]["acknowledged_by"] == "Иванова"
    verbs = {one["event"]["verb"] for one in lines(found[f"{place}/events-001.jsonl"])}
    assert {"document.signed", "document.registered", "delivery.acknowledged"} <= verbs
    (receipt,) = lines(found[f"{place}/node-receipts.jsonl"])
    assert (receipt["node"], receipt["body"]) == ("Узел", "e30=")
    assert facts["log"]["events"] == await db.value(
        "SELECT count(*) FROM event WHERE document_id = $1", document_id
    )
    answer, code = await asyncio.to_thread(checking.check, path, replay=True)
    assert (code, answer["verdicts_made_again"]) == (0, {"same": 1, "other": 0, "not_made": 0})


@pytest.mark.slow
async def test_recipient_gets_the_letter_and_its_own_line_only(
    database: str, tmp_path: Path
) -> None:
    line, _, document_id = await sent_letter()
    path = await a_package(line.region, tmp_path, kind=ExportKind.DOCUMENT, subject_id=document_id)
    whole(path)
    found = members(path)
    place = f"documents/{document_id}"
    (told,) = lines(found[f"{place}/deliveries-001.jsonl"])
    assert told["recipient_id"] == str(line.region)
    card = json.loads(found[f"{place}/document.json"])
    assert (card["dispatches"], len(card["signatures"])) == ([], 1)
    verbs = {one["event"]["verb"] for one in lines(found[f"{place}/events-001.jsonl"])}
    assert "document.created" not in verbs
    assert len([name for name in found if name.startswith("files/")]) == 1, "no earlier revision"
    with pytest.raises(NotFound):
        await a_package(line.stranger, tmp_path, kind=ExportKind.DOCUMENT, subject_id=document_id)


@pytest.mark.slow
async def test_person_organization_and_period(database: str, tmp_path: Path) -> None:
    line, clerk, document_id = await sent_letter()
    await db.execute(
        """INSERT INTO post (person_id, organization_id, kind, title, valid_from)
           VALUES ($1, $2, 'clerk', 'Делопроизводитель', '2020-01-01')""",
        clerk.person_id, line.union,
    )  # fmt: skip
    person = await a_package(
        line.union, tmp_path, kind=ExportKind.PERSON, subject_id=clerk.person_id
    )
    assert whole(person)["signatures"]["good"] == 1
    found = members(person)
    told = json.loads(found[f"people/{clerk.person_id}/person.json"])
    assert (told["name"], told["posts"][0]["title"]) == ("Иванова", "Делопроизводитель")
    assert f"documents/{document_id}/document.json" in found
    body = members(
        await a_package(line.union, tmp_path, kind=ExportKind.ORGANIZATION, subject_id=line.region)
    )
    assert f"organizations/{line.region}/organization.json" in body
    assert f"documents/{document_id}/document.json" in body
    today = clock.today()
    period = {"kind": ExportKind.PERIOD, "since": today, "until": today}
    assert whole(await a_package(line.union, tmp_path, **period))["signatures"]["good"] == 1
    past = {**period, "since": today - timedelta(9), "until": today - timedelta(8)}
    assert whole(await a_package(line.union, tmp_path, **past))["signatures"]["good"] == 0


@pytest.mark.slow
async def test_masked_export_names_nobody_but_keeps_originals(
    database: str, tmp_path: Path
) -> None:
    line, _, document_id = await sent_letter()
    reader = await people.clerk_of(line.region)
    await deliveries.acknowledge(reader, await ground.delivery_to(document_id, line.region))
    path = await a_package(
        line.union, tmp_path, kind=ExportKind.DOCUMENT, subject_id=document_id, level="masked"
    )
    assert whole(path)["package"]["personal_data"] == "masked"
    for name, content in members(path).items():
        if name.endswith((".json", ".jsonl")):
            assert "Смирнов" not in content.decode(), name
            assert "Иванова" not in content.decode(), name


@pytest.mark.slow
async def test_interrupted_export_goes_on_where_it_was(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = await ground.a_ground()
    clerk = await people.clerk_of(line.union)
    await people.give_key(line.union)
    for number in range(5):
        await a_letter_sent(clerk, title=f"Письмо {number}")
    monkeypatch.setattr(packing, "SEGMENT", 100_000)
    monkeypatch.setattr(packing, "BATCH", 1)
    today = clock.today()
    wanted = exports.Wanted(ExportKind.PERIOD, **WHY, since=today, until=today)
    lawyer = await people.clerk_of(line.union, "lawyer")
    export_id = await exports.begin(lawyer, wanted)

    class Killed(BaseException):
        """As a process that is told to stop."""

    seen: list[int] = []

    def stop(export: db.Row) -> None:
        seen.append(export["items_done"])
        if len(seen) in (2, 4):
            raise Killed

    for _ in range(2):
        with pytest.raises(Killed):
            await exports.build(export_id, progress=stop)
    before = await db.rows("SELECT * FROM evidence_part WHERE export_id = $1", export_id)
    assert len(before) == 2
    await exports.build(export_id)
    after = await db.rows("SELECT * FROM evidence_part WHERE export_id = $1", export_id)
    assert [one for one in after if one in before] == before, "what was done was not done again"
    path = tmp_path / "p.zip"
    path.write_bytes(b"".join([piece async for piece in exports.content(export_id)]))
    assert whole(path)["signatures"]["good"] == 5


@pytest.mark.slow
async def test_lost_bytes_are_named_and_the_rest_goes_out(database: str, tmp_path: Path) -> None:
    line, _, document_id = await sent_letter()
    await db.execute(
        """UPDATE blob SET key = 'gone' WHERE id IN (SELECT blob_id FROM document_file
               WHERE document_id = $1 AND NOT is_current)""",
        document_id,
    )
    path = await a_package(line.union, tmp_path, kind=ExportKind.DOCUMENT, subject_id=document_id)
    facts = whole(path)
    (lack,) = facts["package"]["lacks"]
    assert lack.startswith("blob_missing: files/")
    (told,) = lines(members(path)["lacks.jsonl"])
    assert told["code"] == "blob_missing"


@pytest.mark.slow
async def test_expired_package_is_gone_and_its_register_stays(
    database: str, tmp_path: Path
) -> None:
    line, _, document_id = await sent_letter()
    await a_package(line.union, tmp_path, kind=ExportKind.DOCUMENT, subject_id=document_id)
    assert await exports.expire() == 0
    parts = await db.rows("SELECT blob_id FROM evidence_part")
    with clock.frozen(clock.now() + timedelta(days=15)):
        assert await exports.expire() == 1
    for part in parts:
        with pytest.raises(NotFound):
            await blobs.stat(part["blob_id"])
    row = await db.row("SELECT * FROM evidence_export")
    assert row is not None
    assert (row["status"], len(row["statement_sha256"])) == ("expired", 32)
    verbs = await db.rows("SELECT verb FROM event WHERE subject_id = $1 ORDER BY id", row["id"])
    assert [one["verb"] for one in verbs] == [
        "evidence.requested", "evidence.packing", "evidence.ready", "evidence.expired",
    ]  # fmt: skip


async def test_over_http_asked_packed_taken_and_registered(database: str, tmp_path: Path) -> None:
    line, clerk, document_id = await sent_letter()
    lawyer = await people.clerk_of(line.union, "lawyer")
    body = {"kind": "document", "subject_id": str(document_id), **WHY}
    path = "/api/v1/evidence/exports"
    async with ground.api(lawyer) as client:
        made = await client.post(path, json=body, headers={"idempotency-key": "one"})
        again = await client.post(path, json=body, headers={"idempotency-key": "one"})
        assert (made.status_code, again.json()) == (201, made.json()), made.text
        export_id = made.json()["id"]
        early = await client.get(f"{path}/{export_id}/content")
        assert (early.status_code, early.json()["code"]) == (409, "not_ready")
        await exports.build(exports.uuid.UUID(export_id))
        shown = (await client.get(f"{path}/{export_id}")).json()
        assert (shown["status"], shown["items_done"]) == ("ready", shown["items"])
        taken = await client.get(f"{path}/{export_id}/content")
        target = tmp_path / "taken.zip"
        target.write_bytes(taken.content)
        signer = (await client.get(f"{path}/signer")).json()["sha256"]
        report = package.verify(target, signer=signer)
        assert (report.exit_code, report.notes) == (0, [])
        listed = (await client.get(path)).json()["items"]
        assert [one["purpose"] for one in listed] == [WHY["purpose"]]
        for wrong, code in (
            ({**body, "basis": " "}, "purpose_missing"),
            ({**body, "kind": "period"}, "wrong_subject"),
            ({**body, "since": "2026-01-01", "until": "2026-01-02"}, "wrong_period"),
        ):  # fmt: skip
            refused = await client.post(path, json=wrong)
            assert (refused.status_code, refused.json()["code"]) == (422, code)
    async with ground.api(await people.clerk_of(line.region, "lawyer")) as client:
        assert (await client.get(f"{path}/{export_id}")).status_code == 404
        assert (await client.get(path)).json()["items"] == []
    async with ground.api(clerk) as client:
        assert (await client.post(path, json=body)).status_code == 403
    assert await db.value("SELECT count(*) FROM event WHERE verb = 'evidence.taken'") == 1
    assert await db.value(
        "SELECT count(*) FROM read_log WHERE purpose = 'evidence_export' AND actor_id = $1",
        lawyer.id,
    ) == 1  # fmt: skip


@pytest.mark.slow
async def test_failure_is_told_and_can_be_gone_on_from(database: str) -> None:
    line = await ground.a_ground()
    lawyer = await people.clerk_of(line.union, "lawyer")
    wanted = exports.Wanted(ExportKind.ORGANIZATION, **WHY, subject_id=line.union)
    export_id = await exports.begin(lawyer, wanted)
    await db.execute("UPDATE evidence_export SET items = 0 WHERE id = $1", export_id)

    async def broken(*_: object) -> list[Any]:
        raise NotFound(code="gone_meanwhile")

    kinds = dict(packing.KINDS)
    packing.KINDS = {**kinds, "organization": broken}  # type: ignore[misc]  # reason: put back below
    try:
        await exports.build(export_id)
    finally:
        packing.KINDS = kinds  # type: ignore[misc]  # reason: as above
    row = await exports.own(lawyer, export_id)
    assert (row["status"], row["error_code"]) == ("failed", "gone_meanwhile")
    await exports.retry(lawyer, export_id)
    await exports.build(export_id)
    assert (await exports.own(lawyer, export_id))["status"] == "ready"
    with pytest.raises(ServiceError):
        await exports.retry(lawyer, export_id)
    with pytest.raises(Forbidden):
        await exports.listed(await people.clerk_of(line.union))


@pytest.mark.slow
async def test_operator_exports_and_anybody_verifies_by_command(
    database: str, tmp_path: Path
) -> None:
    _, _, document_id = await sent_letter()
    path = tmp_path / "package.zip"
    why = ("--purpose", WHY["purpose"], "--basis", WHY["basis"], "--json")
    code, told = await docflow("export", "document", str(document_id), str(path), *why)
    assert (code, told["ok"], told["bytes"]) == (0, True, path.stat().st_size)
    code, found = await docflow("verify", str(path), "--signer", told["signer"], "--json")
    assert (code, found["verdict"]) == (0, "whole")
    data = bytearray(path.read_bytes())
    data[1000] ^= 1
    path.write_bytes(data)
    code, found = await docflow("verify", str(path), "--json")
    assert (code, found["verdict"]) == (1, "broken")
    nobody = "019a0000-0000-7000-8000-000000000001"
    code, found = await docflow("export", "person", nobody, str(path), *why)
    assert (code, found["code"]) == (1, "not_found")
    for wrong in (("export", "person", "x", str(path), *why), ("verify", str(tmp_path / "no.zip"))):
        assert (await docflow(*wrong))[0] == 64


async def docflow(*words: str) -> tuple[int, dict[str, Any]]:
    """The command in a process of its own."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "cli.py", "evidence", *words,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, problem = await process.communicate()
    assert b"Traceback" not in problem, problem.decode()
    return process.returncode or 0, json.loads(out) if out else {}
