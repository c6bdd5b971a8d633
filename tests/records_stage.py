"""A closed case of long ago with documents in it, for tests of the records schedule."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from core import clock, db
from core.actor import Actor
from docflow.documents import registration
from docflow.documents.records import cases, commission, filing, plans, retention
from docflow.documents.records.cases import CaseInput
from tests import ground, people

BASIS = "Перечень, приказ Росархива от 20.12.2019 № 236"


@dataclass(frozen=True, slots=True)
class Stage:
    """An organization with its people; the commission sits."""

    organization_id: uuid.UUID
    clerk: Actor
    head: Actor
    members: tuple[Actor, ...]
    keeper: Actor
    """An administrator of the center."""


def moment(year: int, month: int = 6, day: int = 1) -> datetime:
    return datetime(year, month, day, 9, tzinfo=UTC)


async def a_stage(organization_id: uuid.UUID | None = None) -> Stage:
    """An organization whose clerk, head and three members of the commission hold roles."""
    home = organization_id or await ground.an_organization("union")
    clerk, head = await people.clerk_of(home, "clerk"), await people.clerk_of(home, "signatory")
    members = [await people.clerk_of(home, "lawyer") for _ in range(3)]
    for one in (clerk, head, *members):
        await db.execute(
            """INSERT INTO role_grant (account_id, organization_id, role, granted_at)
               VALUES ($1, $2, $3, $4)""",
            one.id, home, next(iter(one.roles)), clock.now(),
        )  # fmt: skip
    await commission.appoint(
        head, members=[one.account_id for one in members], chair_id=members[0].account_id,
        basis="Приказ от 10.01.2020 № 3",
    )  # fmt: skip
    center = await db.value("SELECT id FROM organization WHERE kind = 'center'")
    center = center or await ground.an_organization("center")
    keeper = await people.clerk_of(center, "administrator")
    return Stage(home, clerk, head, tuple(members), keeper)


async def articles(stage: Stage) -> dict[str, uuid.UUID]:
    """The built-in lists, loaded; ids by «code/article+item»."""
    for one in retention.built_in():
        await retention.load(stage.keeper, one)
    rows = await db.rows(
        """SELECT a.id, l.code || '/' || a.article || a.item AS name FROM retention_article AS a
           JOIN retention_list AS l ON l.id = a.list_id"""
    )
    return {row["name"]: row["id"] for row in rows}


async def a_plan(stage: Stage, year: int, rows: Sequence[CaseInput]) -> dict[str, uuid.UUID]:
    """An approved plan of a year; the ids of its cases by index."""
    with clock.frozen(moment(year - 1, 12, 20)):
        plan_id = await plans.open_plan(stage.clerk, year=year)
        made = {row.index: await cases.add(stage.clerk, plan_id, row) for row in rows}
        await plans.approve(stage.head, plan_id, agreement="Протокол ЭК от 19.12 № 4")
    return made


async def filed(stage: Stage, case_id: uuid.UUID, number: int, *, year: int) -> list[uuid.UUID]:
    """Documents registered in a year and put into a case."""
    with clock.frozen(moment(year)):
        ids = await ground.signed_documents(stage.clerk, number, kind="circular")
        for document_id in ids:
            await db.execute(
                """UPDATE document SET fields = '{"body": "Президиум"}', addressee = 'Секрет'
                   WHERE id = $1""",
                document_id,
            )
            await registration.register(stage.clerk, document_id)
            await filing.file(stage.clerk, case_id, document_id=document_id)
    return ids


def a_row(index: str, **more: object) -> CaseInput:
    """A row kept five years by a protocol, unless said otherwise."""
    given: dict[str, object] = {"title": f"Переписка {index}", "years": 5, "protocol": "ЭК № 1"}
    if "article_id" in more:
        given = {"title": f"Приказы {index}"}
    return CaseInput(index=index, **(given | more))  # type: ignore[arg-type]  # reason: mixed fields
