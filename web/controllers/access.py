"""People and their access: posts, roles, invitations, organizations below; joining by a link."""

import uuid
from datetime import date
from typing import Any

from litestar import Controller, Response, get, post
from litestar.params import FromPath
from litestar.response import Redirect

from core import clock
from core.errors import InvalidInput, ServiceError
from core.settings import settings
from directory import grants, invitations, organizations, people
from directory.cards import Card
from directory.controllers.authentication import CALLER, Caller, public, requires
from directory.states import Line, OrganizationKind, PostKind
from web import forms, pages
from web.controllers.answers import NO_TRACE
from web.pages import R
from web.translation import N_

ADMINISTRATORS = [requires("administrator")]


class AccessPageController(Controller):
    """Who works in an organization and what they may do, for its administrator."""

    path = "/organizations/{organization_id:uuid}"
    include_in_schema = False
    dependencies = CALLER

    @get("/access", guards=ADMINISTRATORS)
    async def access(
        self, request: R, organization_id: FromPath[uuid.UUID], actor: Caller
    ) -> Response[str]:
        """Roles held, invitations that wait, and the form for a new one."""
        return await _access_page(request, actor, organization_id)

    @post("/invitations", guards=ADMINISTRATORS)
    async def invite(
        self, request: R, organization_id: FromPath[uuid.UUID], actor: Caller
    ) -> Response[str]:
        """Invite somebody; the link is shown this once."""
        form = await request.form()
        try:
            made = await invitations.invite(
                actor, organization_id=organization_id, role=str(form.get("role", "")),
                email=str(form.get("email", "")),
                person_id=pages.id_of(str(form.get("person_id", ""))),
            )  # fmt: skip
        except InvalidInput as problem:
            return await _access_page(request, actor, organization_id, problem=problem)
        link = f"{settings().public_url.rstrip('/')}/join/{made.token}"
        answer = await _access_page(request, actor, organization_id, link=link)
        answer.headers.update(NO_TRACE)
        return answer

    @post("/invitations/{invitation_id:uuid}/withdraw", guards=ADMINISTRATORS)
    async def withdraw(
        self, request: R, organization_id: FromPath[uuid.UUID],
        invitation_id: FromPath[uuid.UUID], actor: Caller,
    ) -> Redirect:  # fmt: skip
        """Take an invitation back."""
        work = invitations.withdraw(actor, invitation_id=invitation_id)
        back = f"/organizations/{organization_id}/access"
        return await pages.act(request, back, work, done=N_("The invitation is taken back."))

    @post("/roles/{grant_id:uuid}/revoke", guards=ADMINISTRATORS)
    async def revoke(
        self, request: R, organization_id: FromPath[uuid.UUID], grant_id: FromPath[uuid.UUID],
        actor: Caller,
    ) -> Redirect:  # fmt: skip
        """Take a role away."""
        work = grants.revoke(actor, organization_id=organization_id, grant_id=grant_id)
        back = f"/organizations/{organization_id}/access"
        return await pages.act(request, back, work, done=N_("The role is taken away."))

    @post("/people", guards=ADMINISTRATORS)
    async def appoint(
        self, request: R, organization_id: FromPath[uuid.UUID], actor: Caller
    ) -> Redirect:
        """Enter a person with a post."""
        form = {name: str(value) for name, value in dict(await request.form()).items()}
        back = f"/organizations/{organization_id}?with_people=true"
        work = _appoint(actor, organization_id, form)
        return await pages.act(request, back, work, done=N_("The person is entered."))

    @post("/below", guards=ADMINISTRATORS)
    async def add_below(
        self, request: R, organization_id: FromPath[uuid.UUID], actor: Caller
    ) -> Redirect:
        """Enter a new organization directly below this one."""
        form = {name: str(value) for name, value in dict(await request.form()).items()}
        try:
            made = await _add_below(actor, organization_id, form)
        except ServiceError as problem:
            return pages.redirect(request, f"/organizations/{organization_id}", problem=problem)
        return pages.redirect(
            request, f"/organizations/{made}", done=N_("The organization is entered.")
        )


class JoinPageController(Controller):
    """Coming to an account by the link of an invitation; the link itself is the only right."""

    path = "/join"
    include_in_schema = False

    @get("/{token:str}", guards=[public])
    async def form(self, request: R, token: FromPath[str]) -> Response[str]:
        """Name, login and password."""
        return await _join_page(request, token, {})

    @post("/{token:str}", guards=[public], opt={"csrf_exempt": True})
    async def join(self, request: R, token: FromPath[str]) -> Response[Any]:
        """Make the account; then the person logs in."""
        form = {name: str(value) for name, value in dict(await request.form()).items()}
        try:
            await invitations.accept(
                token=token, login=form.get("login", ""), password=form.get("password", ""),
                person=invitations.NewPerson(
                    form.get("last_name", ""), form.get("first_name", ""),
                    form.get("middle_name", ""),
                ),
                language=pages.language_of(request),
                request_id=request.scope["state"].get("request_id"),
            )  # fmt: skip
        except ServiceError as problem:
            return await _join_page(request, token, form, problem=problem)
        return pages.redirect(request, "/login", done=N_("Your account is made. Log in now."))


async def _access_page(
    request: R, actor: Caller, organization_id: uuid.UUID, *,
    problem: ServiceError | None = None, link: str = "",
) -> Response[str]:  # fmt: skip
    held = await grants.of_organization(actor, organization_id=organization_id)
    return await pages.page(
        request, "access.html", found=await organizations.get(organization_id=organization_id),
        held=held, waiting=await invitations.of_organization(
            actor, organization_id=organization_id
        ),
        holders=await people.of_organization(
            actor, organization_id=organization_id, purpose="приглашение"
        ),
        problem=problem, link=link, status_code=422 if problem else 200,
    )  # fmt: skip


async def _join_page(
    request: R, token: str, given: dict[str, str], *, problem: ServiceError | None = None
) -> Response[str]:
    answer = await pages.page(
        request, "join.html", token=token, given=given, problem=problem,
        status_code=422 if problem else 200,
    )  # fmt: skip
    answer.headers.update(NO_TRACE)
    return answer


async def _appoint(actor: Caller, organization_id: uuid.UUID, form: dict[str, str]) -> None:
    since = forms.day(form.get("since"), field="since") or clock.today()
    newcomer = people.Newcomer(
        last_name=form.get("last_name", ""), first_name=form.get("first_name", ""),
        middle_name=form.get("middle_name", ""), email=form.get("email", ""),
        phone=form.get("phone", ""), kind=_chosen(PostKind, form.get("post", "")), since=since,
    )  # fmt: skip
    await people.enter(actor, organization_id=organization_id, newcomer=newcomer)


async def _add_below(actor: Caller, organization_id: uuid.UUID, form: dict[str, str]) -> uuid.UUID:
    opened: date = forms.day(form.get("opened_on"), field="opened_on") or clock.today()
    above = await organizations.get(organization_id=organization_id)
    card = Card(
        code=form.get("code", ""), kind=_chosen(OrganizationKind, form.get("kind", "")),
        name=form.get("name", ""), branch_code=above["branch_code"],
        region_code=above["region_code"], district_code=above["district_code"],
        time_zone=above["time_zone"], email=form.get("email", ""), phone=form.get("phone", ""),
        channels=("internal", "email") if form.get("email", "").strip() else ("internal",),
        opened_on=opened,
    )  # fmt: skip
    line = _chosen(Line, form.get("line", "branch"))
    made = await organizations.create(actor, card=card, parents={line: organization_id})
    return uuid.UUID(str(made["id"]))


def _chosen(choices: Any, given: str) -> Any:
    try:
        return choices(given)
    except ValueError:
        raise InvalidInput(
            "Выберите значение из списка.", "Choose one of the list.", code="not_of_the_list"
        ) from None
