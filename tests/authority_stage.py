"""A stage for proofs on authority: an organization, its people, their certificates."""

import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from core import clock, db
from core.actor import Actor
from core.errors import ServiceError
from docflow.documents import (
    attorneys,
    cards,
    files,
    signed,
    signing,
)
from signatures import cms
from signatures.authority import Issued, Subject
from tests import ground, people
from tests.mchd_files import HEAD, INN, OGRN, Made, Who

ISSUED_ON = clock.today() - timedelta(days=10)


GOOD = Made(issued=ISSUED_ON.isoformat(), expires=(clock.today() + timedelta(days=10)).isoformat())


@dataclass(frozen=True, slots=True)
class Stage:
    """A clerk of an organization with numbers and a chairman, and its administrator."""

    clerk: Actor
    administrator: Actor
    chairman_id: uuid.UUID


async def a_person(who: Who) -> uuid.UUID:
    person_id = clock.new_id()
    await db.execute(
        """INSERT INTO person (id, last_name, first_name, middle_name, created_at)
           VALUES ($1, $2, $3, $4, $5)""",
        person_id, who.surname, who.given, who.patronymic, clock.now(),
    )  # fmt: skip
    return person_id


async def a_stage() -> Stage:
    """An organization with INN and OGRN, a chairman, a clerk with the role of signatory."""
    home = await ground.an_organization("union")
    await db.execute("UPDATE organization SET inn = $2, ogrn = $3 WHERE id = $1", home, INN, OGRN)
    clerk = await people.clerk_of(home)
    chairman_id = await a_person(HEAD)
    await db.execute(
        """INSERT INTO post (person_id, organization_id, kind, title, valid_from)
           VALUES ($1, $2, 'chairman', 'Председатель', '2020-01-01')""",
        chairman_id, home,
    )  # fmt: skip
    await db.execute("UPDATE person SET first_name = 'Ольга' WHERE id = $1", clerk.person_id)
    administrator = Actor(
        kind="user", id=clerk.id, organization_id=home, roles=frozenset({"administrator"}),
        person_id=clerk.person_id, second_factor=True, request_id=clock.new_id(),
    )  # fmt: skip
    return Stage(clerk, administrator, chairman_id)


async def issued(who: Who | None = None, **more: str) -> Issued:
    named: dict[str, str] = {"common_name": "Профсоюз «Пример»"}
    if who is not None:
        named = {
            "common_name": f"{who.surname} {who.given} {who.patronymic}", "surname": who.surname,
            "given_name": f"{who.given} {who.patronymic}", "snils": who.digits, "inn": who.inn,
        }  # fmt: skip
    return (await people.trusted_authority()).issue(Subject(**(named | more)))


async def a_draft(actor: Actor, kind: str = "circular") -> tuple[uuid.UUID, uuid.UUID, bytes]:
    card = cards.CardInput(kind=kind, title="О совещании", addressee="Всем")
    document_id = await cards.create(actor, card=card)
    file_id = await files.attach(
        actor, document_id, stream=people.stream(await people.a_letter()), file_name="a.pdf"
    )
    sha256 = await db.value("SELECT sha256 FROM document_file WHERE id = $1", file_id)
    return document_id, file_id, bytes(sha256)


async def brought(actor: Actor, key: Issued, kind: str = "circular") -> uuid.UUID:
    """A document with a detached signature made elsewhere with this key."""
    document_id, file_id, sha256 = await a_draft(actor, kind)
    made = cms.sign_detached(digest=sha256, key=key.key())
    await signing.bring(actor, document_id, file_id=file_id, signature=made)
    return document_id


async def found(document_id: uuid.UUID) -> tuple[str, str, str, list[str]]:
    """Status of the document; basis, state and reasons of its one signature."""
    (one,) = await signed.signatures_of(document_id)
    assert (one["verdict"], one["technically_valid"], one["certified_means"]) == (
        "valid", True, False,
    )  # fmt: skip
    said = one["authority"]
    assert said["ru"] != said["en"]
    codes = [word["code"] for word in said["reasons"]]
    status = await db.value("SELECT status FROM document WHERE id = $1", document_id)
    return str(status), said["basis"], said["state"], codes


async def refused_with(code: str, awaited: Any) -> None:
    with pytest.raises(ServiceError) as refused:
        await awaited
    assert refused.value.error_code == code


def people_hash() -> Any:
    from cryptography.hazmat.primitives import hashes

    return hashes.SHA256()


async def kept(stage: Stage, made: Made = GOOD, key: Issued | None = None) -> uuid.UUID:
    xml = made.bytes()
    signer = key or await issued(HEAD, inn_le=INN, ogrn=OGRN)
    return await attorneys.keep(stage.clerk, xml=xml, signature=over(xml, signer))


def over(xml: bytes, key: Issued) -> bytes:
    import hashlib

    return cms.sign_detached(digest=hashlib.sha256(xml).digest(), key=key.key())


NOT_ASKED = "revocation_not_checked"
