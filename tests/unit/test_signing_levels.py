"""PAdES B-LT and B-LTA: what is embedded is enough, by our validator and by pyHanko's own."""

import asyncio
import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from io import BytesIO

import pypdfium2
import pytest
from asn1crypto import cms as asn1_cms
from asn1crypto import x509
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.ades.report import AdESPassed
from pyhanko.sign.validation import ades, validate_pdf_signature
from pyhanko.sign.validation.dss import DocumentSecurityStore
from pyhanko.sign.validation.policy_decl import (
    PdfSignatureValidationSpec,
    RevinfoOnlineFetchingRule,
    RevocationInfoGatheringSpec,
    SignatureValidationSpec,
)
from pyhanko_certvalidator.context import CertValidationPolicySpec
from pyhanko_certvalidator.policy_decl import CertRevTrustPolicy, RevocationCheckingPolicy
from pyhanko_certvalidator.registry import SimpleTrustManager

from core import clock
from core.clock import frozen
from core.errors import ServiceError
from signatures import pdf
from signatures.authority import Authority, Issued, Subject, create_authority, trust_of
from signatures.dss import add_document_timestamp, add_validation_data
from signatures.keys import SigningKey
from signatures.proofs import from_trust
from signatures.revocation_data import Revocation, ValidationData, require_covered
from signatures.stamping import StampAuthority
from signatures.trust import TrustStore
from signatures.validation import validate_pdf
from tests.unit.test_signatures_roundtrip import small_pdf

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class World:
    root: Authority
    issuing: Authority
    person: Issued
    tsa: StampAuthority
    stamping: SigningKey
    trust: TrustStore
    revocation: Revocation

    @property
    def roots(self) -> TrustStore:
        """All that a verifier has years later: the roots."""
        return TrustStore(roots=self.trust.roots)


@pytest.fixture(scope="module")
def world() -> World:
    root = create_authority("Root")
    issuing = create_authority("Issuing", parent=root)
    person = issuing.issue(Subject("Иванов Иван Иванович"), kind="rsa")
    stamping = issuing.stamping_key(kind="rsa")
    trust = trust_of(issuing)
    return World(
        root, issuing, person, StampAuthority(stamping), stamping, trust, from_trust(trust)
    )


def _sign(world: World, level: pdf.Level, data: bytes | None = None) -> bytes:
    return pdf.sign_pdf(
        data or small_pdf(), key=world.person.key(), level=level, tsa=world.tsa,
        revocation=world.revocation,
    )  # fmt: skip


def _by_pyhanko(data: bytes, roots: TrustStore) -> list[str]:
    """The verdicts of pyHanko's validation with long-term data, on the file's own data."""
    policy = CertValidationPolicySpec(
        trust_manager=SimpleTrustManager.build(
            trust_roots=[x509.Certificate.load(der) for der in roots.roots]
        ),
        revinfo_policy=CertRevTrustPolicy(RevocationCheckingPolicy.from_legacy("require")),
    )
    spec = PdfSignatureValidationSpec(
        SignatureValidationSpec(
            cert_validation_policy=policy,
            revinfo_gathering_policy=RevocationInfoGatheringSpec(
                online_fetching_rule=RevinfoOnlineFetchingRule.LOCAL_ONLY
            ),
        )
    )
    reader = PdfFileReader(BytesIO(data), strict=True)
    return [
        str(asyncio.run(ades.ades_lta_validation(one, spec)).ades_subindic)
        for one in reader.embedded_regular_signatures
    ]


@pytest.mark.parametrize("level", ["B-LT", "B-LTA"])
def test_level_holds_offline_on_the_files_own_data(world: World, level: pdf.Level) -> None:
    signed = _sign(world, level)
    report = validate_pdf(signed, trust=world.roots)
    assert report.verdict == "valid", report.reasons
    assert report.signatures[0].level == level
    assert validate_pdf(_sign(world, "B-T"), trust=world.roots).verdict == "indeterminate"
    assert len(pypdfium2.PdfDocument(signed)) == 2


def test_pyhanko_agrees(world: World) -> None:
    assert _by_pyhanko(_sign(world, "B-LTA"), world.roots) == [str(AdESPassed.OK)]


def test_pyhanko_takes_the_store_alone(world: World) -> None:
    reader = PdfFileReader(BytesIO(_sign(world, "B-LT")))
    roots = [x509.Certificate.load(der) for der in world.roots.roots]
    context = DocumentSecurityStore.read_dss(reader).as_validation_context(
        {"trust_roots": roots, "allow_fetching": False, "revocation_mode": "require"}
    )
    assert validate_pdf_signature(reader.embedded_signatures[0], context).bottom_line


def test_two_people_reach_the_level_one_after_the_other(world: World) -> None:
    other = world.issuing.issue(Subject("Петрова Анна Сергеевна"), kind="ec384")
    both = pdf.sign_pdf(
        _sign(world, "B-LTA"), key=other.key(), level="B-LTA", tsa=world.tsa,
        revocation=world.revocation,
    )  # fmt: skip
    report = validate_pdf(both, trust=world.roots)
    assert report.verdict == "valid", report.reasons
    assert [one.level for one in report.signatures] == ["B-LTA", "DocTimeStamp"] * 2
    assert _by_pyhanko(both, world.roots) == [str(AdESPassed.OK)] * 2


def test_every_signature_has_its_own_entry_in_the_store(world: World) -> None:
    signed = _sign(world, "B-LT")
    (contents,) = re.findall(rb"/Contents <([0-9a-f]+)>", signed)
    name = hashlib.sha1(contents, usedforsecurity=False).hexdigest().upper()
    store = PdfFileReader(BytesIO(signed)).root["/DSS"]
    assert list(store["/VRI"]) == [f"/{name}"]
    assert len(store["/CRLs"]) == 2


def test_nothing_is_stored_twice(world: World) -> None:
    signed = _sign(world, "B-LT")
    chain = (world.person.der, world.issuing.der)
    again = add_validation_data(signed, world.revocation(chain))
    store = PdfFileReader(BytesIO(again)).root["/DSS"]
    assert (len(store["/CRLs"]), len(store["/Certs"])) == (2, 4)
    assert validate_pdf(again, trust=world.roots).verdict == "valid"


def test_renewal_is_one_more_update(world: World) -> None:
    first = _sign(world, "B-LTA")
    renewed = add_document_timestamp(
        first, tsa=world.tsa, validation=world.revocation((world.stamping.certificate.dump(),)),
        revocation=world.revocation,
    )  # fmt: skip
    assert renewed.startswith(first)
    report = validate_pdf(renewed, trust=world.roots)
    assert report.verdict == "valid", report.reasons
    assert [one.level for one in report.signatures] == ["B-LTA", "DocTimeStamp", "DocTimeStamp"]
    assert _by_pyhanko(renewed, world.roots) == [str(AdESPassed.OK)]
    assert validate_pdf(add_document_timestamp(first, tsa=world.tsa), trust=world.roots).verdict


def test_a_stamp_by_another_authority_brings_its_own_proof(world: World) -> None:
    root = create_authority("Other root")
    other = create_authority("Other issuing", parent=root)
    stamp = StampAuthority(other.stamping_key())
    stamped = add_document_timestamp(
        _sign(world, "B-LT"), tsa=stamp, revocation=from_trust(trust_of(other))
    )
    roots = TrustStore(roots=(*world.roots.roots, root.der))
    report = validate_pdf(stamped, trust=roots)
    assert report.verdict == "valid", report.reasons
    assert _by_pyhanko(stamped, roots) == [str(AdESPassed.OK)]


def test_an_ocsp_answer_does_in_place_of_a_list(world: World) -> None:
    def answered(chain: tuple[bytes, ...]) -> ValidationData:
        found = world.revocation(chain)
        mine = chain[0] == world.person.der
        answers = (world.issuing.ocsp(world.person.certificate),) if mine else ()
        # of the lists only the root's, so that the leaf is proved by the answer alone
        lists = (
            tuple(der for der in found.crls if der == world.trust.crls[1])
            if answers
            else found.crls
        )
        return ValidationData(found.certificates, lists, answers)

    chain = (world.person.der, world.issuing.der)
    require_covered(chain, answered(chain), at=clock.now())
    signed = pdf.sign_pdf(
        small_pdf(), key=world.person.key(), level="B-LTA", tsa=world.tsa, revocation=answered
    )
    assert len(PdfFileReader(BytesIO(signed)).root["/DSS"]["/OCSPs"]) == 1
    assert validate_pdf(signed, trust=world.roots).verdict == "valid"


def _refused(world: World, code: str, **changes: object) -> None:
    same = {
        "key": world.person.key(), "level": "B-LTA", "tsa": world.tsa,
        "revocation": world.revocation,
    }  # fmt: skip
    with pytest.raises(ServiceError) as caught:
        pdf.sign_pdf(small_pdf(), **{**same, **changes})  # type: ignore[arg-type]
    assert caught.value.error_code == code


def test_without_revocation_data_nothing_is_written(world: World) -> None:
    _refused(world, "revocation_unavailable", revocation=None)
    _refused(world, "revocation_unavailable", revocation=lambda _: ValidationData())
    only_root = TrustStore(roots=world.trust.roots, crls=(world.root.crl(),))
    _refused(world, "revocation_unavailable", revocation=from_trust(only_root))
    old = world.issuing.crl(
        this_update=clock.now() - timedelta(days=9), next_update=clock.now() - timedelta(days=2)
    )
    stale = TrustStore(roots=world.trust.roots, crls=(world.root.crl(), old))
    _refused(world, "revocation_unavailable", revocation=from_trust(stale))
    _refused(world, "timestamp_unavailable", tsa=None)


def test_the_stamps_chain_needs_its_proof_too(world: World) -> None:
    other = create_authority("Lone", parent=create_authority("Lone root"))
    _refused(world, "revocation_unavailable", tsa=StampAuthority(other.stamping_key()))


def test_a_revoked_certificate_signs_no_more(world: World) -> None:
    used: list[bytes] = []
    key = world.person.key()
    watched = SigningKey(key.certificate, key.chain, lambda data, _: used.append(data) or b"")
    listed = world.issuing.crl(revoked=[(world.person.certificate, clock.now())], number=2)
    trust = TrustStore(roots=world.trust.roots, crls=(world.root.crl(), listed))
    _refused(world, "certificate_revoked", key=watched, revocation=from_trust(trust))
    answer = world.issuing.ocsp(world.person.certificate, revoked_at=clock.now())
    data = ValidationData((), world.trust.crls, (answer,))
    _refused(world, "certificate_revoked", key=watched, revocation=lambda _: data)
    assert used == []


def test_a_forged_token_is_not_put_into_the_file(world: World) -> None:
    def forging(request: bytes) -> bytes:
        answer = bytearray(world.tsa(request))
        answer[-3] ^= 1  # inside the signature value
        return bytes(answer)

    _refused(world, "timestamp_unavailable", level="B-T", tsa=forging)


def _padded(world: World, size: int) -> SigningKey:
    """A key whose chain takes `size` bytes more than any real one does."""
    from cryptography import x509 as crypto

    key = world.person.key()
    note = crypto.UnrecognizedExtension(crypto.ObjectIdentifier("2.999.7"), bytes(size))
    builder = crypto.CertificateBuilder(
        issuer_name=world.root.name,
        subject_name=Subject("Padding").name(),
        public_key=world.person.private.public_key(),
        serial_number=7,
        not_valid_before=clock.now() - timedelta(days=1),
        not_valid_after=clock.now() + timedelta(days=1),
    ).add_extension(note, critical=False)
    made = builder.sign(world.root.private, world.person.certificate.signature_hash_algorithm)  # type: ignore[arg-type]
    from cryptography.hazmat.primitives.serialization import Encoding

    extra = x509.Certificate.load(made.public_bytes(Encoding.DER))
    return SigningKey(key.certificate, (*key.chain, extra), key.sign)


def test_the_place_grows_with_chain_and_token(world: World) -> None:
    key = _padded(world, 8 * 1024)
    big = StampAuthority(
        SigningKey(world.stamping.certificate, _padded(world, 40_000).chain, world.stamping.sign)
    )
    for stamper in (world.tsa, big):
        signed = pdf.sign_pdf(
            small_pdf(), key=key, level="B-LTA", tsa=stamper, revocation=world.revocation
        )
        report = validate_pdf(signed, trust=world.roots)
        assert report.verdict == "valid", report.reasons
    (first, _) = re.findall(rb"/Contents <([0-9a-f]+)>", signed)
    token = asn1_cms.ContentInfo.load(bytes.fromhex(first.decode()).rstrip(b"\0") + b"\0")
    assert len(token.dump()) > 48_000


def test_the_same_holds_ten_years_later_only_with_the_stamp(world: World) -> None:
    when = datetime(2026, 3, 2, tzinfo=UTC)
    with frozen(when):
        root = create_authority("R")
        person = root.issue(Subject("x"))
        stamp = StampAuthority(root.stamping_key())
        trust = trust_of(root)
        made = {
            level: pdf.sign_pdf(
                small_pdf(), key=person.key(), level=level, tsa=stamp, revocation=from_trust(trust)
            )
            for level in ("B-B", "B-LTA")
        }
    later = when + timedelta(days=500)
    fresh = TrustStore(roots=trust.roots, crls=(root.crl(this_update=later - timedelta(days=1)),))
    assert validate_pdf(made["B-B"], trust=fresh, at=later).verdict != "valid"
    assert validate_pdf(made["B-LTA"], trust=fresh, at=later).verdict == "valid"
