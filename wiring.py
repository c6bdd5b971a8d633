"""What the web process, the job process and the command line open and close alike."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from core import sandbox
from core.db import DB
from core.jobs.schema import check_schema
from core.settings import settings
from docflow.routing.medo import checkup as medo_checkup
from evidence.privacy import gate
from notify import webhooks
from signatures.gost import selftest
from storage import blobs

log = logging.getLogger(__name__)


@asynccontextmanager
async def running(*, pool_size: int | None = None) -> AsyncIterator[None]:
    """Open the database pool and the sandbox, see that the store and the schema are there."""
    webhooks.ALLOW_PRIVATE = settings().webhook_allow_private
    if not selftest.is_passed():
        log.warning("GOST signatures cannot be checked here: libgcrypt is %s", selftest.run())
    await DB.open(size=pool_size)
    try:
        await check_schema()
        await blobs.ensure_bucket()
        sandbox.pool().start()
        await medo_checkup.check(settings())
        await gate.pass_()  # a restored database may hold people who were erased since
        yield
    finally:
        await sandbox.pool().close()
        await DB.close()
