"""The administrator: organizations, people, access, an import, trust, what is stuck, health."""

import re
import uuid
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from core import clock, db, jobs
from signatures.authority import create_authority
from tests import ground, twins
from tests.desks import PASSWORD, Desk, an_account, an_authenticator

pytestmark = [pytest.mark.browser, pytest.mark.slow]

TABLE = """code;kind;name;parent;email
{0};regional;Областная организация;{1};obl@example.org
{2};нечто;Без вида;{1};
"""
NEW = {"last_name": "Новикова", "first_name": "Анна"}
SHORT = "коротко"


async def test_a_day_of_the_administrator(desk: Any, tmp_path: Path) -> None:
    home, codes = await ground.an_organization("center"), {}
    for login in ("boss", "boss-second", "program", "program-second"):
        codes[login] = await an_authenticator(await an_account(login, home, "administrator"))
    roots = [create_authority("Удостоверяющий центр").certificate for _ in range(2)]
    boss, second = await desk(), await desk()
    await boss.log_in("boss", codes["boss"])
    await second.log_in("boss-second", codes["boss-second"])

    before = await twins.traces()
    union = await _an_organization(boss)
    await _a_person(boss, union)
    table = tmp_path / "Реестр.csv"
    table.write_text(TABLE.format("R-1", await _code(union), "R-2"), "utf-8")
    await _an_import(boss, table)
    root = tmp_path / "root.cer"
    root.write_bytes(roots[0].public_bytes(Encoding.DER))
    await _trust(boss, second, root)
    await _access(boss, await desk(), home)
    page = twins.made(before, await twins.traces())

    program = await twins.a_session("program", codes["program"])
    other = await twins.a_session("program-second", codes["program-second"])
    before = await twins.traces()
    await _over_http(program, other, home, roots[1].public_bytes(Encoding.DER))
    await _access_over_http(program, home)
    twins.same(page, twins.made(before, await twins.traces()))


async def test_what_is_stuck_is_tried_again(desk: Any) -> None:
    home = await ground.an_organization("center")
    one_time = await an_authenticator(await an_account("boss", home, "administrator"))
    boss: Desk = await desk()
    await boss.log_in("boss", one_time)
    stuck = await _stuck(home)
    before, queue = await twins.traces(), await twins.work()
    await _health(boss, *stuck)
    page = twins.made(before, await twins.traces())
    page_queue = twins.made(queue, await twins.work())

    await db.execute("DELETE FROM procrastinate_jobs")  # what waits already is not queued twice
    program = await twins.a_session("boss", one_time)
    stuck = await _stuck(home)
    before, queue = await twins.traces(), await twins.work()
    await _health_over_http(program, *stuck)
    twins.same(page, twins.made(before, await twins.traces()))
    twins.same(page_queue, twins.made(queue, await twins.work()))


async def _stuck(home: uuid.UUID) -> tuple[int, uuid.UUID]:
    """A job that failed, and a message a webhook's receiver has never taken."""
    await jobs.defer("notify.send_mail")
    job_id = await db.value(
        "UPDATE procrastinate_jobs SET status = 'failed', attempts = 3 RETURNING id"
    )
    webhook_id, message_id = clock.new_id(), clock.new_id()
    await db.execute(
        """INSERT INTO webhook (id, organization_id, url, secret, event_types, status, created_at)
           VALUES ($1, $2, 'https://example.org/hook', 'sealed', '{delivery.opened}', 'active',
                   $3)""",
        webhook_id, home, clock.now(),
    )  # fmt: skip
    await db.execute(
        """INSERT INTO webhook_message (id, webhook_id, event_type, body, status, attempts,
                                        last_error, created_at)
           VALUES ($1, $2, 'delivery.opened', '{}', 'failed', 8, 'answered 503', $3)""",
        message_id, webhook_id, clock.now(),
    )  # fmt: skip
    return int(job_id), message_id


async def _code(organization_id: uuid.UUID) -> str:
    return str(await db.value("SELECT code FROM organization WHERE id = $1", organization_id))


async def _an_organization(boss: Desk) -> uuid.UUID:
    page = boss.page
    await page.goto(boss.site + "/organizations")
    await boss.picture("administrator-organizations")
    await boss.follow(page.locator(".place a"))
    await page.click("#below ~ details summary")
    await page.fill("#name", "Профсоюз работников образования")
    await page.fill("#code", "U-1")
    await page.fill("#new_email", "union@example.org")
    await boss.picture("administrator-new-organization")
    await boss.follow(page.locator("button", has_text="Внести организацию"))
    assert "Организация внесена" in await page.inner_text(".message")
    return uuid.UUID(page.url.rpartition("/")[2])


async def _a_person(boss: Desk, organization_id: uuid.UUID) -> None:
    page = boss.page
    await page.click("summary:has-text('Внести человека')")
    await page.fill("#last_name", "Орлова")
    await page.fill("#first_name", "Мария")
    await page.select_option("#post", "chairman")
    await boss.follow(page.locator("button", has_text="Внести человека"))
    assert "Орлова Мария" in await page.inner_text("main")
    await boss.picture("administrator-people")
    assert str(organization_id) in page.url


async def _an_import(boss: Desk, table: Path) -> None:
    page = boss.page
    for mode, told in (("try", "Было бы внесено"), ("enter", "Внесено")):
        await page.goto(boss.site + "/organizations")
        await page.check(f"#{mode}")
        await page.set_input_files("#file", table)
        await boss.follow(page.locator("button", has_text="Прочитать файл"))
        assert told in await page.inner_text("#report")
        await boss.picture(f"administrator-import-{mode}")
    report = await page.inner_text("[aria-labelledby=report]")
    assert re.search(r"нов\w+: 1", report), report
    assert "вид" in report.split("нечто")[0].split(), report


async def _trust(boss: Desk, second: Desk, root: Path) -> None:
    page = boss.page
    await page.goto(boss.site + "/trust")
    await page.fill("#note", "Сверено по телефону")
    await page.set_input_files("#file", root)
    await boss.follow(page.locator("button", has_text="Предложить"))
    assert "другой администратор" in await page.inner_text("main")
    await boss.picture("administrator-trust-proposed")
    await second.page.goto(second.site + "/trust?status=proposed")
    await second.follow(second.page.locator("button.main", has_text="отпечаток"))
    assert "Удостоверяющий центр" in await second.page.inner_text(".list")
    await second.picture("administrator-trust")


async def _access(boss: Desk, invited: Desk, home: uuid.UUID) -> None:
    """An invitation by a link, an account made by it, the role taken away again."""
    page = boss.page
    await page.goto(f"{boss.site}/organizations/{home}")
    await boss.follow(page.locator("text=Роли и приглашения"))
    await page.select_option("#role", "clerk")
    await page.fill("#email", "novaya@example.org")
    await boss.follow(page.locator("button", has_text="Создать приглашение"))
    link = await page.input_value("#link")
    await boss.picture("administrator-invitation")
    new = invited.page
    await new.goto(invited.site + "/join/" + link.rpartition("/")[2])
    for name, text in (NEW | {"login": "novikova", "password": SHORT}).items():
        await new.fill(f"#{name}", text)
    await invited.follow(new.locator("main button"))
    assert "12" in await new.inner_text(".message.problem")
    await invited.picture("join-refused")
    await new.fill("#password", PASSWORD)
    await invited.follow(new.locator("main button"))
    await invited.log_in("novikova")
    assert await new.locator("nav >> text=Входящие").count() == 1
    await page.goto(f"{boss.site}/organizations/{home}/access")
    await boss.picture("administrator-access")
    await boss.follow(page.locator("tr", has_text="novikova").locator("button"))
    assert "Роль снята" in await page.inner_text(".message")


async def _health(boss: Desk, job_id: int, message_id: uuid.UUID) -> None:
    page = boss.page
    await page.goto(boss.site + "/stuck?kind=job")
    await boss.picture("administrator-stuck")
    await boss.follow(page.locator(f"form[action='/stuck/{job_id}/retry'] button"))
    await page.goto(boss.site + "/stuck?kind=webhook_failed")
    await boss.picture("administrator-stuck-messages")
    await boss.follow(page.locator(f"form[action$='/{message_id}/retry'] button"))
    assert "будет" in await page.inner_text(".message.done")
    await page.goto(boss.site + "/state")
    assert "Сервис работает" in await page.inner_text("main")
    await boss.picture("administrator-state")


async def _over_http(program: Any, other: Any, home: uuid.UUID, root: bytes) -> None:
    made = await twins.did(await program.post("/api/v1/organizations", json={
        "code": "U-2", "kind": "union", "name": "Профсоюз работников образования",
        "email": "union@example.org", "channels": ["internal", "email"],
        "parents": {"branch": str(home)},
    }))  # fmt: skip
    await twins.did(await program.post(
        f"/api/v1/organizations/{made['id']}/people",
        json={"last_name": "Орлова", "first_name": "Мария", "post": "chairman"},
    ))  # fmt: skip
    table = TABLE.format("R-3", made["code"], "R-4").encode()
    for dry_run in (True, False):
        await twins.did(await program.post(
            "/api/v1/organizations/import", params={"dry_run": dry_run}, content=table
        ))  # fmt: skip
    await twins.did(await program.post(
        "/api/v1/trust/anchors", params={"note": "Сверено по телефону"}, content=root
    ))  # fmt: skip
    (anchor,) = await twins.did(
        await other.get("/api/v1/trust/anchors", params={"status": "proposed"})
    )
    await twins.did(await other.post(f"/api/v1/trust/anchors/{anchor['id']}/confirm"))


async def _access_over_http(program: Any, home: uuid.UUID) -> None:
    at = f"/api/v1/organizations/{home}"
    made = await twins.did(await program.post("/api/v1/invitations", json={
        "organization_id": str(home), "role": "clerk", "email": "novaya@example.org",
    }))  # fmt: skip
    given = NEW | {"token": made["token"], "login": "novikova-second"}
    refused = await program.post("/api/v1/invitations/accept", json=given | {"password": SHORT})
    assert refused.status_code == 422
    await twins.did(
        await program.post("/api/v1/invitations/accept", json=given | {"password": PASSWORD})
    )
    await twins.a_session("novikova-second")
    held = await twins.did(await program.get(f"{at}/roles"))
    (grant_id,) = [one["id"] for one in held if one["login"] == "novikova-second"]
    await twins.did(await program.delete(f"{at}/roles/{grant_id}"))


async def _health_over_http(program: Any, job_id: int, message_id: uuid.UUID) -> None:
    at = "/api/v1/stuck"
    listed = await twins.did(await program.get(f"{at}/jobs"))
    assert [one["id"] for one in listed["items"]] == [job_id]
    await twins.did(await program.post(f"{at}/jobs/{job_id}/retry"))
    listed = await twins.did(await program.get(f"{at}/webhook_failed"))
    assert [one["id"] for one in listed["items"]] == [str(message_id)]
    await twins.did(await program.post(f"{at}/webhook_failed/{message_id}/retry"))
