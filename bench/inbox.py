"""How long people wait for their lists as the number of deliveries grows a hundredfold."""

import random
import uuid
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from time import perf_counter

import asyncpg

from bench.ground import Ground, open_pool
from bench.results import Result, percentile
from core import clock, db
from core.actor import Actor
from core.db import DB, Database
from directory import dataset
from docflow.documents import search
from docflow.routing import control, inbox

REGIONS = 4
CIRCULAR = 7_805
WORDS = (
    ("100 %", "отчётность"), ("10 %", "аттестация"), ("0.02 %", "эксаватор"),
    ("none", "трансцендентный"),
)  # fmt: skip
"""How many documents hold the word (one at least where there are any)."""
WHO = ("regions", "primaries")
REQUESTS = 600
WARM = 60

_DOCUMENTS = """
INSERT INTO document (id, kind, organization_id, status, title, number, date, author_id,
                      created_at, updated_at)
SELECT gen.id, 'circular', $1, 'sent', 'Письмо № ' || gen.n, '01-01/' || gen.n, $2, $1, $3, $3
FROM (SELECT n, uuidv7(make_interval(secs => n - $4)) AS id FROM generate_series(1, $4) AS n) AS gen
ORDER BY gen.id"""

_TEXTS = """
INSERT INTO document_text (document_id, card, body)
SELECT id, title, 'Просим представить отчётность в срок. '
    || CASE WHEN n % 10 = 0 THEN 'Аттестация рабочих мест. ' ELSE '' END
    || CASE WHEN n % 5000 = 1 THEN 'Эксаватор. ' ELSE '' END
    || (SELECT string_agg((ARRAY['первичная', 'организация', 'профсоюз', 'договор', 'охрана',
            'труда', 'комитет', 'собрание', 'решение', 'пленум', 'взносы', 'обучение', 'отпуск',
            'смена', 'график', 'комиссия'])[1 + (n * 7 + w * w * 13) % 16]
            || ' № ' || (n * w) % 997,
            ' ') FROM generate_series(1, 60) AS w)
FROM (SELECT id, title, substr(title, 10)::integer AS n FROM document) AS d"""

_DISPATCHES = """
INSERT INTO dispatch (id, document_id, organization_id, actor_id, mode, selector, as_of,
                      recipients, created_at)
SELECT id, id, $1, $1, 'direct', '{}', $2, 0, $3 FROM document"""

_DELIVERIES = """
INSERT INTO delivery (id, dispatch_id, document_id, recipient_id, recipient_kind, channel, status,
                      delivered_at, updated_at)
SELECT uuidv7(), document_id, document_id, recipient_id, $3, 'internal', 'delivered', $4, $4
FROM unnest($1::uuid[], $2::uuid[]) AS pair (document_id, recipient_id) ORDER BY document_id"""


@dataclass(frozen=True, slots=True)
class Filled:
    """A database with deliveries in it, and who looks at them."""

    pool: Database
    deliveries: int
    centers: list[tuple[Actor, uuid.UUID]]
    regions: list[Actor]
    primaries: list[Actor]
    region_has: int
    primary_has: int


async def ten_thousand(ground: Ground) -> Result:
    """The figure the others are measured against."""
    return await _measure(ground, "inbox-1e4", 10_000)


async def hundred_thousand(ground: Ground) -> Result:
    """A hundred thousand deliveries."""
    return await _measure(ground, "inbox-1e5", 100_000)


async def million(ground: Ground) -> Result:
    """A million."""
    return await _measure(ground, "inbox-1e6", 1_000_000)


async def _measure(ground: Ground, name: str, deliveries: int) -> Result:
    before = DB.pool
    async with AsyncExitStack() as stack:
        stack.callback(lambda: setattr(DB, "pool", before))
        small = await _filled(ground, stack, 10_000)
        large = small if deliveries == 10_000 else await _filled(ground, stack, deliveries)
        spent: dict[str, list[tuple[str, float]]] = {"value": [], "floor": []}
        for number in range(WARM + REQUESTS):
            for side, filled in (("floor", small), ("value", large)):
                kind, seconds = await _one(filled, number)
                if number >= WARM:
                    spent[side].append((kind, seconds * 1000))
    value, floor = (percentile([ms for _, ms in spent[side]], 0.95) for side in ("value", "floor"))
    kinds = sorted({kind for kind, _ in spent["value"]})
    by_kind = {
        kind: percentile([ms for one, ms in spent["value"] if one == kind], 0.95) for kind in kinds
    }
    notes = {
        "deliveries": large.deliveries, "region_has": large.region_has,
        "primary_has": large.primary_has, "p95_by_request": by_kind,
        "median": percentile([ms for _, ms in spent["value"]], 0.5),
        "scaled": "at 1e4 a region can have no more than the 200 documents there are"
        if deliveries < 1_000_000 else "",
    }  # fmt: skip
    return Result(name, value, "ms", floor, value / floor, REQUESTS, notes)


async def _one(filled: Filled, number: int) -> tuple[str, float]:
    """The next request of the mix; another actor each time."""
    DB.pool = filled.pool.pool
    kind, work = _MIX[number % len(_MIX)]
    began = perf_counter()
    await work(filled, number // len(_MIX))
    return kind, perf_counter() - began


def _turn(actors: list[Actor], turn: int) -> Actor:
    return actors[turn % len(actors)]


async def _control(filled: Filled, turn: int) -> None:
    actor, document_id = filled.centers[turn % len(filled.centers)]
    await control.totals(actor, document_id)
    await control.recipients(actor, document_id)


def _inbox_of(who: str, text: str = "") -> Callable[[Filled, int], Awaitable[object]]:
    return lambda filled, turn: inbox.inbox(_turn(getattr(filled, who), turn), text=text)


def _search_of(who: str, text: str) -> Callable[[Filled, int], Awaitable[object]]:
    wanted = search.Wanted(text)
    return lambda filled, turn: search.documents(_turn(getattr(filled, who), turn), wanted=wanted)


_MIX: list[tuple[str, Callable[[Filled, int], Awaitable[object]]]] = [
    ("control", _control),
    *((f"inbox of {who}", _inbox_of(who)) for who in WHO),
    *((f"inbox of {who}, {share}", _inbox_of(who, word)) for who in WHO for share, word in WORDS),
    *((f"search by {who}, {share}", _search_of(who, word)) for who in WHO for share, word in WORDS),
]


async def _filled(ground: Ground, stack: AsyncExitStack, deliveries: int) -> Filled:
    DB.pool = None  # migrations take an open pool for theirs
    app_url, owner_url = await stack.enter_async_context(ground.another())
    pool = await open_pool(app_url)
    stack.push_async_callback(pool.close)
    DB.pool = pool.pool
    made = dataset.generate("M")
    await dataset.load(made)
    documents = deliveries // 50
    moment, today = clock.now(), clock.today()
    await db.execute(_DOCUMENTS, made.health_union_id, today, moment, documents)
    await db.execute(_TEXTS)
    await db.execute(_DISPATCHES, made.health_union_id, today, moment)
    found = [row["id"] for row in await db.rows("SELECT id FROM document ORDER BY id")]
    centers, regions, primaries, pairs = await _spread(found, deliveries, made)
    for kind, part in pairs.items():
        await db.execute(
            _DELIVERIES, [one for one, _ in part], [two for _, two in part], kind, moment
        )
    await _settle(owner_url)
    home = _actor(made.health_union_id)
    return Filled(
        pool, sum(map(len, pairs.values())), [(home, one) for one in centers],
        [_actor(one) for one in regions], [_actor(one) for one in primaries],
        await _number_of(regions[0]), await _number_of(primaries[0]),
    )  # fmt: skip


async def _settle(owner_url: str) -> None:
    """What autovacuum does to every installation within minutes; the lists are read for years."""
    owner = await asyncpg.connect(owner_url)
    try:
        await owner.execute("VACUUM (ANALYZE)")
    finally:
        await owner.close()


async def _spread(
    documents: list[uuid.UUID], deliveries: int, made: dataset.Dataset
) -> tuple[
    list[uuid.UUID], list[uuid.UUID], list[uuid.UUID], dict[str, list[tuple[uuid.UUID, uuid.UUID]]]
]:
    """Circulars to everybody, all documents to a few regions, the rest to the primaries we ask."""
    chance = random.Random(deliveries)  # noqa: S311 - no secret
    below = await db.rows(
        """SELECT o.id, o.kind FROM organization AS o WHERE o.branch_code = '07'
           AND o.status = 'active' AND o.kind IN ('regional', 'local', 'primary') ORDER BY o.code"""
    )
    below = below[: CIRCULAR + 1]
    kinds = {row["id"]: row["kind"] for row in below}
    regions = [row["id"] for row in below if row["kind"] == "regional"][:REGIONS]
    circulars = chance.sample(documents, max(1, deliveries // 10_000))
    pairs = {(document, to) for document in circulars for to in kinds}
    pairs |= {(document, to) for document in documents for to in regions}
    others = [one for one, kind in kinds.items() if kind == "primary"]
    asked = chance.sample(others, max(10, min(200, deliveries // 1000)))
    rest = [document for document in documents if document not in set(circulars)]
    for to in asked:
        pairs |= {(document, to) for document in chance.sample(rest, 130 - len(circulars))}
    while len(pairs) < deliveries:
        pairs.add((chance.choice(rest), chance.choice(others)))
    sorted_pairs: dict[str, list[tuple[uuid.UUID, uuid.UUID]]] = {}
    for document, to in pairs:
        sorted_pairs.setdefault(kinds[to], []).append((document, to))
    return circulars, regions, asked, sorted_pairs


async def _number_of(organization_id: uuid.UUID) -> int:
    return int(
        await db.value("SELECT count(*) FROM delivery WHERE recipient_id = $1", organization_id)
    )


def _actor(organization_id: uuid.UUID) -> Actor:
    return Actor(
        kind="user", id=clock.new_id(), organization_id=organization_id,
        roles=frozenset({"clerk"}), request_id=clock.new_id(),
    )  # fmt: skip
