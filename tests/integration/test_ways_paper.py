"""Paper and telephone: sheets whose code a real decoder reads, answers a clerk enters."""

import re
import uuid

import cv2
import numpy
import pypdfium2
import pytest

from core import db
from core.errors import InvalidInput, NotFound
from core.sandbox.extract import inspect_pdf
from core.settings import settings
from docflow.routing import deliveries
from docflow.routing.paper import answering, sheets
from docflow.routing.paper.sheets import PrintInput
from tests import ground, people, ways_stage
from tests.ways_stage import Ways


@pytest.fixture
async def stage(database: str) -> Ways:
    return await ways_stage.a_stage()


def _codes_on(pdf: bytes) -> list[str]:
    """What a decoder reads from each page as a scanner sees it.

    OpenCV's other detector gives up on one code in seventy, at any resolution.
    """
    found = []
    document = pypdfium2.PdfDocument(pdf)
    for page in document:
        picture = numpy.asarray(page.render(scale=2).to_pil().convert("L"))
        found.append(cv2.QRCodeDetectorAruco().detectAndDecode(picture)[0])
    document.close()
    return found


async def test_a_sheet_a_page_and_its_code_leads_to_the_acknowledgement(stage: Ways) -> None:
    first = await ways_stage.a_primary(stage, "paper")
    second = await ways_stage.a_primary(stage, "email")  # without an address: on paper too
    await ways_stage.a_letter(stage.clerk, stage.region, first, second)
    await ways_stage.carry()
    made = await sheets.print_sheets(stage.clerk, wanted=PrintInput())
    assert made.number == 2
    assert re.search(rb"pdfaid:part>2<", made.data)
    text = " ".join(inspect_pdf(made.data)["text"].split())
    links = _codes_on(made.data)
    assert len(set(links)) == 2
    for link in links:
        address, _, code = link.rpartition("/")
        assert address == f"{settings().public_url}/ack"
        asked = await answering.look(stage.regional, code)
        assert f"{code[:3]} {code[3:7]} {code[7:]}" in text
        (chairman,) = asked.people
        await answering.acknowledge(stage.regional, code, person_id=chairman["id"])
        await answering.acknowledge(stage.regional, code, person_id=chairman["id"])
        assert await ways_stage.told(asked.delivery_id) == [
            "delivery.made", "delivery.delivered", "delivery.acknowledged",
        ]  # fmt: skip
    rows = await db.rows("SELECT DISTINCT status FROM consignment")
    assert [row["status"] for row in rows] == ["done"]
    with pytest.raises(InvalidInput) as nothing:
        await sheets.print_sheets(stage.clerk, wanted=PrintInput(again=True))
    assert nothing.value.error_code == "nothing_to_print"


async def test_printed_sheets_come_again_only_when_asked(stage: Ways) -> None:
    primary = await ways_stage.a_primary(stage, "paper")
    document_id = await ways_stage.a_letter(stage.clerk, primary, mark="dsp")
    first = await sheets.print_sheets(stage.clerk, wanted=PrintInput(document_id=document_id))
    assert "Для служебного пользования" in " ".join(inspect_pdf(first.data)["text"].split())
    with pytest.raises(InvalidInput):
        await sheets.print_sheets(stage.clerk, wanted=PrintInput())
    again = await sheets.print_sheets(stage.clerk, wanted=PrintInput(again=True))
    assert _codes_on(again.data) == _codes_on(first.data)
    (line,) = await sheets.waiting(stage.clerk)
    assert (line["channel"], line["number"], line["printed"]) == ("paper", 1, 1)


async def test_a_superior_prints_what_it_has_itself_and_nobody_else(stage: Ways) -> None:
    primary = await ways_stage.a_primary(stage, "paper")
    await ways_stage.a_letter(stage.clerk, primary)
    with pytest.raises(InvalidInput):  # the region does not have this letter
        await sheets.print_sheets(stage.regional, wanted=PrintInput())
    await ways_stage.a_letter(stage.clerk, stage.region, primary)
    assert (await sheets.print_sheets(stage.regional, wanted=PrintInput())).number == 1
    stranger = await people.clerk_of(await ground.an_organization("union"))
    with pytest.raises(InvalidInput):
        await sheets.print_sheets(stranger, wanted=PrintInput())


async def test_calls_say_whom_to_ask_and_by_which_clock(stage: Ways) -> None:
    primary = await ways_stage.a_primary(stage, "voice", "paper", phone="+7 (30242) 4-12-55")
    await db.execute("UPDATE organization SET time_zone = 'Asia/Chita' WHERE id = $1", primary)
    await ways_stage.a_letter(stage.clerk, primary)
    made = await sheets.print_calls(stage.clerk, wanted=PrintInput())
    text = " ".join(inspect_pdf(made.data)["text"].split())
    for expected in ("+7 (30242) 4-12-55", "МСК+6", "Председатель: Иванова Анна Петровна"):
        assert expected in text
    logged = await db.value("SELECT count(*) FROM read_log WHERE purpose = 'call_list'")
    assert logged == 1


async def test_codes_answer_only_for_those_above(stage: Ways) -> None:
    primary = await ways_stage.a_primary(stage, "paper")
    document_id = await ways_stage.a_letter(stage.clerk, primary)
    await sheets.print_sheets(stage.clerk, wanted=PrintInput())
    code = str(await db.value("SELECT code FROM answer_code"))
    stranger = await people.clerk_of(await ground.an_organization("union"))
    for clerk in (stranger, stage.regional, await people.clerk_of(primary)):
        with pytest.raises(NotFound) as refused:  # the region does not have the letter
            await answering.look(clerk, code)
        assert refused.value.error_code == "code_unknown"
    with pytest.raises(InvalidInput) as mistyped:
        await answering.look(stage.clerk, code[:-1] + str((int(code[-1]) + 1) % 10))
    assert mistyped.value.error_code == "code_mistyped"
    with pytest.raises(InvalidInput) as nobody:
        await answering.acknowledge(stage.clerk, code, person_id=uuid.uuid4())
    assert nobody.value.error_code == "person_not_there"
    delivery = await ways_stage.delivery_of(document_id)
    assert delivery["status"] == "queued"
    # the refused try has left nothing behind
    assert await ways_stage.told(delivery["id"]) == ["delivery.made"]


async def test_a_code_stays_the_same(stage: Ways) -> None:
    from docflow.routing import answer_codes

    primary = await ways_stage.a_primary(stage, "paper")
    document_id = await ways_stage.a_letter(stage.clerk, primary)
    delivery = await ways_stage.delivery_of(document_id)
    first = await answer_codes.of_deliveries([delivery["id"], delivery["id"]])
    assert first == await answer_codes.of_deliveries([delivery["id"]])
    assert await deliveries.holders(primary)
