"""A small line of organizations and documents put there by SQL, for proofs about many."""

import secrets
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx

from core import clock, db
from core.actor import Actor
from directory.sessions import fingerprint
from directory.tokens import SCOPES
from docflow.documents import registration
from docflow.routing import dispatch, lines
from litestar_app import create_app
from tests import people


@dataclass(frozen=True, slots=True)
class Ground:
    """A union with two regions; the first has a local organization with three primaries."""

    union: uuid.UUID
    region: uuid.UUID
    other_region: uuid.UUID
    local: uuid.UUID
    primaries: tuple[uuid.UUID, uuid.UUID, uuid.UUID]
    stranger: uuid.UUID

    @property
    def everybody(self) -> list[uuid.UUID]:
        """All below the union."""
        return [self.region, self.other_region, self.local, *self.primaries]


async def an_organization(
    kind: str, *, under: uuid.UUID | None = None, channel: str = "internal"
) -> uuid.UUID:
    """An organization that exists since 1990, under one superior on the branch line."""
    organization_id = clock.new_id()
    await db.execute(
        """INSERT INTO organization (id, code, kind, name, channels, opened_on, created_at,
                                     updated_at)
           VALUES ($1, $2, $3, $4, $5, '1990-01-01', $6, $6)""",
        organization_id, str(organization_id), kind, f"{kind} {organization_id}", [channel],
        clock.now(),
    )  # fmt: skip
    if under is not None:
        await db.execute(
            """INSERT INTO organization_link (parent_id, child_id, line, valid_from)
               VALUES ($1, $2, 'branch', '1990-01-01')""",
            under, organization_id,
        )  # fmt: skip
    return organization_id


async def a_ground() -> Ground:
    """Eight organizations; `stranger` is another union's primary."""
    union = await an_organization("union")
    region = await an_organization("regional", under=union)
    local = await an_organization("local", under=region)
    primaries = [await an_organization("primary", under=local) for _ in range(3)]
    return Ground(
        union=union,
        region=region,
        other_region=await an_organization("regional", under=union),
        local=local,
        primaries=(primaries[0], primaries[1], primaries[2]),
        stranger=await an_organization("primary", under=await an_organization("union")),
    )


async def signed_documents(
    actor: Actor, number: int, *, kind: str = "circular", title: str = "О совещании"
) -> list[uuid.UUID]:
    """Documents that wait for their number: signed, with a main file; no bytes in the store."""
    moment, blob_id = clock.now(), clock.new_id()
    ids = [clock.new_id() for _ in range(number)]
    async with db.transaction():
        await db.execute(
            """INSERT INTO blob (id, sha256, size, media_type, key, created_at)
               VALUES ($1, $2, 1, 'application/pdf', $3, $4)""",
            blob_id, secrets.token_bytes(32), str(blob_id), moment,
        )  # fmt: skip
        await db.execute(
            """INSERT INTO document (id, kind, organization_id, status, title, author_id,
                                     created_at, updated_at)
               SELECT id, $2, $3, 'signed', $4, $5, $6, $6 FROM unnest($1::uuid[]) AS t (id)""",
            ids, kind, actor.home_id, title, actor.id, moment,
        )  # fmt: skip
        await db.execute(
            "INSERT INTO document_text (document_id, card) SELECT id, $2 FROM unnest($1::uuid[])"
            " AS t (id)",
            ids, title,
        )  # fmt: skip
        await db.execute(
            """INSERT INTO document_file (id, document_id, role, title, file_name, blob_id,
                                          media_type, size, sha256, created_by, created_at)
               SELECT uuidv7(), id, 'main', '', 'a.pdf', $2, 'application/pdf', 1, $3, $4, $5
               FROM unnest($1::uuid[]) AS t (id)""",
            ids, blob_id, secrets.token_bytes(32), actor.id, moment,
        )  # fmt: skip
    return ids


async def a_sent(
    actor: Actor, *to: uuid.UUID, title: str = "О совещании", **more: object
) -> uuid.UUID:
    """A registered letter that was dispatched to these organizations."""
    (document_id,) = await signed_documents(actor, 1, kind="appeal", title=title)
    await db.execute("UPDATE document SET addressee = 'Всем' WHERE id = $1", document_id)
    await registration.register(actor, document_id)
    wanted = dispatch.DispatchInput(selector=lines.only(to), **more)
    await dispatch.send(actor, document_id, wanted=wanted)
    return document_id


async def delivery_to(document_id: uuid.UUID, organization_id: uuid.UUID) -> uuid.UUID:
    """The id of one delivery."""
    found = await db.value(
        "SELECT id FROM delivery WHERE document_id = $1 AND recipient_id = $2",
        document_id, organization_id,
    )  # fmt: skip
    return uuid.UUID(str(found))


async def token_of(actor: Actor, *scopes: str) -> str:
    """A token with these scopes (all unless named) for the actor's account and roles."""
    secret = "dfl_" + secrets.token_urlsafe(32)
    for role in actor.roles:
        await db.execute(
            """INSERT INTO role_grant (account_id, organization_id, role, granted_at)
               VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING""",
            actor.id, actor.home_id, role, clock.now(),
        )  # fmt: skip
    await db.execute(
        """INSERT INTO api_token (id, token_hash, name, account_id, organization_id, scopes,
                                  created_at, expires_at)
           VALUES ($1, $2, 'proof', $3, $4, $5, $6, $7)""",
        clock.new_id(), fingerprint(secret), actor.id, actor.home_id, list(scopes or SCOPES),
        clock.now(), clock.now() + people.timedelta(days=1),
    )  # fmt: skip
    return secret


@asynccontextmanager
async def api(actor: Actor | None = None, *scopes: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the whole application, in this event loop; with the actor's token."""
    headers = {} if actor is None else {"authorization": f"Bearer {await token_of(actor, *scopes)}"}
    # Litestar's own test client runs another event loop, and the pool belongs to this one.
    transport = httpx.ASGITransport(app=create_app())  # type: ignore[arg-type]  # reason: same protocol
    async with httpx.AsyncClient(
        transport=transport, base_url="http://service.test", headers=headers
    ) as client:
        yield client


@asynccontextmanager
async def browser(actor: Actor) -> AsyncIterator[httpx.AsyncClient]:
    """A client with a person's session in that organization and its CSRF token."""
    session, csrf = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
    await token_of(actor)  # writes the roles
    await db.execute(
        """INSERT INTO session (id, token_hash, account_id, organization_id, csrf_hash,
               second_factor, created_at, seen_at, expires_at)
           VALUES ($1, $2, $3, $4, $5, true, $6, $6, $7)""",
        clock.new_id(), fingerprint(session), actor.id, actor.home_id, fingerprint(csrf),
        clock.now(), clock.now() + people.timedelta(hours=8),
    )  # fmt: skip
    async with api() as client:
        client.cookies.set("docflow_session", session)
        client.headers.update({"x-csrf-token": csrf, "accept": "text/html"})
        yield client
