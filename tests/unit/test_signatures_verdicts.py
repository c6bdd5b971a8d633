"""The three values: what is invalid, what cannot be told, and that hostile bytes never escape."""

import hashlib
import json
import logging
import os
import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path

import pytest
from asn1crypto import cms as asn1
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

from core.clock import frozen
from signatures import cms, command, pdf, trust
from signatures.authority import Authority, Issued, Subject, create_authority, trust_of
from signatures.reasons import REASONS
from signatures.stamping import StampAuthority
from signatures.trust import TrustStore
from signatures.validation import validate, validate_bytes, validate_pdf

CORPORA = Path(os.environ.get("DOCFLOW_CORPORA", Path(__file__).parents[3] / "shared/corpora"))
PDFS = CORPORA / "pdf-signatures"
START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
DAY = timedelta(days=1)
BODY = "Циркуляр".encode()


def one_page() -> bytes:
    out, places = BytesIO(b""), []
    out.write(b"%PDF-1.7\n")
    bodies = (
        b"<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[4 0 R]>>>>",
        b"<</Type/Pages/Count 1/Kids[3 0 R]>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 99 99]/Annots[4 0 R]>>",
        b"<</Type/Annot/Subtype/Widget/FT/Tx/T(sum)/V(100)/Rect[0 0 9 9]/P 3 0 R>>",
    )
    for number, body in enumerate(bodies, 1):
        places.append(out.tell())
        out.write(b"%d 0 obj\n%s\nendobj\n" % (number, body))
    table = out.tell()
    out.write(b"xref\n0 5\n0000000000 65535 f \n")
    out.write(b"".join(b"%010d 00000 n \n" % place for place in places))
    out.write(b"trailer\n<</Size 5/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % table)
    return out.getvalue()


@dataclass(frozen=True)
class World:
    issuing: Authority
    person: Issued
    tsa: StampAuthority
    trust: TrustStore
    signed: bytes
    stamped: bytes


@pytest.fixture(scope="module")
def world() -> World:
    with frozen(START):
        root = create_authority("Root")
        issuing = create_authority("Issuing", parent=root)
        person = issuing.issue(Subject("Иванов"), not_after=START + 30 * DAY)
        stamp = StampAuthority(issuing.stamping_key())
        signed = pdf.sign_pdf(one_page(), key=person.key())
        stamped = pdf.sign_pdf(one_page(), key=person.key(), level="B-T", tsa=stamp)
        return World(issuing, person, stamp, trust_of(issuing), signed, stamped)


def _crls(world: World, at: datetime, revoked: list[datetime]) -> TrustStore:
    """Trust as it stands at `at`, the person revoked at each of `revoked`."""
    parent = world.issuing.parent
    assert parent is not None
    entries = [(world.person.certificate, moment) for moment in revoked]
    lists = (world.issuing.crl(revoked=entries, this_update=at), parent.crl(this_update=at))
    return replace(world.trust, crls=lists)


def test_unknown_root_and_no_trust_are_indeterminate(world: World) -> None:
    stranger = trust_of(create_authority("Another root"))
    for store in (stranger, TrustStore()):
        report = validate_pdf(world.signed, trust=store, at=START + DAY)
        assert (report.verdict, report.reasons) == ("indeterminate", ("untrusted",))
        assert report.signatures[0].intact


def test_revocation_data_missing_or_stale(world: World) -> None:
    bare = replace(world.trust, crls=())
    report = validate_pdf(world.signed, trust=bare, at=START + DAY)
    assert (report.verdict, report.reasons) == ("indeterminate", ("revocation_missing",))
    half = replace(world.trust, crls=world.trust.crls[:1])
    report = validate_pdf(world.signed, trust=half, at=START + DAY)
    assert report.verdict == "indeterminate"
    short = world.issuing.crl(this_update=START, next_update=START + DAY)
    lists = (short, world.issuing.parent.crl(this_update=START))  # type: ignore[union-attr]
    report = validate_pdf(world.signed, trust=replace(world.trust, crls=lists), at=START + 3 * DAY)
    assert (report.verdict, report.reasons) == ("indeterminate", ("revocation_stale",))


def test_revoked_is_invalid(world: World) -> None:
    store = _crls(world, START + 2 * DAY, [START + DAY])
    report = validate_pdf(world.signed, trust=store, at=START + 3 * DAY)
    assert (report.verdict, report.reasons) == ("invalid", ("revoked",))
    assert report.signatures[0].revoked_at == START + DAY


def test_revoked_after_a_trusted_stamp_stays_valid(world: World) -> None:
    later = _crls(world, START + 2 * DAY, [START + DAY])
    assert validate_pdf(world.stamped, trust=later, at=START + 3 * DAY).verdict == "valid"
    earlier = _crls(world, START + 2 * DAY, [START - DAY])
    report = validate_pdf(world.stamped, trust=earlier, at=START + 3 * DAY)
    assert report.verdict == "invalid"


def test_expired_with_and_without_a_stamp(world: World) -> None:
    at = START + 40 * DAY
    fresh = _crls(world, at - DAY, [])
    report = validate_pdf(world.signed, trust=fresh, at=at)
    assert (report.verdict, report.reasons) == ("indeterminate", ("certificate_expired",))
    while_good = _crls(world, START + 29 * DAY, [])
    store = replace(while_good, crls=while_good.crls + fresh.crls)
    assert validate_pdf(world.stamped, trust=store, at=at).verdict == "valid"
    only_after = validate_pdf(world.stamped, trust=fresh, at=at)
    assert only_after.verdict == "indeterminate"


def test_not_yet_valid_and_before_signing(world: World) -> None:
    report = validate_pdf(world.signed, trust=_crls(world, START - 9 * DAY, []), at=START - 5 * DAY)
    assert report.verdict == "indeterminate"
    assert "signed_after_moment" in report.reasons


def test_stamp_of_an_unknown_authority(world: World) -> None:
    with frozen(START):
        stranger = create_authority("Stranger")
        foreign = StampAuthority(stranger.stamping_key())
        signed = pdf.sign_pdf(one_page(), key=world.person.key(), level="B-T", tsa=foreign)
    report = validate_pdf(signed, trust=world.trust, at=START + DAY)
    assert report.verdict == "indeterminate"
    assert "timestamp_untrusted" in report.reasons


def _update(signed: bytes, change: str) -> bytes:
    writer = IncrementalPdfFileWriter(BytesIO(signed))
    page = writer.root["/Pages"]["/Kids"][0]
    field = writer.root["/AcroForm"]["/Fields"][0].get_object()
    if change == "field":
        field[generic.pdf_name("/V")] = generic.pdf_string("999")
        writer.update_container(field)
    elif change == "page":
        page[generic.pdf_name("/Rotate")] = generic.NumberObject(90)
        writer.update_container(page)
    elif change == "annotation":
        note = writer.add_object(
            generic.DictionaryObject(
                {
                    generic.pdf_name("/Type"): generic.pdf_name("/Annot"),
                    generic.pdf_name("/Subtype"): generic.pdf_name("/Text"),
                    generic.pdf_name("/Contents"): generic.pdf_string("no"),
                }
            )
        )
        page["/Annots"].append(note)
        writer.update_container(page["/Annots"])
    elif change == "orphan page":
        writer.add_object(
            generic.DictionaryObject({generic.pdf_name("/Type"): generic.pdf_name("/Page")})
        )
    out = BytesIO()
    writer.write(out)
    return out.getvalue()


@pytest.mark.parametrize("change", ["field", "page", "annotation", "orphan page"])
def test_changes_after_signing_are_never_valid(world: World, change: str) -> None:
    changed = _update(world.signed, change)
    assert changed.startswith(world.signed)
    report = validate_pdf(changed, trust=world.trust, at=START + DAY)
    assert report.verdict != "valid", report.reasons
    assert set(report.reasons) & {
        "form_filled_after_signing",
        "changed_after_signing",
        "trailing_bytes",
    }
    with frozen(START):
        again = pdf.sign_pdf(changed, key=world.person.key())
    assert validate_pdf(again, trust=world.trust, at=START + DAY).verdict != "valid"


@pytest.mark.parametrize(
    "tail",
    [b"\n", b"%%EOF\n", b"9 0 obj\n<</Type/Page>>\nendobj\n", b"startxref\n9\n%%EOF\n", b"\0" * 40],
)
def test_bytes_after_the_signature_are_never_valid(world: World, tail: bytes) -> None:
    report = validate_pdf(world.signed + tail, trust=world.trust, at=START + DAY)
    assert report.verdict != "valid"
    assert report.reasons


def test_bytes_hidden_in_the_place_of_the_signature(world: World) -> None:
    # Padding, and not the file's random identifier, which may end with zeros as well.
    position = world.signed.rindex(b"0" * 48 + b">")
    hidden = bytearray(world.signed)
    hidden[position : position + 8] = b"DEADBEEF"
    report = validate_pdf(bytes(hidden), trust=world.trust, at=START + DAY)
    assert (report.verdict, report.reasons) == ("invalid", ("byte_range_malformed",))


def _remade(der: bytes, change: str) -> bytes:
    info = asn1.ContentInfo.load(der)
    signed = info["content"]
    if change == "certificates":
        signed["certificates"] = []
    elif change == "attached":
        signed["encap_content_info"]["content"] = BODY
    else:
        signed["signer_infos"][0]["signed_attrs"] = None
    return bytes(info.dump(force=True))


def test_detached_faults_have_their_own_reasons(world: World) -> None:
    with frozen(START):
        good = cms.sign_detached(digest=hashlib.sha256(BODY).digest(), key=world.person.key())
    faults = {
        "certificates": "signer_certificate_missing",
        "attached": "attached_instead_of_detached",
        "attributes": "no_signed_attributes",
    }
    for change, reason in faults.items():
        report = validate(BODY, signature=_remade(good, change), trust=world.trust, at=START + DAY)
        assert report.verdict != "valid"
        assert reason in report.reasons
    attributes = asn1.ContentInfo.load(good)["content"]["signer_infos"][0]["signed_attrs"]
    as_document = bytes(attributes.untag().dump())
    report = validate(
        as_document, signature=_remade(good, "attributes"), trust=world.trust, at=START + DAY
    )
    assert report.verdict == "invalid"
    assert "attributes_as_document" in report.reasons
    attached = validate(good, trust=world.trust, at=START + DAY)
    assert attached.reasons == ("attached_instead_of_detached",)


def test_every_changed_byte_of_a_detached_signature(world: World) -> None:
    with frozen(START):
        good = cms.sign_detached(digest=hashlib.sha256(BODY).digest(), key=world.person.key())
    still_valid = []
    for position in range(0, len(good), 3):
        bad = bytearray(good)
        bad[position] ^= 0x01
        report = validate(BODY, signature=bytes(bad), trust=world.trust, at=START + DAY)
        assert report.verdict == "valid" or report.reasons
        if report.verdict == "valid":
            still_valid.append(position)
    # Only the unsigned algorithm parameters can differ without any meaning.
    assert len(still_valid) <= len(good) // 100, still_valid


GARBAGE = (b"", b"%PDF-", b"%PDF-1.7\n%%EOF", b"0\x82\xff\xff", os.urandom(2000), b"[" * 50_000)


@pytest.mark.parametrize("data", GARBAGE)
def test_garbage_gets_an_answer(world: World, data: bytes) -> None:
    for report in (
        validate(data, trust=world.trust),
        validate(BODY, signature=data, trust=world.trust),
        validate(world.signed[: 200 + len(data)] + data, trust=world.trust),
        validate(b"%PDF-1.7\n" + data, trust=world.trust),
    ):
        assert report.verdict == "indeterminate"
        assert report.reasons


def test_plain_file_has_no_signature() -> None:
    for data in (BODY, one_page()):
        report = validate(data, at=START)
        assert (report.verdict, report.reasons) == ("indeterminate", ("no_signature",))


def test_every_reason_speaks_both_languages() -> None:
    for reason in REASONS.values():
        assert re.search("[а-я]", reason.ru)
        assert re.search("[a-z]", reason.en)
        assert reason.verdict in ("invalid", "indeterminate")


def test_door_for_workers_takes_and_gives_plain_data(world: World) -> None:
    request = {
        "data": world.signed,
        "roots": list(world.trust.roots),
        "others": list(world.trust.others),
        "crls": list(world.trust.crls),
        "at": (START + DAY).isoformat(),
    }
    answer = validate_bytes(request)
    assert json.loads(json.dumps(answer)) == answer
    assert answer["verdict"] == "valid"
    assert answer["signatures"][0]["signing_time"] == "2026-03-02T09:00:00Z"


def test_command(world: World, tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(world.signed)
    (tmp_path / "trust").mkdir()
    for number, der in enumerate(world.trust.roots + world.trust.others):
        (tmp_path / "trust" / f"{number}.crt").write_bytes(der)
    (tmp_path / "crl").mkdir()
    for number, der in enumerate(world.trust.crls):
        (tmp_path / "crl" / f"{number}.crl").write_bytes(der)
    file, at = tmp_path / "a.pdf", "2026-03-03T09:00:00Z"
    store = {"trust": [tmp_path / "trust"], "crls": [tmp_path / "crl"]}
    assert command.run(file=file, **store, at=at)[1] == 0  # type: ignore[arg-type]
    assert command.run(file=file, at=at)[1] == 2
    file.write_bytes(world.signed.replace(b"0 0 99 99", b"0 0 11 11"))
    report, code = command.run(file=file, **store, at=at)  # type: ignore[arg-type]
    assert (code, report["reasons"][0]["code"]) == (1, "digest_mismatch")
    assert command.run(file=tmp_path / "none.pdf")[1] == 64
    assert command.run(file=file, at="yesterday")[1] == 64
    assert command.run(file=file, trust=[file])[1] == 64
    assert command.run(file=tmp_path)[1] == 64


def test_trust_from_pem_bytes(world: World) -> None:
    from cryptography.hazmat.primitives.serialization import Encoding

    pem = world.issuing.certificate.public_bytes(Encoding.PEM)
    assert world.issuing.parent is not None
    pem += world.issuing.parent.certificate.public_bytes(Encoding.PEM)
    store = trust.from_bytes(trust=[pem], crls=world.trust.crls)
    assert validate_pdf(world.signed, trust=store, at=START + DAY).verdict == "valid"


def _carried(data: bytes) -> tuple[bytes, ...]:
    """The certificates inside the signatures, so that an attack lacks nothing but honesty."""
    found = set()
    for match in re.finditer(rb"<([0-9A-Fa-f]{1000,})>", data):
        try:
            text = match[1][: len(match[1]) // 2 * 2].decode()
            signed = asn1.ContentInfo.load(bytes.fromhex(text))["content"]
            found.update(choice.chosen.dump() for choice in signed["certificates"])
        except (ValueError, TypeError, KeyError):
            continue
    return tuple(found)


@pytest.mark.skipif(not PDFS.exists(), reason=f"no corpus at {PDFS} (DOCFLOW_CORPORA)")
def test_corpus_of_attacks(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL)
    counts: dict[str, int] = {}
    for file in sorted(PDFS.rglob("*.pdf")):
        data = file.read_bytes()
        report = validate_pdf(data, trust=TrustStore(roots=_carried(data)))
        json.dumps(report.as_dict())
        assert report.verdict == "valid" or report.reasons, file.name
        counts[report.verdict] = counts.get(report.verdict, 0) + 1
        if file.name.startswith(("isa_", "usf_", "siwa_")) or "sneaky" in file.name:
            assert report.verdict != "valid", (file.name, report.reasons)
    assert counts["valid"] >= 8, counts
