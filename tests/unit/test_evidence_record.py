"""Evidence records: built, renewed over decades, verified by us and by a second reader."""

import hashlib
import os
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from core import clock
from signatures import evidence_check, hash_tree
from signatures.evidence_record import (
    Material,
    Stamp,
    decode_path,
    encode,
    encode_path,
    info_of,
    read,
    rehash_leaf,
    renewal_leaf,
)
from tests.rfc4998 import openssl_holds, verify
from tests.stamping_places import BEGIN, StampingPlace, years


def digests(data: bytes):
    return lambda name: hashlib.new(name, data).digest()


@pytest.mark.parametrize("number", [1, 2, 3, 4, 5, 6, 7, 8, 9, 31, 100])
@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
def test_every_path_leads_to_the_root_and_no_list_is_single(number: int, algorithm: str) -> None:
    groups = [
        tuple(hashlib.new(algorithm, bytes([i, j])).digest() for j in range(1 + i % 3))
        for i in range(number)
    ]
    tree = hash_tree.build(groups, algorithm=algorithm)
    for group, path in zip(groups, tree.paths, strict=True):
        assert all(len(part) > 1 for part in path[:1])
        for digest in group:
            assert hash_tree.root_of(digest, path, algorithm=algorithm) == tree.root
        assert decode_path(encode_path(path)) == path
    stranger = hashlib.new(algorithm, b"stranger").digest()
    if number > 1:
        assert hash_tree.root_of(stranger, tree.paths[0], algorithm=algorithm) is None


def test_a_tree_by_hand() -> None:
    """RFC 4998 section 4.2, three documents and a group of two, as one would do it on paper."""
    h = [hashlib.sha256(bytes([i])).digest() for i in range(5)]
    tree = hash_tree.build([h[:1], h[1:2], h[2:3], h[3:]], algorithm="sha256")
    join = lambda *v: hashlib.sha256(b"".join(sorted(v))).digest()  # noqa: E731 - reads as it is
    group = join(h[3], h[4])
    assert tree.root == join(join(h[0], h[1]), join(h[2], group))
    assert tree.paths[0] == (tuple(sorted(h[:2])), (join(h[2], group),))
    assert tree.paths[3] == (tuple(sorted(h[3:])), (h[2],), (join(h[0], h[1]),))


def test_nothing_makes_no_tree() -> None:
    with pytest.raises(ValueError, match="at least one"):
        hash_tree.build([], algorithm="sha256")


class Archive:
    """One object among others, whose chains grow with the years."""

    def __init__(self, place: StampingPlace, data: bytes) -> None:
        self.place, self.data = place, data
        self.chains: list[list[Stamp]] = []
        self.crls: list[bytes] = []

    def _among_others(self, leaf: bytes, algorithm: str, more: tuple[bytes, ...] = ()) -> Stamp:
        others = [(os.urandom(len(leaf)),) for _ in range(6)]
        tree = hash_tree.build([(leaf, *more), *others], algorithm=algorithm)
        return Stamp(algorithm, tree.paths[0], self.place.token(tree.root, algorithm))

    def receive(self) -> None:
        leaf = digests(self.data)("sha256")
        self.chains.append([self._among_others(leaf, "sha256")])

    def _proofs(self, algorithm: str) -> tuple[bytes, ...]:
        """Today's revocation list goes into the tree and the record."""
        crl = self.place.trust().crls[0]
        self.crls.append(crl)
        return (hashlib.new(algorithm, crl).digest(),)

    def renew(self) -> None:
        last = self.chains[-1][-1]
        leaf = renewal_leaf(last.token, algorithm=last.algorithm)
        more = self._proofs(last.algorithm)
        self.chains[-1].append(self._among_others(leaf, last.algorithm, more))

    def rehash(self, algorithm: str) -> None:
        leaf = rehash_leaf(digests(self.data)(algorithm), self.chains, algorithm=algorithm)
        more = self._proofs(algorithm)
        self.chains.append([self._among_others(leaf, algorithm, more)])

    @property
    def record(self) -> bytes:
        return encode(self.chains, material=Material(crls=tuple(self.crls)))

    def proof(self, data: bytes | None = None, **more) -> evidence_check.Proof:
        return evidence_check.check(
            self.record, digest_of=digests(self.data if data is None else data),
            trust=self.place.trust(), at=clock.now(), **more,
        )  # fmt: skip

    def second_opinion(self, folder: Path) -> int:
        """The second reader's count of stamps, openssl judging each token at its own time."""
        roots = folder / "roots.pem"
        roots.write_bytes(self.place.pem())

        def holds(token: bytes, root: bytes) -> bool:
            at: datetime = info_of(token)["gen_time"].native
            return openssl_holds(token, root, roots=roots, at=at, folder=folder)

        return verify(self.record, digests(self.data), holds)


def test_thirty_years_of_renewals_and_a_new_digest(tmp_path: Path) -> None:
    place = StampingPlace()
    with clock.frozen(BEGIN):
        place.new_key()
        archive = Archive(place, b"a letter")
        archive.receive()
        assert archive.proof().proven_at == BEGIN
    for passed in (2.5, 5, 7.5, 10):
        with clock.frozen(BEGIN + years(passed)):
            place.new_key()
            archive.renew()
    with clock.frozen(BEGIN + years(12)):
        place.digest = "sha512"
        place.new_key()
        archive.rehash("sha512")
    for passed in (14.5, 17, 19.5, 22, 24.5, 27):
        with clock.frozen(BEGIN + years(passed)):
            place.new_key()
            archive.renew()
    with clock.frozen(BEGIN + years(29)):
        ends = {"sha256": BEGIN + years(12.5)}
        proof = archive.proof(ends=ends)
        assert (proof.verdict, proof.reasons, proof.proven_at) == ("valid", (), BEGIN)
        assert len(proof.stamps) == 12
        assert archive.second_opinion(tmp_path) == 12
        changed = archive.proof(b"another letter", ends=ends)
        assert (changed.verdict, changed.proven_at) == ("invalid", None)
        # had the tree been renewed after its digest ended, it would be no proof
        late = archive.proof(ends={"sha256": BEGIN + years(11)})
        assert (late.verdict, late.is_overdue) == ("indeterminate", True)
        assert read(archive.record).chains == tuple(map(tuple, archive.chains))


def test_a_missed_renewal_is_said() -> None:
    place = StampingPlace()
    with clock.frozen(BEGIN):
        place.new_key()
        archive = Archive(place, b"a letter")
        archive.receive()
    with clock.frozen(BEGIN + years(3.5)):
        proof = archive.proof()
        assert (proof.verdict, proof.is_overdue, proof.proven_at) == ("indeterminate", True, None)
        assert "certificate_expired" in proof.reasons
        place.new_key()
        archive.renew()  # too late, and it stays too late
        assert archive.proof().is_overdue


def test_a_revoked_stamping_key_is_no_proof() -> None:
    place = StampingPlace()
    with clock.frozen(BEGIN):
        place.new_key()
        archive = Archive(place, b"a letter")
        archive.receive()
        assert place.key is not None
        from cryptography import x509

        own = x509.load_der_x509_certificate(place.key.certificate.dump())
        trust = place.trust()
        revoked = place.root.crl(revoked=[(own, BEGIN - timedelta(days=1))], this_update=BEGIN)
        proof = evidence_check.check(
            archive.record, digest_of=digests(b"a letter"), at=BEGIN + timedelta(hours=1),
            trust=type(trust)(roots=trust.roots, crls=(revoked,)),
        )  # fmt: skip
        assert proof.verdict != "valid"


def test_what_somebody_else_stamped_is_not_trusted() -> None:
    place, stranger = StampingPlace(), StampingPlace()
    with clock.frozen(BEGIN):
        stranger.new_key()
        archive = Archive(stranger, b"a letter")
        archive.receive()
        archive.place = place
        proof = archive.proof()
        assert (proof.verdict, proof.proven_at) == ("indeterminate", None)


def test_chains_in_another_order_are_refused() -> None:
    place = StampingPlace()
    with clock.frozen(BEGIN):
        place.new_key()
        archive = Archive(place, b"a letter")
        archive.receive()
    with clock.frozen(BEGIN + years(1)):
        archive.rehash("sha512")
        archive.chains.reverse()
        assert archive.proof().verdict == "invalid"
        archive.chains.reverse()
        assert archive.proof().verdict == "valid"
        del archive.chains[0]
        assert archive.proof().verdict == "invalid"


def test_hostile_bytes_get_an_answer() -> None:
    place = StampingPlace()
    with clock.frozen(BEGIN):
        place.new_key()
        archive = Archive(place, b"a letter")
        archive.receive()
        good = archive.record
        seen = set()
        for at in range(0, len(good), 3):
            bad = bytearray(good)
            bad[at] ^= 0x55
            proof = evidence_check.check(
                bytes(bad), digest_of=digests(b"a letter"), trust=place.trust(), at=clock.now()
            )
            seen.add(proof.verdict)
            # the reduced tree, the token and all that is signed in it: nothing may be changed;
            # an untrusted byte (a tag of an unsigned part) may at most leave the proof as it was
            assert proof.verdict != "valid" or proof.proven_at == BEGIN
        for bad in (b"", b"\x30", b"\x30\x80", good[:-1], good + b"\0", b"\x30\x03\x02\x01\x01"):
            proof = evidence_check.check(
                bad, digest_of=digests(b""), trust=place.trust(), at=clock.now()
            )
            assert proof.verdict == "indeterminate"
        assert seen >= {"invalid", "indeterminate"}


def test_ten_thousand_under_one_token() -> None:
    leaves = [os.urandom(32) for _ in range(10_000)]
    tree = hash_tree.build([(leaf,) for leaf in leaves], algorithm="sha256")
    sizes = [len(encode_path(path)) for path in tree.paths]
    assert max(sizes) < 700
    assert sum(sizes) < 5_500_000
    place = StampingPlace()
    with clock.frozen(BEGIN):
        place.new_key()
        token = place.token(tree.root, "sha256")
        for at in (0, 1, 4999, 9998, 9999):
            record = encode([[Stamp("sha256", tree.paths[at], token)]])
            proof = evidence_check.check(
                record, digest_of=lambda _, at=at: leaves[at], trust=place.trust(), at=BEGIN
            )
            assert proof.proven_at == BEGIN
