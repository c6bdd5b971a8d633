"""Organizations: looked up, their data kept and confirmed, registers imported with a report."""

import uuid
from typing import Any

from litestar import Controller, Response, get, post
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect

from core import clock
from core.errors import InvalidInput, ServiceError, TooLarge
from directory import links, organizations, people, sessions
from directory.controllers.authentication import CALLER, Caller, CallerAccess, requires, signed_in
from directory.importing import verbs as importing
from directory.importing.columns import COLUMNS
from web import pages
from web.pages import R
from web.translation import N_, spoken
from web.uploads import read_upload

PAGE = 50
CONTACTS = ("address", "phone", "email")
"""Fields of the card that a clerk keeps on the page; the rest goes by the import or the API."""
PURPOSE = "страница организации"


class OrganizationPageController(Controller):
    """Who is in the directory."""

    path = "/organizations"
    include_in_schema = False
    dependencies = CALLER

    @get(guards=[signed_in])
    async def find(
        self, request: R, q: FromQuery[str] = "", after: FromQuery[uuid.UUID | None] = None
    ) -> Response[str]:
        """By name, code or number; a page at a time."""
        return await _list_page(request, q=q, after=after)

    @post("/import", guards=[requires("administrator")], opt={"csrf_exempt": True},
          request_max_body_size=None)  # fmt: skip
    async def import_file(self, request: R, actor: Caller, access: CallerAccess) -> Response[str]:
        """Try a table, or enter it; every row that does not fit is named."""
        form = await read_upload(request)
        sessions.check_csrf(access, form.fields.get("_csrf"))
        try:
            data = await _content(form.stream)
            report = await importing.import_file(
                actor, data=data, dry_run=form.fields.get("mode") != "enter"
            )
        except ServiceError as problem:
            return await _list_page(request, problem=problem)
        return await _list_page(request, report=report, file_name=form.file_name)

    @get("/{organization_id:uuid}", guards=[signed_in])
    async def show(
        self, request: R, organization_id: FromPath[uuid.UUID], actor: Caller,
        with_people: FromQuery[bool] = False,
    ) -> Response[str]:  # fmt: skip
        """The card; names of people only when asked for, since that reading is logged."""
        found = await organizations.get(organization_id=organization_id)
        holders = None
        if with_people:
            holders = await people.of_organization(
                actor, organization_id=organization_id, purpose=PURPOSE
            )
        return await pages.page(
            request, "organization_card.html", found=found, holders=holders,
            superiors=await links.superiors(organization_id=organization_id, on=clock.today()),
            may_keep=await _may(actor, organization_id, "administrator", "clerk"),
            may_govern=await _may(actor, organization_id, "administrator"),
            is_home=organization_id == actor.organization_id,
        )  # fmt: skip

    @post("/{organization_id:uuid}/contacts", guards=[requires("administrator", "clerk")])
    async def update(
        self, request: R, organization_id: FromPath[uuid.UUID], actor: Caller
    ) -> Redirect:
        """Correct how the organization is reached; saving it confirms it too."""
        form = await request.form()
        changes = {name: str(form[name]).strip() for name in CONTACTS if name in form}
        return await pages.act(
            request, f"/organizations/{organization_id}", _save(actor, organization_id, changes),
            done=N_("The data is saved and confirmed."),
        )  # fmt: skip


async def _save(actor: Caller, organization_id: uuid.UUID, changes: dict[str, str]) -> None:
    await organizations.update(actor, organization_id=organization_id, changes=changes)
    await organizations.confirm(actor, organization_id=organization_id)


async def _may(actor: Caller, organization_id: uuid.UUID, *roles: str) -> bool:
    try:
        await links.require_authority(actor, organization_id, roles=roles)
    except ServiceError:
        return False
    return True


async def _content(stream: Any) -> bytes:
    content = bytearray()
    if stream is not None:
        async for piece in stream:
            content += piece
            if len(content) > importing.MAX_BYTES:
                raise TooLarge
    if not content:
        raise InvalidInput("Выберите файл.", "Choose a file.", code="file_missing", field="file")
    return bytes(content)


async def _list_page(request: R, **given: Any) -> Response[str]:
    shown = {"q": "", "after": None, "problem": None, "report": None, "file_name": "", **given}
    tongue = 1 if spoken() == "ru" else 0
    shown["columns"] = {field: headings[tongue] for field, headings in COLUMNS.items()}
    rows = await organizations.search(text=shown["q"], after=shown["after"], limit=PAGE + 1)
    return await pages.page(
        request, "organizations.html", rows=rows[:PAGE], **shown,
        more=rows[PAGE - 1]["id"] if len(rows) > PAGE else None,
        status_code=422 if shown["problem"] else 200,
    )  # fmt: skip
