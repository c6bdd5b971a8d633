"""Sign and validate: every form, several people, the client's own key, tokens."""

import hashlib
from base64 import b64encode
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from io import BytesIO

import pytest

from core.clock import frozen
from core.errors import InvalidInput, ServiceError
from signatures import cms, pdf
from signatures.authority import Authority, Issued, Subject, create_authority, trust_of
from signatures.keys import load_pem, load_pkcs12
from signatures.stamping import StampAuthority
from signatures.trust import TrustStore
from signatures.validation import digests_needed, validate, validate_detached, validate_pdf

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
SIGNED = START + timedelta(days=10)

LETTER = b"\xd0\xa6\xd0\xb8\xd1\x80\xd0\xba\xd1\x83\xd0\xbb\xd1\x8f\xd1\x80"


def small_pdf(pages: int = 2, filling: bytes = b"") -> bytes:
    """A correct little PDF with `pages` pages and a stream of `filling`."""
    kids = b" ".join(b"%d 0 R" % (number + 4) for number in range(pages))
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Count %d/Kids[%s]>>" % (pages, kids),
        b"<</Length %d>>stream\n%s\nendstream" % (len(filling), filling),
        *[b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 99 99]/Contents 3 0 R>>"] * pages,
    ]
    out, places = BytesIO(), []
    out.write(b"%PDF-1.7\n")
    for number, body in enumerate(objects, 1):
        places.append(out.tell())
        out.write(b"%d 0 obj\n%s\nendobj\n" % (number, body))
    table = out.tell()
    out.write(b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1))
    out.write(b"".join(b"%010d 00000 n \n" % place for place in places))
    out.write(b"trailer\n<</Size %d/Root 1 0 R>>\n" % (len(objects) + 1))
    out.write(b"startxref\n%d\n%%%%EOF\n" % table)
    return out.getvalue()


@dataclass(frozen=True)
class World:
    root: Authority
    issuing: Authority
    person: Issued
    colleague: Issued
    tsa: StampAuthority
    trust: TrustStore


@pytest.fixture(scope="module")
def world() -> World:
    with frozen(START):
        root = create_authority("Root")
        issuing = create_authority("Issuing", parent=root)
        person = issuing.issue(
            Subject(
                "Иванов Иван Иванович",
                surname="Иванов",
                given_name="Иван Иванович",
                title="Председатель",
                organization="Обком профсоюза",
                inn="123456789012",
                ogrn="1234567890123",
                snils="12345678901",
            ),
            kind="rsa",
        )
        colleague = issuing.issue(Subject("Петрова Анна"))
    with frozen(SIGNED):
        trust = trust_of(issuing)
        stamp = StampAuthority(issuing.stamping_key())
    return World(root, issuing, person, colleague, stamp, trust)


@pytest.fixture(autouse=True)
def _then():
    with frozen(SIGNED):
        yield


def test_pdf_round_trip_tells_who_signed(world: World) -> None:
    signed = pdf.sign_pdf(small_pdf(), key=world.person.key(), words=pdf.Words(reason="Утверждаю"))
    report = validate_pdf(signed, trust=world.trust)
    assert report.verdict == "valid"
    (one,) = report.signatures
    assert one.signer == "Иванов Иван Иванович"
    assert one.subject["inn"] == "123456789012"
    assert one.subject["title"] == "Председатель"
    assert (one.format, one.level, one.coverage) == ("PAdES", "B-B", "entire_file")
    assert one.algorithm == "rsa-2048-sha256"
    assert one.signing_time == SIGNED
    assert one.certificate_sha256 == hashlib.sha256(world.person.der).hexdigest()


def test_two_people_and_a_time_stamp(world: World) -> None:
    first = pdf.sign_pdf(small_pdf(), key=world.person.key())
    both = pdf.sign_pdf(first, key=world.colleague.key(), level="B-T", tsa=world.tsa)
    assert both.startswith(first)
    report = validate_pdf(both, trust=world.trust)
    assert report.verdict == "valid", report.reasons
    assert [one.field_name for one in report.signatures] == ["Signature1", "Signature2"]
    assert [one.level for one in report.signatures] == ["B-B", "B-T"]
    stamp = report.signatures[1].timestamp
    assert stamp is not None
    assert (stamp.trusted, stamp.time) == (True, SIGNED)


def test_three_signatures_stay_good(world: World) -> None:
    data = small_pdf()
    for person in (world.person, world.colleague, world.person):
        data = pdf.sign_pdf(data, key=person.key(), level="B-T", tsa=world.tsa)
    assert validate_pdf(data, trust=world.trust).verdict == "valid"


@pytest.mark.parametrize("position", [0.02, 0.3, 0.6, 0.9])
def test_changed_byte_is_never_valid(world: World, position: float) -> None:
    signed = bytearray(pdf.sign_pdf(small_pdf(filling=LETTER * 500), key=world.person.key()))
    signed[int(len(signed) * position)] ^= 1
    assert validate_pdf(bytes(signed), trust=world.trust).verdict != "valid"


def test_changed_content_is_invalid(world: World) -> None:
    signed = pdf.sign_pdf(small_pdf(filling=b"pay 100"), key=world.person.key())
    report = validate_pdf(signed.replace(b"pay 100", b"pay 900"), trust=world.trust)
    assert report.verdict == "invalid"
    assert report.reasons == ("digest_mismatch",)


@pytest.mark.parametrize("megabytes", [99, 101])
def test_large_pdf(world: World, megabytes: int) -> None:
    data = small_pdf(filling=bytes(megabytes * 1_000_000))
    signed = pdf.sign_pdf(data, key=world.colleague.key())
    assert validate_pdf(signed, trust=world.trust).verdict == "valid"


def test_client_key_in_two_requests(world: World) -> None:
    prepared = pdf.prepare(small_pdf(), certificate=world.person.der, chain=(world.issuing.der,))
    kept = pdf.Prepared.restore(state=prepared.state(), document=prepared.document)
    value = world.person.key().sign(kept.attributes, "sha256")
    signed = pdf.finish(kept, value, tsa=world.tsa)
    report = validate_pdf(signed, trust=world.trust)
    assert (report.verdict, report.signatures[0].level) == ("valid", "B-T")
    whole = cms.sign_detached(digest=kept.digest, key=world.person.key())
    assert validate_pdf(pdf.finish(kept, whole), trust=world.trust).verdict == "valid"


def test_client_key_answers_that_do_not_fit(world: World) -> None:
    prepared = pdf.prepare(small_pdf(), certificate=world.person.der)
    wrong = world.person.key().sign(b"something else", "sha256")
    with pytest.raises(InvalidInput) as caught:
        pdf.finish(prepared, wrong)
    assert caught.value.error_code == "signature_does_not_fit"
    other = cms.sign_detached(digest=prepared.digest, key=world.colleague.key())
    with pytest.raises(InvalidInput) as caught:
        pdf.finish(prepared, other)
    assert caught.value.error_code == "certificate_changed"
    shifted = replace(prepared, start=prepared.start - 1)
    value = world.person.key().sign(prepared.attributes, "sha256")
    with pytest.raises(InvalidInput) as caught:
        pdf.finish(shifted, value)
    assert caught.value.error_code == "pdf_unsignable"


def test_detached_signature_of_a_stream(world: World) -> None:
    digest = cms.digest_stream(BytesIO(LETTER).read)
    made = cms.sign_detached(digest=digest, key=world.person.key(), tsa=world.tsa)
    assert digests_needed(made) == ("sha256",)
    report = validate_detached(made, digests={"sha256": digest}, trust=world.trust)
    assert report.verdict == "valid"
    assert report.signatures[0].format == "CAdES"
    assert report.signatures[0].level == "B-T"
    wrong = validate(b"another file", signature=made, trust=world.trust)
    assert (wrong.verdict, wrong.reasons) == ("invalid", ("digest_mismatch",))


def test_detached_client_key(world: World) -> None:
    digest = hashlib.sha256(LETTER).digest()
    der = world.colleague.der
    attributes = cms.prepare_detached(digest=digest, certificate=der)
    value = world.colleague.key().sign(attributes, "sha256")
    made = cms.finish_detached(
        digest=digest,
        attributes=attributes,
        certificate=der,
        answer=value,
        chain=(world.issuing.der,),
    )
    assert validate(LETTER, signature=made, trust=world.trust).verdict == "valid"


def _encodings(der: bytes) -> dict[str, bytes]:
    text = b64encode(der).decode()
    pem = f"-----BEGIN CMS-----\n{text}\n-----END CMS-----\n"
    return {
        "der": der,
        "pem": pem.encode(),
        "base64": text.encode(),
        "lines": "\r\n".join(text[i : i + 64] for i in range(0, len(text), 64)).encode(),
        "bom": b"\xef\xbb\xbf" + text.encode(),
        "utf16": text.encode("utf-16"),
        "utf16le": text.encode("utf-16-le"),
        "utf16be": text.encode("utf-16-be"),
        "pem16": pem.encode("utf-16"),
    }


def test_every_upload_encoding(world: World) -> None:
    der = cms.sign_detached(digest=hashlib.sha256(LETTER).digest(), key=world.person.key())
    for name, data in _encodings(der).items():
        assert cms.normalize_cms(data) == der, name


@pytest.mark.parametrize("data", [b"", b"0", b"0\x80", b"\xff\xfe", b"hello", b"MIIB", bytes(99)])
def test_uploads_that_are_no_signature(data: bytes) -> None:
    with pytest.raises(InvalidInput) as caught:
        cms.normalize_cms(data)
    assert caught.value.error_code == "signature_unreadable"


def test_certificate_is_refused_before_signing(world: World) -> None:
    early = world.issuing.issue(Subject("x"), not_before=START - timedelta(days=9), not_after=START)
    with pytest.raises(InvalidInput) as caught:
        pdf.prepare(small_pdf(), certificate=early.der)
    assert caught.value.error_code == "certificate_expired"
    with pytest.raises(InvalidInput) as caught:
        pdf.prepare(small_pdf(), certificate=world.tsa.key.certificate.dump())
    assert caught.value.error_code == "certificate_usage"
    with pytest.raises(InvalidInput) as caught:
        pdf.prepare(small_pdf(), certificate=b"0\x00garbage")
    assert caught.value.error_code == "certificate_unreadable"


@pytest.mark.parametrize("data", [b"", b"%PDF-1.7\n", b"hello", small_pdf()[:150]])
def test_what_is_no_pdf_cannot_be_signed(world: World, data: bytes) -> None:
    with pytest.raises(ServiceError) as caught:
        pdf.sign_pdf(data, key=world.person.key())
    assert caught.value.error_code == "pdf_unreadable"


def test_sloppy_writer_is_signed_and_validated(world: World) -> None:
    """Pillow writes the free-list head with generation 65536, which strict parsers refuse."""
    sloppy = small_pdf().replace(b" 65535 f", b" 65536 f")
    signed = pdf.sign_pdf(sloppy, key=world.person.key())
    assert validate_pdf(signed, trust=world.trust).verdict == "valid"


def test_keys_from_files_are_loaded_once(world: World) -> None:
    data = world.person.as_pkcs12(b"secret")
    key = load_pkcs12(data, passphrase=b"secret")
    assert load_pkcs12(data, passphrase=b"secret") is key
    assert validate_pdf(pdf.sign_pdf(small_pdf(), key=key), trust=world.trust).verdict == "valid"
    with pytest.raises(InvalidInput) as caught:
        load_pkcs12(data, passphrase=b"wrong")
    assert caught.value.error_code == "key_unreadable"
    with pytest.raises(InvalidInput):
        load_pem(b"nonsense", certificate=world.person.der)


def test_stamp_authority_refuses_nonsense(world: World) -> None:
    assert world.tsa.answer(b"nonsense")
    with pytest.raises(ServiceError) as caught:
        pdf.sign_pdf(small_pdf(), key=world.person.key(), level="B-T", tsa=lambda _: b"nonsense")
    assert caught.value.error_code == "timestamp_unavailable"
