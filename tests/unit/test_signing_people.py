"""Several people, several roles, several files: what stands in the signed bytes."""

import hashlib
import itertools
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import pytest
from asn1crypto import cms as asn1_cms
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation.pdf_embedded import read_certification_data

from core.errors import Conflict
from signatures import cms, pdf
from signatures.authority import Authority, Issued, Subject, create_authority, trust_of
from signatures.proofs import from_trust
from signatures.roles import COMMITMENTS, Role
from signatures.stamping import StampAuthority
from signatures.trust import TrustStore
from signatures.validation import validate, validate_detached, validate_pdf
from tests.unit.test_signatures_roundtrip import small_pdf

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class World:
    issuing: Authority
    people: tuple[Issued, ...]
    trust: TrustStore
    tsa: StampAuthority


@pytest.fixture(scope="module")
def world() -> World:
    issuing = create_authority("Issuing", parent=create_authority("Root"))
    kinds = ("rsa", "ec", "ec384")
    people = tuple(issuing.issue(Subject(f"Подписант {kind}"), kind=kind) for kind in kinds)
    return World(issuing, people, trust_of(issuing), StampAuthority(issuing.stamping_key()))


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_three_keys_in_any_order(world: World, order: tuple[int, ...]) -> None:
    data = small_pdf()
    for number, one in enumerate(order, 1):
        before = data
        data = pdf.sign_pdf(data, key=world.people[one].key())
        assert data.startswith(before)
        report = validate_pdf(data, trust=world.trust)
        assert report.verdict == "valid", report.reasons
        assert len(report.signatures) == number
    kinds = ("rsa-2048-sha256", "ecdsa-secp256r1-sha256", "ecdsa-secp384r1-sha256")
    assert [one.algorithm for one in report.signatures] == [kinds[one] for one in order]


def test_three_people_at_three_levels(world: World) -> None:
    data = small_pdf()
    for person, level in zip(world.people, ("B-LTA", "B-T", "B-LTA"), strict=True):
        data = pdf.sign_pdf(
            data, key=person.key(), level=level, tsa=world.tsa,  # type: ignore[arg-type]
            revocation=from_trust(world.trust),
        )  # fmt: skip
    report = validate_pdf(data, trust=TrustStore(roots=world.trust.roots))
    assert report.verdict == "valid", report.reasons


def test_two_prepared_on_one_revision_are_two_files(world: World) -> None:
    """Neither holds the other: who comes second starts again on the new revision."""
    data = small_pdf()
    made = []
    for person in world.people[:2]:
        prepared = pdf.prepare(data, certificate=person.der, chain=(world.issuing.der,))
        value = person.key().sign(prepared.attributes, "sha256")
        made.append(pdf.finish(prepared, value))
    for one in made:
        report = validate_pdf(one, trust=world.trust)
        assert (report.verdict, len(report.signatures)) == ("valid", 1)
    assert not made[1].startswith(made[0])
    again = pdf.sign_pdf(made[0], key=world.people[1].key())
    assert len(validate_pdf(again, trust=world.trust).signatures) == 2


def _commitment(der: bytes) -> str | None:
    attributes = asn1_cms.ContentInfo.load(der)["content"]["signer_infos"][0]["signed_attrs"]
    for one in attributes:
        if one["type"].dotted == "1.2.840.113549.1.9.16.2.16":
            return str(one["values"][0]["commitment_type_id"].dotted)
    return None


def _last(data: bytes) -> tuple[object, str | None]:
    embedded = PdfFileReader(BytesIO(data)).embedded_signatures[-1]
    return embedded.sig_object.get("/Reason"), _commitment(embedded.pkcs7_content)


@pytest.mark.parametrize(
    ("role", "reason"),
    [("approving", None), ("certifying", None), ("endorsing", "Согласовано"), ("sealing", None)],
)
def test_a_role_is_in_the_signed_bytes(world: World, role: Role, reason: str | None) -> None:
    key = world.people[0].key()
    signed = pdf.sign_pdf(small_pdf(), key=key, role=role)
    assert validate_pdf(signed, trust=world.trust).verdict == "valid"
    expected = None if reason else COMMITMENTS.get(role)
    assert _last(signed) == (reason, expected)
    own_words = pdf.sign_pdf(small_pdf(), key=key, role=role, words=pdf.Words(reason="Иное"))
    assert _last(own_words) == ("Иное", None)
    digest = hashlib.sha256(b"annex").digest()
    detached = cms.sign_detached(digest=digest, key=key, commitment=COMMITMENTS.get(role))
    assert _commitment(detached) == COMMITMENTS.get(role)
    assert validate(b"annex", signature=detached, trust=world.trust).verdict == "valid"


def test_a_client_key_states_its_role_too(world: World) -> None:
    person = world.people[1]
    prepared = pdf.prepare(small_pdf(), certificate=person.der, role="certifying")
    signed = pdf.finish(prepared, person.key().sign(prepared.attributes, "sha256"))
    assert _last(signed) == (None, COMMITMENTS["certifying"])


def test_who_certifies_comes_first_and_lets_others_sign(world: World) -> None:
    first, second, third = (person.key() for person in world.people)
    certified = pdf.sign_pdf(small_pdf(), key=first, role="certifying")
    read = read_certification_data(PdfFileReader(BytesIO(certified)))
    assert read is not None
    assert read.permission.value == 2
    both = pdf.sign_pdf(certified, key=second, role="approving")
    every = pdf.sign_pdf(
        both, key=third, role="endorsing", level="B-LTA", tsa=world.tsa,
        revocation=from_trust(world.trust),
    )  # fmt: skip
    report = validate_pdf(every, trust=world.trust)
    assert report.verdict == "valid", report.reasons
    for data in (certified, pdf.sign_pdf(small_pdf(), key=second)):
        with pytest.raises(Conflict) as caught:
            pdf.sign_pdf(data, key=second, role="certifying")
        assert caught.value.error_code == "certification_not_first"


def test_each_annex_has_signatures_of_its_own(world: World) -> None:
    annexes = [b"table %d" % number for number in range(3)]
    for annex in annexes:
        digest = cms.digest_stream(BytesIO(annex).read)
        for person, tsa in zip(world.people, (None, world.tsa, world.tsa), strict=True):
            made = cms.sign_detached(digest=digest, key=person.key(), tsa=tsa)
            assert validate(annex, signature=made, trust=world.trust).verdict == "valid"
            others = [one for one in annexes if one != annex]
            for other in others:
                wrong = validate(other, signature=made, trust=world.trust)
                assert (wrong.verdict, wrong.reasons) == ("invalid", ("digest_mismatch",))


@pytest.mark.slow
def test_a_gigabyte_is_signed_and_validated_by_its_digest(world: World, tmp_path: Path) -> None:
    path = tmp_path / "annex.bin"
    with path.open("wb") as file:
        file.truncate(1 << 30)  # a sparse file reads as a whole gigabyte
    with path.open("rb") as file:
        digest = cms.digest_stream(file.read)
    made = cms.sign_detached(digest=digest, key=world.people[0].key(), tsa=world.tsa)
    with path.open("rb") as file:
        again = cms.digest_stream(file.read)
    report = validate_detached(made, digests={"sha256": again}, trust=world.trust)
    assert (report.verdict, report.signatures[0].level) == ("valid", "B-T")
    with path.open("r+b") as file:
        file.seek(1 << 29)
        file.write(b"\1")
    with path.open("rb") as file:
        changed = cms.digest_stream(file.read)
    report = validate_detached(made, digests={"sha256": changed}, trust=world.trust)
    assert report.verdict == "invalid"
