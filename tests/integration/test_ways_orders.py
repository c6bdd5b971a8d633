"""One delivery, one effect: whatever two channels say, in whatever order, and how often."""

import itertools
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from core import db
from docflow.gateways.offline import answering, reading
from docflow.gateways.offline.manifests import Named
from docflow.routing import answer_codes, arrivals, deliveries, overdue, settling
from docflow.routing.carriage import broken
from docflow.routing.email import links
from docflow.routing.email import reading as link_reading
from docflow.routing.email.receiving import take as take_mail
from docflow.routing.offline import incoming, packages
from docflow.routing.paper import answering as by_code
from tests import ways_stage
from tests.mail_relay import relayed
from tests.ways_stage import Ways

Signal = Callable[["Letter"], Awaitable[object]]


@dataclass(frozen=True)
class Letter:
    """A letter that was tried by e-mail, then on a stick, and lies on paper now."""

    stage: Ways
    document_id: uuid.UUID
    delivery_id: uuid.UUID
    mail: uuid.UUID
    token: str
    code: str
    answers: Path


async def mail_arrived(letter: Letter) -> None:
    await take_mail(ways_stage.report(letter.mail, "delivered", "2.0.0"))


async def mail_bounced(letter: Letter) -> None:
    await take_mail(ways_stage.report(letter.mail, "failed", "5.1.1"))


async def read_by_link(letter: Letter) -> None:
    seen = await link_reading.look(letter.token)
    await link_reading.open_file(letter.token, seen.contents.files[0]["id"])


async def acknowledged_by_link(letter: Letter) -> None:
    seen = await link_reading.look(letter.token)
    if not seen.is_used:
        await link_reading.open_file(letter.token, seen.contents.files[0]["id"])
        await link_reading.acknowledge(letter.token, person_id=seen.people[0]["id"])


async def brought_back_on_a_stick(letter: Letter) -> None:
    await incoming.take(letter.answers)


async def signed_on_paper(letter: Letter) -> None:
    asked = await by_code.look(letter.stage.regional, letter.code)
    person_id = asked.people[0]["id"]
    await by_code.acknowledge(letter.stage.regional, letter.code, person_id=person_id)


async def given_up(letter: Letter) -> None:
    rows = await db.rows(
        "SELECT consignment_id FROM consignment_delivery WHERE delivery_id = $1",
        letter.delivery_id,
    )
    for row in rows:
        await settling.settle(row["consignment_id"], broken("no_receipt"))
    await overdue.sweep()


SIGNALS: dict[str, tuple[Signal, str]] = {
    "mail_arrived": (mail_arrived, "delivered"),
    "mail_bounced": (mail_bounced, "queued"),
    "read_by_link": (read_by_link, "opened"),
    "acknowledged_by_link": (acknowledged_by_link, "acknowledged"),
    "stick": (brought_back_on_a_stick, "acknowledged"),
    "paper": (signed_on_paper, "acknowledged"),
    "given_up": (given_up, "failed"),
}
"""What can be heard of one delivery, and where it alone would lead."""

_RANK = ("queued", "failed", "delivered", "opened", "acknowledged")


async def a_letter(stage: Ways, tmp_path: Path) -> Letter:
    """One delivery that has been on three channels."""
    primary = await ways_stage.a_primary(
        stage, "email", "offline", "paper", email=f"{uuid.uuid4()}@example.org"
    )
    document_id = await ways_stage.a_letter(stage.clerk, stage.region, primary)
    await ways_stage.carry()
    (delivery,) = await db.rows("SELECT id FROM delivery WHERE recipient_id = $1", primary)
    mail = (await ways_stage.message_of(document_id))["id"]
    token = links.token_of(await db.value(
        "SELECT id FROM answer_link WHERE consignment_id = $1", mail
    ))  # fmt: skip
    await settling.settle(mail, broken("no_receipt"))
    await ways_stage.carry()
    await ways_stage.consign()
    await ways_stage.carry()
    packed = await packages.make(stage.clerk, primary, folder=tmp_path / str(primary))
    answers = packed.path.with_suffix(".answers")
    await answering.answer(reading.read(str(packed.path)).parsed()[0], answers,
                           person=Named("Иванова", "Анна"))  # fmt: skip
    stick = (await ways_stage.message_of(document_id, "offline"))["id"]
    await settling.settle(stick, broken("no_receipt"))
    await ways_stage.consign()
    await ways_stage.carry()
    assert await db.value("SELECT channel FROM delivery WHERE id = $1", delivery["id"]) == "paper"
    codes = await answer_codes.of_deliveries([delivery["id"]])
    return Letter(stage, document_id, delivery["id"], mail, token, codes[delivery["id"]], answers)


async def _check(letter: Letter, heard: tuple[str, ...]) -> None:
    expected = max((SIGNALS[name][1] for name in heard), key=_RANK.index)
    status = await db.value("SELECT status FROM delivery WHERE id = $1", letter.delivery_id)
    assert status == expected, heard
    told = await ways_stage.told(letter.delivery_id)
    for verb in ("delivery.delivered", "delivery.opened", "delivery.acknowledged"):
        assert told.count(verb) <= 1, (heard, told)
    await overdue.sweep()
    still = await db.value(
        """SELECT count(*) FROM consignment AS m JOIN consignment_delivery AS l
           ON l.consignment_id = m.id WHERE l.delivery_id = $1 AND l.outcome IS NULL""",
        letter.delivery_id,
    )
    assert still == (0 if _RANK.index(expected) >= _RANK.index("delivered") else 1), heard


@pytest.mark.slow
async def test_every_pair_in_every_order_and_everything_twice(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with relayed(monkeypatch, speaks_dsn=True) as relay:
        stage = await ways_stage.a_stage()
        number = 0
        for pair in itertools.product(SIGNALS, repeat=2):
            letter = await a_letter(stage, tmp_path)
            for name in (*pair, *pair):
                await SIGNALS[name][0](letter)
            await _check(letter, pair)
            number += 1
        assert number == len(SIGNALS) ** 2
        # each letter went out by e-mail once, whatever came back
        assert len(relay.took) == number


async def test_a_late_report_after_a_signed_slip_changes_nothing(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with relayed(monkeypatch, speaks_dsn=True):
        letter = await a_letter(await ways_stage.a_stage(), tmp_path)
        await signed_on_paper(letter)
        before = await ways_stage.told(letter.delivery_id)
        for late in (mail_arrived, mail_bounced, given_up, read_by_link, brought_back_on_a_stick):
            await late(letter)
        assert await ways_stage.told(letter.delivery_id) == before
        assert await arrivals_change_nothing(letter)


async def arrivals_change_nothing(letter: Letter) -> bool:
    """Neither an arrival nor an opening is recorded behind an acknowledgement."""
    before = await ways_stage.told(letter.delivery_id)
    await arrivals.arrived(letter.delivery_id, {})
    actor = letter.stage.clerk
    assert not await deliveries.opened_outside(actor, letter.delivery_id, data={})
    return before == await ways_stage.told(letter.delivery_id)
