"""Offline packages: whole or nothing, by whom, for whom; read in the sandbox, no database."""

import asyncio
import hashlib
import json
import subprocess
import sys
import uuid
import zipfile
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from core.sandbox.errors import HostileInput
from docflow.gateways.offline import answering, command, packing, reading, seals
from docflow.gateways.offline.manifests import (
    DocumentEntry,
    FileEntry,
    Manifest,
    Named,
    Party,
    SignatureEntry,
    encoded,
)

KEY = Ed25519PrivateKey.generate()
PUBLIC = KEY.public_key().public_bytes_raw().hex()
UNION = Party(uuid.uuid4(), "07-00", "Профсоюз <работников> здравоохранения")
PRIMARY = Party(uuid.uuid4(), "07-38-012-0345", "ППО районной больницы")
BODY, MARK = b"%PDF-1.7 body" * 1000, b"\x30\x82 signature"


def _entry(place: int) -> DocumentEntry:
    folder = f"documents/{place:02}"
    return DocumentEntry(
        uid=uuid.uuid4(), delivery_id=uuid.uuid4(), document_id=uuid.uuid4(),
        code="482 1930 5763", author=UNION, kind="circular", title="О <b>выборах</b>",
        number=f"01-12/{place}", date="20.11.2026", due_on="15.12.2026",
        files=(
            FileEntry(
                path=f"{folder}/Письмо.pdf", file_name="Письмо.pdf", title="", role="main",
                position=0, media_type="application/pdf", size=len(BODY),
                sha256=hashlib.sha256(BODY).hexdigest(),
                signatures=(SignatureEntry(
                    f"{folder}/Письмо.pdf.1.sig", "approving", len(MARK),
                    hashlib.sha256(MARK).hexdigest(),
                ),),
            ),
        ),
    )  # fmt: skip


async def _bytes(data: bytes) -> AsyncIterator[bytes]:
    yield data


async def a_package(target: Path, *, documents: int = 2) -> Manifest:
    """A good package with this many documents."""
    made = Manifest(
        id=uuid.uuid4(), sequence=3, made_at=datetime(2026, 11, 22, 10, tzinfo=UTC),
        sender=UNION, recipient=PRIMARY, reply_key="ab" * 32,
        documents=tuple(_entry(place) for place in range(1, documents + 1)),
    )  # fmt: skip
    made, page = packing.with_index(made, address="https://docflow.test/ack/")
    sources: dict[str, packing.Source] = {
        path: (lambda size=size: _bytes(BODY if size == len(BODY) else MARK))
        for path, (size, _) in made.members.items()
    }
    await packing.write(
        target, made, page=page, sources=sources, seal=lambda said: seals.sealed_by_key(said, KEY)
    )
    return made


def _rewritten(source: Path, target: Path, change: dict[str, bytes | None]) -> Path:
    """The package with members replaced, added, or (None) left out."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for name in [*old.namelist(), *(one for one in change if one not in old.namelist())]:
            data = change[name] if name in change else old.read(name)
            if data is not None:
                new.writestr(name, data)
    return target


async def test_what_was_packed_is_read_back(tmp_path):
    made = await a_package(tmp_path / "a.docflow.zip")
    found = reading.read(str(tmp_path / "a.docflow.zip"))
    manifest, seal = found.parsed()
    assert manifest == made
    seals.require_good(found.manifest, seal, keys={PUBLIC: 1}, reply_keys={})
    raw = (tmp_path / "a.docflow.zip").read_bytes()
    for path, (size, digest) in made.members.items():
        piece = raw[found.offsets[path] : found.offsets[path] + size]
        assert hashlib.sha256(piece).hexdigest() == digest
    page = zipfile.ZipFile(tmp_path / "a.docflow.zip").read("index.html").decode()
    assert "482 1930 5763" in page
    assert "О &lt;b&gt;выборах" in page
    assert "<svg" in page
    assert "<script" not in page
    assert "http://" not in page.replace("http://www.w3.org/2000/svg", "")
    assert [one.name for one in tmp_path.iterdir()] == ["a.docflow.zip"]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"documents/01/Письмо.pdf": BODY + b"!"}, "package_tampered"),
        ({"documents/01/Письмо.pdf.1.sig": None}, "package_tampered"),
        ({"index.html": b"<p>another page</p>"}, "package_tampered"),
        ({"documents/01/extra.exe": b"MZ"}, "package_tampered"),
        ({"manifest.json": None}, "package_manifest"),
        ({"seal.json": None}, "package_manifest"),
        ({"manifest.json": b"[" * 100_000}, "package_manifest"),
        ({"manifest.json": b'{"format":"docflow-offline","version":2}'}, "package_version"),
        ({"manifest.json": b'{"format":"other","version":1}'}, "package_manifest"),
        ({"seal.json": b'{"form":"ed25519","key":"zz","value":"00"}'}, "package_tampered"),
        ({"../evil": b"x"}, "zip_path_traversal"),
    ],
)
async def test_a_changed_package_is_refused(tmp_path, change, code):
    await a_package(tmp_path / "a.zip", documents=1)
    broken = _rewritten(tmp_path / "a.zip", tmp_path / "b.zip", change)
    with pytest.raises(HostileInput) as refused:
        reading.read(str(broken))
    assert refused.value.error_code == code


async def test_a_changed_manifest_is_refused_even_when_all_digests_fit(tmp_path):
    made = await a_package(tmp_path / "a.zip", documents=1)
    other = msgspec.structs.replace(made, sequence=99)
    broken = _rewritten(tmp_path / "a.zip", tmp_path / "b.zip", {"manifest.json": encoded(other)})
    with pytest.raises(HostileInput) as refused:
        reading.read(str(broken))
    assert refused.value.error_code == "package_tampered"


async def test_every_cut_is_refused(tmp_path):
    await a_package(tmp_path / "a.zip", documents=1)
    whole = (tmp_path / "a.zip").read_bytes()
    for cut in range(0, len(whole), 997):
        (tmp_path / "b.zip").write_bytes(whole[:cut])
        with pytest.raises(HostileInput):
            reading.read(str(tmp_path / "b.zip"))


async def test_an_answer_without_an_installation(tmp_path):
    package = await a_package(tmp_path / "a.zip")
    person = Named("Иванова", "Анна", "Петровна", "председатель")
    await answering.answer(package, tmp_path / "b.zip", person=person, numbers=[2])
    found = reading.read(str(tmp_path / "b.zip"))
    manifest, seal = found.parsed()
    assert [one.uid for one in manifest.answers] == [package.documents[1].uid]
    assert (manifest.sender, manifest.recipient) == (PRIMARY, UNION)
    secrets = {str(package.id): package.reply_key}
    seals.require_good(found.manifest, seal, keys={}, reply_keys=secrets)
    for wrong, code in (({str(package.id): "cd" * 32}, "package_tampered"),
                        ({}, "package_key_unknown")):  # fmt: skip
        with pytest.raises(HostileInput) as refused:
            seals.require_good(found.manifest, seal, keys={}, reply_keys=wrong)
        assert refused.value.error_code == code


async def test_the_secret_of_a_package_vouches_for_no_documents(tmp_path):
    package = await a_package(tmp_path / "a.zip")
    said = encoded(package)
    seal = seals.sealed_by_reply(said, package_id=package.id, reply_key=package.reply_key)
    forged = _rewritten(
        tmp_path / "a.zip", tmp_path / "b.zip", {"seal.json": msgspec.json.encode(seal)}
    )
    with pytest.raises(HostileInput) as refused:
        reading.read(str(forged))
    assert refused.value.error_code == "package_tampered"


async def test_the_commands(tmp_path):
    package = await a_package(tmp_path / "a.zip")

    def run(*words: str) -> tuple[int, dict]:
        done = subprocess.run(
            [sys.executable, "cli.py", "offline", *words, "--json"], capture_output=True, text=True
        )
        assert "Traceback" not in done.stderr
        return done.returncode, json.loads(done.stdout)

    code, said = await asyncio.to_thread(run, "read", str(tmp_path / "a.zip"), "--key", PUBLIC)
    assert (code, len(said["documents"]), said["trusted"]) == (0, 2, True)
    assert "reply_key" not in json.dumps(said)
    code, said = await asyncio.to_thread(
        run, "answer", str(tmp_path / "a.zip"), str(tmp_path / "b.zip"), "--name", "Иванова А П"
    )
    assert (code, said["answers"]) == (0, len(package.documents))


def test_the_command_says_what_is_wrong(tmp_path):
    assert command.read(tmp_path / "none.zip", keys=[])[1] == 64
    (tmp_path / "x.zip").write_bytes(b"PK\x03\x04 no zip")
    told, code = command.read(tmp_path / "x.zip", keys=[])
    assert (code, told["code"]) == (1, "broken_zip")


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("Письмо № 5.pdf", "Письмо № 5.pdf"),
        ("../../etc/passwd", "_.._etc_passwd"),
        ('a"b<c>:d|e?.pdf', "a_b_c_d_e_.pdf"),
        ("", "файл"),
        ("я" * 300 + ".pdf", "я" * 76 + ".pdf"),
        ("con\x00.txt", "con_.txt"),
    ],
)
def test_file_names_every_system_takes(name, safe):
    assert packing.safe_name(name) == safe
