"""Messages of every version as other systems write them, read whole."""

import datetime as dt
from pathlib import Path

import pytest

from core import clock
from docflow.gateways.medo.messages import Event, Kind, Message, Party, Role, Stamp
from docflow.gateways.medo.reading import read_folder
from tests import medo_folders as made


def clean(message: Message) -> Message:
    assert (made.codes(message.errors), made.codes(message.warnings)) == (set(), set())
    assert message.is_readable
    assert message.is_complete
    return message


def test_every_sample_is_read_whole(corpora: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folders = sorted(path for path in (corpora / "medo").iterdir() if path.is_dir())
    read = [read_folder(folder) for folder in folders]
    with capsys.disabled():
        whole = sum(one.is_readable and not one.warnings for one in read)
        print(f"\nmedo samples read whole: {whole} of {len(read)}")  # noqa: T201  # the score
    for message in read:
        clean(message)
        assert all(file.size is not None for file in message.files)


@pytest.mark.parametrize("version", ["2.0", "2.2", "2.5", "2.6"])
@pytest.mark.parametrize("encoding", ["windows-1251", "utf-8"])
def test_answer_of_loose_files(tmp_path: Path, version: str, encoding: str) -> None:
    message = clean(read_folder(made.answer(tmp_path / "m", version=version, encoding=encoding)))
    document = message.document
    assert document is not None
    assert (message.kind, message.version) == (Kind.DOCUMENT, version)
    assert message.header_uid == made.HEADER
    assert message.created == dt.datetime(2024, 2, 1, 10, tzinfo=clock.MOSCOW)
    assert message.envelope is not None
    assert message.envelope.addresses == ("MINPRIMER_S~MEDOGU",)
    assert (document.uid, document.id, document.number) == (made.DOCUMENT, "77", "02-11/45")
    signer = document.authors[0].signers[0]
    assert signer.signed == dt.date(2024, 3, 5)
    assert signer.person == Party(
        region="Тестовая область", organization="Министерство примеров", person="Иванов И.И.",
        department="Правовой департамент", post="Директор",
    )  # fmt: skip
    link = document.links[0]
    assert (link.kind, link.uid, link.reference.number) == ("В ответ на", made.CONTAINER, "1-Ф/7")
    assert document.correspondents[0].date == dt.date(2024, 2, 1)
    assert document.clauses[0].deadline == dt.date(2024, 4, 1)
    assert document.clauses[0].principals[0].person == "Петров"
    executor = document.authors[0].executor
    assert executor is not None
    assert (executor.person, executor.contact) == ("Исполнителев А.А.", "8 (000) 1")
    assert [(file.name, file.role, file.size) for file in message.files] == [
        ("mainDoc.pdf", Role.DOCUMENT, len(made.PDF))
    ]


def test_container_with_a_passport_in_windows_1251(tmp_path: Path) -> None:
    message = clean(read_folder(made.container(tmp_path / "m")))
    document, container = message.document, message.container
    assert document is not None
    assert container is not None
    assert (message.kind, message.version) == (Kind.CONTAINER, "2.7")
    assert (container.body, container.passport, container.passport_version) == (
        "document.edc.zip", "passport.xml", "1.0",
    )  # fmt: skip
    assert (document.uid, document.number, document.date, document.annotation) == (
        made.CONTAINER, "5-17/999", dt.date(2024, 5, 6), "О сроках «проверок»",
    )  # fmt: skip
    author = document.authors[0]
    assert author.stamp == Stamp(name="stamp.png", page=1, x=15, y=63, width=100, height=14)
    assert author.signers[0].signatures[0].name == "sign1.p7s"
    assert [(file.name, file.role) for file in message.files] == [
        ("document.pdf", Role.DOCUMENT), ("stamp.png", Role.STAMP), ("sign1.p7s", Role.SIGNATURE),
    ]  # fmt: skip


def test_several_authors_signers_and_attachments(tmp_path: Path) -> None:
    more = """<c:attachments><c:attachment c:localName="a1.pdf"><c:order>0</c:order>
    <c:description>График</c:description><c:signature c:localName="a1.p7s"/>
    <c:signature c:localName="a2.p7s"/></c:attachment>
    <c:attachment c:localName="a2.docx"><c:order>1</c:order></c:attachment></c:attachments>"""
    author = """</c:author><c:author><c:organization><c:title>Второй</c:title></c:organization>
    <c:registration><c:number>2</c:number><c:date>2024-05-07</c:date></c:registration>
    <c:sign><c:person><c:name>Сидоров</c:name></c:person>
    <c:documentSignature c:localName="sign2.p7s" c:type="Согласующая"/></c:sign></c:author>"""
    data = made.passport(more=more).replace(b"</c:author>", author.encode("windows-1251"))
    extra = dict.fromkeys(("a1.pdf", "a1.p7s", "a2.p7s", "a2.docx", "sign2.p7s"), b"x")
    folder = made.container(tmp_path / "m", members={"passport.xml": data, **made.MEMBERS, **extra})
    message = clean(read_folder(folder))
    assert message.document is not None
    assert [one.organization.organization for one in message.document.authors] == [
        "Правительство области", "Второй",
    ]  # fmt: skip
    assert message.document.number == "5-17/999"
    assert message.document.authors[1].signers[0].signatures[0].kind == "Согласующая"
    first = next(file for file in message.files if file.name == "a1.pdf")
    assert (first.order, first.description) == (0, "График")
    assert [one.name for one in first.signatures] == ["a1.p7s", "a2.p7s"]


@pytest.mark.parametrize(
    ("mark", "restricted"),
    [
        ('<c:classification c:id="DC00000001">Ограниченного</c:classification>', True),
        ("<c:classification>Информация ограниченного распространения</c:classification>", True),
        ("<c:classification>ДСП</c:classification>", True),
        ('<c:classification c:id="DC00000000">Обычная информация</c:classification>', False),
        ("", False),
    ],
)
def test_restricted_content_is_known_by_its_mark(
    tmp_path: Path, mark: str, restricted: bool
) -> None:
    data = made.passport(requisites=mark)
    folder = made.container(tmp_path / "m", members={"passport.xml": data, **made.MEMBERS})
    document = clean(read_folder(folder)).document
    assert document is not None
    assert document.is_restricted is restricted


@pytest.mark.parametrize("version", ["2.2", "2.6", "2.7"])
@pytest.mark.parametrize("event", list(Event))
def test_every_notification(tmp_path: Path, event: Event, version: str) -> None:
    message = clean(read_folder(made.notification(tmp_path / "m", event, version=version)))
    told = message.notification
    assert told is not None
    assert (message.kind, told.event, told.uid) == (Kind.NOTIFICATION, event, made.DOCUMENT)
    assert (told.id, told.comment) == ("77", "Примечание")
    assert told.time == dt.datetime(2024, 2, 2, 9, tzinfo=clock.MOSCOW)
    assert told.foundation is not None
    assert (told.foundation.number, told.foundation.party.organization) == ("1-Ф/7", "Федерация")
    said = {
        Event.ACCEPTED: told.number == "ВХ-5" and told.date == dt.date(2024, 2, 2),
        Event.REFUSED: told.reason == "Ошибка адресации",
        Event.EXECUTOR: told.executor == Party(person="Исполнителев"),
        Event.REPORT_PREPARED: told.signatory == Party(person="Докладчиков"),
        Event.REPORT_SENT: told.report is not None and told.report.number == "Д-1",
        Event.COURSE: told.course == "Срок продлён",
        Event.PUBLISHED: told.place == "Портал" and told.number == "0001202402",
    }
    assert said[event]


def test_state_registration_is_an_acceptance(tmp_path: Path) -> None:
    folder = made.notification(tmp_path / "m", "documentAccepted")
    xml = (folder / "notification.xml").read_bytes().decode("windows-1251")
    other = xml.replace('"Зарегистрирован"', '"Государственная регистрация"')
    (folder / "notification.xml").write_bytes(other.encode("windows-1251"))
    told = clean(read_folder(folder)).notification
    assert told is not None
    assert (told.event, told.type) == (Event.ACCEPTED, "Государственная регистрация")


@pytest.mark.parametrize(
    ("said", "meant"), [("true", True), ("True", True), ("1", True), ("False", False)]
)
def test_receipt_in_any_letter_case(tmp_path: Path, said: str, meant: bool) -> None:
    inner = (
        f'<x:acknowledgment x:uid="{made.HEADER.upper()}" x:content="document">{made.TIME}'
        f"<x:accepted>{said}</x:accepted><x:comment>Ок</x:comment></x:acknowledgment>"
    )
    files: dict[str, bytes | str] = {
        "acknowledgment.xml": made.communication(inner, kind="Квитанция"),
        "envelope.ltr": made.envelope("acknowledgment.xml"),
    }
    receipt = clean(read_folder(made.place(tmp_path / "m", files))).receipt
    assert receipt is not None
    assert (receipt.uid, receipt.is_accepted) == (made.HEADER, meant)
    assert (receipt.content, receipt.comment) == ("document", "Ок")


INDEX = (
    f'<x:deliveryIndex><x:destination><x:destination x:uid="{made.RECEIVER}">'
    "<x:organization>Федерация</x:organization></x:destination></x:destination>"
    "<x:destination><x:destination x:uid='{C}'/></x:destination></x:deliveryIndex>"
)


def test_addressees_are_doubly_nested(tmp_path: Path) -> None:
    index = INDEX.replace("{C}", made.CONTAINER)
    message = clean(read_folder(indexed(tmp_path, index)))
    assert [one.uid for one in message.destinations] == [made.RECEIVER, made.CONTAINER]
    assert message.destinations[0].organization == "Федерация"


def test_addressee_nested_once_is_forgiven(tmp_path: Path) -> None:
    index = f'<x:deliveryIndex><x:destination x:uid="{made.RECEIVER}"/></x:deliveryIndex>'
    message = read_folder(indexed(tmp_path, index))
    assert made.codes(message.warnings) == {"destination_single"}
    assert [one.uid for one in message.destinations] == [made.RECEIVER]


def indexed(tmp_path: Path, index: str) -> Path:
    folder = made.container(tmp_path / "m")
    xml = made.communication(
        made.BODY, version="2.7.1", kind="Транспортный контейнер", encoding="utf-8",
        namespace=made.MESSAGE_271, prefix="c", index=index,
    )  # fmt: skip
    (folder / "document.xml").write_text(xml, encoding="utf-8")
    return folder


def test_attributes_written_as_elements(tmp_path: Path) -> None:
    folder = made.notification(tmp_path / "m", "documentAccepted")
    xml = (folder / "notification.xml").read_bytes().decode("windows-1251")
    other = xml.replace(f' xdms:uid="{made.DOCUMENT}"', "").replace(
        'xdms:id="77">', f'xdms:id="77"><xdms:uid>{made.DOCUMENT}</xdms:uid>'
    )
    assert other != xml
    (folder / "notification.xml").write_bytes(other.encode("windows-1251"))
    told = clean(read_folder(folder)).notification
    assert told is not None
    assert told.uid == made.DOCUMENT


def test_signed_loose_files(tmp_path: Path) -> None:
    folder = made.answer(tmp_path / "m")
    xml = (folder / "document.xml").read_bytes().decode("windows-1251")
    signed = '<xdms:signedData><xdms:signerInfo xdms:signature="m.p7s"/></xdms:signedData>'
    other = xml.replace("<xdms:pages>1</xdms:pages></xdms:file>", f"{signed}</xdms:file>")
    assert other != xml
    (folder / "document.xml").write_bytes(other.encode("windows-1251"))
    (folder / "m.p7s").write_bytes(b"signature")
    (folder / "envelope.ltr").write_bytes(
        made.envelope("mainDoc.pdf", "m.p7s", "document.xml").encode("windows-1251")
    )
    files = clean(read_folder(folder)).files
    assert [(file.name, file.role) for file in files] == [
        ("mainDoc.pdf", Role.DOCUMENT), ("m.p7s", Role.SIGNATURE),
    ]  # fmt: skip
    assert files[0].signatures[0].name == "m.p7s"
