"""Questions of recipients about a document (вопросы по документу), and the sender's answers.

A question changes no state: the deadline runs, the delivery stays what it is.
"""

import uuid

from audit import events
from core import clock, db, idempotency
from core.actor import Actor
from core.errors import Conflict, InvalidInput, NotFound
from docflow.documents import cards, visibility
from docflow.routing import deliveries
from notify import notices

MAX_QUESTION = 2000
MAX_ANSWER = 4000
MOST_OPEN = 20
"""Unanswered questions of one recipient on one document."""


async def ask(
    actor: Actor, delivery_id: uuid.UUID, *, text: str, key: str | None = None
) -> uuid.UUID:
    """Ask the sender about a received document; the sender has a notice. Answers the id.

    Raises `question_length`, `too_many_questions` (409).
    """
    actor.require("clerk", "signatory")
    words = _words(text, least=3, most=MAX_QUESTION, field="text")
    question_id, _ = await idempotency.once(
        scope=actor.home_id, key=key,
        request=idempotency.request_hash("question", str(delivery_id), words),
        create=lambda: _enter(actor, delivery_id, words),
    )  # fmt: skip
    return question_id


async def _enter(actor: Actor, delivery_id: uuid.UUID, words: str) -> uuid.UUID:
    found = await deliveries.own_delivery(actor, delivery_id, lock=True)
    waiting = await db.value(
        "SELECT count(*) FROM question WHERE delivery_id = $1 AND answered_at IS NULL", delivery_id
    )
    if waiting >= MOST_OPEN:
        raise Conflict(
            "На прежние вопросы ещё не ответили. Дождитесь ответа или позвоните отправителю.",
            "Earlier questions have no answer yet. Wait for it, or call the sender.",
            code="too_many_questions",
        )
    question_id = clock.new_id()
    sender = await db.value(
        """INSERT INTO question (id, delivery_id, document_id, asker_id, sender_id, text, asked_by,
               asked_at)
           SELECT $1, $2, d.id, $3, d.organization_id, $4, $5, $6 FROM document AS d
           WHERE d.id = $7 RETURNING sender_id""",
        question_id, delivery_id, actor.home_id, words, actor.id, clock.now(),
        found["document_id"],
    )  # fmt: skip
    await events.record(
        actor, "delivery.question", subject=("delivery", delivery_id),
        document_id=found["document_id"], data={"question_id": str(question_id)},
        detail={"text": words},
    )  # fmt: skip
    await notices.post(
        sender, "question_asked", ("question", question_id),
        data={"document_id": str(found["document_id"])},
    )  # fmt: skip
    return question_id


async def answer(actor: Actor, question_id: uuid.UUID, *, text: str) -> None:
    """Answer a question about a document of one's own; who asked has a notice.

    Raises `question_length`, `question_answered` (409).
    """
    actor.require("clerk", "signatory")
    words = _words(text, least=1, most=MAX_ANSWER, field="text")
    async with db.transaction():
        found = await db.row(
            "SELECT * FROM question WHERE id = $1 AND sender_id = $2 FOR UPDATE",
            question_id, actor.home_id,
        )  # fmt: skip
        if found is None:
            raise NotFound(question_id=str(question_id))
        await visibility.require_readable(actor, found["document_id"], question_id=question_id)
        if found["answered_at"] is not None:
            raise Conflict(
                "На этот вопрос уже ответили.", "This question is answered already.",
                code="question_answered",
            )  # fmt: skip
        await db.execute(
            "UPDATE question SET answer = $2, answered_by = $3, answered_at = $4 WHERE id = $1",
            question_id, words, actor.id, clock.now(),
        )  # fmt: skip
        await events.record(
            actor, "delivery.question_answered", subject=("delivery", found["delivery_id"]),
            document_id=found["document_id"], data={"question_id": str(question_id)},
            detail={"text": words},
        )  # fmt: skip
        await notices.post(
            found["asker_id"], "question_answered", ("question", question_id),
            data={"document_id": str(found["document_id"])},
        )  # fmt: skip


async def of_document(
    actor: Actor, document_id: uuid.UUID, *, after: uuid.UUID | None = None, limit: int = 100
) -> list[db.Row]:
    """Questions on a document, oldest first: the sender sees all, others their own."""
    await visibility.visible_document(actor, document_id)
    return await db.rows(
        """SELECT q.*, o.name AS asker
           FROM question AS q JOIN organization AS o ON o.id = q.asker_id
           WHERE q.document_id = $1 AND $2 IN (q.sender_id, q.asker_id)
             AND ($3::uuid IS NULL OR q.id > $3) ORDER BY q.id LIMIT $4""",
        document_id, actor.home_id, after, max(1, min(limit, 200)),
    )  # fmt: skip


def _words(text: str, *, least: int, most: int, field: str) -> str:
    cards.require_text(text, most=most * 10, field=field)
    words = text.strip()
    if not least <= len(words) <= most:
        raise InvalidInput(
            f"Напишите текст: от {least} до {most} знаков.",
            f"Write {least} to {most} characters.",
            code="question_length", field=field,
        )  # fmt: skip
    return words


async def unanswered(actor: Actor, *, limit: int = 20) -> list[db.Row]:
    """Questions on one's own documents that wait for an answer, the oldest first."""
    return await db.rows(
        f"""SELECT q.id, q.document_id, q.text, q.asked_at, o.name AS asker, d.title
           FROM question AS q JOIN organization AS o ON o.id = q.asker_id
           JOIN document AS d ON d.id = q.document_id
           WHERE q.sender_id = $1 AND q.answered_at IS NULL
           AND {visibility.readable("d", "$1", "$3")} ORDER BY q.id LIMIT $2""",
        visibility.reader(actor), max(1, min(limit, 200)), actor.id,
    )  # fmt: skip
