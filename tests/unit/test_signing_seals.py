"""The best level that can be had, and the weaker one said: with the real sandbox."""

import pytest

from core.errors import InvalidInput, Unavailable
from core.sandbox import pool
from signatures import seals
from signatures.authority import Authority, Subject, create_authority, trust_of
from signatures.proofs import from_trust
from signatures.stamping import StampAuthority
from signatures.trust import TrustStore
from signatures.validation import validate_pdf
from tests.unit.test_signatures_roundtrip import small_pdf


@pytest.fixture(scope="module")
def issuing() -> Authority:
    return create_authority("Issuing", parent=create_authority("Root"))


@pytest.fixture(autouse=True)
async def _sandbox():
    yield
    await pool().close()


async def test_every_level_that_can_be_had(issuing: Authority) -> None:
    key = issuing.issue(Subject("Обком"), kind="rsa").key()
    tsa, trust = StampAuthority(issuing.stamping_key()), trust_of(issuing)
    asked: list[bytes] = []

    def once(request: bytes) -> bytes:
        asked.append(request)
        if len(asked) > 1:
            raise Unavailable(code="timestamp_unavailable")
        return tsa(request)

    def never(_: bytes) -> bytes:
        raise OSError

    proofs = seals.proving_by(from_trust(trust))
    for level, lacks, stamper, revocation in (
        ("B-LTA", (), tsa, proofs),
        ("B-LT", ("timestamp_unavailable",), once, proofs),
        (
            "B-T",
            ("revocation_unavailable",),
            tsa,
            seals.proving_by(from_trust(TrustStore(roots=trust.roots))),
        ),
        ("B-T", ("revocation_unavailable",), tsa, None),
        ("B-B", ("timestamp_unavailable",), never, proofs),
        ("B-B", ("timestamp_unavailable",), None, proofs),
    ):
        sealed = await seals.seal_with(
            key,
            small_pdf(),
            role="approving",
            stamping=stamper and seals.stamping_by(stamper),
            revocation=revocation,
        )
        assert (sealed.level, sealed.lacks) == (level, lacks)
        report = validate_pdf(sealed.data, trust=trust)
        assert report.verdict == "valid", report.reasons
        assert report.signatures[0].level == level
        if level == "B-LTA":
            offline = validate_pdf(sealed.data, trust=TrustStore(roots=trust.roots))
            assert offline.verdict == "valid"


async def test_a_revoked_key_seals_nothing(issuing: Authority) -> None:
    person = issuing.issue(Subject("x"))
    parent = issuing.parent
    assert parent is not None
    lists = (
        parent.crl(),
        issuing.crl(revoked=[(person.certificate, person.certificate.not_valid_before_utc)]),
    )
    proofs = seals.proving_by(from_trust(trust_of(issuing, crls=lists)))
    with pytest.raises(InvalidInput) as caught:
        await seals.seal_with(person.key(), small_pdf(), revocation=proofs)
    assert caught.value.error_code == "certificate_revoked"
