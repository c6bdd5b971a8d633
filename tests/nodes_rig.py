"""Nodes as they are run: each its own web and job process, database and bucket, TLS between them.

The test stands beside them: it acts inside a node's database (`Node.inside`), cuts the wire in
front of it (`Wire`), and kills its processes.
"""

import asyncio
import contextlib
import importlib
import multiprocessing
import multiprocessing.process
import os
import secrets
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import asyncpg
import httpx

import cli
from core import clock, db
from core.actor import Actor
from core.db import DB
from core.embedded.process import free_port
from core.settings import settings
from directory.selection import Selector
from docflow.documents import cards, files, registration, signing
from docflow.gateways.node import transport
from docflow.routing import dispatch, lines
from docflow.routing.nodes import notes, own, peers, points, residence
from signatures.authority import Issued
from storage import s3
from tests import people
from tests.tls_wire import Wire

READY_SECONDS = 60.0
AWAY = (OSError, asyncpg.PostgresConnectionError, asyncpg.OperatorInterventionError,
        asyncpg.TooManyConnectionsError)  # fmt: skip


@dataclass
class Process:
    """A running web or job process of a node."""

    process: multiprocessing.process.BaseProcess

    async def kill(self) -> None:
        """kill -9, and wait until it is gone."""
        self.process.kill()
        await asyncio.to_thread(self.process.join)

    @property
    def is_alive(self) -> bool:
        return self.process.is_alive()


_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["cli", "litestar_app", "worker", "uvicorn", "tests.nodes_rig"])
"""Processes are forked from one that has loaded the service: starting one again takes a moment."""


def _run_command(arguments: list[str], environment: dict[str, str], log: str) -> None:
    """What a child does: the command itself, in the node's environment."""
    out = os.open(log, os.O_CREAT | os.O_APPEND | os.O_WRONLY)
    os.dup2(out, 1)
    os.dup2(out, 2)
    os.environ.clear()
    os.environ.update(environment)
    settings.cache_clear()
    s3.client.cache_clear()
    importlib.reload(points)  # its switch is read at import
    cli.main(arguments)


@dataclass
class Node:
    """One installation."""

    name: str
    environment: dict[str, str]
    port: int
    wire: Wire
    top: str
    """Code of the organization that looks after it."""
    web: Process | None = None
    worker: Process | None = None
    id: uuid.UUID | None = None
    admin: Actor | None = None
    clerks: dict[str, Actor] = field(default_factory=dict)

    @property
    def base_url(self) -> str:
        return f"https://localhost:{self.wire.port}"

    @asynccontextmanager
    async def inside(self) -> AsyncIterator["Node"]:
        """This process works on the node's database and bucket meanwhile."""
        names = ("DATABASE_URL", "DATABASE_OWNER_URL", "S3_BUCKET", "SECRET_KEY", "NODE_CA_FILE",
                 "NODE_VERSIONS", "PUBLIC_URL")  # fmt: skip
        before = {name: os.environ.get(name) for name in names}
        was_open = DB.pool is not None
        if was_open:
            await DB.close()
        os.environ.update({name: self.environment[name] for name in names
                           if name in self.environment})  # fmt: skip
        settings.cache_clear()
        await DB.open(size=3)
        try:
            yield self
        finally:
            await transport.close()
            await DB.close()
            for name, text in before.items():
                if text is None:
                    os.environ.pop(name, None)
                else:
                    os.environ[name] = text
            settings.cache_clear()
            if was_open:
                await DB.open()

    async def start_web(self, **more: str) -> None:
        """Start (again) the web process and wait until it answers."""
        self.web = await self._run("serve", "--port", str(self.port), **more)
        for _ in range(int(READY_SECONDS * 20)):
            if not self.web.is_alive:
                raise RuntimeError(f"the web process of {self.name} ended")
            with contextlib.suppress(httpx.HTTPError):
                async with httpx.AsyncClient() as client:
                    answer = await client.get(f"http://127.0.0.1:{self.port}/health/live")
                if answer.status_code == 200:
                    return
            await asyncio.sleep(0.05)
        raise RuntimeError(f"the web process of {self.name} is not ready")

    async def start_worker(self, **more: str) -> None:
        """Start (again) the job process."""
        self.worker = await self._run("work", **more)

    async def _run(self, *arguments: str, **more: str) -> Process:
        process = _FORKS.Process(
            target=_run_command,
            args=(list(arguments), {**os.environ, **self.environment, **more},
                  str(self.log(arguments[0]))),
            daemon=True,
        )  # fmt: skip
        await asyncio.to_thread(process.start)
        return Process(process)

    def log(self, command: str) -> Path:
        """What a process of this node has said."""
        path = Path(self.environment["DOCFLOW_DATA"], f"{command}.log")
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    async def stop(self) -> None:
        """End both processes and the wire."""
        for one in (self.web, self.worker):
            if one is not None and one.is_alive:
                await one.kill()
        await self.wire.stop()


@asynccontextmanager
async def nodes(
    template: str, folder: Path, tops: dict[str, str], *, versions: dict[str, str] | None = None
) -> AsyncIterator[list[Node]]:
    """Fresh nodes by name, each with the organization that looks after it; nothing runs yet."""
    from http_receiver import certificate

    context, authority = certificate(folder, "localhost")
    maintenance = await asyncpg.connect(os.environ["DOCFLOW_TEST_SUPERUSER"])
    made: list[Node] = []
    try:
        for name, top in tops.items():
            database = f"n_{secrets.token_hex(8)}"
            await maintenance.execute(
                f"CREATE DATABASE {database} TEMPLATE {template} STRATEGY wal_log"
            )
            wire = Wire(free_port(), context)
            node = Node(name, {}, free_port(), wire, top)
            wire.target = node.port
            node.environment = {
                **{key: os.environ[key].rsplit("/", 1)[0] + "/" + database
                   for key in ("DATABASE_URL", "DATABASE_OWNER_URL")},
                "S3_BUCKET": f"node-{name}-{secrets.token_hex(4)}",
                "SECRET_KEY": secrets.token_hex(32),
                "DOCFLOW_DATA": str(folder / name),
                "NODE_CA_FILE": str(authority),
                "NODE_VERSIONS": (versions or {}).get(name, ""),
                "PUBLIC_URL": node.base_url,
                "SANDBOX_WORKERS": "1",
                "DATABASE_POOL": "5",
            }  # fmt: skip
            await wire.start()
            made.append(node)
        yield made
    finally:
        await maintenance.close()  # another one: the server may have been killed since
        maintenance = await asyncpg.connect(os.environ["DOCFLOW_TEST_SUPERUSER"])
        for node in made:
            await node.stop()
            database = node.environment["DATABASE_URL"].rsplit("/", 1)[1]
            await maintenance.execute(f"DROP DATABASE IF EXISTS {database} WITH (FORCE)")
        await maintenance.close()
        s3.client.cache_clear()


@dataclass(frozen=True, slots=True)
class Body:
    """An organization of the registry that all nodes share."""

    code: str
    kind: str
    above: str | None
    home: str
    """Name of the node it lives with."""


async def settle(made: list[Node], bodies: list[Body], *, issued: list[Issued] | None = None) -> (
    None
):  # fmt: skip
    """Give every node the registry, its identity and its keys, and let them know each other.

    Web processes have to run. The key with which the first node's letters are signed is trusted
    by all.
    """
    for node in made:
        async with node.inside():
            await s3.off_loop(_make_bucket)
            ids = await _registry(bodies)
            await people.trusted_authority()
            node.admin = await people.clerk_of(ids[node.top], "administrator", "clerk")
            node.id = await own.found(node.admin, name=node.name, base_url=node.base_url)
            await _clerks(node, bodies, ids)
    for node in made:
        async with node.inside():
            assert node.admin is not None
            for other in made:
                if other is not node:
                    node_id, (fingerprint,) = await peers.enroll(
                        node.admin, base_url=other.base_url, allow_private=True
                    )
                    assert node_id == other.id
                    await peers.confirm(node.admin, node_id, fingerprint=fingerprint)
    for node in made:
        async with node.inside():
            assert node.admin is not None
            rows = await db.rows(
                "SELECT id FROM organization WHERE code = ANY($1)",
                [one.code for one in bodies if one.home == node.name],
            )
            await residence.serve(
                node.admin, selector=Selector(include=tuple(row["id"] for row in rows))
            )
            for other in made:
                if other is not node:
                    assert other.id is not None
                    await notes.tell(other.id)


def _make_bucket() -> None:
    if not s3.client().bucket_exists(s3.bucket()):
        s3.client().make_bucket(s3.bucket())


async def _registry(bodies: list[Body]) -> dict[str, uuid.UUID]:
    ids = {one.code: clock.new_id() for one in bodies}
    await db.execute(
        """INSERT INTO organization (id, code, kind, name, opened_on, created_at, updated_at)
           SELECT id, code, kind, 'Организация ' || code, '1990-01-01', $4, $4
           FROM unnest($1::uuid[], $2::text[], $3::text[]) AS t (id, code, kind)""",
        [ids[one.code] for one in bodies], [one.code for one in bodies],
        [one.kind for one in bodies], clock.now(),
    )  # fmt: skip
    linked = [one for one in bodies if one.above]
    await db.execute(
        """INSERT INTO organization_link (parent_id, child_id, line, valid_from)
           SELECT parent, child, 'branch', '1990-01-01'
           FROM unnest($1::uuid[], $2::uuid[]) AS t (parent, child)""",
        [ids[str(one.above)] for one in linked], [ids[one.code] for one in linked],
    )  # fmt: skip
    return ids


async def _clerks(node: Node, bodies: list[Body], ids: dict[str, uuid.UUID]) -> None:
    for one in bodies:
        if one.home == node.name and one.kind != "primary":
            node.clerks[one.code] = await people.clerk_of(ids[one.code])


async def until(
    true: Callable[[], Awaitable[object]], *, seconds: float = 30.0, every: float = 0.2
) -> None:
    """Wait until `true` answers so; the last answer stands in the failure."""
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    while not (last := await true()):
        if loop.time() > end:
            raise AssertionError(f"not within {seconds} s: {last}")
        await asyncio.sleep(every)


_letters: list[bytes] = []
"""One unsigned letter for all: each is sealed anew, so no two are the same."""


async def a_circular(
    author: Actor,
    *,
    title: str = "О проведении совещания",
    kind: str = "circular",
    annex: bytes = b"",
) -> uuid.UUID:
    """A circular, sealed with the author's key and registered; inside the author's node."""
    card = cards.CardInput(kind=kind, title=title, addressee="Вышестоящей организации")
    document_id = await cards.create(author, card=card)
    if not _letters:
        _letters.append(await people.a_letter())
    await files.attach(
        author, document_id, stream=people.stream(_letters[0]), file_name="письмо.pdf"
    )
    if annex:
        await files.attach(
            author, document_id, stream=people.stream(annex), file_name="приложение.txt",
            role="annex", position=1,
        )  # fmt: skip
    await signing.seal(author, document_id)
    await registration.register(author, document_id)
    return document_id


async def sent(
    author: Actor,
    document_id: uuid.UUID,
    *codes: str,
    mode: Literal["direct", "chancery"] = "direct",
) -> None:
    """Dispatch it to these organizations, to everybody below the author without any."""
    named = await db.rows("SELECT id FROM organization WHERE code = ANY($1)", list(codes))
    selector = (
        lines.only([row["id"] for row in named]) if codes else Selector(subtree_of=author.home_id)
    )
    wanted = dispatch.DispatchInput(selector=selector, mode=mode)
    await dispatch.send(author, document_id, wanted=wanted)


async def states(document_id: uuid.UUID) -> dict[str, int]:
    """Deliveries of a document by state, inside a node."""
    rows = await db.rows(
        "SELECT status, count(*) AS number FROM delivery WHERE document_id = $1 GROUP BY 1",
        document_id,
    )
    return {row["status"]: row["number"] for row in rows}


async def sql(node: Node, query: str, *values: object) -> list[dict[str, Any]]:
    """Ask a node's database directly, from outside its processes; waits while it is away."""
    for _ in range(200):
        connection = None
        try:
            connection = await asyncpg.connect(node.environment["DATABASE_URL"])
            return [dict(row) for row in await connection.fetch(query, *values)]
        except AWAY:
            await asyncio.sleep(0.1)
        finally:
            if connection is not None:
                connection.terminate()
    raise RuntimeError(f"the database of {node.name} does not come back")


LOST_LEASES = (
    "WITH dead AS (UPDATE procrastinate_workers SET last_heartbeat = now() - interval '1 hour')"
    " UPDATE consignment SET leased_until = now() - interval '1 second' WHERE status = 'sending'"
)
"""As if the time had passed after which a process counts as dead."""

HURRY = (
    "UPDATE consignment SET next_attempt_at = now() WHERE status = 'waiting'"
    " AND next_attempt_at > now()",
    "UPDATE channel_gate SET closed_until = now() WHERE closed_until > now()",
    "UPDATE node_note SET next_attempt_at = now() WHERE status = 'waiting'",
)
"""What makes pauses end at once, as if the time had passed."""


async def hurry(made: list[Node]) -> None:
    """Let the time of pauses pass."""
    for node in made:
        with contextlib.suppress(OSError, asyncpg.PostgresError):
            connection = await asyncpg.connect(node.environment["DATABASE_URL"])
            try:
                await connection.execute(";".join(HURRY))
            finally:
                connection.terminate()
