"""Is a job process alive? It writes a heartbeat to the database; exit status 0 when a fresh one."""

import asyncio
import sys

import asyncpg

from core.settings import settings

FRESH = """
SELECT EXISTS (SELECT FROM procrastinate_workers WHERE last_heartbeat > now() - interval '1 minute')
"""


async def alive() -> bool:
    """Ask the database whether a worker has been heard of within the last minute."""
    connection = await asyncpg.connect(settings().database_url, timeout=5)
    try:
        return bool(await connection.fetchval(FRESH))
    finally:
        await connection.close()


if __name__ == "__main__":
    sys.exit(0 if asyncio.run(alive()) else 1)
