"""Notices in PostgreSQL and by mail to a real SMTP server on loopback."""

import datetime
import email
import email.policy
import uuid
from collections.abc import AsyncIterator

import pytest

import notify.jobs  # noqa: F401 - declares the jobs that the worker runs
from core import clock, db
from core.actor import Actor
from core.jobs.worker import run_worker
from core.settings import settings
from notify import mail, notices
from notify.notice_kinds import NOTICE_KINDS, subjects_of, texts_of
from notify.notices import Post
from tests.mail_relay import Relay, relaying

DAY = datetime.date(2026, 12, 1)


@pytest.fixture
async def relay(database: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Relay]:
    async with relaying() as made:
        monkeypatch.setenv("SMTP_HOST", "127.0.0.1")
        monkeypatch.setenv("SMTP_PORT", str(made.port))
        monkeypatch.setenv("SMTP_SENDER", "docflow@federation.example")
        settings.cache_clear()
        yield made
    settings.cache_clear()


async def _organization(address: str = "") -> uuid.UUID:
    made = clock.new_id()
    await db.execute(
        """INSERT INTO organization (id, code, kind, name, email, opened_on, created_at, updated_at)
           VALUES ($1, $2, 'primary', 'ППО', $3, '2020-01-01', $4, $4)""",
        made, str(made), address, clock.now(),
    )  # fmt: skip
    return made


def _clerk(organization_id: uuid.UUID) -> Actor:
    return Actor(
        kind="user", id=clock.new_id(), organization_id=organization_id, roles=frozenset({"clerk"})
    )


async def _states() -> dict[str, str]:
    found = await db.rows(
        """SELECT o.email, n.email_status FROM notice AS n
           JOIN organization AS o ON o.id = n.organization_id"""
    )
    return {row["email"]: row["email_status"] for row in found}


def _due(organization_id: uuid.UUID) -> Post:
    return Post(
        organization_id, "due_today", ("delivery", clock.new_id()), DAY, {"due_on": "2026-12-01"}
    )


async def test_told_once_read_once(database: str) -> None:
    mine, other = await _organization("a@example.org"), await _organization()
    subject = ("delivery", clock.new_id())
    assert await notices.post(mine, "due_today", subject, DAY, {"due_on": "2026-12-01"})
    assert not await notices.post(mine, "due_today", subject, DAY, {"due_on": "2026-12-01"})
    assert await notices.post(mine, "due_today", subject, DAY + datetime.timedelta(days=1))
    assert await notices.post(mine, "recipient_ceased", subject)
    assert not await notices.post(mine, "recipient_ceased", subject)
    assert await notices.post(other, "due_today", subject, DAY)
    first = (await notices.unread(_clerk(mine)))[-1]
    assert "2026-12-01" in first.text_ru
    assert "2026-12-01" in first.text_en
    assert first.email_status == "none"
    assert len(await notices.unread(_clerk(mine))) == 3
    assert len(await notices.unread(_clerk(mine), limit=1)) == 1
    assert await notices.unread(_clerk(mine), after=first.id) == []
    assert await notices.mark_read(_clerk(other), [first.id]) == 0
    assert await notices.mark_read(_clerk(mine), [first.id, first.id]) == 1
    assert await notices.mark_read(_clerk(mine), [first.id]) == 0
    assert len(await notices.unread(_clerk(mine))) == 2
    with pytest.raises(LookupError):
        await notices.post(mine, "nonsense", subject)


async def test_many_in_one_statement(relay: Relay) -> None:
    organizations = [await _organization(f"p{n}@example.org") for n in range(5)]
    posts = [_due(one) for one in organizations] * 2
    assert await notices.post_many(posts) == 5
    assert await notices.post_many(posts) == 0
    assert await notices.post_many([]) == 0
    assert await db.value("SELECT count(*) FROM procrastinate_jobs") == 1


def test_every_kind_has_both_languages_and_bears_missing_data() -> None:
    for kind in NOTICE_KINDS:
        for text in (*texts_of(kind, {}), *subjects_of(kind)):
            assert text
            assert "{" not in text
        assert len({*subjects_of(kind)}) == 2


async def test_letter_goes_out_with_the_right_headers(relay: Relay) -> None:
    await notices.post_many([_due(await _organization("ppo@example.org"))])
    await run_worker(once=True)
    ((sender, recipient, content),) = relay.took
    assert "<docflow@federation.example>" in sender
    assert recipient == "ppo@example.org"
    letter = email.message_from_bytes(content, policy=email.policy.default)
    (found,) = await db.rows("SELECT * FROM notice")
    assert letter["Message-ID"] == f"<notice.{found['id']}@federation.example>"
    assert letter["Auto-Submitted"] == "auto-generated"
    assert letter["To"] == "ppo@example.org"
    assert "Сегодня истекает срок" in letter["Subject"]
    assert letter.get_content_type() == "text/plain"
    assert "2026-12-01" in letter.get_content()
    assert settings().public_url in letter.get_content()
    assert (found["email_status"], found["email_next_at"], found["email_error"]) == (
        "sent", None, None,
    )  # fmt: skip
    await run_worker(once=True)
    assert len(relay.took) == 1
    assert content == mail.letter(
        notice_id=found["id"], kind=found["kind"], data=found["data"],
        created_at=found["created_at"], to="ppo@example.org",
    ).as_bytes()  # fmt: skip


async def test_without_relay_or_address_nothing_waits(relay: Relay) -> None:
    await notices.post_many([_due(await _organization("")), _due(clock.new_id())])
    mailed = await _organization("late@example.org")
    await notices.post_many([_due(mailed)])
    host, settings_now = "SMTP_HOST", settings().smtp
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(host, "")
        settings.cache_clear()
        await notices.post_many([_due(await _organization("x@example.org"))])
        assert await mail.send_waiting() == 0
    settings.cache_clear()
    assert settings().smtp == settings_now
    assert set((await _states()).values()) == {"none"}
    assert relay.took == []


async def test_refused_for_good_and_for_now(relay: Relay) -> None:
    relay.refuses = {
        "no@example.org": "550 no such user no@example.org",
        "later@example.org": "451 greylisted",
    }
    names = ("no@example.org", "later@example.org", "yes@example.org")
    await notices.post_many([_due(await _organization(name)) for name in names])
    await run_worker(once=True)
    assert await _states() == {
        "no@example.org": "failed", "later@example.org": "waiting", "yes@example.org": "sent",
    }  # fmt: skip
    errors = await db.rows("SELECT email_error FROM notice WHERE email_error IS NOT NULL")
    assert {row["email_error"] for row in errors} == {"550 no such user …", "451 greylisted"}
    assert relay.connections == 1
    relay.refuses = {}
    assert await mail.send_waiting() == 0
    due = await db.value("SELECT scheduled_at FROM procrastinate_jobs WHERE status = 'todo'")
    assert due == await db.value("SELECT min(email_next_at) FROM notice")
    with clock.frozen(clock.now() + datetime.timedelta(minutes=2)):
        assert await mail.send_waiting() == 1
    assert (await _states())["later@example.org"] == "sent"


async def test_relay_that_breaks_off_or_is_down_loses_nothing(relay: Relay) -> None:
    names = [f"p{n}@example.org" for n in range(3)]
    relay.refuses = dict.fromkeys(names, "421 shutting down")
    await notices.post_many([_due(await _organization(name)) for name in names])
    assert await mail.send_waiting() == 0
    assert set((await _states()).values()) == {"waiting"}
    relay.refuses = {}
    at = clock.now() + datetime.timedelta(minutes=5)
    with clock.frozen(at):
        assert await mail.send_waiting() == 3
    async with relaying() as gone:
        pass
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SMTP_PORT", str(gone.port))
        settings.cache_clear()
        await notices.post_many([_due(await _organization("down@example.org"))])
        assert await mail.send_waiting() == 0
        assert (await _states())["down@example.org"] == "waiting"
        with clock.frozen(clock.now() + datetime.timedelta(days=3)):
            assert await mail.send_waiting() == 0
        assert (await _states())["down@example.org"] == "failed"
        said = await db.value("SELECT email_error FROM notice WHERE email_status = 'failed'")
        assert said.startswith("given up: connection")
    settings.cache_clear()


HOSTILE = [
    "a@example.org\r\nBcc: victim@example.org",
    "a@example.org\nSubject: x",
    "a@example.org, victim@example.org",
    "a@example.org>\r\nRCPT TO:<victim@example.org",
    "<a@example.org>",
    "Имя <a@example.org>",
    "a b@example.org",
    '"a\r\nb"@example.org',
    "a@exa mple.org",
    "a@",
    "@example.org",
    "a@@example.org",
    "профком@example.org",
    "a" * 70 + "@example.org",
    "a@" + "b" * 70 + ".org",
    "a@.org",
    "a@example.org\x00",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_address_is_no_address(text: str) -> None:
    assert mail.address_of(text) is None


def test_address_with_a_cyrillic_domain() -> None:
    assert mail.address_of(" ppo@профсоюз.рф ") == "ppo@xn--g1anacfhu6f.xn--p1ai"


async def test_hostile_address_reaches_no_relay(relay: Relay) -> None:
    for address in HOSTILE[:6]:
        await notices.post_many([_due(await _organization(address))])
    await notices.post_many([_due(await _organization("good@example.org"))])
    await run_worker(once=True)
    assert [recipient for _, recipient, _ in relay.took] == ["good@example.org"]
    assert not any("victim" in line for line in relay.lines)
    states = await _states()
    assert states.pop("good@example.org") == "sent"
    assert set(states.values()) == {"failed"}


async def test_hostile_data_cannot_reach_the_headers(relay: Relay) -> None:
    data = {"host": "x\r\nBcc: victim@example.org\r\n.\r\nMAIL FROM:<x@y>"}
    post = Post(await _organization("a@example.org"), "webhook_disabled",
                ("webhook", clock.new_id()), DAY, data)  # fmt: skip
    await notices.post_many([post])
    await run_worker(once=True)
    ((_, recipient, content),) = relay.took
    letter = email.message_from_bytes(content, policy=email.policy.default)
    assert recipient == "a@example.org"
    assert letter["Bcc"] is None
    assert letter["Subject"] == " / ".join(subjects_of("webhook_disabled"))
