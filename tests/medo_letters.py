"""Messages of our own as they are handed to the writer: a letter with everything, every answer."""

import dataclasses
import datetime as dt

from docflow.gateways.medo.messages import (
    Author,
    Document,
    Envelope,
    Event,
    File,
    Kind,
    Link,
    Message,
    Notification,
    Party,
    Reference,
    Role,
    Signature,
    Signer,
    Stamp,
)  # fmt: skip
from docflow.gateways.medo.writing import for_version
from tests import medo_folders as made

NOW = dt.datetime(2026, 11, 22, 7, 30, tzinfo=dt.UTC)
DAY = dt.date(2026, 11, 20)
US = Party(uid=made.SENDER, organization="Федерация независимых профсоюзов & «Союз» <1>")
THEM = Party(uid=made.RECEIVER, organization="Министерство труда")
PNG = b"\x89PNG\r\n\x1a\n"
SOURCES = {
    "document.pdf": made.PDF * 50, "a1.pdf": b"%PDF-1.4 annex", "s1.p7s": b"0\x80one",
    "s2.p7s": b"0\x80two", "a1.p7s": b"0\x80three", "reg.png": PNG, "s1.png": PNG + b"1",
}  # fmt: skip
STAMP = Stamp(name="s1.png", page=2, x=80, y=230, width=72, height=30)


def letter(version: str = "2.7.1") -> Message:
    """A letter with all the trimmings, for any version."""
    first = Signer(
        person=Party(post="Председатель", person="Иванова А.А.", phone="1", email="a@example.org",
                     person_id="p-1"),
        signed=DAY, signatures=(Signature(name="s1.p7s", kind="Утверждающая", stamp=STAMP),),
    )  # fmt: skip
    second = Signer(
        person=Party(post="Секретарь", person="Петров Б.Б."),
        signed=DAY, signatures=(Signature(name="s2.p7s", kind="Согласующая"),),
    )  # fmt: skip
    answered = Reference(
        party=Party(organization="Министерство труда"), number="16-2/5", date=dt.date(2026, 10, 1)
    )
    document = Document(
        number="101-114/7", date=DAY, kind="Письмо", annotation="О минимальном размере оплаты",
        pages=3, enclosure_pages=1,
        authors=(
            Author(
                organization=dataclasses.replace(US, address="Москва", phone="2", email="b@c.ru"),
                stamp=Stamp(name="reg.png", page=1, x=15, y=63, width=100, height=14),
                signers=(first, second),
                executor=Party(person="Исполнителев", post="Эксперт", phone="3"),
            ),
        ),
        addressees=(dataclasses.replace(THEM, person="Министров В.В.", post="Министр"),),
        links=(Link(kind="В ответ на", uid=made.CONTAINER, reference=answered),),
    )  # fmt: skip
    message = Message(
        kind=Kind.CONTAINER, source=US, destinations=(THEM,), document=document,
        files=(
            File(name="document.pdf", role=Role.DOCUMENT),
            File(name="a1.pdf", role=Role.ATTACHMENT, description="Расчёт",
                 signatures=(Signature(name="a1.p7s"),)),
        ),
        envelope=Envelope(addresses=("MINTRUD_S~MEDOGU",)),
    )  # fmt: skip
    return for_version(message, version)


def told(event: Event, version: str = "2.7.1") -> Message:
    """A notification of every part at once; what the event has no place for is left out."""
    person = Party(organization="Федерация", person="Исполнителев", post="Эксперт")
    other = Reference(party=Party(organization="Министерство"), number="16-2/5", date=DAY)
    notification = Notification(
        event=event, uid=made.HEADER, id="42", time=NOW, foundation=other, number="1-Ф/9",
        date=DAY, reason="Ошибка адресации", executor=person, manager=person, secretary=person,
        signatory=person, report=other, course="Срок продлён до 30 дней", place="Портал",
        comment="Примечание", clause="п. 2",
    )  # fmt: skip
    envelope = Envelope(addresses=("MINTRUD_S~MEDOGU",))
    return Message(
        kind=Kind.NOTIFICATION, version=version, source=US, destinations=(THEM,),
        notification=notification, envelope=envelope,
    )  # fmt: skip
