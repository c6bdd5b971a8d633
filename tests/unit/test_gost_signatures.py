"""Detached GOST signatures: good ones valid, each bad one refused for its own reason."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from asn1crypto import algos, core, parser, x509
from asn1crypto import cms as asn1

from core import clock
from demo.gost import Person, Signer
from signatures import cms, digests, integrity, keys
from signatures.report import Report
from signatures.validation import validate
from tests.gost_pki import PERSON, SETS, GostWorld, gost_world

BODY = "Запрос сведений о задолженности".encode() * 100


@pytest.fixture(scope="module")
def world() -> GostWorld:
    return gost_world()


def checked(world: GostWorld, signature: bytes, data: bytes = BODY) -> Report:
    return validate(data, signature=signature, trust=world.trust)


def changed(signature: bytes, change: Callable[[asn1.SignedData, asn1.SignerInfo], None]) -> bytes:
    content = asn1.ContentInfo.load(signature)
    signed = content["content"]
    change(signed, signed["signer_infos"][0])
    return bytes(content.dump(force=True))


@pytest.mark.parametrize("cades", [False, True], ids=["cms", "cades"])
@pytest.mark.parametrize("name", SETS)
def test_every_parameter_set(world: GostWorld, name: str, cades: bool) -> None:
    made = world.authority.sign_detached(BODY, world.signers[name], cades=cades)
    report = checked(world, made)
    assert (report.verdict, report.reasons) == ("valid", ())
    (one,) = report.signatures
    assert one.format == ("CAdES" if cades else "CMS")
    assert one.warnings == ()


def test_the_signer_is_told_in_full(world: GostWorld) -> None:
    (one,) = checked(world, world.sign(BODY)).signatures
    assert one.signer == PERSON.common_name
    assert one.subject["title"] == "Председатель"
    assert (one.subject["surname"], one.subject["given_name"]) == ("Иванов", "Иван Иванович")
    assert one.subject["inn"] == "007712345678"
    assert one.identifiers == {
        "inn": "",
        "inn_le": "7712345678",
        "ogrn": "1027712345678",
        "ogrnip": "",
        "snils": "12345678901",
    }
    assert one.sign_tool == "Docflow demo"
    assert one.policies == ("1.2.643.100.113.1", "1.2.643.100.113.2")
    assert one.algorithm == "gost3410_2012_256-TC26-256-A-streebog256"


def test_revoked_expired_and_foreign(world: GostWorld) -> None:
    revoked = checked(world, world.authority.sign_detached(BODY, world.revoked))
    assert (revoked.verdict, revoked.reasons) == ("invalid", ("revoked",))
    expired = checked(world, world.authority.sign_detached(BODY, world.expired))
    assert (expired.verdict, expired.reasons) == ("indeterminate", ("certificate_expired",))
    foreign = validate(BODY, signature=world.sign(BODY), trust=world.stranger)
    assert (foreign.verdict, foreign.reasons) == ("indeterminate", ("untrusted",))


def test_changed_document(world: GostWorld) -> None:
    for data in (BODY[:-1], BODY + b" ", b"", b"X" + BODY[1:]):
        report = checked(world, world.sign(BODY), data)
        assert (report.verdict, report.reasons) == ("invalid", ("digest_mismatch",))


def test_without_attributes_and_attributes_as_document(world: GostWorld) -> None:
    bare = checked(world, world.sign(BODY, cades=False, more=("-noattr",)))
    assert (bare.verdict, bare.reasons) == ("indeterminate", ("no_signed_attributes",))
    good = world.sign(BODY)
    attributes = asn1.ContentInfo.load(good)["content"]["signer_infos"][0]["signed_attrs"]
    document = bytes(attributes.untag().dump())

    def drop(_: asn1.SignedData, info: asn1.SignerInfo) -> None:
        info["signed_attrs"] = None

    report = checked(world, changed(good, drop), document)
    assert report.verdict == "invalid"
    assert set(report.reasons) == {"no_signed_attributes", "attributes_as_document"}


def test_attached_where_detached_is_due(world: GostWorld) -> None:
    for document in (BODY, b"other"):
        report = checked(world, world.sign(BODY, more=("-nodetach",)), document)
        assert report.verdict != "valid"
        assert "attached_instead_of_detached" in report.reasons


def test_key_and_hash_of_different_sizes(world: GostWorld) -> None:
    def other_hash(signed: asn1.SignedData, info: asn1.SignerInfo) -> None:
        info["digest_algorithm"] = algos.DigestAlgorithm({"algorithm": "streebog512"})
        signed["digest_algorithms"] = [{"algorithm": "streebog512"}]

    report = checked(world, changed(world.sign(BODY), other_hash))
    assert report.verdict == "invalid"
    assert "key_size_mismatch" in report.reasons

    def other_mechanism(_: asn1.SignedData, info: asn1.SignerInfo) -> None:
        info["signature_algorithm"] = {"algorithm": "streebog512_gost3410"}

    report = checked(world, changed(world.sign(BODY), other_mechanism))
    assert report.verdict == "invalid"
    assert "algorithm_mismatch" in report.reasons


def test_both_names_of_the_mechanism_are_taken(world: GostWorld) -> None:
    def other_name(_: asn1.SignedData, info: asn1.SignerInfo) -> None:
        info["signature_algorithm"] = {
            "algorithm": "streebog256_gost3410",
            "parameters": core.Null(),
        }
        info["digest_algorithm"] = {"algorithm": "streebog256", "parameters": core.Null()}

    assert checked(world, changed(world.sign(BODY), other_name)).verdict == "valid"


def resigned(world: GostWorld, signer: Signer, change: Callable[[bytes], bytes]) -> bytes:
    """The signer's certificate after `change` of its signed part, signed anew by the authority."""
    cert = x509.Certificate.load(signer.der)
    body = change(cert["tbs_certificate"].dump())
    value = world.authority.sign_raw(body, world.authority.me)
    parts = body + cert["signature_algorithm"].dump() + parser.emit(0, 0, 3, b"\0" + value)
    return bytes(parser.emit(0, 1, 16, parts))


def with_certificate(signature: bytes, der: bytes) -> bytes:
    def swap(signed: asn1.SignedData, _: asn1.SignerInfo) -> None:
        new = x509.Certificate.load(der)
        kept = [
            one for one in signed["certificates"] if one.chosen.serial_number != new.serial_number
        ]
        signed["certificates"] = [*kept, asn1.CertificateChoices("certificate", new)]

    return changed(signature, swap)


@pytest.mark.parametrize("spoiled", [b"\1", b"\0" * 64, b"\xff" * 64], ids=["off", "zero", "big"])
def test_impossible_public_key(world: GostWorld, spoiled: bytes) -> None:
    point = bytes(core.OctetString.load(
        bytes(x509.Certificate.load(world.signer.der).public_key["public_key"])
    ).native)  # fmt: skip
    bad = spoiled if len(spoiled) == 64 else bytes([point[0] ^ 1]) + point[1:]
    der = resigned(world, world.signer, lambda body: body.replace(point, bad))
    report = checked(world, with_certificate(world.sign(BODY, cades=False), der))
    assert report.verdict == "invalid"
    assert "public_key_invalid" in report.reasons
    with pytest.raises(Exception, match="unsupported_algorithm"):
        cms.prepare_detached(digest=digests.digest("streebog256", BODY), certificate=der)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (bytes(64), "signature_value_invalid"),
        (bytes(32) + b"\0" * 31 + b"\1", "signature_value_invalid"),
        (b"\xff" * 64, "signature_value_invalid"),
        (b"\1" * 63, "signature_value_invalid"),
        (b"\1" * 65, "signature_value_invalid"),
        (b"", "signature_value_invalid"),
        (b"\0" * 31 + b"\1" + b"\0" * 31 + b"\1", "signature_broken"),
    ],
    ids=["zeros", "s-zero", "above-q", "short", "long", "empty", "ones"],
)
def test_impossible_signature_values(world: GostWorld, value: bytes, reason: str) -> None:
    def put(_: asn1.SignedData, info: asn1.SignerInfo) -> None:
        info["signature"] = value

    for cades in (False, True):
        report = checked(world, changed(world.sign(BODY, cades=cades), put))
        assert report.verdict == "invalid"
        assert reason in report.reasons


def test_the_certificate_is_bound_by_its_hash(world: GostWorld) -> None:
    """The same body signed once more is another certificate with the same serial and key."""
    twin = resigned(world, world.signer, lambda body: body)
    assert checked(world, with_certificate(world.sign(BODY, cades=False), twin)).verdict == "valid"
    report = checked(world, with_certificate(world.sign(BODY), twin))
    assert report.verdict == "indeterminate"
    assert report.reasons == ("signing_certificate_mismatch",)


def reordered(signature: bytes) -> tuple[bytes, bytes]:
    """The CMS with its attributes backwards, and those attributes as a set."""
    attributes = asn1.ContentInfo.load(signature)["content"]["signer_infos"][0]["signed_attrs"]
    old = attributes.contents
    new = b"".join(one.dump() for one in reversed(list(attributes)))
    assert new != old
    return signature.replace(old, new), bytes(parser.emit(0, 1, 17, new))


def test_attributes_out_of_order(world: GostWorld) -> None:
    sent_otherwise, as_sent = reordered(world.sign(BODY))
    value = world.authority.sign_raw(as_sent, world.signer)
    old = asn1.ContentInfo.load(sent_otherwise)["content"]["signer_infos"][0]["signature"].native
    signed_as_sent = sent_otherwise.replace(old, value)
    for made in (sent_otherwise, signed_as_sent):
        report = checked(world, made)
        assert (report.verdict, report.reasons) == ("valid", ())
        assert report.signatures[0].warnings == ("attributes_unordered",)


def test_repeated_and_missing_attributes(world: GostWorld) -> None:
    attributes = list(
        asn1.ContentInfo.load(world.sign(BODY))["content"]["signer_infos"][0]["signed_attrs"]
    )
    by_kind = {one["type"].native: one for one in attributes}
    cases = (
        [*attributes, by_kind["message_digest"]],
        [*attributes, by_kind["content_type"]],
        [one for one in attributes if one["type"].native != "content_type"],
        [one for one in attributes if one["type"].native != "message_digest"],
    )
    for case in cases:
        body = parser.emit(0, 1, 17, b"".join(sorted(one.dump() for one in case)))
        value = world.authority.sign_raw(body, world.signer)
        made = cms.assemble(
            attributes=body, signature=value, certificate=x509.Certificate.load(world.signer.der),
            digest_algorithm="streebog256",
        )  # fmt: skip
        report = checked(world, made)
        assert report.verdict != "valid"
        assert "attributes_malformed" in report.reasons


def indefinite(data: bytes, depth: int) -> bytes:
    """The same value with indefinite lengths down to `depth`; certificates stay as issued."""
    kind, method, tag, _, contents, _ = parser.parse(data)
    is_certificates = kind == 2 and tag == 0 and contents[:2] == b"\x30\x82"
    if not method or depth == 0 or is_certificates:
        return data
    place, parts = 0, []
    while place < len(contents):
        part = parser.parse(contents[place:])
        whole = part[3] + part[4] + part[5]
        place += len(whole)
        parts.append(indefinite(whole, depth - 1))
    return bytes([kind << 6 | 0x20 | tag, 0x80]) + b"".join(parts) + b"\0\0"


@pytest.mark.parametrize("depth", [1, 2, 3, 4, 5, 6, 7, 8])
def test_indefinite_lengths(world: GostWorld, depth: int) -> None:
    report = checked(world, indefinite(world.sign(BODY), depth))
    assert (report.verdict, report.reasons) == ("valid", ())


def test_several_signers_are_each_reported(world: GostWorld) -> None:
    other = world.signers["512-A"]
    both = world.authority.sign_detached(BODY, world.signer)
    second = world.authority.sign_detached(BODY, other)
    joined = joined_signers(both, [second])
    report = checked(world, joined)
    assert report.verdict == "valid"
    assert [one.algorithm for one in report.signatures] == [
        "gost3410_2012_256-TC26-256-A-streebog256",
        "gost3410_2012_512-TC26-512-A-streebog512",
    ]
    report = checked(world, joined_signers(both, [second] * 20))
    assert report.verdict == "indeterminate"
    assert "too_many_signers" in report.reasons
    assert len(report.signatures) == integrity.MAX_SIGNERS


def joined_signers(first: bytes, more: list[bytes]) -> bytes:
    content = asn1.ContentInfo.load(first)
    signed = content["content"]
    others = [asn1.ContentInfo.load(one)["content"] for one in more]
    signed["signer_infos"] = [one["signer_infos"][0] for one in (signed, *others)]
    ders = {c.chosen.dump(): c for one in (signed, *others) for c in one["certificates"]}
    signed["certificates"] = list(ders.values())
    signed["digest_algorithms"] = [{"algorithm": "streebog256"}, {"algorithm": "streebog512"}]
    return bytes(content.dump(force=True))


def test_outsized_signature_file(world: GostWorld) -> None:
    big = changed(world.sign(BODY), lambda signed, info: info.__setitem__(
        "unsigned_attrs", [{"type": "1.2.3.4", "values": [core.OctetString(bytes(1 << 20))]}]
    ))  # fmt: skip
    report = checked(world, big)
    assert (report.verdict, report.reasons) == ("indeterminate", ("signature_too_large",))


def test_legacy_is_for_archives(world: GostWorld) -> None:
    for cades in (False, True):
        made = world.authority.sign_detached(BODY, world.signers["2001-A"], cades=cades)
        report = checked(world, made)
        assert (report.verdict, report.reasons) == ("indeterminate", ("legacy_algorithm",))
        assert report.signatures[0].valid
    with pytest.raises(Exception, match="unsupported_algorithm"):
        keys.check_certificate(x509.Certificate.load(world.signers["2001-A"].der))


def test_private_key_usage_period_is_a_warning(world: GostWorld) -> None:
    end = (clock.now() - timedelta(hours=2)).strftime("%Y%m%d%H%M%SZ")
    stamp = end.encode().hex()
    more = f"2.5.29.16 = DER:30:11:81:0f:{':'.join(stamp[i : i + 2] for i in range(0, 30, 2))}"
    late = world.authority.issue(Person("Опоздавший"), more=more)
    report = checked(world, world.authority.sign_detached(BODY, late))
    assert (report.verdict, report.reasons) == ("valid", ())
    assert report.signatures[0].warnings == ("key_period_ended",)
