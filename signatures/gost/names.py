"""Teaches asn1crypto the names of GOST algorithms and of Russian subject fields.

Object identifiers: RFC 9215, RFC 4491 (2001 and 94), order of the FSB no. 795 of 27.12.2011.
`signatures` imports this once, so every parser of the room knows them.
"""

from functools import lru_cache
from typing import Any, Final

from asn1crypto import algos, core, keys, x509

HASHES: Final = {
    "1.2.643.7.1.1.2.2": "streebog256",
    "1.2.643.7.1.1.2.3": "streebog512",
    "1.2.643.2.2.9": "gost3411_94",
}
KEYS: Final = {
    "1.2.643.7.1.1.1.1": "gost3410_2012_256",
    "1.2.643.7.1.1.1.2": "gost3410_2012_512",
    "1.2.643.2.2.19": "gost3410_2001",
}
SIGNATURES: Final = {
    "1.2.643.7.1.1.3.2": "streebog256_gost3410",
    "1.2.643.7.1.1.3.3": "streebog512_gost3410",
    "1.2.643.2.2.3": "gost3411_94_gost3410",
}
SUBJECT: Final = {
    "1.2.643.3.131.1.1": "inn",
    "1.2.643.100.4": "inn_le",
    "1.2.643.100.1": "ogrn",
    "1.2.643.100.5": "ogrnip",
    "1.2.643.100.3": "snils",
}
_LONGEST_NAME: Final = 2048
SIGN_TOOL: Final = "1.2.643.100.111"


class _Text(core.Choice):  # type: ignore[misc]  # reason: asn1crypto has no types
    """DirectoryString with NumericString, which is what authorities use for these fields."""

    _alternatives = [  # noqa: RUF012 - the name and shape asn1crypto looks for
        *x509.DirectoryString._alternatives,
        ("numeric_string", core.NumericString),
        ("visible_string", core.VisibleString),
    ]


def _add(kind: Any, names: dict[str, str]) -> None:
    kind._map = {**kind._map, **names}
    kind._reverse_map = None


def _key_spec(info: keys.PublicKeyInfo) -> Any:
    """A key of an unknown kind is plain bytes, not a KeyError."""
    try:
        return info._public_key_spec()
    except KeyError:
        return core.OctetBitString, None


@lru_cache(maxsize=4096)
def _hashable(der: bytes) -> str:
    return str(x509.RDNSequence.load(der).hashable)


def _remembered(name: x509.Name) -> str:
    """A name prepared for comparison (RFC 5280 section 7.1), which a path asks for thirty times."""
    parts = name.chosen  # without the tag that a name has inside of other structures
    der = parts.dump()
    return _hashable(der) if len(der) <= _LONGEST_NAME else str(parts.hashable)


_add(algos.DigestAlgorithmId, HASHES)
_add(algos.SignedDigestAlgorithmId, {**KEYS, **SIGNATURES})
_add(keys.PublicKeyAlgorithmId, KEYS)
_add(x509.NameType, SUBJECT)
_add(x509.ExtensionId, {SIGN_TOOL: "subject_sign_tool"})
x509.Extension._oid_specs["subject_sign_tool"] = core.UTF8String
x509.NameTypeAndValue._oid_specs.update(dict.fromkeys(SUBJECT.values(), _Text))
keys.PublicKeyInfo._spec_callbacks["public_key"] = _key_spec
x509.Name.hashable = property(_remembered)
