"""What is written is read again as it was meant, and nothing bad is written at all."""

import dataclasses
import hashlib
import os
import threading
import zipfile
from pathlib import Path

import pytest

from core import clock
from docflow.gateways.medo import lists, specs
from docflow.gateways.medo.contents import read_piece
from docflow.gateways.medo.messages import (
    Clause,
    Envelope,
    Event,
    File,
    Kind,
    Message,
    Party,
    Receipt,
    Reference,
    Role,
)
from docflow.gateways.medo.reading import read_folder
from docflow.gateways.medo.writing import WriteRefused, signed_bytes, write_folder
from tests import medo_folders as made
from tests.medo_letters import DAY, NOW, SOURCES, THEM, US, letter, told


def bare(message: Message) -> Message:
    """Without what belongs to the look and not to the message."""
    return dataclasses.replace(message, quiet_seconds=None, lacks=())


def written(message: Message, folder: Path) -> tuple[Message, Message]:
    """As the writer says, and as the reader finds."""
    with clock.frozen(NOW):
        said = write_folder(message, folder, sources=SOURCES)
    return said, bare(read_folder(folder))


@pytest.mark.parametrize("version", ["2.0", "2.2", "2.5", "2.6", "2.7", "2.7.1"])
def test_letter_is_read_as_it_was_written(tmp_path: Path, version: str) -> None:
    said, read = written(letter(version), tmp_path / "m")
    assert read == said
    assert (read.warnings, read.errors, read.version) == ((), (), version)
    document = read.document
    assert document is not None
    wanted = letter(version).document
    assert wanted is not None
    for name in ("number", "date", "kind", "annotation", "pages", "enclosure_pages"):
        assert getattr(document, name) == getattr(wanted, name)
    assert [one.person.person for one in document.authors[0].signers] == [
        "Иванова А.А.", "Петров Б.Б.",
    ]  # fmt: skip
    assert document.links[0].uid == made.CONTAINER
    assert document.links[0].reference.number == "16-2/5"
    sizes = {file.name: (file.size, file.sha256) for file in read.files}
    for name, data in SOURCES.items():
        if name in sizes:
            assert sizes[name] == (len(data), hashlib.sha256(data).hexdigest())


@pytest.mark.parametrize("version", ["2.7", "2.7.1"])
def test_container_keeps_places_kinds_and_files(tmp_path: Path, version: str) -> None:
    _, read = written(letter(version), tmp_path / "m")
    document, wanted = read.document, letter().document
    assert document is not None
    assert wanted is not None
    assert document.authors[0].stamp == wanted.authors[0].stamp
    assert document.authors[0].executor == wanted.authors[0].executor
    assert document.authors[0].organization == wanted.authors[0].organization
    assert document.addressees == wanted.addressees
    signers = document.authors[0].signers
    assert [one.signatures for one in signers] == [
        one.signatures for one in wanted.authors[0].signers
    ]
    assert {file.name for file in read.files} == set(SOURCES)
    assert read.destinations == (THEM,)


def test_document_of_2_6_keeps_tasks_and_correspondents(tmp_path: Path) -> None:
    message = letter("2.6")
    assert message.document is not None
    clause = Clause(
        designation="п. 1", text="Представить", deadline=DAY, local_id="0",
        principals=(Party(person="А"),), participants=(Party(person="Б"),), comment="в",
    )  # fmt: skip
    document = dataclasses.replace(
        message.document, clauses=(clause,), special_mark="Срочно", urgency="Срочно", type="Т",
        correspondents=(Reference(party=Party(organization="О"), number="5", date=DAY),),
        comment="Замечание",
    )  # fmt: skip
    _, read = written(dataclasses.replace(message, document=document), tmp_path / "m")
    assert read.document is not None
    for name in ("clauses", "special_mark", "urgency", "type", "correspondents", "comment"):
        assert getattr(read.document, name) == getattr(document, name)


@pytest.mark.parametrize("version", ["2.2", "2.6", "2.7", "2.7.1"])
@pytest.mark.parametrize("event", list(Event))
def test_notification_is_read_as_it_was_written(tmp_path: Path, event: Event, version: str) -> None:
    message = told(event, version)
    said, read = written(message, tmp_path / "m")
    assert read == said
    assert (read.warnings, read.errors) == ((), ())
    found, wanted = read.notification, message.notification
    assert found is not None
    assert wanted is not None
    parts = {
        Event.ACCEPTED: ("number", "date"), Event.REFUSED: ("reason",),
        Event.EXECUTOR: ("executor", "manager", "secretary"),
        Event.REPORT_PREPARED: ("signatory",), Event.REPORT_SENT: ("report",),
        Event.COURSE: ("course", "report"), Event.PUBLISHED: ("number", "date", "place"),
    }  # fmt: skip
    for name in ("event", "uid", "id", "time", "foundation", "comment", "clause", *parts[event]):
        assert getattr(found, name) == getattr(wanted, name)
    assert found.type == lists.load().events[event]


@pytest.mark.parametrize("accepted", [True, False])
@pytest.mark.parametrize("version", ["2.6", "2.7", "2.7.1"])
def test_receipt_is_read_as_it_was_written(tmp_path: Path, version: str, accepted: bool) -> None:
    receipt = Receipt(uid=made.HEADER, time=NOW, is_accepted=accepted, comment="Ок")
    message = Message(
        kind=Kind.RECEIPT, version=version, source=US, destinations=(THEM,), receipt=receipt,
        envelope=Envelope(addresses=("MINTRUD_S~MEDOGU",)),
    )  # fmt: skip
    said, read = written(message, tmp_path / "m")
    assert read == said
    assert (read.receipt, read.warnings, read.errors) == (receipt, (), ())


def test_form_of_2_7_1(tmp_path: Path) -> None:
    folder = tmp_path / "m"
    written(letter(), folder)
    assert sorted(os.listdir(folder)) == ["document.edc.zip", "envelope.ini", "message.xml"]
    xml = (folder / "message.xml").read_bytes()
    assert xml.startswith(b'<?xml version="1.0" encoding="UTF-8"?>\n')
    assert b'xmlns:xdms="urn:IEDMS:MESSAGE"' in xml
    assert b'created="2026-11-22T10:30:00+03:00"' in xml
    assert b"<xdms:destination><xdms:destination " in xml
    with zipfile.ZipFile(folder / "document.edc.zip") as archive:
        assert archive.namelist()[0] == "passport.xml"
        assert not any("/" in name for name in archive.namelist())
        passport = archive.read("passport.xml")
    assert b'xmlns:c="urn:IEDMS:CONTAINER"' in passport
    assert b'c:version="2.7.1"' in passport
    ini = (folder / "envelope.ini").read_bytes().decode("windows-1251")
    assert ini.startswith("[ПИСЬМО КП ПС СЗИ]\r\nТЕМА=ЭСД МЭДО (101-114/7 от 20.11.2026)\r\n")
    assert ini.endswith("[ФАЙЛЫ]\r\n0=document.edc.zip\r\n1=message.xml\r\n")


def test_form_of_2_7_and_2_6(tmp_path: Path) -> None:
    written(letter("2.7"), tmp_path / "a")
    written(letter("2.6"), tmp_path / "b")
    for folder in (tmp_path / "a", tmp_path / "b"):
        xml = (folder / "document.xml").read_bytes()
        assert xml.startswith(b'<?xml version="1.0" encoding="windows-1251"?>\n')
        assert b'xmlns:xdms="http://www.infpres.com/IEDMS"' in xml
        assert b'created="2026-11-22T10:30:00"' in xml
        xml.decode("windows-1251")
    with zipfile.ZipFile(tmp_path / "a" / "document.edc.zip") as archive:
        assert b'xmlns:c="http://minsvyaz.ru/container"' in archive.read("passport.xml")
    assert sorted(os.listdir(tmp_path / "b")) == [
        "a1.p7s", "a1.pdf", "document.pdf", "document.xml", "envelope.ini",
    ]  # fmt: skip


def test_letters_outside_windows_1251_survive(tmp_path: Path) -> None:
    message = letter("2.6")
    assert message.document is not None
    document = dataclasses.replace(message.document, annotation="№ 5 — ℃ 漢")
    _, read = written(dataclasses.replace(message, document=document), tmp_path / "m")
    assert read.document is not None
    assert read.document.annotation == "№ 5 — ℃ 漢"


def test_container_signature_binds_passport_then_files_by_name(tmp_path: Path) -> None:
    given: list[bytes] = []

    def sign(data: bytes) -> bytes:
        given.append(data)
        return b"0\x80whole"

    message = write_folder(letter(), tmp_path / "m", sources=SOURCES, sign_container=sign)
    assert message.container is not None
    assert message.container.signature == "containerSign.p7s"
    with zipfile.ZipFile(tmp_path / "m" / "document.edc.zip") as archive:
        passport = archive.read("passport.xml")
        others = sorted(set(archive.namelist()) - {"passport.xml", "containerSign.p7s"})
        assert given == [passport + b"".join(archive.read(name) for name in others)]
        assert archive.read("containerSign.p7s") == b"0\x80whole"
    assert given == [signed_bytes(passport, list(SOURCES), SOURCES)]


def without(name: str) -> Message:
    """The letter without this part of its document."""
    message = letter()
    assert message.document is not None
    empty: dict[str, object] = {"date": None, "pages": None, "addressees": ()}
    document = dataclasses.replace(message.document, **{name: empty.get(name, "")})  # type: ignore[arg-type]  # by name
    return dataclasses.replace(message, document=document)


BAD = {
    "no address": (dataclasses.replace(letter(), envelope=None), "envelope_addresses"),
    "bad address": (
        dataclasses.replace(letter(), envelope=Envelope(addresses=("a\r\n[ФАЙЛЫ]",))),
        "envelope_address",
    ),
    "no annotation": (without("annotation"), "required"),
    "no addressees": (without("addressees"), "required"),
    "no number": (without("number"), "required"),
    "no date": (without("date"), "required"),
    "no pages": (without("pages"), "required"),
    "no destination": (dataclasses.replace(letter(), destinations=()), "required"),
    "no guid": (dataclasses.replace(letter(), header_uid="x"), "not_a_guid"),
    "unknown version": (dataclasses.replace(letter(), version="3.0"), "version_not_written"),
    "kind": (dataclasses.replace(letter(), kind=Kind.DOCUMENT), "kind_of_version"),
    "word": (
        dataclasses.replace(letter(), files=(File(name="document.docx", role=Role.DOCUMENT),)),
        "not_pdf",
    ),
    "cyrillic": (
        dataclasses.replace(letter(), files=(File(name="письмо.pdf", role=Role.DOCUMENT),)),
        "file_name",
    ),
    "path": (
        dataclasses.replace(letter(), files=(File(name="../x.pdf", role=Role.DOCUMENT),)),
        "file_name",
    ),
    "double": (
        dataclasses.replace(letter(), files=(*letter().files, File(name="A1.pdf"))), "same_name",
    ),
    "control": (dataclasses.replace(letter(), comment="a\x00b"), "bad_character"),
    "long": (dataclasses.replace(letter(), comment="a" * 3000), "too_long"),
}  # fmt: skip


@pytest.mark.parametrize("case", list(BAD))
def test_bad_message_is_not_written(tmp_path: Path, case: str) -> None:
    message, code = BAD[case]
    with pytest.raises(WriteRefused) as refused:
        write_folder(message, tmp_path / "m", sources=SOURCES)
    assert code in {one.code for one in refused.value.findings}
    assert refused.value.message_ru
    assert os.listdir(tmp_path) == []


def test_reason_outside_the_closed_list_is_not_written(tmp_path: Path) -> None:
    message = told(Event.REFUSED, "2.6")
    assert message.notification is not None
    own = dataclasses.replace(message.notification, reason="Не хочется")
    with pytest.raises(WriteRefused) as refused:
        written(dataclasses.replace(message, notification=own), tmp_path / "m")
    assert [one.code for one in refused.value.findings] == ["reason_not_listed"]
    _, read = written(
        dataclasses.replace(message, notification=own, version="2.7.1"), tmp_path / "m"
    )
    assert read.notification is not None
    assert read.notification.reason == "Не хочется"


def test_missing_content_is_named(tmp_path: Path) -> None:
    with pytest.raises(WriteRefused) as refused:
        write_folder(letter(), tmp_path / "m", sources={"document.pdf": b"%PDF"})
    assert {one.where for one in refused.value.findings} == set(SOURCES) - {"document.pdf"}


def test_folder_with_content_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "x").touch()
    with pytest.raises(FileExistsError):
        written(letter(), tmp_path / "m")
    assert sorted(os.listdir(tmp_path)) == ["m"]


def test_nothing_is_left_behind_when_signing_fails(tmp_path: Path) -> None:
    def sign(_: bytes) -> bytes:
        raise ConnectionError("the token went")

    with pytest.raises(ConnectionError):
        write_folder(letter(), tmp_path / "m", sources=SOURCES, sign_container=sign)
    assert os.listdir(tmp_path) == []


def test_nobody_ever_sees_half_a_folder(tmp_path: Path) -> None:
    seen: list[list[str]] = []
    done = threading.Event()

    def watch() -> None:
        while not done.is_set():
            seen.extend(
                sorted(os.listdir(tmp_path / name))
                for name in os.listdir(tmp_path)
                if not name.startswith(".")
            )

    watcher = threading.Thread(target=watch)
    watcher.start()
    for number in range(30):
        write_folder(letter(), tmp_path / f"m{number}", sources=SOURCES)
    done.set()
    watcher.join()
    assert seen
    assert all(len(names) == 3 for names in seen)


def test_bytes_of_files_in_pieces(tmp_path: Path) -> None:
    write_folder(letter(), tmp_path / "m", sources=SOURCES)
    body, name = "document.edc.zip", "document.pdf"
    pieces = []
    while piece := read_piece(
        tmp_path / "m", name, body=body, offset=sum(map(len, pieces)), most=500
    ):
        pieces.append(piece)
    assert b"".join(pieces) == SOURCES[name]


@pytest.mark.parametrize("version", ["2.6", "2.7", "2.7.1"])
def test_json_says_everything(tmp_path: Path, version: str) -> None:
    import msgspec

    _, read = written(letter(version), tmp_path / "m")
    again = specs.from_json(msgspec.json.encode(specs.as_json(read)))
    assert again == dataclasses.replace(read, warnings=(), errors=())


def test_same_message_gives_the_same_bytes(tmp_path: Path) -> None:
    message = letter()
    assert message.document is not None
    document = dataclasses.replace(message.document, uid=made.CONTAINER)
    fixed = dataclasses.replace(message, header_uid=made.HEADER, document=document)
    written(fixed, tmp_path / "a")
    written(fixed, tmp_path / "b")
    for name in os.listdir(tmp_path / "a"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
