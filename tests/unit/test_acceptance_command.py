"""`docflow validate` by a stranger: keys, bundles and files that no generator here makes."""

import asyncio
import hashlib
import json
import os
import subprocess
import sys
from base64 import encodebytes
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from asn1crypto import cms as asn1
from asn1crypto import core
from asn1crypto import keys as asn1_keys
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import pkcs7
from cryptography.x509.oid import NameOID
from pyhanko.sign.signers import SimpleSigner
from pyhanko_certvalidator.registry import SimpleCertificateStore

from signatures import command
from signatures.trust_files import from_paths, read
from signatures.validation import validate

pytestmark = pytest.mark.slow

DOCFLOW = Path(sys.executable).with_name("docflow")
BODY = "Письмо".encode()
PEM, DER = serialization.Encoding.PEM, serialization.Encoding.DER
NOW = datetime.now(UTC).replace(microsecond=0)
_SHA512 = bytes.fromhex("0609608648016503040203")
Private = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey


def _certified(
    name: str, private: Private, by: tuple[x509.Certificate, Private] | None, *, is_authority: bool
) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    issuer, key = (by[0].subject, by[1]) if by else (subject, private)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - timedelta(days=2))
        .not_valid_after(NOW + timedelta(days=300))
        .add_extension(x509.BasicConstraints(is_authority, None), critical=True)
    )
    return builder.sign(key, hashes.SHA256())


class World:
    """A root, an authority below it and a person with an Ed25519 key."""

    def __init__(self) -> None:
        keys = [ec.generate_private_key(ec.SECP256R1()) for _ in range(2)]
        self.person_key = ed25519.Ed25519PrivateKey.generate()
        self.root = _certified("Root", keys[0], None, is_authority=True)
        self.issuing = _certified("Issuing", keys[1], (self.root, keys[0]), is_authority=True)
        line = (self.issuing, keys[1])
        self.person = _certified("Person", self.person_key, line, is_authority=False)
        self.lists = [
            x509.CertificateRevocationListBuilder()
            .issuer_name(one.subject)
            .last_update(NOW - timedelta(days=1))
            .next_update(NOW + timedelta(days=20))
            .sign(key, hashes.SHA256())
            for one, key in ((self.root, keys[0]), line)
        ]

    def sign(self) -> bytes:
        """A detached CAdES-BES by the library's own signer."""
        private = self.person_key.private_bytes(
            DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        make: Any = SimpleCertificateStore
        signer = SimpleSigner(
            signing_cert=asn1_x509.Certificate.load(self.person.public_bytes(DER)),
            signing_key=asn1_keys.PrivateKeyInfo.load(private),
            cert_registry=make(),
        )
        made = asyncio.run(
            signer.async_sign_general_data(BODY, "sha512", detached=True, use_cades=True)
        )
        return bytes(made.dump())


@cache
def world() -> World:
    return World()


def _spoken(*, certificates: bytes, lists: bytes | None = None) -> Any:
    store = read(certificates)
    return store if lists is None else store + read(lists)


def _pem(*things: x509.Certificate | x509.CertificateRevocationList) -> bytes:
    return b"".join(one.public_bytes(PEM) for one in things)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    w = world()
    (tmp_path / "письмо.txt").write_bytes(BODY)
    (tmp_path / "письмо.sig").write_bytes(w.sign())
    (tmp_path / "all.pem").write_bytes(b"subject=CN Root\n" + _pem(w.issuing, w.root, *w.lists))
    return tmp_path


def _run(*arguments: object) -> tuple[int, Any]:
    done = subprocess.run(
        [DOCFLOW, "validate", *map(str, arguments), "--json"],
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert b"Traceback" not in done.stderr
    return done.returncode, json.loads(done.stdout)


def test_one_bundle_of_everything_and_an_ed25519_key(folder: Path) -> None:
    given = folder / "письмо.txt", "--signature", folder / "письмо.sig", "--trust", folder
    code, answer = _run(*given)
    assert (code, answer["verdict"], answer["reasons"]) == (0, "valid", [])
    (folder / "письмо.txt").write_bytes(BODY + b"!")
    assert _run(*given)[0] == 1


def test_trust_in_every_shape() -> None:
    w = world()
    pair = [w.issuing, w.root]
    lists = _pem(*w.lists)
    shapes = {
        "bundle": _pem(*pair),
        "crlf": _pem(*pair).replace(b"\n", b"\r\n"),
        "byte order mark": b"\xef\xbb\xbf" + _pem(*pair),
        "p7b": pkcs7.serialize_certificates(pair, DER),
        "p7b in pem": pkcs7.serialize_certificates(pair, PEM),
    }
    for name, shape in shapes.items():
        report = validate(BODY, signature=w.sign(), trust=_spoken(certificates=shape, lists=lists))
        assert report.verdict == "valid", name
    bare = encodebytes(w.root.public_bytes(DER))
    assert read(bare).roots == (w.root.public_bytes(DER),)


def test_a_folder_with_other_things_in_it(folder: Path) -> None:
    w = world()
    private = w.person_key.private_bytes(
        PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "key.pem").write_bytes(private)
    (folder / "junk.pem").write_bytes(b"junk")
    (folder / "empty.crl").write_bytes(b"")
    (folder / "scan.pdf").write_bytes(b"%PDF-1.7\n" + _pem(w.person))
    (folder / "me").symlink_to(folder)
    (folder / "itself.pem").symlink_to("itself.pem")
    os.mkfifo(folder / "pipe.pem")
    store = from_paths(trust=[folder])
    assert [len(store.roots), len(store.others), len(store.crls)] == [1, 1, 2]


def test_a_signature_in_the_folder_is_no_root(tmp_path: Path) -> None:
    (tmp_path / "letter.sig").write_bytes(world().sign())
    assert not from_paths(trust=[tmp_path]).roots
    assert not from_paths(trust=[tmp_path]).others


def test_lists_never_make_anybody_trusted(folder: Path) -> None:
    store = from_paths(crls=[folder])
    assert (store.roots, store.others, len(store.crls)) == ((), (), 2)


def test_what_is_no_regular_file_is_wrong_usage(folder: Path) -> None:
    pipe, loop = folder / "pipe", folder / "loop"
    os.mkfifo(pipe)
    loop.symlink_to("loop")
    letter, signature = folder / "письмо.txt", folder / "письмо.sig"
    for wrong in (pipe, loop, folder, Path("/dev/zero"), Path("x" * 5000)):
        assert command.run(file=wrong)[1] == 64, wrong
        assert command.run(file=letter, signature=wrong)[1] == 64, wrong
    for wrong in (pipe, loop, Path("/dev/zero"), letter):
        assert command.run(file=letter, signature=signature, trust=[wrong])[1] == 64, wrong


@pytest.mark.parametrize(
    "at", ["", "yesterday", "2024-13-01", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"]
)
def test_a_time_that_is_none(folder: Path, at: str) -> None:
    answer, code = command.run(file=folder / "письмо.txt", at=at)
    assert (code, answer["error"]["code"]) == (64, "wrong_time")


def test_a_file_beyond_memory_is_checked_by_its_digest(folder: Path) -> None:
    """Sparse, so that it costs time and no disk."""
    big = folder / "big"
    with big.open("wb") as file:
        file.truncate(command.LARGEST + 1)
    assert command.load(file=big, signature=folder / "письмо.sig")["data"] is None  # type: ignore[call-overload]
    found = command.digests_of(big, ["sha256"])["sha256"]
    assert found == hashlib.sha256(bytes(command.LARGEST + 1)).digest()
    code, answer = _run(big, "--signature", folder / "письмо.sig", "--trust", folder / "all.pem")
    assert (code, answer["reasons"][0]["code"]) == (1, "digest_mismatch")
    with big.open("r+b") as file:
        file.write(b"%PDF-1.7")
    code, answer = _run(big)
    assert (code, answer["reasons"][0]["code"]) == (2, "file_too_large")


def _changed(made: bytes, change: Any) -> bytes:
    info = asn1.ContentInfo.load(made)
    change(info["content"]["signer_infos"][0], info["content"])
    return bytes(info.dump(force=True))


def _other_issuer(info: asn1.SignerInfo, _: asn1.SignedData) -> None:
    info["sid"].chosen["issuer"] = asn1_x509.Name.build({"common_name": "issuing"})


def _signature_parameters(info: asn1.SignerInfo, _: asn1.SignedData) -> None:
    info["signature_algorithm"]["parameters"] = core.UTF8String("x")


def _trusting() -> Any:
    return _spoken(certificates=_pem(world().root, world().issuing), lists=_pem(*world().lists))


@pytest.mark.parametrize("change", [_other_issuer, _signature_parameters])
def test_what_nobody_signed_must_still_be_right(change: Any) -> None:
    made = world().sign()
    same = validate(BODY, signature=_changed(made, lambda *_: None), trust=_trusting())
    assert same.verdict == "valid"
    assert validate(BODY, signature=_changed(made, change), trust=_trusting()).verdict != "valid"


def test_hashes_have_no_parameters() -> None:
    made, plain = world().sign(), _SHA512 + b"\x05\x00"
    assert validate(BODY, signature=made, trust=_trusting()).verdict == "valid"
    parts = made.split(plain)
    assert len(parts) > 2
    for place in range(1, len(parts)):
        other = plain.join(parts[:place]) + _SHA512 + b"\x04\x00" + plain.join(parts[place:])
        assert validate(BODY, signature=other, trust=_trusting()).verdict != "valid"
