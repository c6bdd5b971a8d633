"""Every reading route answers 200 with its struct on real data: rows and wire agree."""

from core import db
from directory import dataset
from directory.selection import Selector
from docflow.documents import cards, files, registration, signing
from docflow.routing import dispatch, inbox, relay
from tests import ground, people


async def _a_sent_circular(union: dataset.Dataset) -> tuple[people.Actor, object]:
    await people.give_key(union.health_union_id)
    clerk = await people.clerk_of(union.health_union_id, "clerk", "signatory", "administrator")
    document_id = await cards.create(clerk, card=cards.CardInput(kind="circular", title="Письмо"))
    await files.attach(
        clerk, document_id, stream=people.stream(await people.a_letter()), file_name="п.pdf"
    )
    await signing.seal(clerk, document_id)
    await registration.register(clerk, document_id)
    await dispatch.send(
        clerk, document_id,
        wanted=dispatch.DispatchInput(
            selector=Selector(subtree_of=union.health_union_id), mode="chancery",
            deadlines={"regional": people.in_days(3)},
        ),
    )  # fmt: skip
    region = await people.clerk_of(union.relay_regional_id)
    await relay.pass_on(region, (await inbox.inbox(region))[0]["id"])
    return clerk, document_id


async def test_reading_routes_answer(database: str) -> None:
    union = dataset.generate("S")
    await dataset.load(union)
    clerk, document_id = await _a_sent_circular(union)
    file_id = await db.value(
        "SELECT id FROM document_file WHERE document_id = $1 AND is_current", document_id
    )
    document, place = f"/documents/{document_id}", f"/organizations/{union.relay_regional_id}"
    chairmen = {"organizations": {"kinds": ["regional"]}, "posts": ["chairman"]}
    async with ground.api(clerk) as client:
        for path in (
            "/documents/", "/documents/?q=Письмо&limit=1", "/documents/kinds", document,
            f"{document}/events", f"{document}/control", f"{document}/deliveries?limit=200",
            f"{document}/silent", f"{document}/roll-up", f"{document}/hops", "/deliveries/",
            "/deliveries/?box=due&q=Письмо", "/deliveries/counts", "/journals/",
            f"/files/{file_id}/content", "/organizations/?q=Иркутск", place,
            f"{place}/superiors", f"{place}/people?purpose=control", "/me", "/webhooks",
            "/notices",
        ):  # fmt: skip
            answer = await client.get(f"/api/v1{path}")
            assert answer.status_code == 200, (path, answer.text)
        found = await client.post("/api/v1/people/find?purpose=control", json=chairmen)
        assert found.status_code == 200, found.text
        assert {line["post"] for line in found.json()} == {"chairman"}
        named = (await client.get(f"/api/v1{place}/people?purpose=control")).json()
        assert named[0]["last_name"]
        counted = await client.post("/api/v1/organizations/select", json={"kinds": ["regional"]})
        assert counted.json()["counts"]["total"] == 9
        logged = await db.value("SELECT sum(count) FROM read_log WHERE purpose = 'control'")
        assert logged > 0
