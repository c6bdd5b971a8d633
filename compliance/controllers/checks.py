"""Checks, reviews and uses over HTTP."""

import uuid
from typing import Any

import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.params import FromPath, FromQuery, JSONBody

from compliance import schemas as wire
from compliance.checking import checks, overlays, review
from compliance.checking.checks import Answer, UseInput
from compliance.controllers.forms import LARGEST, PICTURE_FORM, picture_and_use
from compliance.controllers.register import LAWYER, READ, WRITE, convert_all
from compliance.publishing import uses
from compliance.registers import catalogue
from core.paging import require_limit
from directory.controllers.authentication import CALLER, Caller
from directory.controllers.parameters import IdempotencyKey


class CheckController(Controller):
    """May this picture be used so?"""

    path = "/api/v1/pictures/checks"
    tags = ("pictures",)
    dependencies = CALLER

    @post(
        "/", guards=WRITE, request_max_body_size=LARGEST, opt={"form_body": PICTURE_FORM},
        summary="Check a picture",
    )  # fmt: skip
    async def check(
        self, request: Request[Any, Any, Any], actor: Caller, key: IdempotencyKey = None
    ) -> wire.CheckView:
        """A form with `picture` and `use` (JSON); the answer says what to do."""
        data, file_name, use = await picture_and_use(request, UseInput)
        check_id = await checks.check(actor, data=data, use=use, file_name=file_name, key=key)
        return view_of(await checks.show(actor, check_id))

    @get("/", guards=READ, summary="List checks")
    async def list_checks(
        self,
        actor: Caller,
        outcome: FromQuery[str | None] = None,
        after: FromQuery[uuid.UUID | None] = None,
        limit: FromQuery[int] = 50,
    ) -> list[wire.CheckLine]:
        """One's organization's checks, newest first."""
        require_limit(limit, most=catalogue.MAX_LIMIT)
        found = await checks.listed(actor, outcome=outcome, after=after, limit=limit)
        return convert_all(wire.CheckLine, found)  # type: ignore[no-any-return]  # reason: typed by msgspec

    @get("/{check_id:uuid}", guards=READ, summary="Show a check")
    async def show(self, check_id: FromPath[uuid.UUID], actor: Caller) -> wire.CheckView:
        """The answer with every reason, a lawyer's decision included."""
        return view_of(await checks.show(actor, check_id))

    @get("/{check_id:uuid}/replay", guards=READ, summary="Make the verdict again")
    async def replay(self, check_id: FromPath[uuid.UUID], actor: Caller) -> wire.ReplayView:
        """From the stored case alone; `is_same` compares byte for byte."""
        made = await checks.replay(actor, check_id)
        return wire.ReplayView(made.is_same, made.rules_then, made.rules_now, made.verdict.outcome)

    @get(
        "/{check_id:uuid}/matches/{picture_id:uuid}/overlay", guards=READ,
        opt={"raw_answer": "image/png"}, summary="See a match",
    )  # fmt: skip
    async def overlay(
        self, check_id: FromPath[uuid.UUID], picture_id: FromPath[uuid.UUID], actor: Caller
    ) -> Response[bytes]:
        """A PNG: the picture that was checked, then the register's, the shared area outlined."""
        drawn = await overlays.of_match(actor, check_id, picture_id)
        return Response(
            drawn, media_type="image/png", headers={"X-Content-Type-Options": "nosniff"}
        )

    @post("/{check_id:uuid}/reviews", guards=WRITE, summary="Ask a lawyer")
    async def ask(
        self,
        check_id: FromPath[uuid.UUID],
        data: JSONBody[wire.AskInput],
        actor: Caller,
        key: IdempotencyKey = None,
    ) -> wire.Made:
        """Put a check that is not clear before a lawyer."""
        return wire.Made(
            await review.ask(actor, check_id, question=data.question, due_on=data.due_on, key=key)
        )


class ReviewController(Controller):
    """The lawyers' queue."""

    path = "/api/v1/pictures/reviews"
    tags = ("pictures",)
    dependencies = CALLER

    @get("/", guards=READ, summary="The queue")
    async def queue(
        self,
        actor: Caller,
        status: FromQuery[str | None] = "open",
        after: FromQuery[uuid.UUID | None] = None,
        limit: FromQuery[int] = 50,
    ) -> list[wire.ReviewView]:
        """Oldest first; a lawyer's with those of every organization below."""
        require_limit(limit, most=catalogue.MAX_LIMIT)
        found = await review.queue(actor, status=status, after=after, limit=limit)
        return convert_all(wire.ReviewView, found)  # type: ignore[no-any-return]  # reason: typed by msgspec

    @get("/{review_id:uuid}", guards=READ, summary="Show a review")
    async def show(self, review_id: FromPath[uuid.UUID], actor: Caller) -> wire.ReviewView:
        """One review."""
        return msgspec.convert(await review.visible(actor, review_id), wire.ReviewView)

    @post(
        "/{review_id:uuid}/decide", guards=LAWYER, request_max_body_size=LARGEST, status_code=204,
        summary="Decide",
    )  # fmt: skip
    async def decide(
        self, review_id: FromPath[uuid.UUID], data: JSONBody[wire.DecideInput], actor: Caller
    ) -> None:
        """By a lawyer who is another person than the one who asked."""
        await review.decide(
            actor, review_id, verdict=data.verdict, reason=data.reason, until=data.until,
            document=data.document,
        )  # fmt: skip


class UseController(Controller):
    """Where pictures were published."""

    path = "/api/v1/pictures/uses"
    tags = ("pictures",)
    dependencies = CALLER

    @get("/", guards=READ, summary="List uses")
    async def list_uses(
        self,
        actor: Caller,
        to_take_down: FromQuery[bool] = False,
        after: FromQuery[uuid.UUID | None] = None,
        limit: FromQuery[int] = 50,
    ) -> list[wire.UseView]:
        """Newest first; `to_take_down`: what may not stand any more."""
        require_limit(limit, most=catalogue.MAX_LIMIT)
        found = await uses.listed(actor, to_take_down=to_take_down, after=after, limit=limit)
        return convert_all(wire.UseView, found)  # type: ignore[no-any-return]  # reason: typed by msgspec

    @post("/", guards=WRITE, summary="Record a use")
    async def record(
        self, data: JSONBody[wire.UseRecord], actor: Caller, key: IdempotencyKey = None
    ) -> wire.Made:
        """A checked picture was published elsewhere; it is judged again from now on."""
        return wire.Made(
            await uses.record(
                actor, data.check_id, place=data.place, published_at=data.published_at, key=key
            )
        )

    @post("/{use_id:uuid}/withdraw", guards=WRITE, status_code=204, summary="Taken down")
    async def withdraw(self, use_id: FromPath[uuid.UUID], actor: Caller) -> None:
        """The picture does not stand there any more."""
        await uses.withdraw(actor, use_id)


def view_of(found: Answer) -> wire.CheckView:
    """A check on the wire; a lawyer's decision comes first among the reasons."""
    row, verdict, decision = found.row, found.verdict, found.decision
    return wire.CheckView(
        id=row["id"], sha256=bytes(row["sha256"]).hex(), outcome=found.outcome,
        verdict=verdict.outcome,
        reasons=[*([decision.reason] if decision else []), *verdict.reasons],
        attribution=list(verdict.attribution), turns=verdict.turns,
        decision_until=decision.until if decision else None,
        licences=[uuid.UUID(one) for one in verdict.licences], matches=row["matches"],
        findings=row["evidence"].get("findings", []), channel=row["channel"],
        used_on=row["used_on"], rules=row["rules"],
        register=bytes(row["register_digest"]).hex(), previous_id=row["previous_id"],
        created_at=row["created_at"],
    )  # fmt: skip


CONTROLLERS: list[type[Controller]] = [CheckController, ReviewController, UseController]
