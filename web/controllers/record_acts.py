"""Destruction on pages: what has expired, the commission, acts from draft to their outcome."""

import uuid
from collections.abc import Coroutine, Mapping
from typing import Any

from litestar import Controller, Response, get, post
from litestar.params import FromPath
from litestar.response import Redirect

from core.errors import InvalidInput, NotFound, ServiceError
from directory.controllers.authentication import CALLER, Caller, requires, signed_in
from docflow.documents.records import acts, commission, papers
from docflow.documents.visibility import READERS
from web import forms, pages, record_words
from web.controllers.records import DONE, given_of, pdf
from web.pages import R
from web.translation import N_

READ = [requires(*READERS)]


class ActPageController(Controller):
    """Acts of destruction; members of the commission see and judge theirs."""

    path = "/records"
    include_in_schema = False
    dependencies = CALLER

    @get("/acts", guards=[signed_in])
    async def listed(self, request: R, actor: Caller) -> Response[str]:
        """Cases whose term is over, the acts, the commission."""
        reads = bool(actor.roles & READERS)
        return await pages.page(
            request, "record_acts.html", rw=record_words, rows=await acts.listed(actor),
            expired=await acts.expired(actor) if reads else [], reads=reads,
            members=await commission.members(actor.home_id) if reads else [],
            candidates=await commission.candidates(actor) if "signatory" in actor.roles else [],
            method=acts.METHOD,
        )  # fmt: skip

    @post("/acts", guards=READ)
    async def draft(self, request: R, actor: Caller) -> Redirect:
        """Draft an act over the chosen cases."""
        form = await request.form()
        chosen = [one for text in form.getall("case", []) if (one := pages.id_of(str(text)))]
        given = {name: str(value) for name, value in dict(form).items()}
        try:
            made = await acts.draft(
                actor, case_ids=chosen, basis=given.get("basis", ""),
                method=given.get("method", "") or acts.METHOD,
                backups_until=forms.day(given.get("backups_until"), field="backups_until"),
            )  # fmt: skip
        except NotFound:
            raise
        except ServiceError as problem:
            return pages.redirect(request, "/records/acts", problem=problem)
        return pages.redirect(request, f"/records/acts/{made}", done=DONE)

    @post("/commission", guards=READ)
    async def appoint(self, request: R, actor: Caller) -> Redirect:
        """Set up the commission."""
        form = await request.form()
        members = [one for text in form.getall("member", []) if (one := pages.id_of(str(text)))]
        chair = pages.id_of(str(form.get("chair") or ""))

        async def appoint() -> None:
            if chair is None:
                raise InvalidInput(
                    "Выберите председателя.", "Choose the chair.", code="chair_not_member",
                    field="chair",
                )  # fmt: skip
            basis = str(form.get("basis") or "")
            await commission.appoint(actor, members=members, chair_id=chair, basis=basis)

        return await pages.act(request, "/records/acts", appoint(), done=DONE)

    @get("/acts/{act_id:uuid}", guards=[signed_in])
    async def show(self, request: R, act_id: FromPath[uuid.UUID], actor: Caller) -> Response[str]:
        """An act with its cases and votes."""
        found = await acts.own(actor, act_id)
        votes = await acts.votes(act_id)
        mine = next((one for one in votes if one["account_id"] == actor.id), None)
        return await pages.page(
            request, "record_act.html", act=found, rows=await acts.lines(act_id), votes=votes,
            rw=record_words, may_vote=bool(mine and mine["is_for"] is None),
            is_drafter=found["drafted_by"] == actor.id,
        )  # fmt: skip

    @post("/acts/{act_id:uuid}/{verb:str}", guards=[signed_in])
    async def verb(
        self, request: R, act_id: FromPath[uuid.UUID], verb: FromPath[str], actor: Caller
    ) -> Redirect:
        """Take an act one step further."""
        given = await given_of(request)
        await acts.own(actor, act_id)
        work, done = _verb(actor, act_id, verb, given)
        return await pages.act(request, f"/records/acts/{act_id}", work, done=done)

    @get("/acts/{act_id:uuid}/paper", guards=[signed_in])
    async def paper(self, act_id: FromPath[uuid.UUID], actor: Caller) -> Response[Any]:
        """The act as PDF/A."""
        return pdf(await papers.act(actor, act_id), "akt-o-vydelenii")


def _verb(
    actor: Caller, act_id: uuid.UUID, verb: str, given: Mapping[str, str]
) -> tuple[Coroutine[Any, Any, object], str]:
    if verb == "submit":
        return acts.submit(actor, act_id), N_("The commission judges it now.")
    if verb == "vote":
        is_for = given.get("vote") == "for"
        remark = given.get("remark", "")
        return acts.vote(actor, act_id, is_for=is_for, remark=remark), N_("Your vote is counted.")
    if verb == "approve":
        work = acts.approve(
            actor, act_id, protocol=given.get("protocol", ""),
            archive_protocol=given.get("archive_protocol", ""),
        )  # fmt: skip
        return work, N_("The act is approved.")
    if verb == "execute":
        return acts.execute(actor, act_id), N_("The act is being carried out; reload in a while.")
    if verb == "cancel":
        return acts.cancel(actor, act_id, reason=given.get("reason", "")), DONE
    raise NotFound(verb=verb)
