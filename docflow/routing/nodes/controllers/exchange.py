"""The protocol between nodes (docs/node.md): signed requests in, signed answers out."""

from typing import Any

from litestar import Controller, MediaType, Request, Response, get, post, put
from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler
from litestar.params import FromPath, FromQuery

from core.errors import NotAuthenticated
from directory.controllers.authentication import public
from docflow.gateways.node.container import MAX_BODY, PIECE
from docflow.gateways.node.messages import Needs, Reconcile, decode
from docflow.routing.nodes import intake, noting, parts, receiving, reconciling

MAX_NOTE = 32 * 1024 * 1024


async def by_node(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
    """Lets in requests that carry a message signature; whose it is, `intake.verified` finds out."""
    if "signature" not in connection.headers or "node-from" not in connection.headers:
        raise NotAuthenticated


by_node.docflow_guard = "node:signature"  # type: ignore[attr-defined]  # reason: a mark for tests


async def _call(request: Request[Any, Any, Any]) -> intake.Call:
    # who is nobody to us does not get to send megabytes
    await intake.require_known(request.headers)
    body = await request.body()
    return await intake.verified(request.method, _target(request), request.headers, body)


def _target(request: Request[Any, Any, Any]) -> str:
    """Path and query as they came over the wire."""
    path = (request.scope.get("raw_path") or request.scope["path"].encode()).decode("ascii")
    query = request.scope["query_string"].decode("ascii")
    return f"{path.partition('?')[0]}?{query}" if query else path.partition("?")[0]


def _response(status: int, body: bytes, headers: dict[str, str]) -> Response[bytes]:
    return Response(body, status_code=status, headers=headers, media_type=MediaType.JSON)


class ExchangeController(Controller):
    """Messages, parts and notes of other nodes."""

    path = "/api/v1/exchange"
    tags = ("exchange",)

    @get("/identity", guards=[public], opt={"refusals": ("409",)}, summary="Who this node is")
    async def identity(
        self, request: Request[Any, Any, Any], nonce: FromQuery[str] = ""
    ) -> Response[bytes]:
        """Name, keys and versions, signed over the question; `nonce` makes each question new."""
        body, headers = await intake.introduced(_target(request))
        return _response(200, body, headers)

    @post(
        "/messages",
        guards=[by_node],
        status_code=200,
        request_max_body_size=MAX_BODY,
        opt={"raw_body": True, "csrf_exempt": True},
        summary="A message of another node",
    )
    async def message(self, request: Request[Any, Any, Any]) -> Response[bytes]:
        """A container; answers the signed receipt, or with 202 which parts are missing."""
        call = await _call(request)
        told = await receiving.take(call)
        status = 202 if isinstance(told, Needs) else 200
        return _response(*await intake.answered(call, told, status=status))

    @put(
        "/parts/{sha256:str}",
        guards=[by_node],
        request_max_body_size=PIECE,
        opt={"raw_body": True, "csrf_exempt": True},
        summary="A piece of a part",
    )
    async def part(
        self, request: Request[Any, Any, Any], sha256: FromPath[str], offset: FromQuery[int]
    ) -> Response[bytes]:
        """The next piece; answers how many bytes of the part are here."""
        call = await _call(request)
        had = await parts.take_piece(call.peer.id, sha256, offset=offset, body=call.body)
        return _response(*await intake.answered(call, had))

    @post(
        "/notes",
        guards=[by_node],
        status_code=200,
        request_max_body_size=MAX_NOTE,
        opt={"raw_body": True, "csrf_exempt": True},
        summary="A report, recall or statement of another node",
    )
    async def note(self, request: Request[Any, Any, Any]) -> Response[bytes]:
        """Answers the signed receipt of what is committed."""
        call = await _call(request)
        return _response(*await intake.answered(call, await noting.take(call)))

    @post(
        "/reconcile",
        guards=[by_node],
        status_code=200,
        request_max_body_size=MAX_NOTE,
        opt={"raw_body": True, "csrf_exempt": True},
        summary="What another node, restored from a backup, asks for",
    )
    async def reconcile(self, request: Request[Any, Any, Any]) -> Response[bytes]:
        """Answers what is known of it here; what it lacks is sent again."""
        call = await _call(request)
        told = await reconciling.answer(call, decode(call.body, Reconcile))
        return _response(*await intake.answered(call, told))
