"""One signature value against one public key; knows no certificates, no paths and no pyHanko."""

from functools import lru_cache
from typing import Any

from asn1crypto import algos, keys
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

from signatures.gost import checking
from signatures.gost.checking import KeyInvalid

_HASHES: dict[str, hashes.HashAlgorithm] = {
    "sha1": hashes.SHA1(),  # noqa: S303 - the caller says what is too weak
    "sha224": hashes.SHA224(),
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
    "sha3_256": hashes.SHA3_256(),
    "sha3_384": hashes.SHA3_384(),
    "sha3_512": hashes.SHA3_512(),
}
_LONGEST_KEY = 4096


def verify(
    signature: bytes,
    data: bytes,
    *,
    key: keys.PublicKeyInfo,
    algorithm: algos.SignedDigestAlgorithm,
    digest: str,
    prehashed: bool = False,
) -> None:
    """Refuse a signature that does not fit; `digest` is used where `algorithm` names none.

    Raises `cryptography.exceptions.InvalidSignature`, for an impossible key or value one of its
    children in `gost.checking`; nothing else whatever the bytes are, but for a missing library.
    """
    mechanism = algorithm["algorithm"].native
    if checking.is_gost(key.algorithm):
        checking.verify(signature, data, key=key, mechanism=mechanism, prehashed=prehashed)
        return
    if key.algorithm == "ed25519":
        _verify_edwards(signature, data, key, is_due=mechanism == "ed25519" and not prehashed)
        return
    try:
        hashed: Any = _HASHES[_hash_of(algorithm) or digest]
        given = Prehashed(hashed) if prehashed else hashed
        public = _public(key)
        if isinstance(public, rsa.RSAPublicKey):
            public.verify(signature, data, _padding(algorithm), given)
        elif isinstance(public, ec.EllipticCurvePublicKey) and mechanism.endswith("ecdsa"):
            public.verify(signature, data, ec.ECDSA(given))
        else:
            raise InvalidSignature
    except (ValueError, TypeError, KeyError, UnsupportedAlgorithm) as problem:
        raise InvalidSignature from problem


def _verify_edwards(
    signature: bytes, data: bytes, key: keys.PublicKeyInfo, *, is_due: bool
) -> None:
    """Ed25519 over the bytes themselves (RFC 8032); there is no way to check it from a digest."""
    public = _public(key)
    if not is_due or not isinstance(public, ed25519.Ed25519PublicKey):
        raise InvalidSignature
    public.verify(signature, data)


def _hash_of(algorithm: algos.SignedDigestAlgorithm) -> str | None:
    try:
        return str(algorithm.hash_algo)
    except ValueError:
        return None


def _padding(algorithm: algos.SignedDigestAlgorithm) -> Any:
    mechanism = algorithm.signature_algo
    if mechanism == "rsassa_pkcs1v15":
        return padding.PKCS1v15()
    if mechanism != "rsassa_pss":
        raise InvalidSignature
    stated = algorithm["parameters"]
    mask = stated["mask_gen_algorithm"]
    if mask["algorithm"].native != "mgf1" or stated["trailer_field"].native != "trailer_field_bc":
        raise InvalidSignature
    masked = _HASHES[mask["parameters"]["algorithm"].native]
    return padding.PSS(mgf=padding.MGF1(masked), salt_length=stated["salt_length"].native)


def _public(key: keys.PublicKeyInfo) -> Any:
    der = key.dump()
    return _loaded(der) if len(der) <= _LONGEST_KEY else _load(der)


def _load(der: bytes) -> Any:
    info = keys.PublicKeyInfo.load(der)
    if info.algorithm == "rsassa_pss":
        # cryptography reads such a key only under the plain name.
        info["algorithm"] = {"algorithm": "rsa"}
        der = info.dump()
    try:
        return serialization.load_der_public_key(der)
    except ValueError as problem:
        raise KeyInvalid from problem


_loaded = lru_cache(maxsize=1024)(_load)
