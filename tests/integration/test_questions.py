"""Questions about a document: asked once, answered once, seen by the two alone."""

import pytest

from core.errors import Conflict, InvalidInput, NotFound
from docflow.routing import questions
from notify import notices
from tests import ground, people


async def test_a_primary_asks_and_the_union_answers(database: str) -> None:
    line = await ground.a_ground()
    clerk = await people.clerk_of(line.union)
    document_id = await ground.a_sent(clerk, line.primaries[0], line.primaries[1])
    delivery_id = await ground.delivery_to(document_id, line.primaries[0])
    chairman = await people.clerk_of(line.primaries[0])
    neighbour = await people.clerk_of(line.primaries[1])

    with pytest.raises(InvalidInput):
        await questions.ask(chairman, delivery_id, text=" ? ")
    with pytest.raises(NotFound):
        await questions.ask(neighbour, delivery_id, text="Чужое письмо?")
    asked = await questions.ask(chairman, delivery_id, text="Нужен ли протокол?", key="k")
    assert asked == await questions.ask(chairman, delivery_id, text="Нужен ли протокол?", key="k")
    assert "question_asked" in [one.kind for one in await notices.unread(clerk)]

    with pytest.raises(NotFound):
        await questions.answer(chairman, asked, text="Сам отвечу")
    await questions.answer(clerk, asked, text="Да, копия.")
    with pytest.raises(Conflict):
        await questions.answer(clerk, asked, text="Ещё раз")
    (seen,) = await questions.of_document(chairman, document_id)
    assert (seen["text"], seen["answer"]) == ("Нужен ли протокол?", "Да, копия.")
    assert await questions.of_document(neighbour, document_id) == []
    assert "question_answered" in [one.kind for one in await notices.unread(chairman)]
