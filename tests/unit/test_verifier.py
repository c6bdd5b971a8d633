"""Every key with every algorithm: what does not fit is a wrong signature, never a fault of ours."""

from typing import Any

import pytest
from asn1crypto import algos, keys
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa, x25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from signatures.verifier import VERIFIER

ALGORITHMS = (
    "sha256_rsa", "sha1_rsa", "md5_rsa", "sha256_ecdsa", "sha256_dsa", "ed25519", "ed448",
    "rsassa_pss", "rsassa_pkcs1v15", "1.2.3.4",
)  # fmt: skip
KEYS: dict[str, Any] = {
    "RSA": lambda: rsa.generate_private_key(65537, 2048),
    "P-256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "secp256k1": lambda: ec.generate_private_key(ec.SECP256K1()),
    "DSA": lambda: dsa.generate_private_key(2048),
    "Ed25519": ed25519.Ed25519PrivateKey.generate,
    "Ed448": ed448.Ed448PrivateKey.generate,
    "X25519": x25519.X25519PrivateKey.generate,
}


@pytest.mark.parametrize("name", KEYS)
def test_key_and_algorithm_that_do_not_fit(name: str) -> None:
    public = KEYS[name]().public_key()
    der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    for algorithm in ALGORITHMS:
        named = algos.SignedDigestAlgorithm({"algorithm": algorithm})
        for value in (b"", b"\0" * 64, b"\xff" * 256):
            with pytest.raises(InvalidSignature):
                VERIFIER.validate_signature(value, b"x", keys.PublicKeyInfo.load(der), named)
