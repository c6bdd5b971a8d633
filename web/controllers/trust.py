"""What the installation trusts, and how it is doing; for administrators."""

import uuid

from litestar import Controller, Response, get, post
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect

from core.errors import InvalidInput
from directory import sessions
from directory.controllers.authentication import CALLER, Caller, CallerAccess, requires
from signatures import anchors, fetching, revocation_import
from web import health, pages
from web.pages import R
from web.translation import N_
from web.uploads import UploadForm, read_upload

ADMINISTRATORS = [requires("administrator")]
CERTIFICATES = 4 << 20
STATES = ("trusted", "proposed", "retired")


class TrustPageController(Controller):
    """Roots, proposed by one administrator and confirmed by another."""

    path = "/trust"
    include_in_schema = False
    dependencies = CALLER

    @get(guards=ADMINISTRATORS)
    async def listed(self, request: R, actor: Caller, status: FromQuery[str] = "trusted") -> (
        Response[str]
    ):  # fmt: skip
        """Certificates, revocation lists and where those are fetched."""
        chosen = status if status in STATES else "trusted"
        return await pages.page(
            request, "trust.html", rows=await anchors.list_of(actor, status=chosen), status=chosen,
            states=STATES, lists=await revocation_import.lists(actor),
            sources=await fetching.sources(actor), me=actor.account_id,
        )  # fmt: skip

    @post("/propose", guards=ADMINISTRATORS, opt={"csrf_exempt": True},
          request_max_body_size=CERTIFICATES + 64 * 1024)  # fmt: skip
    async def propose(self, request: R, actor: Caller, access: CallerAccess) -> Redirect:
        """Propose the certificates of a file."""
        form = await read_upload(request)
        sessions.check_csrf(access, form.fields.get("_csrf"))
        done = N_("Taken in. A root is trusted once another administrator confirms it.")
        return await pages.act(request, "/trust?status=proposed", _propose(actor, form), done=done)

    @post("/{anchor_id:uuid}/confirm", guards=ADMINISTRATORS)
    async def confirm(self, request: R, anchor_id: FromPath[uuid.UUID], actor: Caller) -> Redirect:
        """Trust a root that another administrator proposed."""
        work = anchors.confirm(actor, anchor_id)
        return await pages.act(request, "/trust", work, done=N_("The root is trusted."))

    @post("/{anchor_id:uuid}/retire", guards=ADMINISTRATORS)
    async def retire(self, request: R, anchor_id: FromPath[uuid.UUID], actor: Caller) -> Redirect:
        """Trust it no more."""
        reason = str((await request.form()).get("reason", ""))
        work = anchors.retire(actor, anchor_id, reason=reason)
        return await pages.act(request, "/trust", work, done=N_("It is trusted no more."))


class StatePageController(Controller):
    """How the installation is doing."""

    path = "/state"
    include_in_schema = False
    dependencies = CALLER

    @get(guards=ADMINISTRATORS)
    async def state(self, request: R) -> Response[str]:
        """Database, store, sandbox, GOST, log: each in words."""
        good, parts = await health.parts()
        return await pages.page(request, "state.html", good=good, parts=parts)


async def _propose(actor: Caller, form: UploadForm) -> None:
    content = b""
    if form.stream is not None:
        content = b"".join([piece async for piece in form.stream])
    if not content:
        raise InvalidInput("Выберите файл.", "Choose a file.", code="file_missing", field="file")
    await anchors.propose(
        actor, content, is_test=form.fields.get("is_test") == "yes",
        note=form.fields.get("note", ""),
    )  # fmt: skip
