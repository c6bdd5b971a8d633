"""What a verdict relied on, found again in the trust store's tables, however long ago."""

from collections.abc import Mapping
from typing import Any

from core import db
from signatures.frozen import accreditation
from signatures.trust import TrustStore
from storage import blobs

_LARGEST_LIST = 100 * 1024 * 1024


async def load(report: Mapping[str, Any]) -> tuple[TrustStore, tuple[str, ...]]:
    """The store of a report's `inputs`, retired certificates and replaced lists included.

    Answers with it the SHA-256 of what is not to be found. Belongs outside a transaction: long
    lists are read from the store of bytes.
    """
    wanted = {one["sha256"]: one for one in report["inputs"] if one["source"] != "file"}
    names = [bytes.fromhex(sha256) for sha256 in wanted]
    found = {
        bytes(row["sha256"]).hex(): bytes(row["der"])
        for row in await db.rows(
            """SELECT sha256, der FROM trust_anchor WHERE sha256 = ANY($1::bytea[])
               UNION ALL SELECT sha256, der FROM ocsp_answer WHERE sha256 = ANY($1::bytea[])""",
            names,
        )
    }
    for row in await db.rows(
        "SELECT sha256, blob_id FROM revocation_list WHERE sha256 = ANY($1::bytea[])", names
    ):
        sha256 = bytes(row["sha256"]).hex()
        found[sha256] = await blobs.read(row["blob_id"], limit=_LARGEST_LIST)

    def of(kind: str, source: str) -> tuple[bytes, ...]:
        return tuple(
            found[sha256]
            for sha256, one in wanted.items()
            if (one["kind"], one["source"]) == (kind, source) and sha256 in found
        )

    store = TrustStore(
        roots=of("certificate", "root"),
        others=of("certificate", "store"),
        crls=of("crl", "store"),
        ocsps=of("ocsp", "store"),
        accredited=accreditation([dict(report)]),
    )
    return store, tuple(sorted(wanted.keys() - found.keys()))
