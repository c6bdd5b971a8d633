"""Whom to trust: roots, helping certificates, revocation data, accreditation, as plain data."""

import hashlib
import re
from base64 import b64decode
from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec
from asn1crypto import x509

from core.errors import InvalidInput, Unavailable
from signatures import revocation_lists as crls_read

_PEM = re.compile(rb"-----BEGIN ([A-Z0-9# ]+)-----\s*(.*?)-----END \1-----", re.DOTALL)


@dataclass(frozen=True, slots=True)
class ListFile:
    """A revocation list too big to travel: a file of that SHA-256 (hex), and its issuer's name."""

    path: str
    sha256: str
    issuer_key: str


@dataclass(frozen=True, slots=True)
class Accredited:
    """A period in which an authority was accredited (63-FZ art. 16); days are Moscow's.

    `kind` says by what its certificates are known: "certificate" for the SHA-256 of the issuing
    certificate, "key" for its subject key identifier; `value` in hex. `until` is the first day
    without accreditation.
    """

    kind: str
    value: str
    since: date
    until: date | None = None


@dataclass(frozen=True, slots=True)
class TrustStore:
    """DER bytes and plain data, so that it travels to other processes and hashes by content."""

    roots: tuple[bytes, ...] = ()
    others: tuple[bytes, ...] = ()
    crls: tuple[bytes, ...] = ()
    ocsps: tuple[bytes, ...] = ()
    lists: tuple[ListFile, ...] = ()
    accredited: tuple[Accredited, ...] = ()

    def __add__(self, more: "TrustStore") -> "TrustStore":
        """Both stores together."""
        return TrustStore(
            *(getattr(self, one.name) + getattr(more, one.name) for one in fields(TrustStore))
        )


NOBODY = TrustStore()


def _ders(data: bytes) -> Iterable[bytes]:
    blocks = [b64decode(match[2]) for match in _PEM.finditer(data)]
    return blocks or [data]


def _checked(der: bytes) -> bytes:
    try:
        parsed = x509.Certificate.load(der, strict=True)
        parsed.native  # noqa: B018 - forces the parse
        return bytes(parsed.dump())
    except Exception as problem:
        raise InvalidInput(
            "Файл доверия не является сертификатом или списком отзыва в PEM или DER.",
            "A trust file is not a certificate or revocation list in PEM or DER.",
            code="trust_unreadable",
        ) from problem


def certificates(data: bytes) -> tuple[bytes, ...]:
    """The certificates in PEM or DER bytes. Raises `trust_unreadable`."""
    return tuple(_checked(der) for der in _ders(data))


def revocation_lists(data: bytes) -> tuple[bytes, ...]:
    """The CRLs in PEM or DER bytes; only the outer shape is read, entries may be many."""
    found = []
    for der in _ders(data):
        try:
            crls_read.load(der)
        except ValueError as problem:
            raise InvalidInput(
                "Файл не является списком отзыва в PEM или DER.",
                "The file is not a revocation list in PEM or DER.",
                code="trust_unreadable",
            ) from problem
        found.append(der)
    return tuple(found)


def _self_issued(der: bytes) -> bool:
    cert = x509.Certificate.load(der)
    return bool(cert.subject == cert.issuer)


def from_bytes(*, trust: Iterable[bytes] = (), crls: Iterable[bytes] = ()) -> TrustStore:
    """A store from PEM or DER blobs: self-issued certificates are roots, the rest only help."""
    found = [der for blob in trust for der in certificates(blob)]
    return TrustStore(
        roots=tuple(der for der in found if _self_issued(der)),
        others=tuple(der for der in found if not _self_issued(der)),
        crls=tuple(der for blob in crls for der in revocation_lists(blob)),
    )


def packed(store: TrustStore) -> bytes:
    """The whole store as the content of a file; `of_request` reads it."""
    return msgspec.msgpack.encode(store)


def of_request(request: dict[str, Any]) -> TrustStore:
    """The store of a request to a worker process: `trust_file`, or its parts one by one.

    A file is named by the SHA-256 of its content and read once a process.
    """
    if request.get("trust_file"):
        return _from_file(str(request["trust_file"]))
    parts = ("roots", "others", "crls", "ocsps", "lists", "accredited")
    return msgspec.convert({name: list(request.get(name) or ()) for name in parts}, TrustStore)


@lru_cache(maxsize=4)
def _from_file(path: str) -> TrustStore:
    try:
        content = Path(path).read_bytes()
    except OSError as problem:
        raise Unavailable(code="trust_file_missing") from problem
    if hashlib.sha256(content).hexdigest() != Path(path).stem:
        raise Unavailable(code="trust_file_changed")
    return msgspec.msgpack.decode(content, type=TrustStore)
