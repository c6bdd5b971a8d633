"""`docflow medo`: words and exit codes as promised, hostile bytes in a process of their own."""

import dataclasses
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import cli
from core.sandbox import Sandbox
from demo import gost
from docflow.gateways.medo import command
from docflow.gateways.medo.messages import Container, Envelope, Message
from docflow.gateways.medo.reading import read_folder
from docflow.gateways.medo.writing import write_folder
from tests import medo_folders as made
from tests.medo_letters import SOURCES, letter

pytestmark = pytest.mark.slow

PROMISED = (
    "kind", "version", "header_uid", "source", "destinations", "document", "files", "event",
    "event_number", "reason", "warnings", "errors",
)  # fmt: skip


def told(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[dict[str, Any], int]:
    """Exit code and the one JSON object on standard output."""
    code = cli.main(["medo", *map(str, arguments), "--json"])
    out = capsys.readouterr().out
    assert out.count("\n") == 1
    return json.loads(out), code


def test_read_says_what_is_promised(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    answer, code = told(capsys, "read", made.container(tmp_path / "m"))
    assert code == 0
    assert set(PROMISED) <= set(answer)
    assert (answer["kind"], answer["version"]) == ("container", "2.7")
    assert answer["document"]["number"] == "5-17/999"
    assert answer["document"]["date"] == "2024-05-06"
    assert answer["source"]["organization"] == "Министерство примеров"


def test_read_of_a_refusal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    answer, code = told(capsys, "read", made.notification(tmp_path / "m", "documentRefused"))
    assert (code, answer["event"], answer["reason"]) == (0, "documentRefused", "Ошибка адресации")
    answer, _ = told(capsys, "read", made.notification(tmp_path / "n", "documentAccepted"))
    assert (answer["event_number"], answer["event_date"]) == ("ВХ-5", "2024-02-02")


def test_unreadable_is_1_and_no_folder_64(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = made.answer(tmp_path / "m")
    (folder / "document.xml").write_bytes(b"<broken")
    answer, code = told(capsys, "read", folder)
    assert (code, [one["code"] for one in answer["errors"]]) == (1, ["broken_xml"])
    for verb in ("read", "check"):
        assert cli.main(["medo", verb, str(tmp_path / "none"), "--json"]) == 64
        told_of = json.loads(capsys.readouterr().out)
        assert told_of["error"]["code"] == "no_such_file"
    assert cli.main(["medo", "write", str(tmp_path / "none.json"), str(tmp_path / "o")]) == 64
    assert capsys.readouterr().out == ""


def test_reader_that_dies_is_an_error_of_the_message(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "_SECONDS", 0.000001)
    folder = made.answer(tmp_path / "m")
    for number in range(3000):  # enough to read that the answer cannot be there at once
        (folder / f"{number}.txt").touch()
    answer, code = told(capsys, "read", folder)
    assert (code, answer["kind"]) == (1, "unknown")
    assert [one["code"] for one in answer["errors"]] == ["parse_timeout"]


async def test_message_comes_out_of_the_sandbox_as_it_is(tmp_path: Path) -> None:
    folder = made.container(tmp_path / "m")
    pool = Sandbox(workers=1)
    try:
        found: Message = await pool.run(
            "docflow.gateways.medo.reading:read_folder", str(folder), into=Message
        )
    finally:
        await pool.close()
    here = read_folder(folder)
    assert dataclasses.replace(found, quiet_seconds=None) == dataclasses.replace(
        here, quiet_seconds=None
    )


SAMPLES = {
    "answer": lambda path: made.answer(path),
    "container": lambda path: made.container(path),
    "refused": lambda path: made.notification(path, "documentRefused"),
    "assigned": lambda path: made.notification(path, "executorAssigned", version="2.7"),
}


@pytest.mark.parametrize("kind", list(SAMPLES))
def test_what_read_prints_write_accepts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    """Files beside the specification, or in the zip it names; only the format's demands added."""
    folder = SAMPLES[kind](tmp_path / "m")
    answer, _ = told(capsys, "read", folder)
    (folder / "spec.json").write_text(json.dumps(answer), encoding="utf-8")
    said, code = told(capsys, "write", folder / "spec.json", tmp_path / "o")
    assert (code, said["ok"], said["errors"]) == (0, True, [])
    again, code = told(capsys, "read", tmp_path / "o")
    assert code == 0
    for name in ("event", "event_number", "reason", "header_uid", "version", "kind", "files"):
        assert again[name] == answer[name]
    assert (again["document"] or {}).get("number") == (answer["document"] or {}).get("number")


def test_samples_are_written_again_as_they_were(
    corpora: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for source in sorted(path for path in (corpora / "medo").iterdir() if path.is_dir()):
        folder = tmp_path / source.name
        shutil.copytree(source, folder)
        folder.chmod(0o755)
        answer, _ = told(capsys, "read", folder)
        (folder / "spec.json").write_text(json.dumps(answer), encoding="utf-8")
        _, code = told(capsys, "write", folder / "spec.json", tmp_path / "out" / source.name)
        assert code == 0
        again, _ = told(capsys, "read", tmp_path / "out" / source.name)
        assert again == answer


def test_files_lie_beside_the_specification(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A short one, by hand: names instead of objects, uids and times left open."""
    (tmp_path / "letter.pdf").write_bytes(made.PDF)
    (tmp_path / "s.p7s").write_bytes(b"0\x80")
    spec: dict[str, Any] = {
        "source": {"uid": made.SENDER.upper(), "organization": "Федерация"},
        "destinations": [{"uid": made.RECEIVER, "organization": "Министерство"}],
        "document": {
            "number": "1", "date": "2026-11-20", "kind": "Письмо", "annotation": "О деле",
            "pages": 1, "addressees": [{"organization": "Министерство"}],
            "authors": [{"signers": [{"person": {"person": "А", "post": "Б"},
                                      "signatures": [{"name": "s.p7s"}]}]}],
        },
        "files": ["letter.pdf"],
        "envelope": {"addresses": ["MINTRUD_S~MEDOGU"]},
    }  # fmt: skip
    path = tmp_path / "spec.json"
    path.write_text(json.dumps(spec), encoding="utf-8")
    said, code = told(capsys, "write", path, tmp_path / "o")
    assert (code, said["kind"], said["version"]) == (0, "container", "2.7.1")
    assert read_folder(tmp_path / "o").is_readable
    (tmp_path / "s.p7s").unlink()
    said, code = told(capsys, "write", path, tmp_path / "p")
    assert (code, [one["code"] for one in said["errors"]]) == (1, ["source_missing"])
    assert not (tmp_path / "p").exists()


@pytest.mark.parametrize(
    "spec",
    [
        b"", b"[]", b'{"kind": "letter"}', b"\xff\xfe", b'{"document": 5}', b"[" * 100_000,
        b'{"notification": 5, "event": "x"}', b'{"destinations": 5}', b'{"files": [5]}',
        b'{"document": {"date": "x"}}', b'{"source": []}', b"null",
    ],
)  # fmt: skip
def test_bad_specification_is_told_apart(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], spec: bytes
) -> None:
    (tmp_path / "spec.json").write_bytes(spec)
    said, code = told(capsys, "write", tmp_path / "spec.json", tmp_path / "o")
    assert (code, [one["code"] for one in said["errors"]]) == (1, ["medo_spec"])


def test_folder_with_content_is_not_written_over(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = made.answer(tmp_path / "m")
    answer, _ = told(capsys, "read", folder)
    (folder / "spec.json").write_text(json.dumps(answer), encoding="utf-8")
    said, code = told(capsys, "write", folder / "spec.json", folder)
    assert (code, said["errors"][0]["code"]) == (1, "folder_not_written")


def test_check_says_good(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    answer, code = told(capsys, "check", made.answer(tmp_path / "m"))
    assert (code, answer["good"], answer["faults"]) == (0, True, [])
    assert answer["verdict"]["ru"] == "Сообщение составлено правильно."


def test_check_says_what_is_wrong_in_words(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = made.answer(tmp_path / "m")
    path = folder / "document.xml"
    xml = path.read_bytes().decode("windows-1251").replace("<xdms:pages>1</xdms:pages><xdms:a",
                                                           "<xdms:a")  # fmt: skip
    path.write_bytes(xml.replace("Директор", "-").encode("windows-1251"))
    answer, code = told(capsys, "check", folder)
    assert (code, answer["good"]) == (1, False)
    found = {one["code"]: one for one in answer["faults"]}
    assert set(found) == {"empty_part", "required"}
    assert found["required"]["where"] == "document/pages"
    assert found["empty_part"]["ru"].startswith("Элемент пуст")


def test_check_of_what_cannot_be_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    answer, code = told(capsys, "check", made.container(tmp_path / "m", data=b"Rar!"))
    assert (code, answer["good"]) == (1, False)
    assert answer["verdict"]["ru"].startswith("Сообщение принять нельзя: Архив")


def signed(tmp_path: Path) -> Path:
    """A container whose every signature was made by GOST over the right bytes."""
    if not gost.is_available():
        pytest.skip("libengine-gost-openssl is not installed")
    authority = gost.create_gost_authority(tmp_path / "keys")
    signer = authority.issue(gost.Person("Подписант"))
    sources = dict(SOURCES)
    for name, over in (("s1", "document"), ("s2", "document"), ("a1", "a1")):
        sources[f"{name}.p7s"] = authority.sign_detached(SOURCES[f"{over}.pdf"], signer)
    message = dataclasses.replace(letter(), container=Container())
    write_folder(
        message, tmp_path / "m", sources=sources,
        sign_container=lambda data: authority.sign_detached(data, signer),
    )  # fmt: skip
    return tmp_path / "m"


def test_check_looks_whether_signatures_bind_the_bytes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = signed(tmp_path)
    answer, code = told(capsys, "check", folder)
    assert (code, answer["faults"], answer["errors"]) == (0, [], [])
    data = (folder / "document.edc.zip").read_bytes()
    import io
    import zipfile

    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    members["a1.pdf"] += b" "
    members["s2.p7s"] = b"no signature"
    (folder / "document.edc.zip").write_bytes(made.packed(members))
    answer, code = told(capsys, "check", folder)
    assert code == 1
    assert {(one["code"], one["where"]) for one in answer["faults"]} == {
        ("signature_mismatch", "a1.p7s"),
        ("signature_unreadable", "s2.p7s"),
        ("signature_mismatch", "containerSign.p7s"),
    }


XSD = """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="{space}"
 elementFormDefault="qualified"><xs:element name="{root}"><xs:complexType><xs:sequence>
 <xs:element name="never"/></xs:sequence></xs:complexType></xs:element></xs:schema>"""


def test_official_schema_is_used_where_there_is_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, schemas = made.container(tmp_path / "m"), tmp_path / "xsd"
    schemas.mkdir()
    answer, code = told(capsys, "read", folder, "--schemas", schemas)
    assert (code, answer["warnings"]) == (0, [])
    (schemas / "broken.xsd").write_text("<", encoding="utf-8")
    for name, space, root in (
        ("message.xsd", made.IEDMS, "communication"), ("c.xsd", made.PASSPORT_27, "container"),
    ):  # fmt: skip
        (schemas / name).write_text(XSD.format(space=space, root=root), encoding="utf-8")
    answer, code = told(capsys, "read", folder, "--schemas", schemas)
    assert code == 0
    where = {one["where"].partition(":")[0] for one in answer["warnings"] if one["code"] == "xsd"}
    assert where == {"document.xml", "passport.xml"}
    assert "never" in json.dumps(answer["warnings"])


def test_envelope_of_the_partner_cannot_be_forged_through_words(tmp_path: Path) -> None:
    envelope = Envelope(addresses=("MINTRUD_S~MEDOGU",), subject="a\r\n[АДРЕСАТЫ]\r\n9=X~Y")
    write_folder(dataclasses.replace(letter(), envelope=envelope), tmp_path / "m", sources=SOURCES)
    read = read_folder(tmp_path / "m").envelope
    assert read is not None
    assert read.addresses == ("MINTRUD_S~MEDOGU",)


def test_the_command_needs_no_settings(tmp_path: Path) -> None:
    """As a user starts it: no database, no secret, no network."""
    folder = made.answer(tmp_path / "m")
    done = subprocess.run(
        [sys.executable, "cli.py", "medo", "read", str(folder), "--json"],
        capture_output=True, env={"PATH": "/usr/bin:/bin"}, timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, b"")
    assert json.loads(done.stdout)["kind"] == "document"
