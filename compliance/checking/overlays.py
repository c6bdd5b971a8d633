"""What a check found, as a picture a person can judge by: the two files and the area they share."""

import uuid

from compliance.checking import checks
from compliance.registers.register import MAX_PICTURE
from core import db, sandbox
from core.actor import Actor
from core.errors import NotFound
from storage import blobs

_SECONDS = 30.0


async def of_match(actor: Actor, check_id: uuid.UUID, picture_id: uuid.UUID) -> bytes:
    """A PNG for one match of a check the actor may see: the asked picture, then the register's.

    The outline is the one the check kept, so that the sheet shows what the verdict rests on, also
    after the picture was retired. A candidate the pixels did not bear out has none. NotFound for
    a check one may not see and for a picture it has not found. Draws in the sandbox.
    """
    check = await checks.visible(actor, check_id)
    match = next((one for one in check["matches"] if one["picture"] == str(picture_id)), None)
    known = await db.row("SELECT blob_id FROM picture WHERE id = $1", picture_id)
    if match is None or known is None:
        raise NotFound(check_id=str(check_id), picture_id=str(picture_id))
    corners = match.get("corners", [])
    if match["level"] == "exact":
        wide, high = check["evidence"]["width"], check["evidence"]["height"]
        corners = [[0, 0], [wide, 0], [wide, high], [0, high]]
    asked = await blobs.read(check["blob_id"], limit=MAX_PICTURE)
    reference = await blobs.read(known["blob_id"], limit=MAX_PICTURE)
    drawn: bytes = await sandbox.pool().run(
        "compliance.searching.overlay:sheet", asked, reference, corners, timeout=_SECONDS
    )
    return drawn


async def thumbnail(actor: Actor, check_id: uuid.UUID, *, side: int = 480) -> bytes:
    """The checked picture as a small JPEG, its longest side `side` pixels (at most 1,200)."""
    check = await checks.visible(actor, check_id)
    asked = await blobs.read(check["blob_id"], limit=MAX_PICTURE)
    drawn: bytes = await sandbox.pool().run(
        "compliance.searching.thumbnails:draw", asked, max(32, min(side, 1200)), timeout=_SECONDS
    )
    return drawn
