"""How long algorithms are relied on: a policy the operator sets, with its sources."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from core.migrations import run_sql

ID = "2026-11-22T06:04:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "lives of algorithms"

SQL = """
CREATE TABLE algorithm_life (
    name text PRIMARY KEY,
    ends_at timestamptz,
    tree_rank integer CONSTRAINT algorithm_life_rank UNIQUE,
    source text NOT NULL CONSTRAINT algorithm_life_source CHECK (source <> ''),
    set_by uuid,
    set_at timestamptz NOT NULL
);
INSERT INTO algorithm_life (name, ends_at, tree_rank, source, set_at) VALUES
    ('sha256', '2036-01-01T00:00:00Z', 1, 'Initial policy of the installation, to be set by its operator', now()),
    ('sha384', NULL, 2, 'Initial policy of the installation, to be set by its operator', now()),
    ('sha512', NULL, 3, 'Initial policy of the installation, to be set by its operator', now()),
    ('streebog256', NULL, NULL, 'GOST R 34.11-2012; a rank is set where the time-stamp authority takes it', now()),
    ('streebog512', NULL, NULL, 'GOST R 34.11-2012; a rank is set where the time-stamp authority takes it', now()),
    ('rsa-2048', '2031-01-01T00:00:00Z', NULL, 'NIST IR 8547 (draft, 11.2024): 112 bits deprecated after 2030; to be confirmed by the operator', now()),
    ('rsa-3072', '2036-01-01T00:00:00Z', NULL, 'NIST IR 8547 (draft, 11.2024): disallowed after 2035; to be confirmed by the operator', now()),
    ('rsa-4096', '2036-01-01T00:00:00Z', NULL, 'NIST IR 8547 (draft, 11.2024): disallowed after 2035; to be confirmed by the operator', now()),
    ('secp256r1', '2036-01-01T00:00:00Z', NULL, 'NIST IR 8547 (draft, 11.2024): disallowed after 2035; to be confirmed by the operator', now()),
    ('secp384r1', '2036-01-01T00:00:00Z', NULL, 'NIST IR 8547 (draft, 11.2024): disallowed after 2035; to be confirmed by the operator', now());
"""


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="signatures", description=DESCRIPTION)

    async def run() -> None:
        await run_sql(SQL)

    manager.add_raw(run)
    return manager
