"""Whom to trust: roots, helping certificates and revocation lists, as plain bytes."""

import re
from base64 import b64decode
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from asn1crypto import crl, x509

from core.errors import InvalidInput

_PEM = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----\s*(.*?)-----END \1-----", re.DOTALL)
_SUFFIXES = {".pem", ".der", ".crt", ".cer", ".crl", ".p7b"}


@dataclass(frozen=True, slots=True)
class TrustStore:
    """DER bytes only, so that it travels to other processes and hashes by content."""

    roots: tuple[bytes, ...] = ()
    others: tuple[bytes, ...] = ()
    crls: tuple[bytes, ...] = ()

    def __add__(self, more: "TrustStore") -> "TrustStore":
        """Both stores together."""
        return TrustStore(self.roots + more.roots, self.others + more.others, self.crls + more.crls)


NOBODY = TrustStore()


def _ders(data: bytes) -> Iterable[bytes]:
    blocks = [b64decode(match[2]) for match in _PEM.finditer(data)]
    return blocks or [data]


def _checked(der: bytes, kind: type[x509.Certificate] | type[crl.CertificateList]) -> bytes:
    try:
        parsed = kind.load(der, strict=True)
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
    return tuple(_checked(der, x509.Certificate) for der in _ders(data))


def revocation_lists(data: bytes) -> tuple[bytes, ...]:
    """The CRLs in PEM or DER bytes; only the outer shape is read, entries may be many."""
    found = []
    for der in _ders(data):
        try:
            crl.CertificateList.load(der, strict=True)["tbs_cert_list"]["issuer"].native  # noqa: B018
        except Exception as problem:
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


def _files(path: Path) -> list[Path]:
    if path.is_dir():
        return sorted(p for p in path.rglob("*") if p.suffix.lower() in _SUFFIXES and p.is_file())
    return [path]


def _is_crl(data: bytes) -> bool:
    if b"BEGIN X509 CRL" in data:
        return True
    try:
        tbs = crl.CertificateList.load(data)["tbs_cert_list"]
        return tbs["this_update"].native is not None
    except Exception:
        return False


def from_paths(*, trust: Iterable[Path] = (), crls: Iterable[Path] = ()) -> TrustStore:
    """A store from files and folders; a CRL lying among certificates is taken as a CRL.

    Raises `OSError` for a path that cannot be read and `trust_unreadable` for what it holds.
    """
    store = NOBODY
    for path, is_crl_due in [(p, False) for p in trust] + [(p, True) for p in crls]:
        for file in _files(path):
            data = file.read_bytes()
            if _is_crl(data):
                store += from_bytes(crls=[data])
            elif is_crl_due and path.is_dir():
                continue
            elif is_crl_due:
                store += from_bytes(crls=[data])
            else:
                store += from_bytes(trust=[data])
    return store
