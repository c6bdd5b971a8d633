"""Putting the demo registry into the database."""

from audit import events
from core import db
from core.actor import RULE
from core.errors import Conflict
from directory.dataset.generator import COLUMNS, Dataset


async def load(dataset: Dataset) -> dict[str, int]:
    """COPY the whole registry in one transaction; answers rows by table.

    Raises `Conflict` `dataset_loaded` when a registry of this seed is there already.
    """
    async with db.transaction() as connection:
        if await db.value("SELECT id FROM organization WHERE id = $1", dataset.center_id):
            raise Conflict(
                "Демонстрационный реестр уже загружен.",
                "The demo registry is loaded already.",
                code="dataset_loaded",
            )
        for table, columns in COLUMNS.items():
            await connection.copy_records_to_table(
                table, records=dataset.rows(table), columns=columns
            )
        counts = {table: len(dataset.tables[table]) for table in COLUMNS}
        await events.record(
            RULE, "dataset.load", subject=("organization", dataset.center_id),
            data={"size": dataset.size, "seed": dataset.seed, "rows": counts},
        )  # fmt: skip
    await db.execute("ANALYZE organization, organization_link, person, post")
    return counts
