"""Who acts in tests: actors, an authority with certificates, PDFs made here."""

import uuid
from collections.abc import AsyncIterator
from datetime import date, timedelta

from core import clock, db, papers
from core.actor import RULE, Actor
from signatures import anchors
from signatures.authority import Authority, Issued, Subject, create_authority, trust_of
from signatures.vault import keep_pkcs12

PASSPHRASE = b"only for this run"


async def clerk_of(organization_id: uuid.UUID, *roles: str) -> Actor:
    """Somebody with an account there; clerk and signatory with a second factor by default."""
    account_id, person_id = clock.new_id(), await a_person_at(organization_id)
    await db.execute(
        """INSERT INTO account (id, person_id, login, password_hash, created_at)
           VALUES ($1, $2, $3, 'none', $4)""",
        account_id, person_id, str(account_id), clock.now(),
    )  # fmt: skip
    return Actor(
        kind="user", id=account_id, organization_id=organization_id, person_id=person_id,
        roles=frozenset(roles or ("clerk", "signatory")), second_factor=True,
        request_id=clock.new_id(),
    )  # fmt: skip


async def a_person_at(organization_id: uuid.UUID) -> uuid.UUID:
    """Whoever holds a post there today."""
    found = await db.value(
        "SELECT person_id FROM post WHERE organization_id = $1 AND valid_to IS NULL LIMIT 1",
        organization_id,
    )
    if found is not None:
        return uuid.UUID(str(found))
    person_id = clock.new_id()
    await db.execute(
        "INSERT INTO person (id, last_name, created_at) VALUES ($1, 'Иванова', $2)",
        person_id, clock.now(),
    )  # fmt: skip
    return person_id


_trusted: list[Authority] = []


async def trusted_authority() -> Authority:
    """An authority this database trusts; its keys are made once a run."""
    if not _trusted:
        _trusted.append(create_authority("Test authority"))
    store = trust_of(*_trusted)
    await anchors.add(RULE, store, is_test=True)
    return _trusted[0]


async def give_key(organization_id: uuid.UUID) -> Issued:
    """A signing key for the organization, issued by the trusted authority."""
    authority = await trusted_authority()
    issued = authority.issue(Subject("Смирнов Пётр Ильич", title="Председатель"))
    await keep_pkcs12(
        RULE, organization_id, data=issued.as_pkcs12(PASSPHRASE), passphrase=PASSPHRASE
    )
    return issued


async def a_letter(text: str = "О проведении совещания") -> bytes:
    """A PDF/A made by the service's own press."""
    return await papers.render(
        "letter",
        papers.Letter(
            organization="Профсоюз работников здравоохранения РФ",
            title=text,
            addressee=("Председателям региональных организаций",),
            body=("Просим довести до сведения первичных организаций.", "Срок — две недели."),
            signer_post="Председатель",
            signer_name="П. И. Смирнов",
        ),
    )


async def stream(content: bytes, *, chunk: int = 65536) -> AsyncIterator[bytes]:
    """Bytes as they come from a socket."""
    for start in range(0, len(content), chunk):
        yield content[start : start + chunk]


def in_days(days: int) -> date:
    """A calendar day from today."""
    return clock.today() + timedelta(days=days)
