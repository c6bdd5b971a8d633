"""The directory of organizations over HTTP."""

import uuid
from datetime import date
from typing import Any, TypeVar

import msgspec
from litestar import Controller, Request, get, post, put
from litestar.params import FromPath, FromQuery, JSONBody

from core import clock
from directory import links, organizations, people, selection
from directory import schemas as wire
from directory.cards import Card
from directory.controllers.authentication import CALLER, Caller, requires, scope
from directory.controllers.parameters import IdempotencyKey
from directory.importing import verbs as importing
from directory.states import OrganizationKind

T = TypeVar("T")
READ = [scope("directory:read")]
WRITE = [scope("directory:write"), requires("administrator", "clerk")]
GOVERN = [scope("directory:write"), requires("administrator")]


def _all(kind: type[T], rows: list[dict[str, Any]]) -> list[T]:
    return [msgspec.convert(row, kind, strict=False) for row in rows]


def _one(row: dict[str, Any]) -> wire.OrganizationView:
    return msgspec.convert(row, wire.OrganizationView, strict=False)


class OrganizationController(Controller):
    """Organizations, their lines of subordination and their people."""

    path = "/api/v1/organizations"
    tags = ("directory",)
    dependencies = CALLER

    @get("/", guards=READ, summary="Find organizations")
    async def find(
        self,
        q: FromQuery[str] = "",
        kind: FromQuery[list[OrganizationKind] | None] = None,
        district: FromQuery[list[str] | None] = None,
        region: FromQuery[list[str] | None] = None,
        branch: FromQuery[list[str] | None] = None,
        after: FromQuery[uuid.UUID | None] = None,
        limit: FromQuery[int] = 50,
    ) -> list[wire.OrganizationLine]:
        """By name, code or INN; a page at a time, `after` is the last id seen."""
        found = await organizations.search(
            text=q, kinds=tuple(kind or ()), districts=tuple(district or ()),
            regions=tuple(region or ()), branches=tuple(branch or ()), after=after, limit=limit,
        )  # fmt: skip
        return _all(wire.OrganizationLine, found)

    @post("/", guards=GOVERN, summary="Add an organization")
    async def create(
        self, data: JSONBody[wire.OrganizationInput], actor: Caller, key: IdempotencyKey = None
    ) -> wire.OrganizationView:
        """A new organization under its superiors; one INN is taken once."""
        values = msgspec.structs.asdict(data)
        parents = values.pop("parents")
        made = await organizations.create_once(actor, card=Card(**values), parents=parents, key=key)
        return _one(made)

    @post(
        "/import",
        guards=GOVERN,
        status_code=200,
        request_max_body_size=importing.MAX_BYTES,
        opt={"raw_body": True},
        summary="Import organizations",
    )
    async def import_file(
        self,
        request: Request[Any, Any, Any],
        actor: Caller,
        dry_run: FromQuery[bool] = False,
    ) -> wire.ImportReport:
        """The body is the table itself, CSV or XLSX; rows outside one's subtree are refused."""
        report = await importing.import_file(actor, data=await request.body(), dry_run=dry_run)
        return msgspec.convert(report, wire.ImportReport, from_attributes=True)

    @post("/select", guards=READ, status_code=200, summary="Count a selection")
    async def select(
        self, data: JSONBody[selection.Selector], on: FromQuery[date | None] = None
    ) -> wire.SelectionView:
        """How many organizations a selector finds on a day, and what it says in words."""
        day = on or clock.today()
        words = await selection.explain(data, on=day)
        return wire.SelectionView(await selection.count(data, on=day), words["ru"], words["en"])

    @get("/{organization_id:uuid}", guards=READ, summary="Show an organization")
    async def show(self, organization_id: FromPath[uuid.UUID]) -> wire.OrganizationView:
        """The organization's card."""
        return _one(await organizations.get(organization_id=organization_id))

    @put("/{organization_id:uuid}", guards=WRITE, summary="Change contact data")
    async def update(
        self, organization_id: FromPath[uuid.UUID], data: JSONBody[dict[str, Any]], actor: Caller
    ) -> wire.OrganizationView:
        """Change name, address, phone, e-mail, zone or channels."""
        return _one(
            await organizations.update(actor, organization_id=organization_id, changes=data)
        )

    @post("/{organization_id:uuid}/confirm", guards=WRITE, status_code=200, summary="Confirm data")
    async def confirm(
        self, organization_id: FromPath[uuid.UUID], actor: Caller
    ) -> wire.ConfirmedView:
        """The organization's data is right as of now."""
        return wire.ConfirmedView(
            await organizations.confirm(actor, organization_id=organization_id)
        )

    @post("/{organization_id:uuid}/move", guards=GOVERN, status_code=204, summary="Move")
    async def move(
        self, organization_id: FromPath[uuid.UUID], data: JSONBody[wire.MoveInput], actor: Caller
    ) -> None:
        """Put it under another superior from a day on; the past stays as it was."""
        await links.move(
            actor, child_id=organization_id, line=data.line, new_parent_id=data.parent_id,
            as_of=data.as_of,
        )  # fmt: skip

    @post("/{organization_id:uuid}/close", guards=GOVERN, status_code=200, summary="Close")
    async def close(
        self, organization_id: FromPath[uuid.UUID], data: JSONBody[wire.CloseInput], actor: Caller
    ) -> wire.OrganizationView:
        """It ends on a day; those below must have been moved."""
        return _one(
            await organizations.close(actor, organization_id=organization_id, as_of=data.as_of)
        )

    @post("/{organization_id:uuid}/merge", guards=GOVERN, status_code=200, summary="Merge")
    async def merge(
        self, organization_id: FromPath[uuid.UUID], data: JSONBody[wire.MergeInput], actor: Caller
    ) -> wire.OrganizationView:
        """It goes into another one on a day, with those below it."""
        return _one(
            await organizations.merge(
                actor, organization_id=organization_id, into_id=data.into_id, as_of=data.as_of
            )
        )

    @get("/{organization_id:uuid}/superiors", guards=READ, summary="Superiors")
    async def superiors(
        self, organization_id: FromPath[uuid.UUID], on: FromQuery[date | None] = None
    ) -> list[wire.LinkLine]:
        """On both lines, as of a day."""
        found = await links.superiors(organization_id=organization_id, on=on or clock.today())
        return _all(wire.LinkLine, found)

    @get("/{organization_id:uuid}/people", guards=READ, summary="People with posts")
    async def posts(
        self, organization_id: FromPath[uuid.UUID], actor: Caller, purpose: FromQuery[str]
    ) -> list[wire.PersonLine]:
        """Who holds which post; names and contacts are personal data, so the reading is logged."""
        found = await people.of_organization(
            actor, organization_id=organization_id, purpose=purpose
        )
        return _all(wire.PersonLine, found)

    @post("/{organization_id:uuid}/people", guards=GOVERN, summary="Enter a person with a post")
    async def enter(
        self,
        organization_id: FromPath[uuid.UUID],
        data: JSONBody[wire.NewcomerInput],
        actor: Caller,
        key: IdempotencyKey = None,
    ) -> wire.AppointedView:
        """Somebody not known before, in a post from a day on; a new chairman follows the old."""
        values = msgspec.structs.asdict(data)
        newcomer = people.Newcomer(kind=values.pop("post"), **values)
        return wire.AppointedView(
            *await people.enter(actor, organization_id=organization_id, newcomer=newcomer, key=key)
        )


class PeopleController(Controller):
    """People by post and place; names and contacts are personal data, so reading is logged."""

    path = "/api/v1/people"
    tags = ("directory",)
    dependencies = CALLER

    @post("/find", guards=READ, status_code=200, summary="Find people by post")
    async def find(
        self,
        data: JSONBody[people.Holders],
        actor: Caller,
        purpose: FromQuery[str],
        on: FromQuery[date | None] = None,
        after: FromQuery[uuid.UUID | None] = None,
        limit: FromQuery[int] = 100,
    ) -> list[wire.HolderLine]:
        """Who holds such posts in the selected organizations on a day; `after`: last `post_id`."""
        found = await people.holders(
            actor, selector=data, purpose=purpose, on=on, after=after, limit=limit
        )
        return _all(wire.HolderLine, found)


CONTROLLERS = (OrganizationController, PeopleController)
"""For the list of controllers in `litestar_app`."""
