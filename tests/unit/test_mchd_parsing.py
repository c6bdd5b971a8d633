"""Reading powers of attorney: what they say, and what hostile or foreign files come to."""

from datetime import date

import msgspec
import pytest

from core import sandbox
from core.errors import InvalidInput, ServiceError
from core.sandbox.errors import HostileInput
from signatures.mchd import parsing
from signatures.mchd.model import PowerOfAttorney
from tests.mchd_files import CLERK, DEPUTY, HEAD, INN, NUMBER, OGRN, PARENT, Made

GOOD = Made()


def refusal(data: bytes) -> str:
    with pytest.raises(ServiceError) as refused:
        parsing.content_of(data)
    assert refused.value.message_ru != refused.value.message_en
    return refused.value.error_code


def test_everything_a_direct_one_says() -> None:
    said = parsing.content_of(GOOD.bytes())
    assert (said.is_parsed, said.version, said.number) == (True, "EMCHD_1", NUMBER)
    assert said.file_id == f"ON_EMCHD_20260901_{NUMBER}"
    assert (said.issued_on, said.expires_on) == (date(2026, 9, 1), date(2026, 10, 31))
    assert (said.delegation, said.is_irrevocable, said.is_joint) == ("forbidden", False, False)
    assert (said.is_delegated, said.parent_number, said.warnings) == (False, "", ())
    assert said.system.startswith("https://registry")
    (principal,) = said.principals
    assert (principal.kind, principal.inn, principal.ogrn) == ("organization", INN, OGRN)
    assert (principal.heads[0].surname, principal.heads[0].snils) == (HEAD.surname, HEAD.digits)
    (representative,) = said.representatives
    assert representative.person is not None
    assert (representative.person.snils, representative.person.inn) == (DEPUTY.digits, DEPUTY.inn)
    assert [one.name for one in said.powers] == ["Подписание писем и обращений организации"]


@pytest.mark.parametrize("encoding", ["UTF-8", "windows-1251", "utf-16"])
def test_encodings(encoding: str) -> None:
    said = parsing.content_of(GOOD.but(encoding=encoding).bytes())
    assert said == parsing.content_of(GOOD.bytes())


def test_codes_flags_and_limits() -> None:
    powers = (
        '<МашПолн КодПолн="BBDOCS_LETTERS" НаимПолн="Подписывать письма">'
        '<ОгрСвПолн ИдОгр="1" КодОгр="SUM" НаимОгр="Сумма сделки"><КодЗначОгр>1</КодЗначОгр>'
        "</ОгрСвПолн></МашПолн>"
    )
    made = GOOD.but(powers=powers, delegation="3", revocable="2", joint="2", people=(DEPUTY, CLERK))
    said = parsing.content_of(made.bytes())
    assert (said.delegation, said.is_irrevocable, said.is_joint) == ("repeated", True, True)
    (power,) = said.powers
    assert (power.code, power.limits) == ("BBDOCS_LETTERS", ("Сумма сделки",))
    assert len(said.representatives) == 2


def test_delegated_one_names_its_parent() -> None:
    said = parsing.content_of(GOOD.but(parent=PARENT, people=(CLERK,)).bytes())
    assert (said.is_delegated, said.parent_number, said.root_number) == (True, PARENT, PARENT)
    assert said.principals[0].heads[0].snils == DEPUTY.digits
    assert said.principals[0].kind == "person"


def test_what_is_not_understood_is_said() -> None:
    made = GOOD.but(extra="<НовыйРаздел>x</НовыйРаздел>", delegation="7")
    said = parsing.content_of(made.bytes())
    assert said.warnings == ("Довер/НовыйРаздел",)
    assert said.delegation == "unknown"
    foreign = '<x:СвПолн xmlns:x="urn:other"><x:ТекстПолн>всё</x:ТекстПолн></x:СвПолн>'
    said = parsing.content_of(GOOD.but(extra=foreign).bytes())
    assert said.warnings == ("Довер/{urn:other}СвПолн",)
    assert len(said.powers) == 1, "another vocabulary's element is not one of the form"


@pytest.mark.parametrize(
    "made", [GOOD.but(version="EMCHD_2"), GOOD.but(namespace="urn://x-artefacts/EMCHD_2"),
             GOOD.but(version="")],
)  # fmt: skip
def test_unknown_form_is_kept_unread(made: Made) -> None:
    said = parsing.content_of(made.bytes())
    assert not said.is_parsed
    assert (said.number, said.principals, said.powers) == ("", (), ())
    assert said.file_id.endswith(NUMBER)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "broken_xml"),
        (b"\x00\x01garbage", "broken_xml"),
        (GOOD.bytes()[:-30], "broken_xml"),
        (GOOD.bytes() + b"<more/>", "broken_xml"),
        (b'<?xml version="1.0" encoding="x-nobody"?><a/>', "broken_xml"),
        (b"<Envelope/>", "mchd_not_recognized"),
        (GOOD.but(number="17").bytes(), "mchd_incomplete"),
        (GOOD.but(issued="01.09.2026").bytes(), "mchd_incomplete"),
        (GOOD.but(expires="").bytes(), "mchd_incomplete"),
        (GOOD.bytes().replace("Документ".encode(), "Документы".encode()), "mchd_incomplete"),
        (b"<a>" * 100 + b"</a>" * 100, "xml_depth"),
        (b"<a>" + b"<b/>" * 30_000 + b"</a>", "xml_too_large"),
        (b"<a>" + b"x" * 300_000 + b"</a>", "xml_too_large"),
        (b"<a " + b" ".join(b'a%d="1"' % n for n in range(100)) + b"/>", "xml_too_large"),
        (b" " * (3 << 20), "xml_too_large"),
    ],
)
def test_refused_with_its_own_code(data: bytes, code: str) -> None:
    assert refusal(data) == code


XXE = b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>'
LAUGHS = (
    b'<!DOCTYPE a [<!ENTITY l0 "ha">'
    + b"".join(b'<!ENTITY l%d "%s">' % (n, b"&l%d;" % (n - 1) * 10) for n in range(1, 12))
    + b"]><a>&l11;</a>"
)
PARAMETER = b'<!DOCTYPE a [<!ENTITY % p SYSTEM "http://localhost/x.dtd"> %p;]><a/>'
OUTSIDE = b'<!DOCTYPE a SYSTEM "http://localhost/x.dtd"><a/>'


@pytest.mark.parametrize("data", [XXE, LAUGHS, PARAMETER, OUTSIDE])
def test_document_types_are_refused(data: bytes) -> None:
    assert refusal(data) == "xml_dtd"


async def test_in_the_sandbox_the_same() -> None:
    pool = sandbox.pool()
    said = await pool.run("signatures.mchd.parsing:content_of", GOOD.bytes(), into=PowerOfAttorney)
    assert said == parsing.content_of(GOOD.bytes())
    with pytest.raises(HostileInput) as refused:
        await pool.run("signatures.mchd.parsing:content_of", LAUGHS)
    assert refused.value.error_code == "xml_dtd"
    with pytest.raises(InvalidInput):
        await parsing.parse(b"<a/>")


def test_kept_and_read_back_the_same() -> None:
    said = parsing.content_of(GOOD.but(parent=PARENT).bytes())
    plain = msgspec.json.decode(msgspec.json.encode(said))
    assert msgspec.convert(plain, PowerOfAttorney, strict=False) == said


def test_every_cut_and_every_changed_byte_is_an_answer() -> None:
    """Whatever the bytes, the reader answers with content or with an error of ours."""
    data = GOOD.bytes()
    for place in range(0, len(data), 7):
        for broken in (data[:place], data[:place] + b"<" + data[place + 1 :],
                       data[:place] + b"\xff" + data[place + 1 :]):  # fmt: skip
            try:
                parsing.content_of(broken)
            except ServiceError as problem:
                assert problem.error_code  # noqa: PT017 - both ways out are right
