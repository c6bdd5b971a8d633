"""A dossier is whole, signed, replayable, and a changed one is found out by a stranger's script."""

import io
import json
import os
import subprocess
import sys
import uuid
import zipfile
from pathlib import Path
from typing import Any

import pypdfium2
import pytest

from compliance.dossiers import measured
from compliance.publishing import lookback
from compliance.registers import licences
from core import clock, db
from demo import scenes
from evidence.packages.states import ExportKind
from evidence.verifier import package
from signatures.authority import Authority, trust_of
from tests import ground, packages_stage, people, picture_ground
from tests.picture_ground import Office, scene

pytestmark = pytest.mark.slow

SCRIPT = Path("docs/examples/check_dossier.py").resolve()


@pytest.fixture
async def office(database: str, _sandbox: None) -> Office:
    return await picture_ground.an_office()


async def a_use(office: Office, data: bytes) -> str:
    async with ground.api(office.editor) as client:
        page = await picture_ground.a_page(client)
        await picture_ground.put_picture(client, page, data)
        for name in ("ready", "publish"):
            answer = await client.post(f"/api/v1/publications/{page}/{name}")
            assert answer.is_success, answer.text
    return str(await db.value("SELECT id FROM picture_use ORDER BY id DESC LIMIT 1"))


def checked(folder: Path, data: bytes, authority: Authority) -> tuple[int, Any]:
    (folder / "dossier.zip").write_bytes(data)
    from cryptography.hazmat.primitives.serialization import Encoding

    (folder / "root.pem").write_bytes(authority.certificate.public_bytes(Encoding.PEM))
    (folder / "list.crl").write_bytes(trust_of(authority).crls[0])
    done = subprocess.run(
        [sys.executable, SCRIPT, folder / "dossier.zip", "--trust", folder / "root.pem",
         "--crl", folder / "list.crl"],
        capture_output=True, text=True, check=False, cwd=folder,
        env={**os.environ, "PYTHONPATH": str(Path.cwd()),
             "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
    )  # fmt: skip
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, json.loads(done.stdout)


def changed(data: bytes, name: str, content: bytes) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(written, "w") as new:
        for one in old.namelist():
            new.writestr(one, content if one == name else old.read(one))
    return written.getvalue()


async def test_a_dossier_proves_itself(office: Office, tmp_path: Path) -> None:
    await picture_ground.a_licensed(office, scene(1))
    use_id = await a_use(office, scene(1))
    async with ground.api(office.lawyer) as client:
        without = await client.get(f"/api/v1/pictures/uses/{use_id}/dossier")
        assert (without.status_code, without.json()["code"]) == (422, "no_signing_key")
        await people.give_key(office.home)
        answer = await client.get(f"/api/v1/pictures/uses/{use_id}/dossier")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/zip"
    authority = await people.trusted_authority()
    code, said = checked(tmp_path, answer.content, authority)
    assert (code, said["ok"], said["wrong"]) == (0, True, []), said
    assert (said["replay"], said["printed_digest"], said["outcome"]) == ("same", "same", "clear")
    assert said["signature"] == {"verdict": "valid", "reasons": []}, said
    (tmp_path / "whole.zip").write_bytes(answer.content)
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        names = set(archive.namelist())
        told = json.loads(archive.read("dossier.json"))
        pdf = archive.read("dossier.pdf")
        assert archive.read("picture.jpg") == scene(1)
    assert {"case.json", "verdict.json", "licence-1.pdf", "source-1.pdf", "register-1.jpg",
            "register_changes.json", "manifest.json"} <= names  # fmt: skip
    assert told["publication"]["place"] == "https://example.org/news/1"
    assert "publication.published" in {one["verb"] for one in told["events"]}
    assert set(told["people"].values()) == {"Петров"}
    text = " ".join(
        " ".join(page.get_textpage().get_text_range().split())
        for page in pypdfium2.PdfDocument(pdf)
    )
    for words in (
        "Публикация разрешена", "А. Смирнов", "17/26", "публикация вышла — Петров",
        "https://example.org/news/1", told["check"]["register_digest"],
    ):  # fmt: skip
        assert words in text, words
    assert await db.value("SELECT count(*) FROM read_log WHERE purpose = 'picture_dossier'") == 1
    for name, content in (
        ("picture.jpg", scene(2)), ("case.json", b"{}"), ("licence-1.pdf", b"%PDF"),
    ):  # fmt: skip
        code, said = checked(tmp_path, changed(answer.content, name, content), authority)
        assert (code, said["ok"]) != (0, True), name
    broken = pdf.replace(b"/Type", b"/Typo", 1)
    code, said = checked(tmp_path, changed(answer.content, "dossier.pdf", broken), authority)
    assert code == 1
    assert checked(tmp_path, b"no archive", authority)[0] == 2


async def test_it_tells_of_the_look_back_and_the_measurement(
    office: Office, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _, licence_id = await picture_ground.a_licensed(office, scene(1))
    await people.give_key(office.home)
    use_id = await a_use(office, scene(1))
    await licences.revoke(office.editor, licence_id, on=clock.today(), reason="Отозвана")
    await lookback.follow()
    rows = {"crop-25": {"recall": 0.996, "bounds": [0.99, 0.998], "n": 1000}}
    figures = {"results": [{"name": "copy-recall", "notes": {"rows": rows}}],
               "machine": {"at": "2026-11-22T06:00:00+00:00"}}  # fmt: skip
    kept = tmp_path / "copy_recall.json"
    kept.write_text(json.dumps(figures))
    monkeypatch.setattr(measured.last, "__defaults__", (kept,))
    async with ground.api(office.lawyer) as client:
        answer = await client.get(f"/api/v1/pictures/uses/{use_id}/dossier")
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert {"latest_case.json", "latest_verdict.json", "copy_recall.json"} <= set(
            archive.namelist()
        )
        document = pypdfium2.PdfDocument(archive.read("dossier.pdf"))
    text = " ".join(" ".join(page.get_textpage().get_text_range().split()) for page in document)
    assert "обрезка 25 % площади" in text
    assert "0,4 %" in text
    assert "Перепроверка" in text


async def test_who_may_not_know_of_a_use_gets_no_dossier(office: Office) -> None:
    await picture_ground.a_licensed(office, scene(1))
    use_id = await a_use(office, scene(1))
    stranger = await picture_ground.another(await ground.an_organization("union"), "lawyer")
    async with ground.api(stranger) as client:
        answer = await client.get(f"/api/v1/pictures/uses/{use_id}/dossier")
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    above = await picture_ground.another(office.union, "lawyer")
    await people.give_key(office.home)
    async with ground.api(above) as client:
        assert (await client.get(f"/api/v1/pictures/uses/{use_id}/dossier")).status_code == 200


async def test_every_use_is_found_by_the_claimants_copy(office: Office) -> None:
    """The claimant holds the original; what was published is a crop of it, withdrawn since."""
    crop = scenes.as_jpeg(scenes.cropped(scenes.scene(7), share=0.25), quality=80)
    for data in (crop, scene(8)):
        await picture_ground.a_licensed(office, data)
    first = await a_use(office, crop)
    await a_use(office, scene(8))
    async with ground.api(office.lawyer) as client:
        withdrawn = await client.post(f"/api/v1/pictures/uses/{first}/withdraw")
        assert withdrawn.status_code == 204, withdrawn.text
        path = "/api/v1/pictures/uses/search"
        found = (await client.post(path, content=scene(7))).json()
        assert [one["use_id"] for one in found["uses"]] == [first]
        (one,) = found["uses"]
        assert (one["level"], one["match"]["shown_in"]) == ("verified", "use")
        assert one["match"]["cropped"] == pytest.approx(0.25, abs=0.03)
        assert one["withdrawn_at"] is not None
        exact = (await client.post(path, content=scene(8))).json()
        assert [one["level"] for one in exact["uses"]] == ["exact"]
        assert (await client.post(path, content=scene(9))).json()["uses"] == []
        for wrong, code in ((b"", "empty_file"), (b"text", "not_a_picture")):
            refused = await client.post(path, content=wrong)
            assert (refused.status_code, refused.json()["code"]) == (422, code)
    stranger = await picture_ground.another(await ground.an_organization("union"), "lawyer")
    async with ground.api(stranger) as client:
        assert (await client.post(path, content=scene(7))).json()["uses"] == []


async def test_an_evidence_package_of_a_use_holds_the_dossier_and_its_proofs(
    office: Office, tmp_path: Path
) -> None:
    await picture_ground.a_licensed(office, scene(1))
    await people.give_key(office.home)
    use_id = uuid.UUID(await a_use(office, scene(1)))
    path = await packages_stage.a_package(
        office.home, tmp_path, kind=ExportKind.PICTURE, subject_id=use_id
    )
    report = package.verify(path)
    assert report.exit_code == 0, report.as_dict()
    with zipfile.ZipFile(path) as archive:
        held = [name for name in archive.namelist() if name.startswith(f"uses/{use_id}/")]
    assert any(name.endswith("verdict.json") for name in held), held
    assert any("events" in name for name in held), held
