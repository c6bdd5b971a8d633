"""Reading the registers: what the organization may see of pictures, licences and consents."""

import uuid

from compliance.registers import register
from core import clock, db
from core.actor import Actor
from core.errors import InvalidInput, NotFound
from core.paging import require_limit

MAX_LIMIT = 100
_MAX_QUERY = 200

_COLUMNS = """p.id, p.organization_id, p.kind, p.status, encode(p.sha256, 'hex') AS sha256,
    p.media_type, p.size, p.width, p.height, p.title, p.author, p.source, p.carries_rights,
    p.snapshot_blob_id IS NOT NULL AS has_snapshot, p.found_by, p.found_at, p.approved_by,
    p.approved_at, p.retired_reason"""


async def pictures(
    actor: Actor,
    *,
    text: str = "",
    kind: str | None = None,
    status: str | None = "active",
    after: uuid.UUID | None = None,
    limit: int = 50,
) -> list[db.Row]:
    """Entries one may see, newest first; `text` is looked for in title, author and source."""
    actor.require("editor", "lawyer")
    require_limit(limit, most=MAX_LIMIT)
    if len(text) > _MAX_QUERY or "\x00" in text:
        raise InvalidInput(
            f"Запрос: не длиннее {_MAX_QUERY} знаков.",
            f"Query: at most {_MAX_QUERY} characters.",
            code="query_too_long",
        )
    return await db.rows(
        f"""SELECT {_COLUMNS} FROM picture AS p WHERE {register.condition("p", "$1", "$2")}
            AND ($3 = '' OR position(lower($3) IN lower(p.title || ' ' || p.author || ' '
                || p.source)) > 0)
            AND ($4::text IS NULL OR p.kind = $4) AND ($5::text IS NULL OR p.status = $5)
            AND ($6::uuid IS NULL OR p.id < $6) ORDER BY p.id DESC LIMIT $7""",
        actor.home_id, await _above(actor), text.strip(), kind, status, after, limit,
    )  # fmt: skip


async def picture(actor: Actor, picture_id: uuid.UUID) -> db.Row:
    """One entry with the ids of its files; NotFound for what one may not know of."""
    actor.require("editor", "lawyer")
    found = await db.row(
        f"""SELECT {_COLUMNS}, p.blob_id, p.snapshot_blob_id FROM picture AS p
            WHERE p.id = $3 AND {register.condition("p", "$1", "$2")}""",
        actor.home_id, await _above(actor), picture_id,
    )  # fmt: skip
    if found is None:
        raise NotFound(picture_id=str(picture_id))
    return found


async def licences_of(actor: Actor, picture_id: uuid.UUID) -> list[db.Row]:
    """The licences of a picture that matter to the organization, with the seats taken."""
    await picture(actor, picture_id)
    return await db.rows(
        f"""SELECT l.*, l.document_blob_id IS NOT NULL AS has_document,
                ARRAY(SELECT s.seat FROM licence_seat AS s WHERE s.licence_id = l.id
                    AND s.released_at IS NULL ORDER BY s.seat) AS seats
            FROM licence AS l WHERE l.picture_id = $3
            AND {register.licence_condition("l", "$1", "$2")} ORDER BY l.id""",
        actor.home_id, await _above(actor), picture_id,
    )  # fmt: skip


async def own_works_of(actor: Actor, picture_id: uuid.UUID) -> list[db.Row]:
    """The consents for a picture that matter to the organization."""
    await picture(actor, picture_id)
    return await db.rows(
        """SELECT * FROM own_work WHERE picture_id = $1 AND (organization_id = $2
           OR (reach = 'subtree' AND organization_id = ANY ($3))) ORDER BY id""",
        picture_id, actor.home_id, await _above(actor),
    )  # fmt: skip


async def _above(actor: Actor) -> list[uuid.UUID]:
    found = await register.superiors_of(actor.home_id, on=clock.today())
    return register.everybody_above(found)
