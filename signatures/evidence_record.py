"""Evidence records (RFC 4998): what existed when, proved past the life of keys and algorithms.

A record is a sequence of chains of archive time stamps. A new stamp over the last one's token
renews a chain before its certificate ends (section 5.2); a new chain under another digest, over
the object and all older chains, renews the tree before its digest grows weak (section 5.3).
Written by hand in DER, because a later stamp is over those very bytes; read by asn1crypto.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from asn1crypto import algos, cms, core, tsp

from signatures import digests
from signatures.hash_tree import Path

OIDS = {
    "sha256": "2.16.840.1.101.3.4.2.1",
    "sha384": "2.16.840.1.101.3.4.2.2",
    "sha512": "2.16.840.1.101.3.4.2.3",
    "streebog256": "1.2.643.7.1.1.2.2",
    "streebog512": "1.2.643.7.1.1.2.3",
}
"""The digests a tree may be made with."""
_NAMES = {oid: name for name, oid in OIDS.items()}

_CERTIFICATES = "1.2.840.113549.1.9.16.2.23"
_REVOCATION = "1.2.840.113549.1.9.16.2.24"
MOST = 32 * 1024 * 1024
"""Bytes above which a record is not read."""


class PartialHashTree(core.SequenceOf):  # type: ignore[misc]  # reason: asn1crypto is untyped
    """Digests that were joined into one node."""

    _child_spec = core.OctetString


class ReducedHashTree(core.SequenceOf):  # type: ignore[misc]  # reason: asn1crypto is untyped
    """From the object's digest up to the root."""

    _child_spec = PartialHashTree


class ArchiveTimeStamp(core.Sequence):  # type: ignore[misc]  # reason: asn1crypto is untyped
    """A reduced tree and the token over its root."""

    _fields: list[object] = [  # noqa: RUF012 - asn1crypto's way
        ("digest_algorithm", algos.DigestAlgorithm, {"implicit": 0, "optional": True}),
        ("attributes", cms.CMSAttributes, {"implicit": 1, "optional": True}),
        ("reduced_hash_tree", ReducedHashTree, {"implicit": 2, "optional": True}),
        ("time_stamp", cms.ContentInfo),
    ]


class ArchiveTimeStampChain(core.SequenceOf):  # type: ignore[misc]  # reason: asn1crypto is untyped
    """Stamps of one digest algorithm, each over the token before it."""

    _child_spec = ArchiveTimeStamp


class ArchiveTimeStampSequence(core.SequenceOf):  # type: ignore[misc]  # reason: asn1crypto is untyped
    """Chains, each over the object and all chains before it."""

    _child_spec = ArchiveTimeStampChain


class _Any(core.SequenceOf):  # type: ignore[misc]  # reason: asn1crypto is untyped
    _child_spec = core.Any


class _RevocationValues(core.Sequence):  # type: ignore[misc]  # reason: asn1crypto is untyped
    _fields: list[object] = [  # noqa: RUF012 - asn1crypto's way
        ("crls", _Any, {"explicit": 0, "optional": True}),
        ("answers", _Any, {"explicit": 1, "optional": True}),
        ("others", core.Sequence, {"explicit": 2, "optional": True}),
    ]


class _AnySet(core.SetOf):  # type: ignore[misc]  # reason: asn1crypto is untyped
    _child_spec = core.Any


class _Attribute(core.Sequence):  # type: ignore[misc]  # reason: asn1crypto is untyped
    _fields: list[object] = [  # noqa: RUF012 - asn1crypto's way
        ("type", core.ObjectIdentifier),
        ("values", _AnySet),
    ]


class _CryptoInfos(core.SequenceOf):  # type: ignore[misc]  # reason: asn1crypto is untyped
    _child_spec = _Attribute


class _Algorithms(core.SequenceOf):  # type: ignore[misc]  # reason: asn1crypto is untyped
    _child_spec = algos.DigestAlgorithm


class EvidenceRecord(core.Sequence):  # type: ignore[misc]  # reason: asn1crypto is untyped
    """RFC 4998 section 3.1; no encryption is ever used here."""

    _fields: list[object] = [  # noqa: RUF012 - asn1crypto's way
        ("version", core.Integer),
        ("digest_algorithms", _Algorithms),
        ("crypto_infos", _CryptoInfos, {"implicit": 0, "optional": True}),
        ("encryption_info", core.Sequence, {"implicit": 1, "optional": True}),
        ("sequence", ArchiveTimeStampSequence),
    ]


@dataclass(frozen=True, slots=True)
class Stamp:
    """One archive time stamp: the tree's digest algorithm, the path in it, the token in DER."""

    algorithm: str
    path: Path
    token: bytes


Chains = Sequence[Sequence[Stamp]]


@dataclass(frozen=True, slots=True)
class Material:
    """What is needed to check the tokens later: certificates and revocation lists in DER."""

    certificates: tuple[bytes, ...] = ()
    crls: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Record:
    """A record taken apart."""

    chains: tuple[tuple[Stamp, ...], ...]
    material: Material


def sequence_of(chains: Chains) -> bytes:
    """The ArchiveTimeStampSequence in DER: what a hash-tree renewal is over."""
    return _tlv(0x30, *(_tlv(0x30, *map(_stamp, chain)) for chain in chains))


def encode(chains: Chains, *, material: Material | None = None) -> bytes:
    """The whole record in DER; `material` becomes its crypto infos."""
    names = dict.fromkeys(stamp.algorithm for chain in chains for stamp in chain)
    infos = _infos(material or Material())
    return _tlv(
        0x30,
        _tlv(0x02, b"\x01"),
        _tlv(0x30, *(_tlv(0x30, _oid(name)) for name in names)),
        _tlv(0xA0, *infos) if infos else b"",
        sequence_of(chains),
    )


def encode_path(path: Path) -> bytes:
    """The reducedHashtree in DER, as a SEQUENCE; empty bytes for an empty path."""
    return _tlv(0x30, _lists(path)) if path else b""


def decode_path(der: bytes) -> Path:
    """The path that `encode_path` wrote."""
    return _path(ReducedHashTree.load(der)) if der else ()


def renewal_leaf(token: bytes, *, algorithm: str) -> bytes:
    """What a new stamp in the same chain covers: the digest of the old token (section 5.2)."""
    return digests.digest(algorithm, token)


def rehash_leaf(digest: bytes, older: Chains, *, algorithm: str) -> bytes:
    """What the first stamp of a new chain covers: object and all older chains (section 5.3).

    `digest` is the object's under the new algorithm.
    """
    return digests.digest(algorithm, digest + digests.digest(algorithm, sequence_of(older)))


def read(der: bytes) -> Record:
    """The record behind strict DER; raises `ValueError` for anything else."""
    if len(der) > MOST:
        raise ValueError("the evidence record is too large")
    try:
        found = EvidenceRecord.load(der, strict=True)
        if found["version"].native != 1 or not isinstance(found["encryption_info"], core.Void):
            raise ValueError("an evidence record of another kind")
        chains = tuple(tuple(map(_read_stamp, chain)) for chain in found["sequence"])
        if not chains or not all(chains):
            raise ValueError("an evidence record without stamps")
        record = Record(chains, _material(found["crypto_infos"]))
    except (TypeError, KeyError, IndexError, AttributeError, OverflowError) as problem:
        raise ValueError("not an evidence record") from problem
    return record


def _read_stamp(one: ArchiveTimeStamp) -> Stamp:
    token = one["time_stamp"]
    named = one["digest_algorithm"]
    if isinstance(named, core.Void):
        named = info_of(token.dump())["message_imprint"]["hash_algorithm"]
    name = _NAMES.get(named["algorithm"].dotted)
    if name is None:
        raise ValueError("the digest of the tree is not known")
    return Stamp(name, _path(one["reduced_hash_tree"]), bytes(token.dump()))


def info_of(token: bytes) -> tsp.TSTInfo:
    """What a token says; raises `ValueError` when it is none."""
    try:
        content = cms.ContentInfo.load(token)["content"]["encap_content_info"]
        if content["content_type"].native != "tst_info":
            raise ValueError("not a time-stamp token")
        return content["content"].parsed
    except (TypeError, KeyError, AttributeError) as problem:
        raise ValueError("not a time-stamp token") from problem


def _path(tree: core.Asn1Value) -> Path:
    if isinstance(tree, core.Void):
        return ()
    return tuple(tuple(bytes(one.native) for one in part) for part in tree)


def _material(infos: core.Asn1Value) -> Material:
    if isinstance(infos, core.Void):
        return Material()
    found: dict[str, list[bytes]] = {_CERTIFICATES: [], _REVOCATION: []}
    for one in infos:
        for value in one["values"] if one["type"].dotted in found else ():
            found[one["type"].dotted] += _inner(one["type"].dotted, value.dump())
    return Material(tuple(found[_CERTIFICATES]), tuple(found[_REVOCATION]))


def _inner(kind: str, der: bytes) -> list[bytes]:
    """Certificates, or the lists of RevocationValues (RFC 5126 section 6.3.4), as they lie."""
    whole = _RevocationValues.load(der)["crls"] if kind == _REVOCATION else _Any.load(der)
    return [] if isinstance(whole, core.Void) else [bytes(one.dump()) for one in whole]


def _infos(material: Material) -> list[bytes]:
    infos = []
    if material.certificates:
        infos.append(_info(_CERTIFICATES, _tlv(0x30, *material.certificates)))
    if material.crls:
        lists = _tlv(0xA0, _tlv(0x30, *material.crls))
        infos.append(_info(_REVOCATION, _tlv(0x30, lists)))
    return infos


def _info(oid: str, value: bytes) -> bytes:
    return _tlv(0x30, core.ObjectIdentifier(oid).dump(), _tlv(0x31, value))


def _stamp(stamp: Stamp) -> bytes:
    tree = _tlv(0xA2, _lists(stamp.path)) if stamp.path else b""
    return _tlv(0x30, _tlv(0xA0, _oid(stamp.algorithm)), tree, stamp.token)


def _lists(path: Path) -> bytes:
    return b"".join(_tlv(0x30, *(_tlv(0x04, one) for one in part)) for part in path)


def _oid(name: str) -> bytes:
    return bytes(core.ObjectIdentifier(OIDS[name]).dump())


def _tlv(tag: int, *parts: bytes) -> bytes:
    """Tag, length and content of one DER value (X.690 section 8.1)."""
    body = b"".join(parts)
    size = len(body)
    if size < 0x80:
        return bytes((tag, size)) + body
    digits = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(digits))) + digits + body
