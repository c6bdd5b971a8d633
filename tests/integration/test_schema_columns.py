"""The table classes describe what the migrations made: no column more and none less."""

from piccolo.table import Table

from core import db
from piccolo_conf import APP_REGISTRY

TABLES: list[type[Table]] = [
    table for config in APP_REGISTRY.app_configs.values() for table in config.table_classes
]

EXPLAINED = [
    # 64-bit transaction ids: Piccolo has no such type, and only SQL of ours reads it
    "event.xact: not in the table class",
    # keyed by journal and period; Piccolo adds an id to every class
    "journal_counter.id: not in the database",
]


async def test_table_classes_and_database_have_the_same_columns(database: str) -> None:
    rows = await db.rows(
        "SELECT table_name, column_name, is_generated = 'ALWAYS' AS generated"
        " FROM information_schema.columns WHERE table_schema = 'public'"
    )
    mistakes = []
    for table in TABLES:
        name = table._meta.tablename
        described = {column._meta.db_column_name for column in table._meta.columns}
        present = {row["column_name"] for row in rows if row["table_name"] == name}
        # a generated column serves a query of ours and need not be described
        stored = {r["column_name"] for r in rows if r["table_name"] == name and not r["generated"]}
        mistakes += [f"{name}.{column}: not in the database" for column in described - present]
        mistakes += [f"{name}.{column}: not in the table class" for column in stored - described]
    assert sorted(mistakes) == EXPLAINED
