"""Pages of messages and of stuck things, as a clerk sees them and acts on them."""

import httpx
from test_web import client, signed_in

from core import db
from docflow.routing import prolongations
from tests import ground, people

__all__ = ["client"]


async def test_a_clerk_sees_what_is_stuck_and_tries_again(client: httpx.AsyncClient) -> None:
    clerk = await signed_in(client, "clerk")
    to = await ground.an_organization("primary", channel="pigeon")
    document_id = await ground.a_sent(clerk, to)
    delivery_id = await ground.delivery_to(document_id, to)
    assert "Ничего не застряло" in (await client.get("/stuck")).text
    await db.execute(
        "UPDATE delivery SET status = 'failed', reason = 'no_roof: крыши нет' WHERE id = $1",
        delivery_id,
    )
    shown = (await client.get("/stuck?kind=delivery_failed")).text
    assert "крыши нет" in shown
    form = {"_csrf": client.cookies["docflow_csrf"]}
    answer = await client.post(f"/stuck/delivery_failed/{delivery_id}/retry", data=form)
    assert answer.status_code == 303
    assert await db.value("SELECT status FROM delivery WHERE id = $1", delivery_id) == "queued"


async def test_a_clerk_sees_messages_and_grants_a_prolongation(client: httpx.AsyncClient) -> None:
    clerk = await signed_in(client, "clerk")
    to = await ground.an_organization("primary")
    document_id = await ground.a_sent(clerk, to, deadlines={"primary": people.in_days(5)})
    delivery_id = await ground.delivery_to(document_id, to)
    await db.execute(
        """WITH made AS (
               INSERT INTO consignment (id, document_id, sender_id, channel, target, status,
                                        next_attempt_at, error_code, error, limit_at, attempts,
                                        created_at, updated_at)
               VALUES (uuidv7(), $1, $2, 'email', 'x', 'waiting', now() + interval '1 hour',
                       'mail_postponed', 'ящик занят', now() + interval '7 days', 2, now(), now())
               RETURNING id)
           INSERT INTO consignment_delivery (consignment_id, delivery_id)
           SELECT id, $3 FROM made""",
        document_id, clerk.home_id, delivery_id,
    )  # fmt: skip
    await prolongations.ask(
        await people.clerk_of(to), delivery_id, until=people.in_days(9), reason="Ждём данные"
    )
    page = (await client.get(f"/documents/{document_id}/messages")).text
    assert "ящик занят" in page
    assert "Следующая попытка" in page
    assert (
        f"/documents/{document_id}/messages"
        in (await client.get(f"/documents/{document_id}/control")).text
    )
    form = {"_csrf": client.cookies["docflow_csrf"]}
    asked, message = await db.value("SELECT id FROM prolongation"), await db.value(
        "SELECT id FROM consignment"
    )  # fmt: skip
    for path in (f"prolongations/{asked}/grant", f"{message}/retry"):
        answer = await client.post(f"/documents/{document_id}/messages/{path}", data=form)
        assert answer.status_code == 303
    assert await db.value("SELECT due_on FROM delivery") == people.in_days(9)
    assert await db.value("SELECT next_attempt_at FROM consignment") is None
