"""Where benchmarks stand: engines of their own, durable as in production, a fresh database each."""

import logging
import os
import secrets
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass

import asyncpg

from core.db import DB, Database
from core.embedded import services
from core.migrations import migrate
from core.settings import settings
from storage import s3

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Ground:
    """Running engines on a folder of this process, which goes when they stop."""

    engines: services.Services

    @asynccontextmanager
    async def database(self) -> AsyncIterator[str]:
        """A migrated database with the process's pool open on it; its owner's URL."""
        async with self.another() as (app_url, owner_url):
            with environment({"DATABASE_URL": app_url, "DATABASE_OWNER_URL": owner_url}):
                await DB.open()
                try:
                    yield owner_url
                finally:
                    await DB.close()

    @asynccontextmanager
    async def another(self) -> AsyncIterator[tuple[str, str]]:
        """A migrated database of its own: URLs for the application's role and for the owner's."""
        name = f"bench_{secrets.token_hex(6)}"
        known = self.engines.environment
        app_url, owner_url = (
            _renamed(known[key], name) for key in ("DATABASE_URL", "DATABASE_OWNER_URL")
        )
        keeper = await asyncpg.connect(self.engines.superuser_url)
        try:
            await keeper.execute(f"CREATE DATABASE {name} TEMPLATE docflow")
            await keeper.execute(f"ALTER DATABASE {name} OWNER TO docflow_owner")
            await migrate(owner_url=owner_url, app_url=app_url)
            yield app_url, owner_url
        finally:
            await keeper.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
            await keeper.close()


@contextmanager
def standing() -> Iterator[Ground]:
    """Start PostgreSQL and the store, both as in production; stop and remove them at the end."""
    folder = services.data_home() / f"bench-{os.getpid()}"
    try:
        with services.start(folder) as engines, environment(dict(engines.environment)):
            yield Ground(engines)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


async def open_pool(url: str) -> Database:
    """A second pool, for a benchmark that compares two databases in turn."""
    pool = Database(config={"dsn": ""}, extensions=())
    with environment({"DATABASE_URL": url}):
        await pool.open()
    return pool


@contextmanager
def environment(changes: dict[str, str]) -> Iterator[None]:
    """These settings inside the block, read anew by this process and inherited by its children."""
    """These variables inside the block, with settings and store read anew."""
    before = {name: os.environ.get(name) for name in changes}
    os.environ.update(changes)
    _forget()
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        _forget()


def _forget() -> None:
    settings.cache_clear()
    s3.client.cache_clear()


def _renamed(url: str, name: str) -> str:
    return url.rsplit("/", 1)[0] + "/" + name
