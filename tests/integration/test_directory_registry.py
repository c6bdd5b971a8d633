"""Organizations and their lines of subordination, on PostgreSQL."""

from datetime import date, timedelta
from uuid import uuid4

import pytest

from audit import events
from core import clock, db
from core.actor import RULE, Actor
from core.errors import Conflict, Forbidden, IllegalTransition, InvalidInput
from directory import dataset, links, organizations, people, selection
from directory.cards import Card
from directory.states import Line, OrganizationKind, PostKind

TODAY = date(2026, 11, 22)
CHAIN = ["center", "union", "regional", "local", "primary"]


@pytest.fixture
async def small(database):
    registry = dataset.generate("S")
    await dataset.load(registry)
    return registry


async def _chain() -> dict[str, dict]:
    """center → union → regional → local → primary, and a territorial association."""
    made: dict[str, dict] = {}
    above: dict[Line, object] = {}
    for kind in CHAIN:
        made[kind] = await _create(kind, above)
        above = {Line.BRANCH: made[kind]["id"]}
    made["territorial"] = await _create("territorial", {Line.TERRITORIAL: made["center"]["id"]})
    return made


async def _create(kind: str, parents=None, **values):
    card = Card(code=values.pop("code", uuid4().hex), kind=OrganizationKind(kind),
                name=values.pop("name", f"{kind} demo"), opened_on=date(2020, 1, 1),
                **values)  # fmt: skip
    return await organizations.create(RULE, card=card, parents=parents)


async def _active_children(organization_id) -> list[dict]:
    return await links.children(organization_id=organization_id, on=TODAY, limit=1000)


def _administrator(organization_id) -> Actor:
    return Actor(kind="user", id=uuid4(), organization_id=organization_id,
                 roles=frozenset({"administrator"}))  # fmt: skip


async def test_circular_of_the_health_union_goes_to_7805(database):
    registry = await _loaded("M")
    whole = selection.Selector(subtree_of=registry.health_union_id)
    counted = await selection.count(whole, on=TODAY)
    assert counted["kinds"] == {"regional": 80, "local": 170, "primary": 7555}
    assert counted["total"] == 7805
    sql, values = selection.selection_sql(whole, on=TODAY)
    rows = await db.rows(sql, *values)
    kinds = {row["recipient_id"]: row["recipient_kind"] for row in rows}
    relays = {(row["recipient_kind"], kinds.get(row["via_recipient_id"])) for row in rows}
    assert relays == {("regional", None), ("local", "regional"), ("primary", "local"),
                      ("primary", "regional")}  # fmt: skip
    assert len(rows) == len(kinds) == 7805


async def _loaded(size):
    registry = dataset.generate(size)
    counts = await dataset.load(registry)
    assert counts == {table: len(rows) for table, rows in registry.tables.items()}
    return registry


async def test_loading_twice_is_refused(small):
    with pytest.raises(Conflict) as refused:
        await dataset.load(small)
    assert refused.value.error_code == "dataset_loaded"


async def test_move_counts_from_its_day_and_not_before(small):
    siblings = [row for row in await _active_children(small.relay_regional_id)
                if row["kind"] == "local"]  # fmt: skip
    old, new = siblings[0]["id"], siblings[1]["id"]
    child = (await _active_children(old))[0]["id"]
    day = TODAY + timedelta(days=10)
    await links.move(RULE, child_id=child, line=Line.BRANCH, new_parent_id=new, as_of=day)
    eve = day - timedelta(days=1)
    assert child in await links.subtree(organization_id=old, on=eve)
    assert child not in await links.subtree(organization_id=new, on=eve)
    assert child in await links.subtree(organization_id=new, on=day)
    assert child not in await links.subtree(organization_id=old, on=day)
    for on, expected in ((eve, old), (day, new)):
        sql, values = selection.selection_sql(
            selection.Selector(subtree_of=small.health_union_id), on=on
        )
        found = await db.row(
            f"SELECT via_recipient_id FROM ({sql}) x WHERE recipient_id = ${len(values) + 1}",
            *values, child,
        )  # fmt: skip
        assert found == {"via_recipient_id": expected}
    assert [row["verb"] for row in await events.of_subject(child)] == ["organization.move"]


async def test_move_keeps_a_later_planned_move(database):
    made = await _chain()
    second = await _create("local", {Line.BRANCH: made["regional"]["id"]})
    third = await _create("local", {Line.BRANCH: made["regional"]["id"]})
    child = made["primary"]["id"]
    later, sooner = TODAY + timedelta(days=30), TODAY + timedelta(days=5)
    for parent, day in ((third, later), (second, sooner)):
        await links.move(
            RULE, child_id=child, line=Line.BRANCH, new_parent_id=parent["id"], as_of=day
        )
    above = [
        (await links.superiors(organization_id=child, on=day))[0]["id"]
        for day in (TODAY, sooner, later)
    ]
    assert above == [made["local"]["id"], second["id"], third["id"]]


async def test_cycle_is_refused(database):
    made = await _chain()
    inner = await _create("local", {Line.BRANCH: made["local"]["id"]})
    with pytest.raises(Conflict) as refused:
        await links.move(
            RULE, child_id=made["local"]["id"], line=Line.BRANCH,
            new_parent_id=inner["id"], as_of=TODAY,
        )  # fmt: skip
    assert refused.value.error_code == "hierarchy_cycle"
    above = await links.superiors(organization_id=made["local"]["id"], on=TODAY)
    assert [row["id"] for row in above] == [made["regional"]["id"]]


async def test_cycle_that_would_begin_in_the_future_is_refused(database):
    made = await _chain()
    first = made["local"]["id"]
    second = (await _create("local", {Line.BRANCH: made["regional"]["id"]}))["id"]
    await links.move(RULE, child_id=second, line=Line.BRANCH, new_parent_id=first,
                     as_of=TODAY + timedelta(days=60))  # fmt: skip
    with pytest.raises(Conflict) as refused:
        await links.move(RULE, child_id=first, line=Line.BRANCH, new_parent_id=second, as_of=TODAY)
    assert refused.value.error_code == "hierarchy_cycle"


async def test_kinds_that_do_not_fit_are_refused(database):
    made = await _chain()
    with pytest.raises(InvalidInput) as refused:
        await links.move(RULE, child_id=made["primary"]["id"], line=Line.BRANCH,
                         new_parent_id=made["center"]["id"], as_of=TODAY)  # fmt: skip
    assert refused.value.error_code == "hierarchy_kind"


async def test_regional_organization_has_two_superiors(small):
    above = await links.superiors(organization_id=small.relay_regional_id, on=TODAY)
    assert [(row["line"], row["kind"]) for row in above] == [
        ("branch", "union"), ("territorial", "territorial")
    ]  # fmt: skip
    path = await links.path_up(organization_id=small.relay_local_id, on=TODAY)
    assert [row["kind"] for row in path] == ["regional", "union", "center"]
    path = await links.path_up(
        organization_id=small.relay_local_id, on=TODAY, line=Line.TERRITORIAL
    )
    assert [row["kind"] for row in path] == ["regional", "territorial", "district", "center"]


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"inn": "3899000177"}, "inn_invalid"),
        ({"inn": "12"}, "inn_invalid"),
        ({"ogrn": "1023800000000"}, "ogrn_invalid"),
        ({"email": "nobody"}, "email_invalid"),
        ({"district_code": "moon"}, "district_unknown"),
        ({"channels": ("pigeon",)}, "channel_unknown"),
        ({"name": "  "}, "name_empty"),
    ],
)
async def test_bad_card_is_refused(database, values, code):
    with pytest.raises(InvalidInput) as refused:
        await _create("outside", **values)
    assert refused.value.error_code == code
    assert await db.value("SELECT count(*) FROM organization") == 0


async def test_same_inn_or_code_is_refused(database):
    await _create("outside", inn="3899000178", code="A-1")
    for values, code in (({"inn": "3899000178"}, "inn_taken"), ({"code": "A-1"}, "code_taken")):
        with pytest.raises(Conflict) as refused:
            await _create("outside", **values)
        assert refused.value.error_code == code


async def test_closing_needs_subordinates_moved_first(database):
    made = await _chain()
    with pytest.raises(Conflict) as refused:
        await organizations.close(RULE, organization_id=made["local"]["id"], as_of=TODAY)
    assert refused.value.error_code == "has_subordinates"
    await links.move(RULE, child_id=made["primary"]["id"], line=Line.BRANCH,
                     new_parent_id=made["regional"]["id"], as_of=TODAY)  # fmt: skip
    row = await organizations.close(RULE, organization_id=made["local"]["id"], as_of=TODAY)
    assert (row["status"], row["closed_on"]) == ("closed", TODAY)
    below = selection.Selector(subtree_of=made["regional"]["id"])
    assert (await selection.count(below, on=TODAY))["kinds"] == {"primary": 1}
    before = TODAY - timedelta(days=1)
    assert (await selection.count(below, on=before))["kinds"] == {"primary": 1, "local": 1}
    with pytest.raises(IllegalTransition):
        await organizations.close(RULE, organization_id=made["local"]["id"], as_of=TODAY)


async def test_merge_hands_over_subordinates_and_asks_for_a_job(database):
    made = await _chain()
    target = await _create("local", {Line.BRANCH: made["regional"]["id"]})
    row = await organizations.merge(
        RULE, organization_id=made["local"]["id"], into_id=target["id"], as_of=TODAY
    )
    assert (row["status"], row["merged_into_id"]) == ("merged", target["id"])
    above = await links.superiors(organization_id=made["primary"]["id"], on=TODAY)
    assert [each["id"] for each in above] == [target["id"]]
    job = await db.row("SELECT task_name, args FROM procrastinate_jobs")
    assert job == {"task_name": "routing.follow_merge",
                   "args": {"organization_id": str(made["local"]["id"])}}  # fmt: skip


async def test_merge_with_itself_or_another_kind_is_refused(database):
    made = await _chain()
    for into, code in (("local", "merge_target"), ("primary", "merge_kind")):
        with pytest.raises((Conflict, InvalidInput)) as refused:
            await organizations.merge(
                RULE, organization_id=made["local"]["id"], into_id=made[into]["id"], as_of=TODAY
            )
        assert refused.value.error_code == code


async def test_update_touches_only_what_differs(database):
    made = await _create("outside", phone="1")
    same = await organizations.update(RULE, organization_id=made["id"], changes={"phone": "1"})
    assert same["updated_at"] == made["updated_at"]
    await organizations.update(RULE, organization_id=made["id"], changes={"phone": "2"})
    verbs = [row["verb"] for row in await events.of_subject(made["id"])]
    assert verbs == ["organization.create", "organization.update"]
    assert await organizations.confirm(RULE, organization_id=made["id"]) <= clock.now()


async def test_only_superiors_may_move(small):
    primary = next(
        row for row in await _active_children(small.relay_local_id) if row["kind"] == "primary"
    )
    stranger = _administrator(primary["id"])
    with pytest.raises(Forbidden):
        await links.move(stranger, child_id=primary["id"], line=Line.BRANCH,
                         new_parent_id=small.relay_regional_id, as_of=TODAY)  # fmt: skip
    await links.move(_administrator(small.relay_regional_id), child_id=primary["id"],
                     line=Line.BRANCH, new_parent_id=small.relay_regional_id,
                     as_of=TODAY)  # fmt: skip


async def test_search_by_word_inn_and_page(small):
    found = await organizations.search(text="больница", limit=200)
    assert found
    assert all("больница" in row["name"].lower() for row in found)
    by_inn = await organizations.search(text=found[0]["inn"] or found[0]["code"])
    assert found[0]["id"] in {row["id"] for row in by_inn}
    assert await organizations.search(text="100%_") == []
    first = await organizations.search(kinds=(OrganizationKind.PRIMARY,), limit=50)
    rest = await organizations.search(
        kinds=(OrganizationKind.PRIMARY,), limit=50, after=first[-1]["id"]
    )
    assert len({row["id"] for row in first + rest}) == 61


async def test_selectors_combine(small):
    siberia = selection.parse({"kinds": ["primary"], "districts": ["siberian"]})
    total = (await selection.count(siberia, on=TODAY))["total"]
    assert total == await db.value(
        "SELECT count(*) FROM organization WHERE kind = 'primary' AND status = 'active'"
        " AND district_code = 'siberian'"
    )
    page = await selection.expand(siberia, on=TODAY, limit=10)
    rest = await selection.expand(siberia, on=TODAY, after=page[-1]["id"], limit=1000)
    assert len(page) + len(rest) == total
    one = page[0]["id"]
    less = selection.parse({"any_of": [selection.dump(siberia)], "exclude": [str(one)],
                            "include": [str(small.center_id)]})  # fmt: skip
    assert (await selection.count(less, on=TODAY))["total"] == total
    words = await selection.explain(less, on=TODAY)
    assert "Сибирский" in words["ru"]
    assert "Siberian" in words["en"]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        ({}, "selector_empty"),
        ({"exclude": [str(uuid4())]}, "selector_empty"),
        ({"kinds": ["army"]}, "selector_invalid"),
        ({"sql": "1=1"}, "selector_invalid"),
        ({"districts": ["moon"]}, "selector_invalid"),
        ({"any_of": [{"any_of": [{"any_of": [{"any_of": [{"kinds": ["local"]}]}]}]}]},
         "selector_too_large"),
    ],
)  # fmt: skip
def test_bad_selector_is_refused(data, code):
    with pytest.raises(InvalidInput) as refused:
        selection.parse(data)
    assert refused.value.error_code == code


async def test_chairmen_of_regional_organizations_are_found_and_logged(small):
    clerk = Actor(kind="user", id=uuid4(), organization_id=small.center_id,
                  roles=frozenset({"clerk"}))  # fmt: skip
    wanted = people.Holders(organizations=selection.Selector(
        kinds=(OrganizationKind.REGIONAL,), districts=("siberian",)
    ))  # fmt: skip
    found = await people.holders(clerk, selector=wanted, purpose="совещание")
    assert len(found) == 6
    assert {row["post"] for row in found} == {"chairman"}
    assert await db.row("SELECT actor_id, purpose, count FROM read_log") == {
        "actor_id": clerk.id, "purpose": "совещание", "count": 6
    }  # fmt: skip


async def test_new_chairman_ends_the_term_of_the_old_one(database):
    made = await _chain()
    place = made["primary"]["id"]
    for name, since in (("Первая", date(2024, 1, 1)), ("Вторая", TODAY)):
        person = await people.create(RULE, last_name=name)
        await people.appoint(_administrator(place), person_id=person, organization_id=place,
                             kind=PostKind.CHAIRMAN, since=since)  # fmt: skip
    clerk = Actor(kind="user", id=None, organization_id=place, roles=frozenset({"clerk"}))
    names = [
        (await people.chairman(clerk, organization_id=place, purpose="t", on=day))["last_name"]
        for day in (TODAY - timedelta(days=1), TODAY)
    ]
    assert names == ["Первая", "Вторая"]
