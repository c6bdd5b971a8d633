"""Which pictures of the register a picture was made from: candidates by the index, then the pixels.

The index lies in `register_index`; it is loaded with the first picture that comes, so that a
process without pictures stays light.
"""

import uuid
from dataclasses import dataclass
from typing import Any

from compliance.prints import Looked
from compliance.registers import register
from compliance.verdicts.case import Level
from core import db, sandbox

_BATCH = 16
_SECONDS = 60.0
_CROPPED, _FILLED, _STRAIGHT = 0.03, 0.97, 1.0
"""Beyond these a copy counts as changed: what it lacks, what is around it, degrees of turn."""


@dataclass(frozen=True, slots=True)
class Found:
    """One picture of the register in, or perhaps in, the asked one."""

    picture_id: uuid.UUID
    level: Level
    covered: float
    is_altered: bool
    detail: dict[str, Any]
    """Corners, crop, turn as `references.verified` tells them."""


async def find_matches(
    *,
    data: bytes,
    looked: Looked,
    organization_id: uuid.UUID,
    superiors: list[uuid.UUID],
) -> tuple[list[Found], int]:
    """All pictures that the organization may know of and that the asked one was made from.

    Also those alike by hash that the pixels do not bear out, as candidates; and the id of the
    last change of the registers that was taken into account. Verification runs in the sandbox.
    """
    from compliance.hashes import PDQ_RADIUS  # noqa: PLC0415 - as above
    from compliance.pictures import CANON  # noqa: PLC0415 - as above
    from compliance.searching import register_index  # noqa: PLC0415 - heavy, see above

    near, seen = await register_index.candidates(looked)
    rows = await db.rows(
        f"""SELECT p.id, encode(p.sha256, 'hex') AS sha256, f.content
            FROM picture AS p JOIN picture_features AS f ON f.picture_id = p.id AND f.canon = $1
            WHERE p.status = 'active' AND (p.id = ANY ($2) OR p.sha256 = $3)
              AND {register.condition("p", "$4", "$5")} ORDER BY p.id""",
        CANON, list(near), bytes.fromhex(looked.sha256), organization_id, superiors,
    )  # fmt: skip
    found = [
        Found(row["id"], "exact", 1.0, is_altered=False, detail={})
        for row in rows
        if row["sha256"] == looked.sha256
    ]
    others = [row for row in rows if row["sha256"] != looked.sha256]
    told = await verify(data, [row["content"] for row in others])
    for row, match in zip(others, told, strict=True):
        if match is not None:
            found.append(of_match(row["id"], match))
        elif (distance := near.get(row["id"])) is not None and distance <= PDQ_RADIUS:
            detail = {"distance": distance}
            found.append(Found(row["id"], "candidate", 1.0, is_altered=False, detail=detail))
    return found, seen


async def verify(data: bytes, contents: list[bytes]) -> list[dict[str, Any] | None]:
    """Compare a picture with packed references, pixel by pixel, in the sandbox."""
    told: list[dict[str, Any] | None] = []
    for start in range(0, len(contents), _BATCH):
        part = [bytes(one) for one in contents[start : start + _BATCH]]
        told += await sandbox.pool().run(
            "compliance.searching.references:verified", data, part, timeout=_SECONDS
        )
    return told


def of_match(picture_id: uuid.UUID, match: dict[str, Any]) -> Found:
    """A verified match in the words of a case."""
    turned = abs((match["rotation"] + 180.0) % 360.0 - 180.0)
    is_altered = (
        match["is_mirrored"]
        or match["cropped"] > _CROPPED
        or match["area"] < _FILLED
        or turned > _STRAIGHT
    )
    covered = round(min(1.0, match["area"]), 2)
    return Found(picture_id, "verified", covered, is_altered=bool(is_altered), detail=match)
