"""GOST signatures with their unsigned shell tampered with, as an outsider would try."""

import os
from collections.abc import Callable

import pytest
from asn1crypto import cms as asn1
from asn1crypto import core

from signatures.validation import validate
from tests.gost_pki import GostWorld, gost_world

BODY = "Приказ".encode()
Change = Callable[[asn1.SignedData, asn1.SignerInfo], None]


@pytest.fixture(scope="module")
def world() -> GostWorld:
    return gost_world()


def _changed(made: bytes, change: Change) -> bytes:
    info = asn1.ContentInfo.load(made)
    change(info["content"], info["content"]["signer_infos"][0])
    return bytes(info.dump(force=True))


def _nothing(_: asn1.SignedData, info: asn1.SignerInfo) -> None:
    pass


def _zeros(_: asn1.SignedData, info: asn1.SignerInfo) -> None:
    info["signature"] = bytes(64)


def _sha1(_: asn1.SignedData, info: asn1.SignerInfo) -> None:
    info["digest_algorithm"] = {"algorithm": "sha1"}


def _longer_digest(_: asn1.SignedData, info: asn1.SignerInfo) -> None:
    info["digest_algorithm"] = {"algorithm": "streebog512"}


def _longer_mechanism(_: asn1.SignedData, info: asn1.SignerInfo) -> None:
    info["signature_algorithm"] = {"algorithm": "streebog512_gost3410"}


def _rsa(_: asn1.SignedData, info: asn1.SignerInfo) -> None:
    info["signature_algorithm"] = {"algorithm": "sha256_rsa"}


def _serial(_: asn1.SignedData, info: asn1.SignerInfo) -> None:
    named = info["sid"].chosen
    named["serial_number"] = named["serial_number"].native ^ 1


def _nobodys_certificate(signed: asn1.SignedData, _: asn1.SignerInfo) -> None:
    signed["certificates"] = []


def _a_thousand_certificates(signed: asn1.SignedData, _: asn1.SignerInfo) -> None:
    signed["certificates"] = [signed["certificates"][0] for _ in range(1000)]


@pytest.mark.parametrize(
    "change",
    [
        _zeros, _sha1, _longer_digest, _longer_mechanism, _rsa, _serial, _nobodys_certificate,
        _a_thousand_certificates,
    ],
)  # fmt: skip
def test_no_change_of_the_shell_is_valid(world: GostWorld, change: Change) -> None:
    made = world.sign(BODY)
    same = validate(BODY, signature=_changed(made, _nothing), trust=world.trust)
    assert same.verdict == "valid"
    report = validate(BODY, signature=_changed(made, change), trust=world.trust)
    assert report.verdict != "valid"
    assert report.as_dict()["reasons"]


def test_what_nobody_reads_does_no_harm(world: GostWorld) -> None:
    """Unsigned attributes of an unknown kind say nothing, for or against."""

    def garbage(_: asn1.SignedData, info: asn1.SignerInfo) -> None:
        value = core.OctetString(os.urandom(200))
        info["unsigned_attrs"] = asn1.CMSAttributes(
            [asn1.CMSAttribute({"type": "1.2.3.4.5", "values": [value]})]
        )

    made = _changed(world.sign(BODY), garbage)
    assert validate(BODY, signature=made, trust=world.trust).verdict == "valid"


def test_an_empty_file(world: GostWorld) -> None:
    made = world.sign(b"")
    assert validate(b"", signature=made, trust=world.trust).verdict == "valid"
    assert validate(b"\n", signature=made, trust=world.trust).verdict == "invalid"


def test_the_worst_of_several_signers_counts(world: GostWorld) -> None:
    made = [
        asn1.ContentInfo.load(one)
        for one in (
            world.sign(BODY),
            world.authority.sign_detached(BODY, world.signers["512-A"]),
            world.authority.sign_detached(BODY, world.revoked),
        )
    ]

    def together(*ones: asn1.ContentInfo, certificates: int | None = None) -> bytes:
        whole = ones[0].copy()
        signed = whole["content"]
        known = {
            kind["algorithm"].native: kind
            for one in ones
            for kind in one["content"]["digest_algorithms"]
        }
        brought = {
            choice.chosen.dump(): choice
            for one in ones[:certificates]
            for choice in one["content"]["certificates"]
        }
        signed["digest_algorithms"] = list(known.values())
        signed["certificates"] = list(brought.values())
        signed["signer_infos"] = [info for one in ones for info in one["content"]["signer_infos"]]
        return bytes(whole.dump(force=True))

    def verdict(signature: bytes) -> tuple[str, list[str]]:
        report = validate(BODY, signature=signature, trust=world.trust)
        return report.verdict, [one["code"] for one in report.as_dict()["reasons"]]

    assert verdict(together(*made[:2])) == ("valid", [])
    assert verdict(together(*made)) == ("invalid", ["revoked"])
    missing = verdict(together(*made[:2], certificates=1))
    assert missing == ("indeterminate", ["signer_certificate_missing"])
