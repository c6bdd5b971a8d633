"""One embedded PostgreSQL and S3 store for the whole run; a database of its own for each test."""

import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from core import sandbox
from core.db import DB
from core.embedded import services
from core.migrations import migrate
from core.settings import settings
from tests import spare_databases

TEMPLATE = "docflow_template"
FAST = {
    "synchronous_commit": "off", "fsync": "off", "full_page_writes": "off",
    "checkpoint_timeout": "1h", "max_wal_size": "4GB",
}  # fmt: skip
"""A killed process loses nothing by this, only a machine would; dropping a database takes 0.02 s
instead of 0.9."""
_running: list[services.Services] = []


def pytest_configure(config: pytest.Config) -> None:
    """Start the engines once, in the process that distributes the tests."""
    if hasattr(config, "workerinput") or config.option.collectonly:
        return
    folder = services.data_home() / "test-runs" / f"{os.getpid()}"
    started = services.start(folder, postgres_settings=FAST)
    _running.append(started)
    os.environ.update(started.environment)
    os.environ["DOCFLOW_TEST_SUPERUSER"] = started.superuser_url
    os.environ["SANDBOX_WORKERS"] = "1"
    os.environ["QUIET_HOURS"] = "none"  # tests run at any hour; those about the night set it


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the engines and remove what they wrote."""
    while _running:
        started = _running.pop()
        started.stop()
        shutil.rmtree(started.data_dir, ignore_errors=True)


def _renamed(url: str, name: str) -> str:
    return url.rsplit("/", 1)[0] + "/" + name


@pytest.fixture(scope="session")
async def template(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The name of a migrated database, made by the first worker that needs it."""
    maintenance = await asyncpg.connect(os.environ["DOCFLOW_TEST_SUPERUSER"])
    try:
        # Workers come one after the other; who finds the template made goes on at once.
        await maintenance.execute("SELECT pg_advisory_lock(4711)")
        made = await maintenance.fetchval(
            "SELECT true FROM pg_database WHERE datname = $1 AND datistemplate", TEMPLATE
        )
        if not made:
            await maintenance.execute(f"DROP DATABASE IF EXISTS {TEMPLATE} WITH (FORCE)")
            await maintenance.execute(f"CREATE DATABASE {TEMPLATE} TEMPLATE docflow")
            await maintenance.execute(f"ALTER DATABASE {TEMPLATE} OWNER TO docflow_owner")
            await migrate(
                owner_url=_renamed(os.environ["DATABASE_OWNER_URL"], TEMPLATE),
                app_url=os.environ["DATABASE_URL"],
            )
            await maintenance.execute(f"ALTER DATABASE {TEMPLATE} IS_TEMPLATE true")
    finally:
        await maintenance.close()
    return TEMPLATE


@pytest.fixture
async def database(template: str) -> AsyncIterator[str]:
    """A migrated database of its own, the pool open on it; its URL for the application's role."""
    maintenance = await asyncpg.connect(os.environ["DOCFLOW_TEST_SUPERUSER"])
    name = await spare_databases.take(template, maintenance)
    before = {key: os.environ[key] for key in ("DATABASE_URL", "DATABASE_OWNER_URL")}
    for key, url in before.items():
        os.environ[key] = _renamed(url, name)
    settings.cache_clear()
    await DB.open()
    try:
        yield os.environ["DATABASE_URL"]
    finally:
        await DB.close()
        os.environ.update(before)
        settings.cache_clear()
        await spare_databases.give_back(name, maintenance)
        await maintenance.close()


@pytest.fixture(scope="session")
async def _sandbox() -> AsyncIterator[None]:
    yield
    await sandbox.pool().close()


@pytest.fixture(scope="session")
def corpora() -> Path:
    """Third-party files; a test that needs them says so when it skips."""
    folder = Path(os.environ.get("DOCFLOW_CORPORA", "../shared/corpora"))
    if not folder.is_dir():
        pytest.skip(f"no corpora at {folder}: set DOCFLOW_CORPORA")
    return folder
