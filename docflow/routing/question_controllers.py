"""Questions about documents over HTTP."""

import uuid
from datetime import datetime

import msgspec
from litestar import Controller, get, post
from litestar.params import FromPath, FromQuery, JSONBody

from directory.controllers.authentication import CALLER, Caller
from directory.controllers.parameters import IdempotencyKey
from docflow.documents.controllers import convert_all
from docflow.documents.schemas import Created
from docflow.routing import questions
from docflow.routing.controllers import ANSWER, READ


class QuestionText(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is asked, or answered."""

    text: str


class QuestionView(msgspec.Struct, frozen=True):
    """A question about a document, with the answer once it is there."""

    id: uuid.UUID
    delivery_id: uuid.UUID
    document_id: uuid.UUID
    asker_id: uuid.UUID
    asker: str
    text: str
    asked_at: datetime
    answer: str | None
    answered_at: datetime | None


class QuestionController(Controller):
    """Asked by recipients, answered by the sender; no state changes by it."""

    path = "/api/v1"
    tags = ("routing",)
    dependencies = CALLER

    @post("/deliveries/{delivery_id:uuid}/questions", guards=ANSWER, summary="Ask the sender")
    async def ask(
        self,
        delivery_id: FromPath[uuid.UUID],
        data: JSONBody[QuestionText],
        actor: Caller,
        key: IdempotencyKey = None,
    ) -> Created:
        """A question about a received document."""
        return Created(await questions.ask(actor, delivery_id, text=data.text, key=key))

    @get("/documents/{document_id:uuid}/questions", guards=READ, summary="List questions")
    async def listed(
        self,
        document_id: FromPath[uuid.UUID],
        actor: Caller,
        after: FromQuery[uuid.UUID | None] = None,
        limit: FromQuery[int] = 100,
    ) -> list[QuestionView]:
        """Oldest first; the sender sees all, a recipient its own."""
        found = await questions.of_document(actor, document_id, after=after, limit=limit)
        return convert_all(QuestionView, found)

    @post(
        "/questions/{question_id:uuid}/answer", guards=ANSWER, status_code=204,
        summary="Answer a question",
    )  # fmt: skip
    async def answer(
        self, question_id: FromPath[uuid.UUID], data: JSONBody[QuestionText], actor: Caller
    ) -> None:
        """By the sender of the document."""
        await questions.answer(actor, question_id, text=data.text)
