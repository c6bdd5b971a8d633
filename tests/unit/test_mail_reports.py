"""What comes into the mailbox: reports of several servers, robots, people, and rubbish."""

import random
import uuid
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from core.sandbox.errors import HostileInput
from docflow.gateways.email import reports
from docflow.gateways.email.letters import Attachment, Letter, composed, message_id, uid_in
from docflow.gateways.email.reports import MailReport
from tests.ways_stage import report

UID = uuid.UUID("019a0000-0000-7000-8000-000000000001")


@pytest.mark.parametrize("action", ["delivered", "failed", "delayed", "relayed", "expanded"])
def test_standard_reports(action: str) -> None:
    read = reports.read(report(UID, action, "5.1.1"))
    assert (read.kind, read.uid, read.action, read.status) == ("report", UID, action, "5.1.1")
    assert "example.org" not in read.said
    assert "no such user" in read.said


def test_a_report_that_only_quotes_the_headers() -> None:
    assert reports.read(report(None, "failed", "5.2.2", quoted=UID)).uid == UID


def test_one_of_several_recipients_got_it() -> None:
    """A list behind the address: delivered to one is delivered."""
    raw = report(UID, "failed", "5.1.1").replace(
        b"Final-Recipient",
        b"Final-Recipient: rfc822; b@example.org\r\nAction: delivered\r\nStatus: 2.0.0\r\n\r\n"
        b"Final-Recipient",
    )
    assert reports.read(raw).action == "delivered"


def test_a_bounce_in_words_of_an_old_server() -> None:
    raw = (
        "From: MAILER-DAEMON@old.example\r\nSubject: failure notice\r\n\r\n"
        "Hi. I was not able to deliver your message.\r\n<ppo@example.org>:\r\n"
        "550 5.1.1 unknown user\r\n--- Below this line is a copy of the message.\r\n"
        f"Message-ID: {message_id(UID, 'a@b.example')}\r\n"
    ).encode()
    read = reports.read(raw)
    assert (read.kind, read.uid, read.action, read.status) == ("report", UID, "failed", "5.1.1")


def test_a_person_who_writes_of_an_error_code_is_no_bounce() -> None:
    raw = (
        "From: Anna <anna@example.org>\r\nSubject: Re: 550\r\n"
        f"In-Reply-To: {message_id(UID, 'a@b.example')}\r\n\r\n550 5.1.1 what does this mean?"
    ).encode()
    read = reports.read(raw)
    assert (read.kind, read.uid, read.action) == ("letter", UID, None)


def test_robots_that_are_away() -> None:
    raw = b"From: a@b.example\r\nAuto-Submitted: auto-replied (vacation)\r\n\r\nI am away"
    assert reports.read(raw).kind == "auto_reply"


def _nested(depth: int) -> bytes:
    head = b"".join(
        b'Content-Type: multipart/mixed; boundary="b%d"\r\n\r\n--b%d\r\n' % (n, n)
        for n in range(depth)
    )
    return b"From: MAILER-DAEMON@x.example\r\n" + head + b"\r\nbody"


@pytest.mark.parametrize(
    "raw",
    [
        b"", b"\x00" * 1000, b"\xff\xfe" * 500, b"From: x\r\n" * 20_000, _nested(50),
        b"Content-Type: text/plain; charset=no-such-thing\r\nFrom: MAILER-DAEMON@x\r\n\r\n\xff550 ",
        b"Content-Type: multipart/report; report-type=delivery-status; boundary=\r\n\r\n--\r\n",
        b"Content-Type: message/delivery-status\r\n\r\nAction: failed\r\n",
        b"Content-Transfer-Encoding: base64\r\nFrom: mailer-daemon@x\r\n\r\n====",
    ],
    ids=range(9),
)  # fmt: skip
def test_rubbish_is_read_or_refused(raw: bytes) -> None:
    read = reports.read(raw)
    assert read.uid is None


@pytest.mark.parametrize("raw", [_nested(400), b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
                                 + b"--b\r\n\r\nx\r\n" * 5000])  # fmt: skip
def test_what_is_built_to_harm_is_refused(raw: bytes) -> None:
    with pytest.raises(HostileInput) as refused:
        reports.read(raw)
    assert refused.value.error_code == "mail_unreadable"


def test_changed_reports_never_crash_the_reader() -> None:
    dice = random.Random(7)  # noqa: S311 - the same changes each time
    whole = report(UID, "failed", "5.1.1", quoted=UID)
    for _ in range(400):
        raw = bytearray(whole)
        for _ in range(dice.randrange(1, 12)):
            raw[dice.randrange(len(raw))] = dice.randrange(256)
        cut = bytes(raw[: dice.randrange(len(raw))]) if dice.random() < 0.3 else bytes(raw)
        with suppress(HostileInput):
            assert isinstance(reports.read(cut), MailReport)


def _letter(**more: object) -> Letter:
    return Letter(
        uid=UID, sender="docflow@federation.example", to="ppo@example.org",
        organization="Профсоюз", title="О совещании", number="01-12/345", day="20.11.2026",
        created_at=datetime(2026, 11, 22, 10, tzinfo=UTC), **more,  # type: ignore[arg-type]
    )  # fmt: skip


def test_a_letter_is_the_same_for_every_try_and_takes_no_header_from_a_title() -> None:
    attached = Attachment("письмо\r\nX: y.pdf", "application/pdf", b"%PDF" * 100)
    letter = _letter(attachments=(attached,), link="https://docflow.test/r/abc", code="482 1930")
    assert composed(letter) == composed(letter)
    evil = composed(_letter(due_on="", code="")).decode()
    assert "Bcc" not in evil
    wicked = replace(_letter(), title="О деле\r\nBcc: all@example.org", number="1\r\n\r\nbody")
    head = composed(wicked).partition(b"\r\n\r\n")[0]
    assert b"\nBcc" not in head
    assert head.count(b"Message-ID") == 1
    assert uid_in(composed(letter).decode("latin-1")) == UID
