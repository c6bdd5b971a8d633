"""Until when algorithms are relied on: a table the operator sets, each line with its source."""

from datetime import datetime, timedelta

from audit import events
from core import clock, db
from core.actor import Actor
from core.errors import InvalidInput, Unavailable
from signatures.evidence_record import OIDS

TREE_MARGIN = timedelta(days=730)
"""So long before its digest ends a tree is renewed: every object has to be read again for it."""


async def lives() -> list[db.Row]:
    """Every line of the table, by name."""
    return await db.rows("SELECT * FROM algorithm_life ORDER BY name")


async def ends() -> dict[str, datetime]:
    """The ends that are set, by the algorithm's name."""
    return {row["name"]: row["ends_at"] for row in await lives() if row["ends_at"]}


async def tree_digest() -> str:
    """The digest for new trees: the first in rank that still lasts longer than the margin."""
    found = await db.value(
        """SELECT name FROM algorithm_life WHERE tree_rank IS NOT NULL
           AND (ends_at IS NULL OR ends_at > $1) ORDER BY tree_rank LIMIT 1""",
        clock.now() + TREE_MARGIN,
    )
    if found is None:
        raise Unavailable(
            "Для деревьев хешей не осталось надёжного алгоритма. Задайте его в сроках алгоритмов.",
            "No digest is left for hash trees. Set one in the lives of algorithms.",
            code="no_tree_digest",
        )
    return str(found)


async def set_life(
    actor: Actor, name: str, *, ends_at: datetime | None, tree_rank: int | None, source: str
) -> None:
    """Set an algorithm's end and, for a digest, its rank for new trees; writes an event.

    What is renewed when follows at the next run of the renewal job.
    """
    actor.require("administrator")
    if not name.strip() or not source.strip() or len(name) > 64 or len(source) > 1000:
        raise InvalidInput(
            "Укажите алгоритм и источник срока.", "Name the algorithm and the source of its end.",
            code="algorithm_life",
        )  # fmt: skip
    if tree_rank is not None and name not in OIDS:
        raise InvalidInput(
            "Ранг задаётся только хеш-функции: " + ", ".join(OIDS),
            "Only a digest has a rank: " + ", ".join(OIDS),
            code="algorithm_life",
        )
    async with db.transaction():
        if tree_rank is not None:
            await db.execute(
                "UPDATE algorithm_life SET tree_rank = NULL WHERE tree_rank = $1 AND name <> $2",
                tree_rank, name,
            )  # fmt: skip
        await db.execute(
            """INSERT INTO algorithm_life (name, ends_at, tree_rank, source, set_by, set_at)
               VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (name) DO UPDATE SET
               ends_at = excluded.ends_at, tree_rank = excluded.tree_rank,
               source = excluded.source, set_by = excluded.set_by, set_at = excluded.set_at""",
            name, ends_at, tree_rank, source.strip(), actor.id, clock.now(),
        )  # fmt: skip
        await events.record(
            actor, "algorithm.life_set", subject=("algorithm", clock.new_id()),
            data={"name": name, "ends_at": ends_at and ends_at.isoformat(), "rank": tree_rank,
                  "source": source.strip()},
        )  # fmt: skip
