"""Messages from node to node, beside the same bytes posted, stored and recorded by nobody's code.

Both nodes run here: the sender's carriers in this process, the receiver as its web process behind
TLS. The floor is a bare TLS server in a process of its own: what is posted is put into the store
and one row is committed. Its share without store and row is a bare post.
"""

import asyncio
import hashlib
import os
import secrets
import socket
import ssl
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter
from uuid import UUID

import httpx
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from bench import actors, files
from bench.ground import Ground, environment
from bench.results import Result, against
from bench.web import Web
from core import db
from core.actor import RULE, Actor
from core.db import DB
from core.embedded.services import CHECKOUT
from directory import dataset
from directory.selection import Selector
from docflow.documents import cards, intake
from docflow.gateways.node import transport
from docflow.routing import carriers, consignments, dispatch, lines
from docflow.routing.nodes import notes, own, peers, residence
from docflow.routing.nodes.sending import NODE
from signatures.authority import Authority
from storage import s3

ROUNDS = 5
BATCH = 120
READY_TRIES = 600
TOGETHER = NODE.per_target
"""Posts under way at once, as many as messages to one node."""


async def measure(ground: Ground) -> Result:
    """Each message is validated there, entered, receipted, and its receipt recorded here."""
    with tempfile.TemporaryDirectory(prefix="docflow-bench-") as name:
        folder = Path(name)
        certificate(folder)
        # the other one first: migrating it needs no pool of ours
        async with ground.another() as (app_url, _), ground.database():
            there = {"DATABASE_URL": app_url, "S3_BUCKET": f"bench-{secrets.token_hex(4)}"}
            with environment({"NODE_CA_FILE": str(folder / "authority.pem")}):
                return await _measured(folder, there)


async def _measured(folder: Path, there: dict[str, str]) -> Result:
    made = dataset.generate("S")
    two = {"SANDBOX_WORKERS": "2", **there}
    async with _serving(folder, {}) as ours, _serving(folder, two) as theirs:
        authority, recipient = await _acquainted(made, ours, theirs, there)
    author = await actors.clerk_of(made.health_union_id)
    chairman = await actors.chairman_of(made.health_union_id)
    papers = list(files.signed(BATCH * (ROUNDS + 1), authority, subject=chairman))
    values, floors, bare = [], [], []
    async with (
        _serving(folder, two, port=theirs.port) as web,
        _floor(folder, there["DATABASE_URL"]) as port,
        httpx.AsyncClient(verify=_trusting(folder), timeout=60) as client,
    ):
        for number in range(ROUNDS + 1):
            part = papers[number * BATCH : (number + 1) * BATCH]
            sent = [await _dispatched(author, paper, recipient) for paper in part]
            values.append(await _carried(sent))
            floors.append(await _posted(client, port, "/stored", part))
            bare.append(await _posted(client, port, "/bare", part))
        peak = web.peak_mb()
    await transport.close()
    return against(
        "node-exchange", values[1:], floors[1:], unit="messages/s", together=TOGETHER,
        size_kb=len(papers[0]) / 1000, web_peak_mb=peak,
        of_bare_posts=sorted(v / b for v, b in zip(values[1:], bare[1:], strict=True))[ROUNDS // 2],
        x_road_of_bare_posts=0.11,
    )  # fmt: skip


@asynccontextmanager
async def _inside(there: dict[str, str]) -> AsyncIterator[None]:
    """This process works on the other node's database meanwhile."""
    await DB.close()
    with environment(there):
        await DB.open()
        try:
            yield
        finally:
            await DB.close()
    await DB.open()


async def _acquainted(
    made: dataset.Dataset, ours: Web, theirs: Web, there: dict[str, str]
) -> tuple[Authority, UUID]:
    """Two nodes that know each other; a regional organization lives with the other one."""
    await dataset.load(made)
    authority = await actors.trusted_authority()
    recipient = UUID(str(await db.value(
        "SELECT id FROM organization WHERE kind = 'regional' ORDER BY code LIMIT 1"
    )))  # fmt: skip
    keeper = RULE.acting_for(made.health_union_id)
    addresses = [f"https://localhost:{one.port}" for one in (ours, theirs)]
    our_id = await own.found(keeper, name="bench", base_url=addresses[0])
    async with _inside(there):
        await s3.ensure_bucket()
        await dataset.load(made)
        await actors.trust(authority)
        their_keeper = RULE.acting_for(recipient)
        their_id = await own.found(their_keeper, name="other", base_url=addresses[1])
        _, (mark,) = await peers.enroll(their_keeper, base_url=addresses[0], allow_private=True)
        await peers.confirm(their_keeper, our_id, fingerprint=mark)
    _, (mark,) = await peers.enroll(keeper, base_url=addresses[1], allow_private=True)
    await peers.confirm(keeper, their_id, fingerprint=mark)
    await residence.serve(keeper, selector=Selector(include=(made.health_union_id,)))
    await notes.tell(their_id)
    async with _inside(there):
        await residence.serve(their_keeper, selector=Selector(include=(recipient,)))
        await notes.tell(our_id)
    await transport.close()  # a server that ends waits for connections that are open
    return authority, recipient


async def _dispatched(author: Actor, paper: bytes, recipient: UUID) -> UUID:
    async def stream() -> AsyncIterator[bytes]:
        yield paper

    taken = await intake.take_in(
        author, card=cards.CardInput(kind="circular", title="О сроках отчётности"),
        stream=stream(), file_name="письмо.pdf",
    )  # fmt: skip
    wanted = dispatch.DispatchInput(selector=lines.only([recipient]))
    dispatch_id = await dispatch.send(author, taken.document_id, wanted=wanted)
    await consignments.make(dispatch_id)
    return taken.document_id


async def _carried(sent: Sequence[UUID]) -> float:
    stop = asyncio.Event()
    began = perf_counter()
    crew = asyncio.create_task(carriers.run(stop))
    while await db.value(  # noqa: ASYNC110 - what is waited for stands in the database
        "SELECT EXISTS (SELECT FROM delivery WHERE document_id = ANY($1) AND status = 'queued')",
        list(sent),
    ):
        await asyncio.sleep(0.02)
    spent = perf_counter() - began
    stop.set()
    await crew
    bad = await db.value(
        "SELECT count(*) FROM delivery WHERE document_id = ANY($1) AND status <> 'delivered'",
        list(sent),
    )
    if bad:
        raise RuntimeError(f"{bad} of {len(sent)} were not delivered")
    return len(sent) / spent


async def _posted(
    client: httpx.AsyncClient, port: int, path: str, papers: Sequence[bytes]
) -> float:
    room = asyncio.Semaphore(TOGETHER)

    async def post(paper: bytes) -> None:
        async with room:
            answer = await client.post(f"https://localhost:{port}{path}", content=paper)
            if answer.status_code != 200:
                raise RuntimeError(f"the floor answered {answer.status_code}")

    began = perf_counter()
    await asyncio.gather(*(post(paper) for paper in papers))
    return len(papers) / (perf_counter() - began)


@asynccontextmanager
async def _serving(folder: Path, more: dict[str, str], *, port: int = 0) -> AsyncIterator[Web]:
    """A node's web process behind TLS, ready; ended at the end."""
    if not port:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(CHECKOUT / "cli.py"), "serve", "--port", str(port),
        "--certificate", str(folder / "server.pem"),
        env={**os.environ, "PUBLIC_URL": f"https://localhost:{port}", **more},
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        async with httpx.AsyncClient(verify=_trusting(folder)) as client:
            for _ in range(READY_TRIES):
                try:
                    await client.get(f"https://localhost:{port}/health/live")
                    break
                except httpx.HTTPError:
                    await asyncio.sleep(0.1)
        yield Web(port, process.pid)
    finally:
        process.terminate()
        await process.wait()


@asynccontextmanager
async def _floor(folder: Path, database_url: str) -> AsyncIterator[int]:
    """The bare server in a process of its own."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.node", str(folder / "server.pem"),
        stdout=asyncio.subprocess.PIPE, cwd=CHECKOUT,
        env={**os.environ, "DATABASE_URL": database_url, "PYTHONPATH": str(CHECKOUT)},
    )  # fmt: skip
    try:
        if process.stdout is None:
            raise RuntimeError("no output")
        yield int(await process.stdout.readline())
    finally:
        process.terminate()
        await process.wait()


async def _bare_app(scope: dict[str, object], receive: object, send: object) -> None:
    """An ASGI application that reads the content, and for `/stored` puts it and commits a row."""
    body = bytearray()
    more = True
    while more:
        event = await receive()  # type: ignore[operator]  # reason: the ASGI callables
        body += event.get("body", b"")
        more = event.get("more_body", False)
    if scope["path"] == "/stored":
        await s3.call(s3.put, f"bench/{secrets.token_hex(8)}", body)
        await db.execute(
            """INSERT INTO blob (id, sha256, size, media_type, key, created_at)
               VALUES (uuidv7(), $1, $2, 'application/pdf', $3, now()) ON CONFLICT DO NOTHING""",
            hashlib.sha256(body).digest(), len(body), secrets.token_hex(8),
        )  # fmt: skip
    start = {"type": "http.response.start", "status": 200, "headers": []}
    await send(start)  # type: ignore[operator]  # reason: the ASGI callables
    await send({"type": "http.response.body", "body": b""})  # type: ignore[operator]  # reason: as above


async def _serve_floor(pem: str) -> None:
    import uvicorn  # noqa: PLC0415 - only the floor's process

    await DB.open()
    with socket.socket() as place:
        place.bind(("127.0.0.1", 0))
        sys.stdout.write(f"{place.getsockname()[1]}\n")
        sys.stdout.flush()
        config = uvicorn.Config(
            _bare_app, ssl_certfile=pem, access_log=False, log_level="warning", lifespan="off"
        )
        await uvicorn.Server(config).serve(sockets=[place])


def certificate(folder: Path) -> None:
    """A self-signed certificate for localhost: ``authority.pem``, and ``server.pem`` with key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    at = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(at - timedelta(days=1)).not_valid_after(at + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    public = made.public_bytes(serialization.Encoding.PEM)
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )  # fmt: skip
    (folder / "authority.pem").write_bytes(public)
    (folder / "server.pem").write_bytes(public + secret)


def _trusting(folder: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(folder / "authority.pem"))


if __name__ == "__main__":
    asyncio.run(_serve_floor(sys.argv[1]))
