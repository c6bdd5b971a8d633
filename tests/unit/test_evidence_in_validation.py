"""A receipt stamp keeps a signature good when its certificate has expired; without it, it is not.

Also Streebog as the digest of a tree.
"""

import hashlib
from datetime import timedelta

import pytest

from core import clock
from signatures import digests, evidence_check, hash_tree
from signatures.authority import Subject, create_authority
from signatures.cms import sign_detached
from signatures.evidence_record import Stamp, encode
from signatures.trust import TrustStore
from signatures.validation import validate, validate_bytes
from tests.stamping_places import BEGIN, StampingPlace, years

pytestmark = pytest.mark.slow

DATA = b"a letter"


class Case:
    """A signer with a certificate of one year, and a stamping place trusted beside them."""

    def __init__(self) -> None:
        self.place = StampingPlace()
        with clock.frozen(BEGIN):
            self.place.new_key()
            self.root = create_authority("Signers", not_after=BEGIN + years(20))
            self.leaf = self.root.issue(
                Subject("Смирнов П. И."), not_before=BEGIN, not_after=BEGIN + years(1)
            )
            self.crl = self.root.crl(this_update=BEGIN + timedelta(days=300))
            self.signature = sign_detached(
                digest=hashlib.sha256(DATA).digest(), key=self.leaf.key()
            )

    def record(self, data: bytes, algorithm: str = "sha256") -> bytes:
        """The record of a receipt an hour after signing."""
        with clock.frozen(BEGIN + timedelta(hours=1)):
            others = [(digests.digest(algorithm, bytes([n])),) for n in range(9)]
            own = (digests.digest(algorithm, data),)
            tree = hash_tree.build([*others, own], algorithm=algorithm)
            token = self.place.token(tree.root, algorithm)
            return encode([[Stamp(algorithm, tree.paths[-1], token)]])

    def trust(self) -> TrustStore:
        own = self.place.trust()
        return TrustStore(roots=(self.root.der, *own.roots), crls=(self.crl, *own.crls))


@pytest.fixture(scope="module")
def case() -> Case:
    return Case()


def test_a_stamp_at_receipt_outlives_the_certificate(case: Case) -> None:
    with clock.frozen(BEGIN + years(2)):
        bare = validate(DATA, signature=case.signature, trust=case.trust())
        assert (bare.verdict, bare.reasons) == ("indeterminate", ("certificate_expired",))
        proved = validate(
            DATA, signature=case.signature, trust=case.trust(),
            records=(case.record(case.signature),),
        )  # fmt: skip
        assert (proved.verdict, proved.reasons) == ("valid", ())


def test_the_worker_s_door_takes_records(case: Case) -> None:
    with clock.frozen(BEGIN + years(2)):
        trust = case.trust()
        report = validate_bytes(
            {"data": DATA, "signature": case.signature, "roots": list(trust.roots),
             "crls": list(trust.crls), "evidence_records": [case.record(case.signature)],
             "at": clock.now().isoformat()}
        )  # fmt: skip
        assert report["verdict"] == "valid"


def test_a_record_of_other_bytes_proves_nothing(case: Case) -> None:
    with clock.frozen(BEGIN + years(2)):
        for record in (case.record(b"another"), case.record(DATA), b"\x30\x00", b""):
            found = validate(DATA, signature=case.signature, trust=case.trust(), records=(record,))
            assert (found.verdict, found.reasons) == ("indeterminate", ("certificate_expired",))


def test_a_record_never_makes_a_changed_file_good(case: Case) -> None:
    with clock.frozen(BEGIN + years(2)):
        found = validate(
            b"another", signature=case.signature, trust=case.trust(),
            records=(case.record(case.signature),),
        )  # fmt: skip
        assert found.verdict == "invalid"


def test_a_revoked_signer_is_judged_by_the_proven_moment(case: Case) -> None:
    with clock.frozen(BEGIN + timedelta(days=310)):
        for since, verdict in ((timedelta(days=200), "valid"), (timedelta(minutes=5), "invalid")):
            revoked = case.root.crl(
                revoked=[(case.leaf.certificate, BEGIN + since)],
                this_update=BEGIN + timedelta(days=300),
            )
            trust = case.trust()
            found = validate(
                DATA, signature=case.signature, records=(case.record(case.signature),),
                trust=TrustStore(roots=trust.roots, crls=(revoked, *trust.crls[1:])),
            )  # fmt: skip
            assert found.verdict == verdict


def test_a_missed_renewal_is_said_in_the_verdict(case: Case) -> None:
    with clock.frozen(BEGIN + years(4)):
        found = validate(
            DATA, signature=case.signature, trust=case.trust(),
            records=(case.record(case.signature),),
        )  # fmt: skip
        assert found.verdict == "indeterminate"
        assert "evidence_renewal_missed" in found.reasons


@pytest.mark.parametrize("algorithm", ["streebog256", "streebog512"])
def test_a_tree_of_streebog(case: Case, algorithm: str) -> None:
    if not digests.is_known(algorithm):
        pytest.skip("no Streebog on this machine")
    record = case.record(DATA, algorithm)
    with clock.frozen(BEGIN + timedelta(days=1)):
        proof = evidence_check.check(
            record, digest_of=lambda name: digests.digest(name, DATA), trust=case.trust(),
            at=clock.now(),
        )  # fmt: skip
        assert proof.proven_at == BEGIN + timedelta(hours=1)
