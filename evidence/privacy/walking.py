"""Every column that can hold words, walked for what a person is known by.

Columns are asked of the database itself, so that a table made tomorrow is walked as well. Texts
and JSON get a mark in the place; JSON in bytes too; other bytes are emptied. What documents the
commission keeps, with a legal ground, is left as it is but for the search index.
"""

import json
import re
import uuid
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

from audit import erasure as details
from compliance.registers import changes
from core import db
from core.actor import RULE
from evidence.privacy import needles
from evidence.privacy.needles import Known

_COLUMNS = """
SELECT c.relname AS named, a.attname AS field, format_type(a.atttypid, NULL) AS kind,
    EXISTS (SELECT FROM pg_attribute AS d WHERE d.attrelid = c.oid AND d.attname = 'document_id'
            AND NOT d.attisdropped) AS has_document,
    has_table_privilege(c.oid, 'UPDATE') AS is_ours
FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND a.attnum > 0
  AND NOT a.attisdropped AND a.attgenerated = '' AND a.atttypid = ANY($1::regtype[])
ORDER BY c.relname, a.attname
"""

_KINDS = ("text", "text[]", "jsonb", "json", "bytea")
_OURS = ("erasure", "erasure_member", "erasure_document", "erasure_step", "erasure_object")
_SETTLED = (
    "migration", "log_leaf", "log_tile", "log_checkpoint", "log_stamp", "log_key", "log_state",
    "log_cosignature", "event", "event_payload", "read_log", "person",
)  # fmt: skip
"""Not walked: hashes of the log, other people's own data, and what has a way of its own."""
_NUMERIC = re.compile(
    r"sha256|hash|digest|root|sealed|secret|salt|token|totp|features|sketches|prints|"
    r"key_sha|^path$|^serial$|^blocked$|^material$"
)
"""Bytes that are no words: digests, sealed secrets, descriptions of pictures."""
_GUARDED = ("signature_check", "power_of_attorney_check", "power_of_attorney_status",
            "signature_authority", "picture_check", "node_receipt")  # fmt: skip
_OF_SIGNATURES = ("evidence_material", "power_of_attorney", "power_of_attorney_check",
                  "power_of_attorney_status")  # fmt: skip
"""What proves signatures, of documents that are kept as well."""
_REGISTERS = ("picture", "licence", "own_work", "claimant", "claimant_work", "licence_seat")


BLOCKS = 16_384
"""Blocks of a table in one question, 128 MB: none takes long enough to be given up."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column that can hold words."""

    named: str
    field: str
    kind: str
    has_document: bool
    is_ours: bool
    """May the application change it?"""

    @property
    def place(self) -> str:
        """As people name it."""
        return f"{self.named}.{self.field}"


async def columns(*, settled: bool = False) -> list[Column]:
    """What is walked; `settled`: what is only looked at in the end, to tell what remains."""
    found = await db.rows(_COLUMNS, list(_KINDS))
    wanted = []
    for row in found:
        one = Column(**row)
        is_settled = one.named in _SETTLED or not (one.is_ours or one.named in _GUARDED)
        if one.named in _OURS or one.named.startswith(("procrastinate", "log_tile")):
            continue
        if one.kind == "bytea" and _NUMERIC.search(one.field):
            continue
        if is_settled == settled:
            wanted.append(one)
    return wanted


async def search(
    column: Column, known: Known, *, kept: Sequence[uuid.UUID] = (), lock: bool = False
) -> list[db.Row]:
    """Rows in which the person is met: `place` in the table and `value`."""
    locked = "FOR NO KEY UPDATE" if lock and column.is_ours else ""
    if kept and column.named in _OF_SIGNATURES:
        return []
    aside, name = _aside(column), f'"{column.field}"'
    if column.kind == "bytea":
        met = f"EXISTS (SELECT FROM unnest($1::bytea[]) AS n WHERE position(n IN {name}) > 0)"
        asked: list[Any] = [needles.anchors(known), list(kept)]
    else:
        words = {"text": name, "text[]": f"array_to_string({name}, E'\\n')"}.get(
            column.kind, f"{name}::text"
        )
        met = needles.met_in(words, at="$1", sieve_at="$5")
        asked = [needles.pattern(known), list(kept)]
    blocks = await db.value(
        "SELECT pg_relation_size($1::text::regclass) / current_setting('block_size')::int",
        f'"{column.named}"',
    )
    sifted = [] if column.kind == "bytea" else [needles.sieve(known)]
    found: list[db.Row] = []
    for block in range(0, int(blocks) + 1, BLOCKS):
        found += await db.rows(
            f"""SELECT ctid AS place, {name} AS value FROM "{column.named}"
                WHERE ctid >= $3::tid AND ctid < $4::tid AND {met} AND {aside} {locked}""",
            *asked, (block, 0), (block + BLOCKS, 0), *sifted,
        )  # fmt: skip
    if column.kind == "bytea":
        shape = re.compile(needles.pattern(known))
        found = [row for row in found if shape.search(_read(bytes(row["value"])))]
    return found


def _aside(column: Column) -> str:
    """SQL that is true for what is not among the kept documents `$2`."""
    if column.named == "document_text":
        return "$2::uuid[] IS NOT NULL"
    own = "id" if column.named == "document" else "document_id" if column.has_document else ""
    return f"NOT coalesce({own} = ANY($2::uuid[]), false)" if own else "$2::uuid[] IS NOT NULL"


async def walk(
    act_id: uuid.UUID, column: Column, known: Known, *, kept: Sequence[uuid.UUID]
) -> int:
    """Put a mark in each place of one column, in one transaction; answers how many rows."""
    shape = re.compile(needles.pattern(known))
    async with db.transaction():
        if column.named in _REGISTERS:
            await changes.lock()
        found = await search(column, known, kept=kept, lock=True)
        for row in found:
            await _put(act_id, column, row["place"], _masked(column, row["value"], shape, known))
    return len(found)


def _masked(column: Column, value: Any, shape: "re.Pattern[str]", known: Known) -> Any:
    if column.kind == "text":
        return needles.masked_text(value, shape)
    if column.kind == "text[]":
        return [needles.masked_text(one, shape) for one in value]
    if column.kind in ("json", "jsonb"):
        return needles.masked(value, shape, known)
    try:
        told = json.loads(bytes(value))
    except ValueError:
        return b""
    return json.dumps(
        needles.masked(told, shape, known), ensure_ascii=False, separators=(",", ":")
    ).encode()


async def _put(act_id: uuid.UUID, column: Column, place: Any, value: Any) -> None:
    if column.named in _GUARDED:
        told = "\\x" + value.hex() if isinstance(value, bytes) else (
            value if isinstance(value, str) and column.kind == "text" else
            json.dumps(value, ensure_ascii=False))  # fmt: skip
        await db.value(
            "SELECT erase_cell($1, $2, $3::tid, $4, $5)",
            act_id, column.named, place, column.field, told,
        )  # fmt: skip
        return
    row = await db.row(
        f'UPDATE "{column.named}" SET "{column.field}" = $2 WHERE ctid = $1::tid RETURNING *',
        place, value,
    )  # fmt: skip
    if row is not None and column.named in _REGISTERS:
        subject: Any = (column.named, row["id"])
        picture = row["id"] if column.named == "picture" else row.get("picture_id")
        await changes.note("erased", subject, picture_id=picture)


def _read(data: bytes) -> str:
    """Bytes as words: what is JSON unescaped, the rest as UTF-8 as far as it goes."""
    try:
        return json.dumps(json.loads(data), ensure_ascii=False)
    except ValueError:
        return data.decode("utf-8", errors="replace")


async def forget_details(act_id: uuid.UUID, person_id: uuid.UUID, known: Known) -> int:
    """Erase the details of events about the person, and of all others that name them."""
    total = 0
    async with db.transaction():
        found = await db.rows(
            """SELECT p.event_id FROM event_payload AS p JOIN event AS e ON e.id = p.event_id
               WHERE e.subject_id = $1
                  OR e.subject_id IN (SELECT id FROM account WHERE person_id = $1)""",
            person_id,
        )
        (told,) = [
            one for one in await columns(settled=True) if one.place == "event_payload.detail"
        ]
        places = [row["place"] for row in await search(told, known)]
        found += await db.rows(
            "SELECT event_id FROM event_payload WHERE ctid = ANY($1::tid[])", places
        )
        total += await details.erase_details(
            RULE, [row["event_id"] for row in found], act_id=act_id
        )
    return total


async def remains(known: Known, *, kept: Sequence[uuid.UUID]) -> AsyncIterator[tuple[str, int]]:
    """Places where the person is still met, with the number of rows."""
    for column in [*await columns(), *await columns(settled=True)]:
        if found := await search(column, known, kept=kept):
            yield column.place, len(found)
