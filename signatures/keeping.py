"""The trust store in memory and on its way to worker processes."""

import logging
from dataclasses import dataclass
from typing import Any

from asn1crypto import x509

from core import clock, db
from core.sandbox import pool
from signatures import spool
from signatures.trust import Accredited, ListFile, TrustStore
from storage import blobs

log = logging.getLogger(__name__)

LARGEST_LIST = 100 * 1024 * 1024
_ANSWERS = 2000


@dataclass(frozen=True, slots=True)
class _Kept:
    key: tuple[str, int]
    store: TrustStore
    request: dict[str, Any]


_cache: list[_Kept] = []


async def store() -> TrustStore:
    """What the installation trusts now; read again only after a change.

    Big lists are files; the first call after such a list came reads it from the store of bytes,
    and so belongs outside a transaction then.
    """
    return (await _current()).store


async def request() -> dict[str, Any]:
    """The part of a request to `signatures.validation:validate_bytes` that says whom to trust."""
    return (await _current()).request


async def _current() -> _Kept:
    mark = await db.row("SELECT current_database() AS name, version FROM trust_state")
    key = (mark["name"], mark["version"]) if mark else ("", 0)
    if not _cache or _cache[0].key != key:
        made = await _read()
        _cache[:] = [_Kept(key, made, await _request_of(made))]
    return _cache[0]


async def _request_of(made: TrustStore) -> dict[str, Any]:
    try:
        return {"trust_file": str(await spool.keep_store(made))}
    except OSError as problem:
        # Slower, and still right: everything travels with each request.
        log.warning("trust travels with each request, no file can be written: %s", problem)
        return {
            "roots": list(made.roots), "others": list(made.others), "crls": list(made.crls),
            "ocsps": list(made.ocsps), "lists": list(made.lists),
            "accredited": list(made.accredited),
        }  # fmt: skip


async def _read() -> TrustStore:
    anchors = await db.rows(
        "SELECT kind, der FROM trust_anchor WHERE status = 'trusted' ORDER BY id"
    )
    roots, others, crls = (
        tuple(bytes(row["der"]) for row in anchors if row["kind"] == kind)
        for kind in ("root", "other", "crl")
    )
    small, files = await _lists()
    return TrustStore(roots, others, crls + small, await _answers(), files, await _accredited())


async def _lists() -> tuple[tuple[bytes, ...], tuple[ListFile, ...]]:
    found = await db.rows(
        """SELECT l.blob_id, l.sha256, l.size, l.issuer_key FROM revocation_state AS s
           JOIN revocation_list AS l ON l.id = s.list_id ORDER BY l.id"""
    )
    small, files = [], []
    for row in found:
        sha256 = bytes(row["sha256"]).hex()
        if row["size"] <= spool.SMALL:
            small.append(await blobs.read(row["blob_id"], limit=spool.SMALL))
            continue
        if not spool.is_there(sha256):
            content = await blobs.read(row["blob_id"], limit=LARGEST_LIST)
            try:
                await spool.keep(content, kind="crl")
            except OSError as problem:
                log.warning("a list travels with each request: %s", problem)
                small.append(content)
                continue
        files.append(ListFile(str(spool.path_of(sha256)), sha256, row["issuer_key"]))
    return tuple(small), tuple(files)


async def _answers() -> tuple[bytes, ...]:
    found = await db.rows(
        """SELECT der FROM ocsp_answer WHERE next_update > $1
           ORDER BY this_update DESC LIMIT $2""",
        clock.now(), _ANSWERS,
    )  # fmt: skip
    return tuple(bytes(row["der"]) for row in found)


async def _accredited() -> tuple[Accredited, ...]:
    found = await db.rows(
        """SELECT known_by, value, accredited_from, least(suspended_on, revoked_on) AS until
           FROM accredited_authority ORDER BY known_by, value, accredited_from"""
    )
    return tuple(
        Accredited(
            row["known_by"], bytes(row["value"]).hex(), row["accredited_from"], row["until"]
        )
        for row in found
    )  # fmt: skip


async def read_certificates(data: bytes) -> list[dict[str, Any]]:
    """Certificates in PEM or DER with what decides about them, read at arm's length."""
    found: list[dict[str, Any]] = await pool().run(
        "signatures.revocation_reading:read_certificates", data
    )
    return found


def face(der: bytes) -> dict[str, Any]:
    """What a certificate says of itself; for those that were read before."""
    one = x509.Certificate.load(der)
    return {
        "subject": str(one.subject.human_friendly),
        "issuer": str(one.issuer.human_friendly),
        "serial": f"{one.serial_number:x}",
        "not_before": one.not_valid_before,
        "not_after": one.not_valid_after,
        "sha1": one.sha1.hex(),
        "key_id": one.key_identifier.hex() if one.key_identifier else None,
    }
