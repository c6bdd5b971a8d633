"""Looking for every use of a picture over HTTP."""

from typing import Any

import msgspec
from litestar import Controller, Request, post

from compliance.publishing import publication_schemas as wire
from compliance.registers.register import MAX_PICTURE
from compliance.searching import use_search
from core.errors import InvalidInput
from directory.controllers.authentication import CALLER, Caller, requires, scope


class UseSearchController(Controller):
    """What a claim letter makes one ask."""

    path = "/api/v1/pictures/uses"
    tags = ("pictures",)
    dependencies = CALLER

    @post(
        "/search", guards=[scope("pictures:read"), requires("editor", "lawyer")], status_code=200,
        request_max_body_size=MAX_PICTURE, opt={"raw_body": True},
        summary="Find every use of a picture",
    )  # fmt: skip
    async def search(self, request: Request[Any, Any, Any], actor: Caller) -> wire.FoundUses:
        """The body is the claimant's copy; answers all uses that show it, with the match."""
        data = await request.body()
        if not data:
            raise InvalidInput(
                "Отправьте изображение телом запроса.", "Send the picture as the body.",
                code="empty_file",
            )  # fmt: skip
        found = await use_search.find(actor, data=data)
        return wire.FoundUses(
            msgspec.convert(found.rows, list[wire.FoundUse]), found.compared, found.published
        )
