"""How fast a circular reaches everybody: one dispatch against COPY of the very same rows."""

import io
import uuid
from time import perf_counter

import asyncpg

from bench import actors
from bench.ground import Ground
from bench.results import Result, against
from core import clock, db
from core.actor import Actor
from directory import dataset
from directory.dataset.sizes import SizeName
from directory.selection import Selector
from directory.states import Line
from docflow.routing import dispatch

WRITTEN = ("dispatch", "delivery", "event")
"""Tables a dispatch writes, in the order in which their keys allow it."""

_FOREIGN_KEYS = """
SELECT c.conname, pg_get_constraintdef(c.oid) AS text, c.confrelid = c.conrelid AS is_own
FROM pg_constraint AS c WHERE c.conrelid = $1::text::regclass AND c.contype = 'f'"""
_TRIGGERS = """
SELECT pg_get_triggerdef(t.oid) AS text FROM pg_trigger AS t
WHERE t.tgrelid = $1::text::regclass AND NOT t.tgisinternal"""


async def members(ground: Ground) -> Result:
    """The health union's circular to its 7,805 organizations."""
    return await _measure(ground, "fanout-7805", size="M", rounds=14)


async def everybody(ground: Ground) -> Result:
    """A circular of the center to everything below it, more than 100,000 organizations."""
    return await _measure(ground, "fanout-100k", size="L", rounds=6)


async def _measure(ground: Ground, name: str, *, size: SizeName, rounds: int) -> Result:
    async with ground.database() as owner_url:
        made = dataset.generate(size)
        await dataset.load(made)
        await _lay_floor(owner_url)
        if size == "M":
            actor, line = await actors.clerk_of(made.health_union_id), Line.BRANCH
        else:
            actor, line = await actors.clerk_of(made.center_id), None
        selector = Selector(subtree_of=actor.home_id, line=line)
        for mode in ("chancery", "direct"):  # warms caches and the catalog; not counted
            await _round(actor, dispatch.DispatchInput(selector=selector, mode=mode))
        spent: list[tuple[str, float, float]] = []
        recipients = 0
        for number in range(rounds):
            wanted = dispatch.DispatchInput(
                selector=selector, mode="direct" if number % 2 else "chancery"
            )
            value, floor, recipients = await _round(actor, wanted)
            spent.append((wanted.mode, value, floor))
    by_mode = {
        mode: against(
            name, [v for m, v, _ in spent if m == mode], [f for m, _, f in spent if m == mode],
            unit="s",
        ).ratio
        for mode in ("chancery", "direct")
    }  # fmt: skip
    return against(
        name, [v for _, v, _ in spent], [f for _, _, f in spent], unit="s",
        recipients=recipients, ratio_by_mode=by_mode, per_second=recipients / spent[-1][1],
    )  # fmt: skip


async def _round(actor: Actor, wanted: dispatch.DispatchInput) -> tuple[float, float, int]:
    document_id = await actors.a_registered_document(actor, f"01-01/{clock.new_id().hex[-6:]}")
    began = perf_counter()
    dispatch_id = await dispatch.send(actor, document_id, wanted=wanted)
    value = perf_counter() - began
    rows, number = await _rows_of(document_id, dispatch_id)
    began = perf_counter()
    async with db.transaction() as connection:
        for table, content in rows.items():
            await connection.copy_to_table(
                f"floor_{table}", source=io.BytesIO(content), format="binary"
            )
    floor = perf_counter() - began
    counts = [
        await db.value(f"SELECT count(*) FROM {table} WHERE document_id = $1", document_id)
        for table in ("delivery", "floor_delivery", "event", "floor_event")
    ]
    if len({counts[0], counts[1], number}) != 1 or counts[2] != counts[3]:
        raise RuntimeError(f"value and floor wrote different rows: {counts}")
    return value, floor, number


async def _rows_of(document_id: uuid.UUID, dispatch_id: uuid.UUID) -> tuple[dict[str, bytes], int]:
    """Every row the dispatch wrote, as COPY's binary form."""
    taken: dict[str, bytes] = {}
    number = await db.value("SELECT recipients FROM dispatch WHERE id = $1", dispatch_id)
    async with db.transaction() as connection:
        for table in WRITTEN:
            kept = io.BytesIO()
            await connection.copy_from_query(
                f"SELECT * FROM {table} WHERE document_id = '{document_id}' ORDER BY id",
                output=kept, format="binary",
            )  # fmt: skip
            taken[table] = kept.getvalue()
    return taken, int(number)


async def _lay_floor(owner_url: str) -> None:
    """Identical tables: defaults, checks, indexes, primary and foreign keys, triggers, rights."""
    owner = await asyncpg.connect(owner_url)
    try:
        for table in WRITTEN:
            await owner.execute(f"CREATE TABLE floor_{table} (LIKE {table} INCLUDING ALL)")
        for table in WRITTEN:
            for key in await owner.fetch(_FOREIGN_KEYS, table):
                text = key["text"]
                for other in WRITTEN:
                    text = text.replace(f"REFERENCES {other}(", f"REFERENCES floor_{other}(")
                await owner.execute(
                    f"ALTER TABLE floor_{table} ADD CONSTRAINT {key['conname']}_floor {text}"
                )
            for trigger in await owner.fetch(_TRIGGERS, table):
                await owner.execute(
                    trigger["text"].replace(f"ON public.{table} ", f"ON public.floor_{table} ")
                )
            await owner.execute(f"GRANT SELECT, INSERT ON floor_{table} TO docflow_app")
    finally:
        await owner.close()
