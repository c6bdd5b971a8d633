"""Coverage: every primary of the demo registry is reached, and the report says by what."""

import csv
import io
from dataclasses import replace

import pytest

from core import db
from core.actor import RULE
from core.settings import settings
from directory import dataset, organizations
from docflow.routing import coverage, dispatch, lines
from tests import ground, people, ways_stage


@pytest.mark.slow
async def test_the_demo_registry(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMTP_HOST", "127.0.0.1")
    settings.cache_clear()
    made = dataset.generate("M")
    await dataset.load(made)
    center = await db.value("SELECT id FROM organization WHERE kind = 'center'")
    union = await people.clerk_of(made.health_union_id)
    found = await coverage.totals(union, kinds=["primary"])
    assert found["total"] >= 7555 - 200  # some were merged over the years
    assert sum(found["by_way"].values()) == found["total"] == found["reachable"]
    shares = {way: number / found["total"] for way, number in found["by_way"].items()}
    assert shares["voice"] == pytest.approx(0.12, abs=0.015)
    assert shares["paper"] == pytest.approx(0.03, abs=0.01)
    assert sum(found["by_region"]["38"].values()) > 0
    table = (await coverage.as_csv(union, kinds=["primary"])).decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(table), delimiter=";"))
    assert len(rows) == found["total"] + 1
    everybody = await coverage.totals(RULE.acting_for(center))
    assert everybody["total"] > found["total"]
    settings.cache_clear()


async def test_what_is_missing_is_named(database: str) -> None:
    stage = await ways_stage.a_stage()
    lost = await ways_stage.a_primary(stage, "email", "voice")
    phoned = await ways_stage.a_primary(stage, "email", "voice", phone="+7 1")
    inside = await ways_stage.a_primary(stage, "internal", "email")
    found = await coverage.totals(stage.clerk, kinds=["primary"])
    assert (found["total"], found["reachable"], found["no_account"]) == (3, 2, 1)
    assert found["by_way"] == {"nobody": 1, "voice": 1, "internal": 1}
    (line,) = await coverage.listed(stage.clerk)
    assert line["id"] == lost
    # this test's installation has no relay, so e-mail is no way for anybody
    assert line["ways"] == [
        {"channel": "email", "reason": "not_set_up"}, {"channel": "voice", "reason": "no_phone"},
    ]  # fmt: skip
    (line,) = await coverage.listed(stage.clerk, case="no_account", kinds=["primary"])
    assert line["id"] == inside
    # a dispatch takes what the report says, and paper for who has nothing
    document_id = await ways_stage.a_registered(stage.clerk)
    wanted = dispatch.DispatchInput(selector=lines.only([lost, phoned, inside]))
    plan = await dispatch.plan(stage.clerk, document_id, wanted=wanted)
    assert plan.by_channel == {"paper": 1, "voice": 1, "internal": 1}
    why = {row["id"]: row["why_ru"] for row in plan.recipients}
    assert why[phoned] == "email: канал не настроен в этой установке"
    assert why[inside] == ""


async def test_who_changed_the_order_and_when(database: str) -> None:
    stage = await ways_stage.a_stage()
    primary = await ways_stage.a_primary(stage, "internal")
    administrator = replace(stage.clerk, roles=frozenset({"administrator", "clerk"}))
    for changes in ({"channels": ["paper", "voice"], "phone": "+7 2"}, {"name": "ППО"},
                    {"channels": ["offline", "paper"]}):  # fmt: skip
        await organizations.update(administrator, organization_id=primary, changes=changes)
    last, first = await coverage.history(administrator, primary)
    assert (last["before"], last["after"]) == (
        {"channels": ["paper", "voice"]}, {"channels": ["offline", "paper"]},
    )  # fmt: skip
    assert first["after"] == {"channels": ["paper", "voice"], "phone": "+7 2"}


async def test_over_http(database: str) -> None:
    stage = await ways_stage.a_stage()
    primary = await ways_stage.a_primary(stage, "paper")
    clerk = replace(stage.clerk, roles=frozenset({"administrator", "clerk"}))
    async with ground.api(clerk) as client:
        found = (await client.get("/api/v1/coverage?kind=primary")).json()
        assert found["by_way"] == {"paper": 1}
        assert (await client.get("/api/v1/coverage?kind=planet")).status_code == 422
        assert (await client.get("/api/v1/coverage/organizations?case=x")).status_code == 422
        table = await client.get("/api/v1/coverage/organizations.csv")
        assert table.headers["content-type"].startswith("text/csv")
        history = await client.get(f"/api/v1/coverage/organizations/{primary}/history")
        assert history.json() == []
        (rule,) = (await client.get("/api/v1/coverage/rules")).json()
        assert (rule["mark"], "email" in rule["channels"]) == ("dsp", True)
        # a package over HTTP, there and back
        await db.execute("UPDATE organization SET channels = '{offline}' WHERE id = $1", primary)
        await ways_stage.a_letter(stage.clerk, primary)
        await ways_stage.carry()
        (waiting,) = (await client.get("/api/v1/offline/waiting")).json()
        assert (waiting["id"], waiting["documents"]) == (str(primary), 1)
        made = await client.post(
            "/api/v1/offline/packages", json={"organization_id": str(primary)}
        )  # fmt: skip
        assert made.content[:2] == b"PK"
        refused = await client.post("/api/v1/offline/packages/take", content=made.content)
        assert refused.json()["code"] == "package_own"
        assert (await client.post("/api/v1/offline/packages/take", content=b"")).status_code == 422
        (line,) = (await client.get("/api/v1/offline/packages")).json()["items"]
        assert (line["direction"], line["documents"]) == ("out", 1)
        key = (await client.get("/api/v1/offline/key")).json()["public"]
        trusted = {"public": key, "organization_id": str(primary)}
        assert (await client.post("/api/v1/offline/keys", json=trusted)).status_code == 204
        assert (await client.delete(f"/api/v1/offline/keys/{key}")).status_code == 204
        assert (await client.delete(f"/api/v1/offline/keys/{key}")).status_code == 404
