"""Answers from outside: a link out of a letter, without an account, and a code from a sheet."""

import uuid
from typing import Any

from litestar import Controller, Response, get, post
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect, Stream

from core.errors import InvalidInput, NotFound
from directory.controllers.authentication import CALLER, Caller, public, requires
from docflow.documents.controllers import download_headers
from docflow.routing import answer_codes
from docflow.routing.email import reading
from docflow.routing.paper import answering
from web import pages
from web.pages import R
from web.translation import N_

NO_TRACE = {"cache-control": "no-store", "referrer-policy": "no-referrer"}
"""The address of such a page is the right to answer: it is told to nobody."""


class LinkController(Controller):
    """Read and acknowledge once by the link of a letter; the link itself is the only right."""

    path = "/r"
    include_in_schema = False

    @get("/{token:str}", guards=[public])
    async def look(self, request: R, token: FromPath[str]) -> Response[str]:
        """The document first, then the answer."""
        seen = await reading.look(token)
        answer = await pages.page(request, "link.html", seen=seen, token=token)
        answer.headers.update(NO_TRACE)
        return answer

    @get("/{token:str}/files/{file_id:uuid}", guards=[public])
    async def file(self, token: FromPath[str], file_id: FromPath[uuid.UUID]) -> Stream:
        """A file as it was signed; the first one opened is the reading."""
        found, stream = await reading.open_file(token, file_id)
        facts = {**found, "sha256": bytes.fromhex(found["sha256"])}
        headers = {**download_headers(facts), **NO_TRACE}
        return Stream(stream, media_type=found["media_type"], headers=headers)

    @post("/{token:str}", guards=[public], opt={"csrf_exempt": True})
    async def acknowledge(self, request: R, token: FromPath[str]) -> Redirect:
        """Take note; the link is used up by it."""
        person_id = _chosen(await request.form())
        work = reading.acknowledge(token, person_id=person_id)
        return await pages.act(
            request, f"/r/{token}", work, done=N_("Your acknowledgement is recorded.")
        )


class CodeController(Controller):
    """A clerk enters what was told by telephone or signed on paper."""

    path = "/ack"
    include_in_schema = False
    dependencies = CALLER

    @get(guards=[requires("clerk")])
    async def ask(self, request: R, code: FromQuery[str] = "") -> Response[Any]:
        """The field for a code."""
        problem = None
        if code:
            try:
                return Redirect(f"/ack/{answer_codes.typed(code)}", status_code=303)
            except InvalidInput as wrong:
                problem = wrong
        return await pages.page(
            request, "answer_code.html", asked=None, code=code, problem=problem,
            status_code=422 if problem else 200,
        )  # fmt: skip

    @get("/{code:str}", guards=[requires("clerk")])
    async def look(self, request: R, code: FromPath[str], actor: Caller) -> Response[str]:
        """What the code stands for, and who may have taken note."""
        try:
            asked = await answering.look(actor, code)
        except (InvalidInput, NotFound) as problem:
            return await pages.page(
                request, "answer_code.html", asked=None, code=code, problem=problem,
                status_code=422 if isinstance(problem, InvalidInput) else 404,
            )  # fmt: skip
        return await pages.page(
            request, "answer_code.html", asked=asked, code=answer_codes.shown(asked.code),
            problem=None,
        )  # fmt: skip

    @post("/{code:str}", guards=[requires("clerk")])
    async def acknowledge(self, request: R, code: FromPath[str], actor: Caller) -> Redirect:
        """Enter that the chosen person has taken note."""
        plain = answer_codes.typed(code)
        work = answering.acknowledge(actor, plain, person_id=_chosen(await request.form()))
        return await pages.act(request, f"/ack/{plain}", work, done=N_("The answer is entered."))


def _chosen(form: Any) -> uuid.UUID:
    """Who took note; nobody chosen is nobody's id, which the verb refuses in words."""
    return pages.id_of(str(form.get("person_id", ""))) or uuid.UUID(int=0)
