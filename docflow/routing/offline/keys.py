"""Keys of packages: by which ours are sealed, and whose seals are trusted."""

import uuid

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from core import clock, db, sealing
from docflow.routing.nodes import own

_PURPOSE = "offline package"


async def own_key() -> Ed25519PrivateKey:
    """The key this installation seals packages with: its node's, or one derived from SECRET_KEY.

    Raises Unavailable `node_own_key_expired`.
    """
    if await own.own() is not None:
        return (await own.signing_key()).private
    return Ed25519PrivateKey.from_private_bytes(sealing.tag(b"seal", purpose=_PURPOSE))


def reply_key(package_id: uuid.UUID) -> str:
    """The secret a package carries for answers made without an installation; nowhere stored."""
    return sealing.tag(package_id.bytes, purpose=f"{_PURPOSE} reply").hex()


async def trusted() -> dict[str, uuid.UUID]:
    """Public keys (hexadecimal) of other installations, confirmed by an administrator and in
    force, with their node.
    """
    rows = await db.rows(
        """SELECT k.public, k.node_id FROM node_key AS k JOIN node AS n ON n.id = k.node_id
           WHERE n.status = 'active' AND k.confirmed_at IS NOT NULL AND k.revoked_at IS NULL
           AND k.valid_from <= $1 AND k.valid_to > $1""",
        clock.now(),
    )
    return {bytes(row["public"]).hex(): row["node_id"] for row in rows}


async def public_hex() -> str:
    """Our public key, as it is told to those who check our packages."""
    return (await own_key()).public_key().public_bytes_raw().hex()
