"""What proofs of erasure look into: the whole database as dumped, the whole store, the index."""

import os
import subprocess
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg

from core import db
from core.embedded import binaries
from core.settings import settings
from docflow.documents import search
from storage import s3
from tests.privacy_stage import Stage, met_in, met_in_store

PG = binaries.postgres_bin(None)


@asynccontextmanager
async def own_bucket() -> AsyncIterator[None]:
    """A bucket of this test alone: the store is everybody's, and all of it is looked at."""
    before = os.environ.get("S3_BUCKET")
    os.environ["S3_BUCKET"] = f"t{uuid.uuid4().hex}"
    settings.cache_clear()
    await s3.ensure_bucket()
    try:
        yield
    finally:
        listing = await s3.off_loop(s3.Listing, "")
        while page := await s3.call(listing.page):
            await s3.call(s3.remove, [one.key for one in page])
        await s3.off_loop(s3.client().remove_bucket, s3.bucket())
        os.environ.pop("S3_BUCKET")
        if before is not None:
            os.environ["S3_BUCKET"] = before
        settings.cache_clear()


def dumped() -> bytes:
    """The whole database as pg_dump writes it."""
    return run("pg_dump", "--format=plain", superuser_url())


def run(program: str, *arguments: str | Path) -> bytes:
    return subprocess.run([PG / program, *arguments], capture_output=True, check=True).stdout


def superuser_url() -> str:
    name = os.environ["DATABASE_URL"].rsplit("/", 1)[1]
    return os.environ["DOCFLOW_TEST_SUPERUSER"].rsplit("/", 1)[0] + "/" + name


async def restored(dump: Path) -> None:
    """This database as the backup has it."""
    await db.DB.close()
    url = superuser_url()
    maintenance = await asyncpg.connect(os.environ["DOCFLOW_TEST_SUPERUSER"])
    name = url.rsplit("/", 1)[1]
    await maintenance.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await maintenance.execute(f"CREATE DATABASE {name}")
    await maintenance.close()
    run("pg_restore", "--dbname", url, dump)
    await db.DB.open()


async def nothing_left(stage: Stage) -> None:
    assert met_in(dumped()) == []
    assert await met_in_store() == []
    assert await db.value(
        "SELECT count(*) FROM document_text WHERE tsv::text ~* 'замоскв|евламп|аристарх'"
    ) == 0  # fmt: skip
    for words in ("Замоскворецкая", "Евлампия"):
        found = await search.documents(stage.lawyer, wanted=search.Wanted(words))
        assert found == [], words
