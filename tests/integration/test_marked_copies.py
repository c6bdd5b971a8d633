"""A marked copy out of the service: in the sandbox, of the stored file, for who may see it."""

import uuid

import pypdfium2
import pytest

from core import db
from core.actor import Actor
from core.errors import ServiceError
from docflow.documents import cards, copies, files, signing
from storage import blobs
from tests import ground, people

pytestmark = pytest.mark.slow


@pytest.fixture
async def clerk(database: str) -> Actor:
    return await people.clerk_of(await ground.an_organization("union"))


async def _a_draft(actor: Actor) -> tuple[uuid.UUID, uuid.UUID]:
    card = cards.CardInput(kind="circular", title="О совещании")
    document_id = await cards.create(actor, card=card)
    letter = people.stream(await people.a_letter())
    await files.attach(actor, document_id, stream=letter, file_name="a.pdf")
    (file,) = await files.current_files(document_id)
    return document_id, file["id"]


async def _refused(code: str, actor: Actor, document_id: uuid.UUID, file_id: uuid.UUID) -> None:
    with pytest.raises(ServiceError) as refused:
        await copies.marked_copy(actor, document_id, file_id)
    assert refused.value.error_code == code


async def test_a_signed_letter_gives_a_marked_copy(clerk: Actor) -> None:
    document_id, file_id = await _a_draft(clerk)
    await _refused("no_valid_signature", clerk, document_id, file_id)
    authority = await people.trusted_authority()
    person = authority.issue(people.Subject("Смирнов Пётр Ильич"))
    challenge = await signing.begin(clerk, document_id, certificate=person.der, chain=person.chain)
    value = person.key().sign(challenge.attributes, "sha256")
    await signing.finish(clerk, challenge.session_id, answer=value)
    (file,) = await files.current_files(document_id)
    before = await blobs.read(file["blob_id"], limit=1 << 24)
    copy = await copies.marked_copy(clerk, document_id, file["id"])
    with pypdfium2.PdfDocument(copy.data) as document:
        text = document[len(document) - 1].get_textpage().get_text_range()
    assert "ЭЛЕКТРОННОЙ ПОДПИСЬЮ" in text
    assert "Смирнов Пётр Ильич" in text
    assert copy.file_name == "Копия a.pdf"
    assert await blobs.read(file["blob_id"], limit=1 << 24) == before
    await _refused("not_found", clerk, uuid.uuid4(), file["id"])
    stranger = await people.clerk_of(await ground.an_organization("primary"))
    await _refused("not_found", stranger, document_id, file["id"])


async def test_only_a_pdf_has_a_copy(clerk: Actor) -> None:
    document_id, _ = await _a_draft(clerk)
    annex = await files.attach(
        clerk, document_id, stream=people.stream(b"a;b\n1;2\n"), file_name="t.csv", role="annex",
        position=1,
    )  # fmt: skip
    await _refused("copy_needs_pdf", clerk, document_id, annex)
    assert await db.value("SELECT count(*) FROM document_file WHERE id = $1", annex) == 1
