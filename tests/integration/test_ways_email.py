"""Documents by e-mail: letters to a real relay, reports from a real folder, links that end."""

import email
import email.policy
import uuid
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from core import clock, db
from core.errors import Conflict, InvalidInput, NotFound, TooManyRequests
from core.settings import settings
from docflow.routing import dispatch, lines, settling
from docflow.routing.carriage import Carried, Consignment
from docflow.routing.email import links, reading, receiving, sending
from tests import ways_stage
from tests.mail_relay import Relay, relayed
from tests.ways_stage import Ways


@pytest.fixture
async def relay(database: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Relay]:
    sender = "docflow@federation.example"
    async with relayed(monkeypatch, speaks_dsn=True, SMTP_SENDER=sender) as made:
        yield made


@pytest.fixture
async def stage(relay: Relay) -> Ways:
    return await ways_stage.a_stage()


def _read(raw: bytes) -> email.message.EmailMessage:
    return email.message_from_bytes(raw, policy=email.policy.default)


def _again(row: db.Row, delivery: db.Row, attempt: int) -> Consignment:
    return Consignment(
        id=row["id"], channel="email", target=row["target"], document_id=row["document_id"],
        sender_id=row["sender_id"], priority=0, attempt=attempt, created_at=row["created_at"],
        limit_at=row["limit_at"], deliveries=(Carried(delivery["id"], delivery["recipient_id"]),),
    )  # fmt: skip


async def test_a_letter_goes_out_once_under_one_id(stage: Ways, relay: Relay) -> None:
    primary = await ways_stage.a_primary(stage, "email", "paper", email="ppo@example.org")
    document_id = await ways_stage.a_letter(stage.clerk, primary)
    await ways_stage.carry()
    row, delivery = (
        await ways_stage.message_of(document_id),
        await ways_stage.delivery_of(document_id),
    )
    assert (row["status"], delivery["status"]) == ("sent", "queued")
    (sender, to, raw) = relay.took[0]
    assert to == "ppo@example.org"
    assert f"ENVID={row['id']}" in sender
    assert any("NOTIFY=SUCCESS,FAILURE,DELAY" in line for line in relay.lines)
    letter = _read(raw)
    assert letter["Message-ID"] == f"<c.{row['id']}@federation.example>"
    assert "/r/" in letter.get_content()
    # the receipt was lost and the letter goes again: byte for byte the same
    await sending.send(_again(row, delivery, 2))
    assert relay.took[1][2] == raw


async def test_files_go_along_where_it_is_set(
    stage: Ways, relay: Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAIL_DOCUMENTS", "attach")
    settings.cache_clear()
    primary = await ways_stage.a_primary(stage, "email", email="ppo@example.org")
    document_id = await ways_stage.a_letter(stage.clerk, primary)
    await ways_stage.carry()
    letter = _read(relay.took[0][2])
    (attached,) = letter.iter_attachments()
    assert attached.get_content() == ways_stage.BODY
    row, delivery = (
        await ways_stage.message_of(document_id),
        await ways_stage.delivery_of(document_id),
    )
    await sending.send(_again(row, delivery, 2))
    assert relay.took[1][2] == relay.took[0][2]


async def test_only_a_report_says_that_it_was_delivered(
    stage: Ways, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    box = tmp_path / "box"
    (box / "new").mkdir(parents=True)
    monkeypatch.setenv("MAIL_IN", str(box))
    settings.cache_clear()
    primary = await ways_stage.a_primary(stage, "email", "paper", email="ppo@example.org")
    document_id = await ways_stage.a_letter(stage.clerk, primary)
    await ways_stage.carry()
    uid = (await ways_stage.message_of(document_id))["id"]
    raw = ways_stage.report(uid, "delivered", "2.0.0")
    for name, data in (
        ("1", ways_stage.report(uid, "delayed", "4.4.1")), ("2", raw), ("3", raw),
        ("4", ways_stage.report(uid, "failed", "5.1.1")),
        ("5", ways_stage.report(uuid.uuid4(), "delivered", "2.0.0")),
        ("6", b"From: chairman@example.org\r\nSubject: Re\r\n\r\nThank you"),
        ("7", b"From: a@b.example\r\nAuto-Submitted: auto-replied\r\n\r\nI am away"),
    ):  # fmt: skip
        (box / "new" / name).write_bytes(data)
    assert await receiving.poll() == {
        "noted": 1, "delivered": 1, "known": 1, "failed": 1, "unmatched": 1, "letter": 1,
        "auto_reply": 1,
    }  # fmt: skip
    assert list((box / "new").iterdir()) == []
    assert len(list((tmp_path / "box.letters").glob("*/6"))) == 1
    assert len(list((tmp_path / "box.unread").glob("*/5"))) == 1
    delivery = await ways_stage.delivery_of(document_id)
    assert delivery["status"] == "delivered"
    assert (await ways_stage.told(delivery["id"])).count("delivery.delivered") == 1
    assert (await ways_stage.message_of(document_id))["status"] == "done"


async def test_a_bounce_takes_the_next_channel_and_marks_the_address(stage: Ways) -> None:
    primary = await ways_stage.a_primary(stage, "email", "paper", email="gone@example.org")
    document_id = await ways_stage.a_letter(stage.clerk, primary)
    await ways_stage.carry()
    uid = (await ways_stage.message_of(document_id))["id"]
    # a server that drops the envelope id and quotes the headers only
    taken = await receiving.take(ways_stage.report(None, "failed", "5.1.1", quoted=uid))
    assert taken.effect == "failed"
    await ways_stage.carry()
    delivery = await ways_stage.delivery_of(document_id)
    assert (delivery["status"], delivery["channel"]) == ("queued", "paper")
    other = await ways_stage.a_registered(stage.clerk)
    wanted = dispatch.DispatchInput(selector=lines.only([primary]))
    plan = await dispatch.plan(stage.clerk, other, wanted=wanted)
    assert plan.by_channel == {"paper": 1}
    (line,) = plan.recipients
    assert line["ways"][0] == {"channel": "email", "reason": "email_faulty"}
    assert "не доходит" in line["why_ru"]
    # a new address in the card starts afresh
    await db.execute("UPDATE organization SET email = 'new@example.org' WHERE id = $1", primary)
    assert (await dispatch.plan(stage.clerk, other, wanted=wanted)).by_channel == {"email": 1}


@pytest.mark.parametrize(
    ("answer", "message", "channel"),
    [("550 5.1.1 no such user", "void", "paper"), ("450 4.2.0 greylisted", "waiting", "email")],
)
async def test_what_the_relay_refuses(
    stage: Ways, relay: Relay, answer: str, message: str, channel: str
) -> None:
    relay.refuses["ppo@example.org"] = answer
    primary = await ways_stage.a_primary(stage, "email", "paper", email="ppo@example.org")
    document_id = await ways_stage.a_letter(stage.clerk, primary)
    await ways_stage.carry()
    row, delivery = (
        await ways_stage.message_of(document_id),
        await ways_stage.delivery_of(document_id),
    )
    assert (row["status"], delivery["channel"]) == (message, channel)
    if message == "waiting":
        assert row["next_attempt_at"] > clock.now()
        assert row["error_code"] == "mail_postponed"


async def test_a_restricted_document_never_goes_by_mail(stage: Ways, relay: Relay) -> None:
    primary = await ways_stage.a_primary(stage, "email", "offline", email="ppo@example.org")
    document_id = await ways_stage.a_letter(stage.clerk, primary, mark="dsp")
    await ways_stage.carry()
    assert relay.took == []
    assert (await ways_stage.delivery_of(document_id))["channel"] == "paper"
    # nor when the mark is set while the letter waits
    later = await ways_stage.a_letter(stage.clerk, primary)
    await db.execute("UPDATE document SET mark = 'dsp' WHERE id = $1", later)
    await ways_stage.carry()
    assert relay.took == []
    assert (await ways_stage.delivery_of(later))["status"] == "failed"


async def _sent(stage: Ways) -> tuple[str, db.Row, uuid.UUID]:
    primary = await ways_stage.a_primary(stage, "email", "paper", email="ppo@example.org")
    document_id = await ways_stage.a_letter(stage.clerk, primary)
    await ways_stage.carry()
    row, delivery = (
        await ways_stage.message_of(document_id),
        await ways_stage.delivery_of(document_id),
    )
    address, _ = await links.issue(row["id"], delivery["id"])
    return address.rpartition("/")[2], delivery, row["id"]


async def test_a_link_shows_the_document_first_takes_one_answer_and_ends(stage: Ways) -> None:
    token, delivery, _ = await _sent(stage)
    seen = await reading.look(token)
    assert (seen.is_read, seen.is_used, seen.status) == (False, False, "queued")
    (chairman,) = seen.people
    with pytest.raises(Conflict) as refused:
        await reading.acknowledge(token, person_id=chairman["id"])
    assert refused.value.error_code == "document_not_read"
    _, stream = await reading.open_file(token, seen.contents.files[0]["id"])
    assert b"".join([chunk async for chunk in stream]) == ways_stage.BODY
    assert (await ways_stage.delivery_of(seen.contents.document_id))["status"] == "opened"
    with pytest.raises(InvalidInput) as stranger:
        await reading.acknowledge(token, person_id=uuid.uuid4())
    assert stranger.value.error_code == "person_not_there"
    await reading.acknowledge(token, person_id=chairman["id"])
    with pytest.raises(Conflict) as used:
        await reading.acknowledge(token, person_id=chairman["id"])
    assert used.value.error_code == "link_used"
    found = await ways_stage.delivery_of(seen.contents.document_id)
    assert (found["status"], found["acknowledged_by"]) == ("acknowledged", chairman["id"])
    assert await ways_stage.told(delivery["id"]) == [
        "delivery.made", "delivery.delivered", "delivery.opened", "delivery.acknowledged",
    ]  # fmt: skip


async def test_links_that_do_not_hold(stage: Ways) -> None:
    token, delivery, _ = await _sent(stage)
    forged = links.token_of(uuid.uuid4())
    for wrong in ("", "x", token[:-2], token[:-1] + ("A" if token[-1] != "A" else "B"), forged,
                  "ё" * 43, token * 40):  # fmt: skip
        with pytest.raises(NotFound) as refused:
            await reading.look(wrong)
        assert refused.value.error_code == "link_invalid"
    await db.execute(
        "UPDATE answer_link SET expires_at = $2 WHERE delivery_id = $1",
        delivery["id"], clock.now() - timedelta(seconds=1),
    )  # fmt: skip
    with pytest.raises(NotFound) as late:
        await reading.look(token)
    assert late.value.error_code == "link_expired"


async def test_a_link_is_answered_so_often_and_no_more(stage: Ways) -> None:
    token, _, _ = await _sent(stage)
    for _ in range(links.PER_MINUTE):
        await reading.look(token)
    with pytest.raises(TooManyRequests):
        await reading.look(token)
    await db.execute("UPDATE answer_link SET asked_since = asked_since - interval '2 minutes'")
    await reading.look(token)


async def test_a_recalled_document_is_not_shown(stage: Ways) -> None:
    token, delivery, uid = await _sent(stage)
    await db.execute("UPDATE delivery SET status = 'void' WHERE id = $1", delivery["id"])
    with pytest.raises(NotFound) as refused:
        await reading.look(token)
    assert refused.value.error_code == "document_recalled"
    await settling.settle(uid, sending.broken("late"))
