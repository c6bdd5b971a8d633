"""Which algorithms a signer may use, and what is told of those it used.

Strong ones pass, weak and legacy ones leave it open, unknown ones end the check.
"""

from typing import Any

from asn1crypto import cms, core, x509

from signatures import digests
from signatures.gost import checking, selftest

_SMALLEST_RSA = 2048


def are_parameters_plain(algorithm: Any) -> bool:
    """Whether an algorithm says nothing beside its name, as all but RSA-PSS must.

    RFC 5754, 8419, 9215: absent, or NULL as many programs write it. RSA-PSS is read and verified.
    """
    if algorithm["algorithm"].native == "rsassa_pss":
        return True
    stated = algorithm["parameters"]
    return isinstance(stated, core.Void) or stated.dump() == b"\x05\x00"


def algorithm_codes(info: cms.SignerInfo, certificate: x509.Certificate) -> tuple[str, ...]:
    """What speaks against hash, key and mechanism; `unsupported_algorithm` ends the check."""
    digest = info["digest_algorithm"]["algorithm"].native
    kind = certificate.public_key.algorithm
    if checking.is_gost(kind):
        return _gost_codes(info, certificate, digest)
    if digest in digests.WEAK:
        return ("weak_algorithm",)
    if digest not in digests.STRONG or kind not in ("rsa", "rsassa_pss", "ec", "ed25519"):
        return ("unsupported_algorithm",)
    if kind == "ed25519":
        # SHA-512 is inside the mechanism and due outside as well (RFC 8419 section 3.1).
        is_due = digest == "sha512" and info["signature_algorithm"].signature_algo == "ed25519"
        return () if is_due else ("unsupported_algorithm",)
    if kind != "ec" and certificate.public_key.bit_size < _SMALLEST_RSA:
        return ("weak_algorithm",)
    try:
        own = info["signature_algorithm"].hash_algo
    except ValueError:
        own = digest
    return () if own == digest else ("unsupported_algorithm",)


def _gost_codes(
    info: cms.SignerInfo, certificate: x509.Certificate, digest: str
) -> tuple[str, ...]:
    """Key, hash and mechanism of one size (RFC 9215); 34.10-2001 is for archives only."""
    if not selftest.is_passed():
        return ("unsupported_algorithm",)
    kind = certificate.public_key.algorithm
    try:
        checking.key_of(certificate.public_key)
    except checking.KeyInvalid:
        return ("public_key_invalid",)
    except checking.Unsupported:
        return ("unsupported_algorithm",)
    if digest != checking.HASH_OF[kind]:
        is_known = digest in digests.STRONG or digest in digests.WEAK or digest == digests.LEGACY
        return ("key_size_mismatch",) if is_known else ("unsupported_algorithm",)
    codes = []
    if not checking.fits(kind, info["signature_algorithm"]["algorithm"].native):
        codes.append("algorithm_mismatch")
    if kind == "gost3410_2001":
        codes.append("legacy_algorithm")
    return tuple(codes)


def algorithm_name(info: cms.SignerInfo, certificate: x509.Certificate | None) -> str:
    """In short, for people: ecdsa-secp256r1-sha256, gost3410_2012_256-CryptoPro-A-streebog256."""
    digest = str(info["digest_algorithm"]["algorithm"].native)
    mechanism = str(info["signature_algorithm"]["algorithm"].native)
    if certificate is None:
        return f"{mechanism}-{digest}"
    key = certificate.public_key
    if checking.is_gost(key.algorithm):
        try:
            return f"{key.algorithm}-{checking.key_of(key).curve.name}-{digest}"
        except (checking.KeyInvalid, checking.Unsupported):
            return f"{key.algorithm}-{digest}"
    if key.algorithm == "ec":
        return f"ecdsa-{key.curve[1]}-{digest}"
    if key.algorithm == "rsa":
        return f"{'rsa-pss' if mechanism == 'rsassa_pss' else 'rsa'}-{key.bit_size}-{digest}"
    return f"{mechanism}-{digest}"
