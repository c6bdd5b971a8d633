"""A trust store from files and folders as people keep them: bundles, p7b, keys lying beside.

What a file holds is read from its bytes; its name says nothing.
"""

import re
import stat
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from asn1crypto import cms

from core.errors import InvalidInput
from signatures import ocsp_answers
from signatures import revocation_lists as crls_read
from signatures.trust import NOBODY, TrustStore, from_bytes

LARGEST: Final = 256 << 20
"""Bytes of one file; the largest revocation lists in use have some ten megabytes."""
_MOST_FILES: Final = 10_000
_PEM = re.compile(rb"-----BEGIN ([A-Z0-9# ]+)-----\s*([^-]*)-----END \1-----")
_OF_NO_USE = (b"KEY", b"PARAMETERS", b"REQUEST")


def require_regular(path: Path) -> None:
    """Refuse what is no regular file: pipes and devices end never. Raises OSError, ValueError."""
    if not stat.S_ISREG(path.stat().st_mode):
        raise OSError(None, "not a regular file", str(path))


def from_paths(*, trust: Iterable[Path] = (), crls: Iterable[Path] = ()) -> TrustStore:
    """A store from files and folders; certificates, lists and answers may lie mixed in both.

    A file that is named must hold something of use, those in a folder are passed over if they do
    not. `crls` never make anybody trusted. Raises `OSError` for a path that cannot be read and
    `trust_unreadable` for what it holds.
    """
    store = NOBODY
    for path in trust:
        store += _from_path(path)
    for path in crls:
        found = _from_path(path)
        if not path.is_dir() and not (found.crls or found.ocsps):
            raise _unreadable(path)
        store += TrustStore(crls=found.crls, ocsps=found.ocsps)
    return TrustStore(
        roots=tuple(dict.fromkeys(store.roots)),
        others=tuple(dict.fromkeys(store.others)),
        crls=tuple(dict.fromkeys(store.crls)),
        ocsps=tuple(dict.fromkeys(store.ocsps)),
    )


def _from_path(path: Path) -> TrustStore:
    if not path.is_dir():
        return _from_file(path)
    store = NOBODY
    for file in sorted(_files(path)):
        try:
            store += _from_file(file)
        except InvalidInput:
            continue
    return store


def _files(folder: Path) -> Iterator[Path]:
    for count, path in enumerate(folder.rglob("*")):
        if count >= _MOST_FILES:
            raise _unreadable(folder)
        if path.is_file():
            yield path


def _from_file(path: Path) -> TrustStore:
    require_regular(path)
    if path.stat().st_size > LARGEST:
        raise _unreadable(path)
    found = read(path.read_bytes())
    if found == NOBODY:
        raise _unreadable(path)
    return found


def read(data: bytes) -> TrustStore:
    """All that is of use in these bytes: PEM blocks of any kind, or one thing in DER or base64."""
    if data[:5] == b"%PDF-" or (b"\0" in data[:1024] and data[:1] != b"\x30"):
        return NOBODY  # a document with a certificate in it says nothing of trust
    blocks = list(_PEM.finditer(data)) if data[:1] != b"\x30" else []
    store = NOBODY
    for block in blocks:
        if not block[1].endswith(_OF_NO_USE):
            store += _one(_decoded(block[2]))
    if blocks:
        return store
    return _one(data if data[:1] == b"\x30" else _decoded(data))


def _decoded(text: bytes) -> bytes:
    try:
        return b64decode(b"".join(text.split()), validate=True)
    except Base64Error:
        return b""


def _one(der: bytes) -> TrustStore:
    if der[:1] != b"\x30":
        return NOBODY
    try:
        crls_read.load(der)
    except ValueError:
        pass
    else:
        return TrustStore(crls=(der,))
    try:
        ocsp_answers.load(der)
    except ValueError:
        pass
    else:
        return TrustStore(ocsps=(der,))
    try:
        return from_bytes(trust=[der])
    except InvalidInput:
        return _bundle(der)


def _bundle(der: bytes) -> TrustStore:
    """Certificates and lists in a CMS that signs nothing (RFC 5652 section 5, "p7b")."""
    try:
        info = cms.ContentInfo.load(der)
        if info["content_type"].native != "signed_data":
            return NOBODY
        signed = info["content"]
        if len(signed["signer_infos"]):
            return NOBODY
        store = NOBODY
        for field in ("certificates", "crls"):
            if isinstance(signed[field], cms.CertificateSet | cms.RevocationInfoChoices):
                for choice in signed[field]:
                    store += _one(choice.chosen.dump())
    except (ValueError, TypeError, KeyError, InvalidInput):
        return NOBODY
    return store


def _unreadable(path: Path) -> InvalidInput:
    return InvalidInput(
        f"Файл доверия не содержит сертификатов и списков отзыва в PEM, DER или PKCS#7: {path}.",
        f"No certificate or revocation list in PEM, DER or PKCS#7 in this trust file: {path}.",
        code="trust_unreadable",
    )
