"""МЭДО over HTTP: participants, the journal of messages, what a person decides."""

import uuid
from typing import Any

import msgspec
from litestar import Controller, Request, get, post, put
from litestar.params import FromPath, FromQuery, JSONBody

from directory import schemas as directory
from directory.controllers.authentication import CALLER, Caller, requires, scope
from directory.importing.verbs import MAX_BYTES
from docflow.documents import conversion
from docflow.documents.controllers import convert_all, page_of
from docflow.documents.schemas import Created
from docflow.routing import medo_schemas as wire
from docflow.routing.medo import (
    checks,
    clocks,
    journal,
    outgoing,
    partners,
    prompting,
    quarantine,
    replies,
)

GOVERN = [scope("directory:write"), requires("administrator")]
LOOK = [scope("directory:read")]
READ = [scope("documents:read")]
WORK = [scope("documents:write"), requires("clerk")]
WRITE = [scope("documents:write"), requires("clerk", "signatory")]


def _partner(found: partners.Partner) -> wire.PartnerView:
    return msgspec.convert(found, wire.PartnerView, from_attributes=True)


def _messages(rows: list[dict[str, Any]]) -> list[wire.MessageView]:
    said = [{**row, "what_to_do": _to_do(row["reason"])} for row in rows]
    return convert_all(wire.MessageView, said)


def _to_do(reason: str | None) -> str:
    code = (reason or "").partition(":")[0]
    return checks.REASONS[code][0] if code in checks.REASONS else ""


class MedoPartnerController(Controller):
    """Who takes part in МЭДО: bodies we write to, and our own."""

    path = "/api/v1/medo/partners"
    tags = ("medo",)
    dependencies = CALLER

    @get("/", guards=LOOK, summary="Participants")
    async def list_partners(
        self, actor: Caller, after: FromQuery[uuid.UUID | None] = None, limit: FromQuery[int] = 100
    ) -> list[wire.PartnerView]:
        """All known here, a page at a time; `after` is the last id seen."""
        return [_partner(one) for one in await partners.listed(after=after, limit=limit)]

    @put("/{organization_id:uuid}", guards=GOVERN, summary="Enter a participant")
    async def enter(
        self,
        organization_id: FromPath[uuid.UUID],
        data: JSONBody[partners.PartnerInput],
        actor: Caller,
    ) -> wire.PartnerView:
        """The organization's uid and address; an outside body is written to by МЭДО from now on."""
        return _partner(await partners.enter(actor, organization_id, wanted=data))

    @post(
        "/import",
        guards=GOVERN,
        status_code=200,
        request_max_body_size=MAX_BYTES,
        opt={"raw_body": True},
        summary="Import participants",
    )
    async def import_list(
        self, request: Request[Any, Any, Any], actor: Caller, dry_run: FromQuery[bool] = False
    ) -> directory.ImportReport:
        """The body is the list itself, CSV or XLSX; the report names each row not taken."""
        report = await partners.import_list(actor, data=await request.body(), dry_run=dry_run)
        return msgspec.convert(report, directory.ImportReport, from_attributes=True)


class MedoMessageController(Controller):
    """Messages that came and went, and those that wait for a person."""

    path = "/api/v1/medo/messages"
    tags = ("medo",)
    dependencies = CALLER

    @get("/", guards=READ, summary="Journal of messages")
    async def list_messages(
        self,
        actor: Caller,
        status: FromQuery[list[str] | None] = None,
        after: FromQuery[uuid.UUID | None] = None,
        limit: FromQuery[int] = 50,
    ) -> wire.MessageList:
        """Newest first, optionally in some states only (quarantined, blocked, restricted …)."""
        found = await journal.listed(
            actor, statuses=tuple(status or ()), after=after, limit=limit
        )  # fmt: skip
        return wire.MessageList(_messages(found), page_of(found, limit))

    @post("/exchange", guards=WORK, status_code=202, summary="Exchange now")
    async def exchange(self, actor: Caller) -> None:
        """Have the worker look into the transport's folders now; it does so by itself, too."""
        await prompting.exchange(actor)

    @get("/refusal-reasons", guards=READ, summary="Reasons of refusal")
    async def reasons(self) -> list[str]:
        """The list from which a refusal takes its reason."""
        return replies.refusal_reasons()

    @post("/{message_id:uuid}/look-again", guards=WORK, status_code=200, summary="Look again")
    async def look_again(
        self, message_id: FromPath[uuid.UUID], data: JSONBody[wire.LookAgain], actor: Caller
    ) -> wire.StatusView:
        """Judge a message in quarantine anew; with a reason take it in on one's own word."""
        return wire.StatusView(
            await quarantine.look_again(actor, message_id, reason=data.reason)
        )  # fmt: skip

    @post("/{message_id:uuid}/return", guards=WORK, status_code=204, summary="Return to sender")
    async def return_to_sender(
        self, message_id: FromPath[uuid.UUID], data: JSONBody[wire.ReturnInput], actor: Caller
    ) -> None:
        """Refuse a message in quarantine; the sender is told why."""
        await quarantine.return_to_sender(
            actor, message_id, reason=data.reason, comment=data.comment
        )

    @post("/{message_id:uuid}/retry", guards=WORK, status_code=204, summary="Send again")
    async def retry(self, message_id: FromPath[uuid.UUID], actor: Caller) -> None:
        """Let a stopped or undelivered message go again under the same uid."""
        await outgoing.retry(actor, message_id)

    @post("/{message_id:uuid}/their-number", guards=WORK, status_code=204, summary="Their number")
    async def their_number(
        self, message_id: FromPath[uuid.UUID], data: JSONBody[wire.TheirNumber], actor: Caller
    ) -> None:
        """Enter by hand the number of a body that sends no notifications."""
        await clocks.enter_their_number(actor, message_id, number=data.number, on=data.on)

    @post("/{message_id:uuid}/extend", guards=WORK, status_code=204, summary="Prolong the term")
    async def extend(
        self, message_id: FromPath[uuid.UUID], data: JSONBody[wire.ExtensionInput], actor: Caller
    ) -> None:
        """The body prolonged its term, by at most 30 days in all, with a notice."""
        await clocks.extend(actor, message_id, days=data.days, notice=data.notice)


class MedoConversationController(Controller):
    """The conversation about one document."""

    path = "/api/v1/documents/{document_id:uuid}/medo"
    tags = ("medo",)
    dependencies = CALLER

    @get("/", guards=READ, summary="Conversation by МЭДО")
    async def conversation(
        self, document_id: FromPath[uuid.UUID], actor: Caller
    ) -> list[wire.MessageView]:
        """Our message, their receipt, number, executor and answer, oldest first."""
        return _messages(await journal.conversation(actor, document_id))

    @post("/pdfa", guards=WRITE, summary="Make over into PDF/A")
    async def to_pdfa(self, document_id: FromPath[uuid.UUID], actor: Caller) -> Created:
        """A new draft «взамен» with the main file as PDF/A; it has to be signed anew."""
        return Created(await conversion.to_pdfa(actor, document_id))


CONTROLLERS = (MedoPartnerController, MedoMessageController, MedoConversationController)
"""For the list of controllers in `litestar_app`."""
