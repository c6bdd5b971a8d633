"""The dashboard of deadlines: what is due from us, what others owe us, what waits for a hand."""

from typing import Any

from litestar import Controller, Response, get

from core.actor import Actor
from directory.controllers.authentication import CALLER, Caller, requires
from docflow.documents import search
from docflow.documents.visibility import READERS
from docflow.routing import control, inbox, questions
from web import pages
from web.pages import R

ON_ITS_WAY = 6
"""Own mailings whose progress is drawn."""


class DeadlineController(Controller):
    """One look in the morning."""

    path = "/deadlines"
    include_in_schema = False
    dependencies = CALLER

    @get(guards=[requires(*READERS)])
    async def deadlines(self, request: R, actor: Caller) -> Response[str]:
        """Our answers by day, our mailings by state, drafts and questions that wait."""
        by_day = await inbox.due_by_day(actor)
        return await pages.page(
            request, "deadlines.html", by_day=by_day, most=max(number for _, number in by_day),
            due=await inbox.next_due(actor), mailings=await _mailings(actor),
            to_sign=await _own(actor, "signing"), to_number=await _own(actor, "signed"),
            asked=await questions.unanswered(actor),
        )  # fmt: skip


async def _own(actor: Actor, status: str, *, limit: int = 20) -> list[dict[str, Any]]:
    return await search.documents(actor, wanted=search.Wanted(own=True, status=status), limit=limit)


async def _mailings(actor: Actor) -> list[dict[str, Any]]:
    rows = await _own(actor, "sent", limit=ON_ITS_WAY)
    return [
        {**row, "sums": control.by_status(await control.totals(actor, row["id"]))} for row in rows
    ]
