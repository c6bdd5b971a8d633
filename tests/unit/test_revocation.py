"""Lists of any size and OCSP answers: what counts, what does not, and how long it takes."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from statistics import median
from time import perf_counter

import pytest
from asn1crypto import x509 as asn1
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, utils
from revoking import HOUR, NOW, a_list, judged, only, point, turned

from core import clock
from signatures import chains, revocation_lists, trust
from signatures.authority import Authority, Issued, Subject, create_authority, trust_of
from signatures.chains import Evidence, check_chain
from signatures.trust import ListFile

NUMBER = 200_000


@pytest.fixture(scope="module", autouse=True)
def _the_moment() -> Iterator[None]:
    """Certificates made minutes after the tests were collected are valid at their NOW too."""
    with clock.frozen(NOW):
        yield


@pytest.fixture(scope="module")
def authority() -> Authority:
    return create_authority("Revoking authority")


@pytest.fixture(scope="module")
def leaf(authority: Authority) -> Issued:
    return authority.issue(Subject("Смирнова Анна Петровна"))


# Big lists


def _der(tag: int, content: bytes) -> bytes:
    size = len(content)
    if size < 128:
        return bytes([tag, size]) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + content


def big_list(authority: Authority, serials: list[int], *, since: datetime) -> bytes:
    """A list of many entries, in DER made here: a library would take minutes."""
    moment = _der(0x17, f"{since:%y%m%d%H%M%SZ}".encode())
    until = _der(0x17, f"{since + timedelta(days=7):%y%m%d%H%M%SZ}".encode())
    algorithm = bytes.fromhex("300a06082a8648ce3d040302")
    entries = b"".join(
        _der(0x30, _der(2, revocation_lists.integer(serial)) + moment) for serial in serials
    )
    name = authority.name.public_bytes()
    signed = _der(
        0x30, b"\x02\x01\x01" + algorithm + name + moment + until + _der(0x30, entries)
    )  # fmt: skip
    signature = authority.private.sign(signed, ec.ECDSA(hashes.SHA256()))
    return _der(0x30, signed + algorithm + _der(3, b"\0" + signature))


@pytest.fixture(scope="module")
def crowd(authority: Authority) -> tuple[list[Issued], bytes]:
    """First, last and middle of the list, one that is not on it, and the list."""
    some = [authority.issue(Subject(f"Signer {number}")) for number in range(4)]
    first, last, middle, _ = (one.certificate.serial_number for one in some)
    filler = [(1 << 156) + number * 7919 for number in range(NUMBER - 3)]
    serials = [first, *filler[: NUMBER // 2], middle, *filler[NUMBER // 2 :], last]
    return some, big_list(authority, serials, since=NOW - HOUR)


def test_a_list_of_200_000_entries(
    authority: Authority, crowd: tuple[list[Issued], bytes], tmp_path: Path
) -> None:
    some, der = crowd
    assert len(der) > 7_000_000
    file = tmp_path / "big.crl"
    file.write_bytes(der)
    found = revocation_lists.RevocationList(der)
    entry = ListFile(str(file), found.sha256.hex(), found.issuer_key)
    store = replace(only(authority), lists=(entry,))
    began = perf_counter()
    codes = [judged(some[3], store).code]
    first = perf_counter() - began
    codes += [judged(one, store).code for one in some[:3]]
    others = [authority.issue(Subject("Somebody")) for _ in range(40)]
    plain = trust_of(authority)
    for one in others:
        judged(one, plain)
    timed = {}
    for name, kind in (("big", store), ("small", plain)):
        times = []
        for one in others:
            began = perf_counter()
            codes.append(judged(one, kind).code)
            times.append(perf_counter() - began)
        timed[name] = median(times)  # of each, as a busy machine makes some late
    assert codes == [None, "revoked", "revoked", "revoked", *[None] * 80]
    assert len(found) == NUMBER
    # Generous: the machine may be busy. The figures stand in docs/adr/0011.
    assert first < 1.5
    assert timed["big"] - timed["small"] < 0.005


def test_a_big_list_among_the_bytes(
    authority: Authority, crowd: tuple[list[Issued], bytes]
) -> None:
    some, der = crowd
    assert [judged(one, only(authority, der)).code for one in some] == ["revoked"] * 3 + [None]


def test_a_file_that_was_changed_is_refused(authority: Authority, tmp_path: Path) -> None:
    der = authority.crl()
    found = revocation_lists.RevocationList(der)
    file = tmp_path / "x.crl"
    file.write_bytes(der[:-1] + bytes([der[-1] ^ 1]))
    with pytest.raises(revocation_lists.Unavailable):
        revocation_lists.from_file(str(file), found.sha256.hex())


def test_store_travels_as_a_file(authority: Authority, leaf: Issued, tmp_path: Path) -> None:
    store = replace(
        trust_of(authority), accredited=(trust.Accredited("key", "00", NOW.date()),)
    )  # fmt: skip
    content = trust.packed(store)
    name = trust.hashlib.sha256(content).hexdigest()
    (tmp_path / name).write_bytes(content)
    assert trust.of_request({"trust_file": str(tmp_path / name)}) == store
    parts = {"roots": list(store.roots), "crls": list(store.crls)}
    assert trust.of_request(parts).roots == store.roots


# What a list must be


LISTS: dict[str, tuple[Callable[[Authority, Issued], bytes], str | None]] = {
    "empty": (lambda a, _: a_list(a), None),
    "revoked": (lambda a, i: a_list(a, revoked=((_serial(i), None),)), "revoked"),
    "removed from the list": (
        lambda a, i: a_list(a, revoked=((_serial(i), x509.ReasonFlags.remove_from_crl),)), None,
    ),
    "on hold": (
        lambda a, i: a_list(a, revoked=((_serial(i), x509.ReasonFlags.certificate_hold),)),
        "revoked",
    ),
    "stale": (lambda a, _: a_list(a, since=NOW - timedelta(days=30)), "revocation_stale"),
    "of tomorrow": (lambda a, _: a_list(a, since=NOW + timedelta(days=1)), "revocation_missing"),
    "users only": (lambda a, _: a_list(a, point(only_contains_user_certs=True)), None),
    "authorities only": (
        lambda a, _: a_list(a, point(only_contains_ca_certs=True)), "revocation_missing",
    ),
    "attributes only": (
        lambda a, _: a_list(a, point(only_contains_attribute_certs=True)), "revocation_missing",
    ),
    "indirect": (lambda a, _: a_list(a, point(indirect_crl=True)), "revocation_missing"),
    "delta": (lambda a, _: a_list(a, (x509.DeltaCRLIndicator(1), True)), "revocation_missing"),
    "some reasons, not on it": (
        lambda a, _: a_list(a, point(only_some_reasons=SOME)), "revocation_missing",
    ),
    "some reasons, on it": (
        lambda a, i: a_list(a, point(only_some_reasons=SOME), revoked=((_serial(i), None),)),
        "revoked",
    ),
    "another distribution point": (
        lambda a, _: a_list(a, point(full_name=[URL])), "revocation_missing",
    ),
    "its issuer as the point": (
        lambda a, _: a_list(a, point(full_name=[x509.DirectoryName(a.name)])), None,
    ),
    "an unknown critical extension": (
        lambda a, _: a_list(a, (x509.UnrecognizedExtension(OID, b"\5\0"), True)),
        "revocation_missing",
    ),
    "another key of that name": (
        lambda a, _: a_list(create_authority("Revoking authority")), "crl_untrusted",
    ),
    "a bit turned": (lambda a, _: turned(a_list(a)), "crl_untrusted"),
    "cut": (lambda a, _: a_list(a)[:-1], "revocation_missing"),
    "no list": (lambda a, _: b"\x30\x03\x02\x01\x01", "revocation_missing"),
}  # fmt: skip
SOME = frozenset({x509.ReasonFlags.key_compromise})
URL = x509.UniformResourceIdentifier("http://crl.example/one.crl")
OID = x509.ObjectIdentifier("2.999.7")


def _serial(issued: Issued) -> int:
    return issued.certificate.serial_number


@pytest.mark.parametrize("name", LISTS)
def test_lists(authority: Authority, leaf: Issued, name: str) -> None:
    make, expected = LISTS[name]
    assert judged(leaf, only(authority, make(authority, leaf))).code == expected


def test_list_of_the_distribution_point(authority: Authority) -> None:
    private = ec.generate_private_key(ec.SECP256R1())
    builder = x509.CertificateBuilder(
        issuer_name=authority.name, subject_name=Subject("Somebody").name(),
        public_key=private.public_key(), serial_number=x509.random_serial_number(),
        not_valid_before=NOW - HOUR, not_valid_after=NOW + 100 * HOUR,
    ).add_extension(
        x509.CRLDistributionPoints([x509.DistributionPoint([URL], None, None, None)]), False
    )  # fmt: skip
    one = Issued(builder.sign(authority.private, hashes.SHA256()), private, ())
    assert judged(one, only(authority, a_list(authority, point(full_name=[URL])))).code is None
    other = x509.UniformResourceIdentifier("http://crl.example/two.crl")
    code = judged(one, only(authority, a_list(authority, point(full_name=[other])))).code
    assert code == "revocation_missing"


def test_a_list_by_who_may_not_sign_lists(leaf: Issued) -> None:
    """The certificate of the issuer forbids it: key usage without cRLSign."""
    root = create_authority("Root")
    private = ec.generate_private_key(ec.SECP256R1())
    usage = x509.KeyUsage(
        digital_signature=False, content_commitment=False, key_encipherment=False,
        data_encipherment=False, key_agreement=False, key_cert_sign=True, crl_sign=False,
        encipher_only=False, decipher_only=False,
    )  # fmt: skip
    name = Subject("No lists").name()
    certificate = (
        x509.CertificateBuilder(
            issuer_name=root.name, subject_name=name, public_key=private.public_key(),
            serial_number=5, not_valid_before=NOW - HOUR, not_valid_after=NOW + 100 * HOUR,
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), True)
        .add_extension(usage, True)
        .sign(root.private, hashes.SHA256())
    )  # fmt: skip
    issuing = Authority(name, certificate, private, root)
    one = issuing.issue(Subject("Somebody"))
    store = trust_of(issuing)
    assert judged(one, store).code == "crl_untrusted"


def test_a_new_key_of_the_authority_signs_the_lists() -> None:
    """RFC 5280 section 6.3.3 step f: another certificate of the issuer's name, same root."""
    root = create_authority("Root")
    old, new = (create_authority("Issuing", parent=root) for _ in range(2))
    one = old.issue(Subject("Somebody"))
    store = trust_of(old, new, crls=[root.crl(), new.crl(revoked=())])
    # The list names the new key, which leads to the same root and is on no list.
    assert judged(one, store).code is None
    revoked = new.crl(revoked=[(one.certificate, NOW)])
    assert judged(one, trust_of(old, new, crls=[root.crl(), revoked])).code == "revoked"
    stranger = create_authority("Issuing", parent=create_authority("Root"))
    brought = Evidence(certificates=(asn1.Certificate.load(stranger.der),))
    found = check_chain(
        asn1.Certificate.load(one.der), trust=trust_of(old, crls=[root.crl(), stranger.crl()]),
        at=NOW, evidence=brought,
    )  # fmt: skip
    assert found.code == "crl_untrusted"


def test_revoked_intermediate() -> None:
    root = create_authority("Root")
    issuing = create_authority("Issuing", parent=root)
    one = issuing.issue(Subject("Somebody"))
    gone = root.crl(revoked=[(issuing.certificate, NOW - HOUR)])
    found = judged(one, trust_of(issuing, crls=[gone, issuing.crl()]))
    assert found.code == "revoked"
    assert found.revoked_at == NOW - HOUR


def test_used_says_what_decided(authority: Authority, leaf: Issued) -> None:
    old, new = a_list(authority, since=NOW - 5 * HOUR), a_list(authority)
    stranger = create_authority("Somebody else").crl()
    found = judged(leaf, only(authority, old, stranger, new))
    sha256 = revocation_lists.RevocationList(new).sha256.hex()
    assert [name for kind, name in found.used if kind == "crl"] == [sha256]
    assert [kind for kind, _ in found.used] == ["certificate", "certificate", "crl"]
    path, crls, ocsps = chains.revocation_for(
        (leaf.der,), only(authority, old, stranger, new), at=NOW
    )
    assert path == (leaf.der, authority.der)
    assert (crls, ocsps) == ((new,), ())


def test_weak_signature_on_a_list(leaf: Issued) -> None:
    """A list signed over SHA-1 proves nothing; the library will not make one, so it is patched."""
    authority = create_authority("RSA", kind="rsa")
    one = authority.issue(Subject("Somebody"))
    plain = a_list(authority)
    signed = revocation_lists.RevocationList(plain).signed
    weak, strong = (bytes.fromhex(f"2a864886f70d0101{last}") for last in ("05", "0b"))
    told = signed.replace(strong, weak)
    signature = authority.private.sign(
        hashes_sha1(told),
        padding.PKCS1v15(),
        utils.Prehashed(hashes.SHA1()),  # noqa: S303  # weak on purpose
    )
    tail = plain[plain.index(signed) + len(signed) :]
    der = _der(0x30, told + tail[:15].replace(strong, weak) + _der(3, b"\0" + signature))
    assert revocation_lists.RevocationList(der).is_consistent
    assert judged(one, only(authority, der)).code == "crl_untrusted"


def hashes_sha1(data: bytes) -> bytes:
    digest = hashes.Hash(hashes.SHA1())  # noqa: S303  # weak on purpose
    digest.update(data)
    return digest.finalize()


def test_looking_back(authority: Authority) -> None:
    """What was revoked after the proven moment was good then."""
    one = authority.issue(Subject("Somebody"), not_before=NOW - 50 * HOUR)
    certificate = asn1.Certificate.load(one.der)
    store = only(
        authority,
        authority.crl(revoked=[(one.certificate, NOW - 2 * HOUR)], this_update=NOW - HOUR),
    )
    for hours, expected in ((3, None), (1, "revoked")):
        found = check_chain(
            certificate, trust=store, at=NOW - hours * HOUR, evidence=Evidence(), retrospective=True
        )
        assert found.code == expected
