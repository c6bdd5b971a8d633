"""The five failure groups of practice: accepted with a warning, or refused with a reason."""

from pathlib import Path

import pytest

from docflow.gateways.medo.messages import Event, Kind, Message
from docflow.gateways.medo.reading import read_folder
from tests import medo_folders as made
from tests.medo_folders import codes


def edited(folder: Path, name: str, *changes: tuple[str, str]) -> Path:
    """One XML of the folder with words replaced; each must have been there."""
    path = folder / name
    text = path.read_bytes().decode("windows-1251")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path.write_bytes(text.encode("windows-1251"))
    return folder


def accepted(folder: Path, *warnings: str) -> Message:
    message = read_folder(folder)
    assert (codes(message.errors), codes(message.warnings)) == (set(), set(warnings))
    assert all(one.ru and one.en and "{" not in one.ru for one in message.warnings)
    return message


def refused(folder: Path, *errors: str) -> Message:
    message = read_folder(folder)
    assert codes(message.errors) == set(errors)
    assert all(one.ru and one.en and "{" not in one.ru for one in message.errors)
    return message


# -- 1. Encoding


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_envelope_in_another_encoding(tmp_path: Path, encoding: str) -> None:
    folder = made.answer(tmp_path / "m")
    text = made.envelope("mainDoc.pdf", "document.xml")
    (folder / "envelope.ltr").write_bytes(text.encode(encoding))
    message = accepted(folder, "envelope_encoding")
    assert message.envelope is not None
    assert message.envelope.addresses == ("MINPRIMER_S~MEDOGU",)


@pytest.mark.parametrize(
    ("declared", "actual"),
    [("utf-8", "windows-1251"), ("windows-1251", "utf-8"), ("windows-1251", "utf-16")],
)
def test_bytes_that_are_not_as_declared(tmp_path: Path, declared: str, actual: str) -> None:
    folder = made.answer(tmp_path / "m")
    xml = made.communication(made.ANSWER, encoding=declared)
    (folder / "document.xml").write_bytes(xml.encode(actual))
    document = accepted(folder, "declared_encoding").document
    assert document is not None
    assert document.annotation == "Об ответе на обращение"


def test_declaration_is_missing(tmp_path: Path) -> None:
    folder = made.answer(tmp_path / "m")
    xml = made.communication(made.ANSWER).partition("?>\n")[2]
    (folder / "document.xml").write_bytes(xml.encode("windows-1251"))
    accepted(folder, "declared_encoding")


def test_mark_of_utf_8_is_no_fault(tmp_path: Path) -> None:
    folder = made.answer(tmp_path / "m")
    xml = made.communication(made.ANSWER, encoding="UTF-8")
    (folder / "document.xml").write_bytes(xml.encode("utf-8-sig"))
    accepted(folder)


@pytest.mark.parametrize(
    ("bad", "read"),
    [("ООО «Рога & копыта»", "ООО «Рога & копыта»"), ("а&nbsp;б", "а&nbsp;б"), ("а\x0bб", "аб")],
)
def test_hand_built_xml_is_mended(tmp_path: Path, bad: str, read: str) -> None:
    folder = edited(made.answer(tmp_path / "m"), "document.xml", ("Об ответе на обращение", bad))
    document = accepted(folder, "xml_repaired").document
    assert document is not None
    assert document.annotation == read


def test_bytes_that_fit_nothing(tmp_path: Path) -> None:
    folder = made.answer(tmp_path / "m")
    path = folder / "document.xml"
    path.write_bytes(path.read_bytes().replace("обращение".encode("windows-1251"), b"\x98\x98"))
    accepted(folder, "undecodable")


# -- 2. Envelope and folder disagree


def test_listed_file_that_nothing_needs_is_absent(tmp_path: Path) -> None:
    folder = made.answer(tmp_path / "m")
    text = made.envelope("mainDoc.pdf", "extra.txt", "document.xml")
    (folder / "envelope.ltr").write_bytes(text.encode("windows-1251"))
    message = accepted(folder, "listed_file_missing")
    assert not message.is_complete


def test_document_file_is_absent(tmp_path: Path) -> None:
    folder = made.answer(tmp_path / "m")
    (folder / "mainDoc.pdf").unlink()
    message = refused(folder, "file_missing")
    assert (message.header_uid, message.is_complete) == (made.HEADER, False)


def test_file_list_without_xml(tmp_path: Path) -> None:
    folder = made.answer(tmp_path / "m")
    (folder / "envelope.ltr").write_bytes(made.envelope("mainDoc.pdf").encode("windows-1251"))
    accepted(folder, "description_not_listed")


@pytest.mark.parametrize("name", ["ENVELOPE.LTR", "envelope.ini", "message7.ini", "x.ltr"])
def test_envelope_of_another_name(tmp_path: Path, name: str) -> None:
    folder = made.answer(tmp_path / "m")
    (folder / "envelope.ltr").rename(folder / name)
    message = accepted(folder)
    assert message.envelope is not None
    assert message.envelope.name == name


def test_no_envelope_may_still_come(tmp_path: Path) -> None:
    folder = made.answer(tmp_path / "m")
    (folder / "envelope.ltr").unlink()
    message = accepted(folder, "no_envelope")
    assert message.envelope is None
    assert message.lacks == ("no_envelope",)
    assert message.quiet_seconds is not None
    assert message.quiet_seconds < 60


@pytest.mark.parametrize(
    ("old", "new", "warnings"),
    [
        ("[ПИСЬМО КП ПС СЗИ]", "[ПСИЬМО КП ПС СЗИ]", ()),
        ("[ФАЙЛЫ]", "[файлы]", ()),
        ("ЭЦП=1", "ЭЦП=0", ("envelope_unsigned",)),
        ("1=document.xml", "7=document.xml", ("envelope_numbering",)),
        ("0=MINPRIMER_S~MEDOGU", "", ("envelope_addresses",)),
        ("0=mainDoc.pdf\r\n1=document.xml\r\n", "", ("envelope_files",)),
        ("ТЕМА=", "тема без знака", ("envelope_line",)),
        ("[АДРЕСАТЫ]", "[ПРОЧЕЕ]", ("envelope_section", "envelope_addresses")),
        ("0=mainDoc.pdf", "0=MainDoc.PDF", ("name_case",)),
    ],
)
def test_slips_in_the_envelope(
    tmp_path: Path, old: str, new: str, warnings: tuple[str, ...]
) -> None:
    folder = made.answer(tmp_path / "m")
    accepted(edited(folder, "envelope.ltr", (old, new)), *warnings)


def test_envelope_without_sense(tmp_path: Path) -> None:
    folder = made.answer(tmp_path / "m")
    (folder / "envelope.ltr").write_bytes(b"\x00\xff" * 500)
    assert read_folder(folder).document is not None


# -- 3. Uids


def test_nil_uid_is_no_key(tmp_path: Path) -> None:
    nil = "00000000-0000-0000-0000-000000000000"
    folder = edited(made.answer(tmp_path / "m"), "document.xml", (made.HEADER, nil))
    assert accepted(folder, "uid_nil").header_uid == ""


def test_uid_and_time_are_missing(tmp_path: Path) -> None:
    folder = edited(
        made.notification(tmp_path / "m", Event.ACCEPTED), "notification.xml",
        (f' xdms:uid="{made.HEADER}"', ""), (' xdms:created="2024-02-01T10:00:00"', ""),
    )  # fmt: skip
    message = accepted(folder, "uid_missing")
    assert (message.header_uid, message.created) == ("", None)


@pytest.mark.parametrize(
    "spelling",
    [made.HEADER.upper(), "{" + made.HEADER + "}", made.HEADER.replace("-", "")],
)
def test_spellings_of_a_guid(tmp_path: Path, spelling: str) -> None:
    folder = edited(made.answer(tmp_path / "m"), "document.xml", (made.HEADER, spelling))
    assert accepted(folder).header_uid == made.HEADER


def test_uid_that_is_no_guid_is_kept(tmp_path: Path) -> None:
    folder = edited(made.answer(tmp_path / "m"), "document.xml", (made.HEADER, "doc-1"))
    assert accepted(folder, "uid_malformed").header_uid == "doc-1"


def test_lone_number_of_the_sender_in_an_acceptance(tmp_path: Path) -> None:
    folder = made.notification(tmp_path / "m", Event.ACCEPTED, version="2.7")
    foundation = made.FOUNDATION.replace("x:", "xdms:")
    told = accepted(edited(folder, "notification.xml", (foundation, ""))).notification
    assert told is not None
    assert (told.number, told.foundation) == ("ВХ-5", None)


# -- 4. Schema and version


@pytest.mark.parametrize(
    ("changes", "warnings"),
    [
        ((('version="2.6"', 'version="2.6.9"'),), ("unknown_version",)),
        ((('version="2.6"', 'version="2.7.1"'),), ("namespace_of_version", "no_destination",
                                                   "encoding_of_version")),
        ((("http://www.infpres.com/IEDMS", "urn:new"),), ("unknown_namespace",)),
        (((' xmlns:xdms="http://www.infpres.com/IEDMS"', ""),),
         ("xml_prefixes", "unknown_namespace")),
        (((' xdms:version="2.6"', ""),), ("missing_part",)),
        ((('type="Документ"', 'type="Уведомление"'),), ("header_type",)),
        ((("<xdms:post>Директор</xdms:post>", "<xdms:post/>"),), ("empty_part",)),
        ((("<xdms:post>Директор</xdms:post>", "<xdms:post>-</xdms:post>"),), ("empty_part",)),
        ((("<xdms:post>Директор</xdms:post>", "<xdms:post> </xdms:post>"),), ("empty_part",)),
        ((("<xdms:annotation>Об ответе на обращение</xdms:annotation>", ""),), ("missing_part",)),
        ((("2024-03-05</xdms:date>", "2024-03-05T00:00:00</xdms:date>"),), ("date_spelling",)),
        ((("2024-03-05</xdms:date>", "05.03.2024</xdms:date>"),), ("date_spelling",)),
        ((("2024-03-05</xdms:date>", "вчера</xdms:date>"),), ("date_unreadable",)),
        ((("2024-02-01T10:00:00", "01.02.2024 10:00:00"),), ("date_spelling",)),
        ((("2024-02-01T10:00:00", "скоро"),), ("time_unreadable",)),
        ((("<xdms:pages>1</xdms:pages><xdms:ann", "<xdms:pages>два</xdms:pages><xdms:ann"),),
         ("number_unreadable",)),
        ((('localName="mainDoc.pdf"', 'localName="mainDoc"'),), ("name_without_extension",)),
    ],
)  # fmt: skip
def test_departures_from_the_schema(
    tmp_path: Path, changes: tuple[tuple[str, str], ...], warnings: tuple[str, ...]
) -> None:
    message = accepted(edited(made.answer(tmp_path / "m"), "document.xml", *changes), *warnings)
    assert message.kind is Kind.DOCUMENT
    assert message.document is not None
    assert message.document.number == "02-11/45"


def test_event_known_only_by_its_words(tmp_path: Path) -> None:
    folder = made.notification(tmp_path / "m", Event.REFUSED)
    edited(folder, "notification.xml", ("xdms:documentRefused", "xdms:somethingElse"))
    told = accepted(folder, "event_by_type").notification
    assert told is not None
    assert (told.event, told.reason) == (Event.REFUSED, "Ошибка адресации")


def test_event_that_nobody_knows(tmp_path: Path) -> None:
    folder = made.notification(tmp_path / "m", Event.REFUSED)
    edited(folder, "notification.xml", ("xdms:documentRefused", "xdms:other"),
           ("Отказано в регистрации", "Съедено"))  # fmt: skip
    refused(folder, "unknown_event")


def test_reason_of_ones_own(tmp_path: Path) -> None:
    own = "<x:reason>Не хочется</x:reason>"
    folder = made.notification(tmp_path / "m", Event.REFUSED, own=own)
    told = accepted(folder, "unknown_reason").notification
    assert told is not None
    assert told.reason == "Не хочется"


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"", "broken_xml"),
        (b"not xml at all", "broken_xml"),
        (b"<a><b></a>", "broken_xml"),
        (b"<letter/>", "not_medo"),
        (b'<c:communication xmlns:c="urn:IEDMS:MESSAGE" c:version="2.7.1"/>', "no_content"),
    ],
)
def test_unreadable_xml_is_refused_and_its_sender_known(
    tmp_path: Path, data: bytes, error: str
) -> None:
    folder = made.answer(tmp_path / "m")
    (folder / "document.xml").write_bytes(data)
    message = refused(folder, error)
    assert message.envelope is not None
    assert message.envelope.addresses == ("MINPRIMER_S~MEDOGU",)


def test_xml_that_ends_too_early_may_still_come(tmp_path: Path) -> None:
    folder = made.answer(tmp_path / "m")
    path = folder / "document.xml"
    path.write_bytes(path.read_bytes()[:-200])
    assert not refused(folder, "broken_xml").is_complete


# -- 5. Content of the container


@pytest.mark.parametrize(
    ("without", "warnings", "errors"),
    [
        ("stamp.png", ("stamp_missing",), ()),
        ("sign1.p7s", (), ("signature_missing",)),
        ("document.pdf", (), ("file_missing",)),
        ("passport.xml", (), ("no_passport",)),
    ],
)
def test_what_the_passport_names_is_not_there(
    tmp_path: Path, without: str, warnings: tuple[str, ...], errors: tuple[str, ...]
) -> None:
    members = {"passport.xml": made.passport(), **made.MEMBERS}
    del members[without]
    message = read_folder(made.container(tmp_path / "m", members=members))
    assert (codes(message.warnings), codes(message.errors)) == (set(warnings), set(errors))
    assert message.header_uid == made.HEADER


def test_no_signature_at_all(tmp_path: Path) -> None:
    members = {"passport.xml": made.passport(signature=""), **made.MEMBERS}
    message = read_folder(made.container(tmp_path / "m", members=members))
    assert "no_signature" in codes(message.warnings)
    assert not message.errors


def test_passport_of_another_name(tmp_path: Path) -> None:
    members = {"opis.xml": made.passport(), **made.MEMBERS}
    message = accepted(made.container(tmp_path / "m", members=members), "passport_name")
    assert message.container is not None
    assert message.container.passport == "opis.xml"


def test_members_in_folders_and_in_other_letters(tmp_path: Path) -> None:
    moved = {f"docs/{name.upper()}": data for name, data in made.MEMBERS.items()}
    members = {"docs/passport.xml": made.passport(), **moved}
    message = accepted(made.container(tmp_path / "m", members=members), "zip_not_flat")
    assert {file.name: file.stored_as for file in message.files} == {
        name: f"docs/{name.upper()}" for name in made.MEMBERS
    }


def test_members_nobody_names_come_along(tmp_path: Path) -> None:
    members = {"passport.xml": made.passport(), **made.MEMBERS, "more.pdf": b"x"}
    message = accepted(made.container(tmp_path / "m", members=members), "not_in_passport")
    assert "more.pdf" in {file.name for file in message.files}


@pytest.mark.parametrize("data", [b"", b"Rar!\x1a\x07\x00" + b"x" * 100, b"PK\x03\x04cut"])
def test_wrong_or_cut_archive(tmp_path: Path, data: bytes) -> None:
    message = refused(made.container(tmp_path / "m", data=data), "broken_zip")
    assert not message.is_complete


def test_archive_of_another_name(tmp_path: Path) -> None:
    folder = made.container(tmp_path / "m")
    (folder / "document.edc.zip").rename(folder / "ABC.edc.zip")
    message = accepted(folder, "body_guessed", "listed_file_missing")
    assert message.document is not None


def test_archive_is_absent(tmp_path: Path) -> None:
    folder = made.container(tmp_path / "m")
    (folder / "document.edc.zip").unlink()
    message = refused(folder, "file_missing")
    assert (message.kind, message.is_complete) == (Kind.CONTAINER, False)


@pytest.mark.parametrize(
    ("data", "error"), [(b"<x/>", "not_a_passport"), (b"<container", "broken_xml")]
)
def test_passport_without_sense(tmp_path: Path, data: bytes, error: str) -> None:
    members = {"passport.xml": data, **made.MEMBERS}
    refused(made.container(tmp_path / "m", members=members), error)


def test_position_with_fractions_is_rounded(tmp_path: Path) -> None:
    data = made.passport().replace(b"<c:x>15</c:x>", b"<c:x>15,6</c:x>")
    folder = made.container(tmp_path / "m", members={"passport.xml": data, **made.MEMBERS})
    document = accepted(folder).document
    assert document is not None
    assert document.authors[0].stamp is not None
    assert document.authors[0].stamp.x == 16
