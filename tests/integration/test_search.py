"""Search in Russian over card and text: morphology, numbers, filters, corrections."""

import uuid

import pytest

from core import clock, db
from core.actor import Actor
from core.errors import InvalidInput
from docflow.documents import cards, files, registration, search
from tests import ground, people


@pytest.fixture
async def clerk(database: str) -> Actor:
    return await people.clerk_of(await ground.an_organization("union"))


async def a_card(clerk: Actor, title: str, **more: object) -> uuid.UUID:
    return await cards.create(clerk, card=cards.CardInput(kind="circular", title=title, **more))


async def found(clerk: Actor, text: str, **more: object) -> list[uuid.UUID]:
    rows = await search.documents(clerk, wanted=search.Wanted(text=text, **more))
    return [row["id"] for row in rows]


async def test_words_are_found_in_every_form(clerk: Actor) -> None:
    card = await a_card(
        clerk, "О проведении совещания председателей", addressee="Первичным организациям",
        fields={"body": "Президиум", "count": 5},
    )  # fmt: skip
    for text in ("совещание", "СОВЕЩАНИЯМИ", "председатель", "проведение совещания", "президиуму",
                 "первичная организация", '"проведении совещания"', "совещание -отпуск",
                 "отпуск or совещание"):  # fmt: skip
        assert await found(clerk, text) == [card], text
    for text in ("отпуск", "совещание -председатель", '"совещания проведении"'):
        assert await found(clerk, text) == [], text


@pytest.mark.parametrize(
    "text",
    ["'", "\\", "&|!()", ":*", "<->", "%", "''; DROP TABLE document", "или -", '"', "🙂", "  "],
)
async def test_whatever_is_typed_is_no_error(clerk: Actor, text: str) -> None:
    await a_card(clerk, "О совещании")
    assert isinstance(await found(clerk, text), list)


async def test_text_of_the_file_is_found(clerk: Actor) -> None:
    card = await a_card(clerk, "Письмо")
    assert await found(clerk, "сведения первичных") == []
    await files.attach(
        clerk, card, stream=people.stream(await people.a_letter()), file_name="a.pdf"
    )
    assert await found(clerk, "сведения первичных") == [card]
    await files.attach(
        clerk, card, stream=people.stream(b"a;b\n"), file_name="a.csv", role="annex", position=1
    )
    assert await found(clerk, "сведения первичных") == [card], "an annex does not hide the text"


async def test_corrected_card_is_found_by_its_new_words_only(clerk: Actor) -> None:
    card = await a_card(clerk, "О субботнике")
    new = cards.CardInput(kind="circular", title="О совещании")
    await cards.correct(clerk, card, card=new, version=1)
    assert (await found(clerk, "субботник"), await found(clerk, "совещание")) == ([], [card])


async def test_filters_narrow(clerk: Actor) -> None:
    documents = await ground.signed_documents(clerk, 3)
    for one in documents[:2]:
        await registration.register(clerk, one)
    draft = await a_card(clerk, "О совещании")
    today = clock.today()
    assert await found(clerk, "", number="01-01/2") == [documents[1]]
    assert await found(clerk, "", number=" 01-01/2 ") == [documents[1]]
    assert await found(clerk, "", number="01-01/9") == []
    assert await found(clerk, "совещание", status="draft") == [draft]
    assert set(await found(clerk, "", since=today, until=today)) == set(documents[:2])
    assert await found(clerk, "", since=people.in_days(1)) == []
    assert await found(clerk, "", kind="letter") == []
    assert len(await found(clerk, "", kind="circular", own=True)) == 4


@pytest.mark.parametrize(("limit", "text", "code"), [
    (0, "", "bad_limit"), (-1, "", "bad_limit"), (101, "", "bad_limit"),
    (5, "я" * 501, "query_too_long"), (5, "\x00", "query_too_long"),
])  # fmt: skip
async def test_what_nobody_should_ask_for(clerk: Actor, limit: int, text: str, code: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        await search.documents(clerk, wanted=search.Wanted(text=text), limit=limit)
    assert refused.value.error_code == code


async def test_very_long_texts_are_kept_and_found_by_their_beginning(clerk: Actor) -> None:
    card = await a_card(clerk, "О совещании")
    body = "начало " + " ".join(f"слово{n}" for n in range(200_000))
    await db.execute("UPDATE document_text SET body = $2 WHERE document_id = $1", card, body)
    assert await found(clerk, "начало") == [card]
