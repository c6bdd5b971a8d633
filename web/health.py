"""Is the process alive, can it serve, and what does it count."""

from litestar import Controller, Response, get

from core import db, sandbox
from core.errors import ServiceError
from directory.controllers.authentication import public
from docflow.documents.longevity import authority, due
from evidence.log import alarm
from evidence.privacy import backups
from signatures.gost import selftest
from storage import s3, scanning
from web import stuck


class HealthController(Controller):
    """For orchestrators and monitoring."""

    tags = ("health",)

    @get("/health/live", guards=[public], summary="Alive")
    async def live(self) -> dict[str, str]:
        """Answers as long as the process does."""
        return {"status": "ok"}

    @get("/health/ready", guards=[public], summary="Ready")
    async def ready(self) -> Response[dict[str, str]]:
        """Can database and store be reached? 503 names the part that cannot.

        `gost` says whether GOST signatures can be checked here, `log` what of the evidence log is
        not well, `malware_scan` whether the scanner answers (`off`: none is set); without them all
        else works.
        """
        good, told = await parts()
        return Response({"status": "ok" if good else "unavailable", **told},
                        status_code=200 if good else 503)  # fmt: skip

    @get("/metrics", guards=[public], media_type="text/plain; version=0.0.4", summary="Metrics")
    async def metrics(self) -> str:
        """Counts for a Prometheus scraper: what waits, what is stuck. No names, no ids."""
        waiting = await db.rows("SELECT status, count(*) AS number FROM delivery GROUP BY status")
        drafts = await db.rows(
            """SELECT status, count(*) AS number FROM document
               WHERE status IN ('draft', 'signing', 'signed') GROUP BY status"""
        )
        lines = ["# TYPE docflow_deliveries gauge"]
        lines += [f'docflow_deliveries{{status="{r["status"]}"}} {r["number"]}' for r in waiting]
        lines += ["# TYPE docflow_documents_open gauge"]
        lines += [f'docflow_documents_open{{status="{r["status"]}"}} {r["number"]}' for r in drafts]
        going = await db.rows(
            """SELECT channel, status, count(*) AS number FROM consignment
               WHERE status NOT IN ('done', 'void') GROUP BY channel, status"""
        )
        lines += ["# TYPE docflow_consignments gauge"]
        lines += [
            f'docflow_consignments{{channel="{r["channel"]}",status="{r["status"]}"}} {r["number"]}'
            for r in going
        ]
        lines += await stuck.metrics()
        lines += await due.metrics()
        lines += await alarm.metrics()
        lines += await backups.metrics()
        named = int(await authority.is_configured())
        lines += ["# TYPE docflow_longevity_authority gauge"]
        lines += [f"docflow_longevity_authority {named}"]
        return "\n".join(lines) + "\n"


async def parts() -> tuple[bool, dict[str, str]]:
    """Can the service serve, and the state of each part: `ok` or what is wrong."""
    told = {"database": await _database(), "store": await _store(), "sandbox": _sandbox()}
    good = all(state == "ok" for state in told.values())
    return good, {**told, "gost": selftest.run(), "log": await _log(told["database"]),
                  "malware_scan": await scanning.word()}  # fmt: skip


async def _database() -> str:
    try:
        return "ok" if await db.value("SELECT 1") == 1 else "wrong answer"
    except (OSError, ServiceError, RuntimeError) as problem:
        return type(problem).__name__


async def _log(database: str) -> str:
    return await alarm.word() if database == "ok" else "unknown"


async def _store() -> str:
    try:
        await s3.ensure_bucket()
    except ServiceError as problem:
        return problem.error_code
    return "ok"


def _sandbox() -> str:
    return "closed" if sandbox.pool().is_closed else "ok"
