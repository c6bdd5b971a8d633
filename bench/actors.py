"""Who acts in benchmarks, and documents that are there already."""

import uuid

from core import clock, db
from core.actor import RULE, Actor
from directory import tokens
from signatures import anchors
from signatures.authority import Authority, Subject, create_authority, trust_of


async def clerk_of(organization_id: uuid.UUID) -> Actor:
    """Somebody with an account and the roles of clerk and signatory there."""
    account_id = clock.new_id()
    person_id = await db.value(
        "SELECT person_id FROM post WHERE organization_id = $1 AND valid_to IS NULL LIMIT 1",
        organization_id,
    )
    if person_id is None:
        person_id = clock.new_id()
        await db.execute(
            "INSERT INTO person (id, last_name, created_at) VALUES ($1, 'Иванова', $2)",
            person_id, clock.now(),
        )  # fmt: skip
    await db.execute(
        """INSERT INTO account (id, person_id, login, password_hash, created_at)
           VALUES ($1, $2, $3, 'none', $4)""",
        account_id, person_id, str(account_id), clock.now(),
    )  # fmt: skip
    roles = frozenset({"clerk", "signatory"})
    for role in roles:
        await db.execute(
            """INSERT INTO role_grant (id, account_id, organization_id, role, granted_by,
                   granted_at) VALUES ($1, $2, $3, $4, $2, $5)""",
            clock.new_id(), account_id, organization_id, role, clock.now(),
        )  # fmt: skip
    return Actor(
        kind="user", id=account_id, organization_id=organization_id, person_id=uuid.UUID(
            str(person_id)
        ), roles=roles, second_factor=True, request_id=clock.new_id(),
    )  # fmt: skip


async def token_of(actor: Actor) -> str:
    """A bearer token that reads and writes documents."""
    scopes = frozenset({"documents:read", "documents:write"})
    return (await tokens.create(actor, name="bench", scopes=scopes, days=1)).token


async def a_registered_document(actor: Actor, number: str) -> uuid.UUID:
    """A circular with its number, written as registration leaves it but for its file."""
    document_id, moment = clock.new_id(), clock.now()
    await db.execute(
        """INSERT INTO document (id, kind, organization_id, status, title, number, date, author_id,
               created_at, updated_at)
           VALUES ($1, 'circular', $2, 'registered', 'О сроках отчёта', $3, $4, $5, $6, $6)""",
        document_id, actor.home_id, number, clock.today(), actor.account_id, moment,
    )  # fmt: skip
    return document_id


async def trusted_authority() -> Authority:
    """An issuing authority under a root, RSA as those in the field, trusted by this database."""
    root = create_authority("Bench root", kind="rsa")
    issuing = create_authority("Bench issuing", parent=root, kind="rsa")
    await trust(issuing)
    return issuing


async def trust(authority: Authority) -> None:
    """Let this database trust it."""
    await anchors.add(RULE, trust_of(authority), is_test=True)


async def chairman_of(organization_id: uuid.UUID) -> Subject:
    """Whom a certificate must name so that its signatures bind the organization: its head."""
    found = await db.row(
        """SELECT o.inn, o.ogrn, p.last_name, p.first_name, p.middle_name FROM organization AS o
           JOIN post AS t ON t.organization_id = o.id AND t.kind = 'chairman'
                AND t.valid_to IS NULL
           JOIN person AS p ON p.id = t.person_id WHERE o.id = $1""",
        organization_id,
    )
    if found is None:
        raise LookupError(f"{organization_id} has no chairman")
    given = f"{found['first_name']} {found['middle_name']}".strip()
    return Subject(
        f"{found['last_name']} {given}", surname=found["last_name"], given_name=given,
        title="Председатель", inn_le=found["inn"] or "", ogrn=found["ogrn"] or "",
    )  # fmt: skip
