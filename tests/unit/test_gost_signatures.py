"""Detached GOST signatures: good ones valid, each bad one refused for its own reason."""

import subprocess
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from io import BytesIO

import pytest
from asn1crypto import algos, core, parser, x509
from asn1crypto import cms as asn1

from core import clock
from demo import gost
from demo.gost import Person, Signer
from signatures import cms, digests, integrity, keys, pdf
from signatures.gost import libgcrypt
from signatures.report import Report
from signatures.validation import validate
from tests.gost_pki import PERSON, SETS, GostWorld, gost_world
from tests.unit.test_signatures_verdicts import one_page

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


def test_a_clients_key_signs_a_file(world: GostWorld) -> None:
    for name in ("256-A", "512-C"):
        signer = world.signers[name]
        cert = x509.Certificate.load(signer.der)
        algorithm = keys.digest_for(cert)
        assert algorithm == f"streebog{name[:3]}"
        digest = cms.digest_stream(BytesIO(BODY).read, algorithm=algorithm)
        attributes = cms.prepare_detached(digest=digest, certificate=signer.der)
        value = world.authority.sign_raw(attributes, signer)
        for answer in (value, world.authority.sign_detached(BODY, signer)):
            made = cms.finish_detached(
                digest=digest, attributes=attributes, certificate=signer.der, answer=answer
            )
            assert checked(world, made).verdict == "valid"
        with pytest.raises(Exception, match="signature_does_not_fit"):
            cms.finish_detached(
                digest=digest, attributes=attributes, certificate=signer.der,
                answer=world.authority.sign_raw(b"other", signer),
            )  # fmt: skip


def test_a_clients_key_signs_a_pdf(world: GostWorld) -> None:
    for name in ("256-A", "512-A"):
        signer = world.signers[name]
        prepared = pdf.prepare(one_page(), certificate=signer.der, chain=(world.authority.der,))
        made = pdf.finish(prepared, world.authority.sign_raw(prepared.attributes, signer))
        report = validate(made, trust=world.trust)
        assert (report.verdict, report.reasons) == ("valid", ())
        assert report.signatures[0].format == "PAdES"
        spoiled = made.replace(b"/V(100)", b"/V(900)")
        assert "digest_mismatch" in validate(spoiled, trust=world.trust).reasons


def test_a_gost_time_stamp(world: GostWorld) -> None:
    tsa = world.authority.issue(
        Person("Служба времени"), more="extendedKeyUsage = critical,timeStamping"
    )
    good = world.sign(BODY)
    value = asn1.ContentInfo.load(good)["content"]["signer_infos"][0]["signature"].native
    for stamped, verdict in ((value, "valid"), (b"other", "indeterminate")):
        token = gost_token(world, tsa, digests.digest("streebog256", stamped))
        made = changed(good, lambda _, info, token=token: info.__setitem__(  # type: ignore[misc]
            "unsigned_attrs", [{"type": "signature_time_stamp_token", "values": [token]}]
        ))  # fmt: skip
        report = checked(world, made)
        assert report.verdict == verdict
        assert report.signatures[0].level == "B-T"


def gost_token(world: GostWorld, tsa: Signer, imprint: bytes) -> asn1.ContentInfo:
    from asn1crypto import tsp

    told = tsp.TSTInfo(
        {
            "version": "v1",
            "policy": "1.2.3",
            "message_imprint": {
                "hash_algorithm": {"algorithm": "streebog256"},
                "hashed_message": imprint,
            },
            "serial_number": 1,
            "gen_time": clock.now().replace(microsecond=0),
        }
    )
    cert = x509.Certificate.load(tsa.der)
    attributes = cms.signed_attributes(
        digest=digests.digest("streebog256", told.dump()),
        certificate=cert,
        signing_time=None,
        content_type="tst_info",
    )
    made = cms.assemble(
        attributes=attributes,
        signature=world.authority.sign_raw(attributes, tsa),
        certificate=cert,
        digest_algorithm="streebog256",
        content=asn1.EncapsulatedContentInfo(
            {"content_type": "tst_info", "content": core.ParsableOctetString(told.dump())}
        ),
    )
    return asn1.ContentInfo.load(made)


def test_without_the_library(world: GostWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    made = world.sign(BODY)
    monkeypatch.setattr(libgcrypt, "_library", None)
    report = checked(world, made)
    assert (report.verdict, report.reasons) == ("indeterminate", ("unsupported_algorithm",))


# What openssl's own check (3.0.19) takes and we do not: signatures without signed attributes,
# which its -cades lets through, and so also attributes passed off as the document.
BYPASSES = {"noattr"}


def test_agreement_with_openssl(world: GostWorld) -> None:
    good = world.sign(BODY)
    cases = {
        "good": (good, BODY),
        "512": (world.authority.sign_detached(BODY, world.signers["512-B"]), BODY),
        "changed": (good, BODY + b"."),
        "noattr": (world.sign(BODY, cades=False, more=("-noattr",)), BODY),
        "value": (good[:-1] + bytes([good[-1] ^ 1]), BODY),
        "expired": (world.authority.sign_detached(BODY, world.expired), BODY),
        "revoked": (world.authority.sign_detached(BODY, world.revoked), BODY),
    }
    for name, (signature, data) in cases.items():
        ours = checked(world, signature, data).verdict == "valid"
        assert openssl_agrees(world, signature, data) == (ours or name in BYPASSES), name


def openssl_agrees(world: GostWorld, signature: bytes, data: bytes) -> bool:
    folder = world.authority.folder
    (folder / "p7s").write_bytes(signature)
    (folder / "doc").write_bytes(data)
    root = world.authority.parent
    assert root is not None
    lists = b""
    for one in (world.authority, root):
        one.crl()
        lists += (one.folder / "list.pem").read_bytes()
    (folder / "trusted").write_bytes(root.me.certificate.read_bytes() + lists)
    try:
        gost.run(
            folder, "cms", "-verify", "-cades", "-binary", "-inform", "DER", "-in", "p7s",
            "-content", "doc", "-CAfile", "trusted", "-crl_check_all", "-purpose", "any",
            "-out", "answer",
        )  # fmt: skip
    except (RuntimeError, subprocess.TimeoutExpired):
        return False
    return True


@pytest.mark.parametrize("tag", [0x13, 0x16, 0x14], ids=["printable", "ia5", "teletex"])
def test_an_issuer_spelled_in_another_string_type(world: GostWorld, tag: int) -> None:
    text = b"Docflow demo"
    old, new = (bytes([kind, len(text)]) + text for kind in (0x0C, tag))

    def spelled(body: bytes) -> bytes:
        assert old in body
        return body.replace(old, new, 1)

    der = resigned(world, world.signer, spelled)
    report = checked(world, with_certificate(world.sign(BODY, cades=False), der))
    assert (report.verdict, report.reasons) == ("valid", ())


@pytest.mark.parametrize("digest", ["-sha1", "-md_gost12_256", "-md_gost12_512"])
@pytest.mark.parametrize("is_revoked", [False, True])
def test_ocsp_answers_by_gost(world: GostWorld, digest: str, is_revoked: bool) -> None:
    authority = world.authority
    signer = world.revoked if is_revoked else world.signer
    answer = authority.folder / "answer.ocsp"
    gost.run(
        authority.folder, "ocsp", "-index", "index.txt", "-CA", str(authority.me.certificate),
        "-rsigner", str(authority.me.certificate), "-rkey", str(authority.me.key), "-rmd",
        "md_gost12_256", "-issuer", str(authority.me.certificate), digest, "-cert",
        str(signer.certificate), "-respout", str(answer), "-ndays", "5", "-noverify",
    )  # fmt: skip
    assert authority.parent is not None
    trust = replace(world.trust, crls=(authority.parent.crl(),), ocsps=(answer.read_bytes(),))
    made = authority.sign_detached(BODY, signer)
    report = validate(BODY, signature=made, trust=trust)
    assert report.verdict == ("invalid" if is_revoked else "valid")
    assert report.reasons == (("revoked",) if is_revoked else ())
