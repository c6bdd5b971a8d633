"""The description of the API (OpenAPI 3.1): what Litestar knows of the routes, made complete.

Guards say which credentials, scopes and refusals a route has; `EXAMPLES` has a body for each
struct; a route marked ``opt={"raw_body": True}`` takes a file as it is, one with
``opt={"refusals": ("409",)}`` refuses in ways that its method and guards do not tell of.
"""

from collections.abc import Iterator
from typing import Any, TypeAlias

import msgspec
from litestar import Litestar, Request
from litestar.enums import MediaType, OpenAPIMediaType
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.plugins import OpenAPIRenderPlugin
from litestar.routes import HTTPRoute

from directory.controllers.authentication import CSRF_HEADER, guards_of, session_cookie
from web.examples import CHANGES, EXAMPLES

Node: TypeAlias = dict[str, Any]

PROBLEM = "application/problem+json"
BINARY: Node = {"schema": {"type": "string", "format": "binary"}}

SIGNATURE_FORM: Node = {
    "type": "object",
    "required": ["file"],
    "properties": {
        "file": {"type": "string", "format": "binary", "description": ".sig, .p7s, .sgn, .p7m"},
        "file_id": {"type": "string", "format": "uuid", "description": "Of the signed file"},
        "role": {"enum": ["approving", "certifying", "endorsing", "sealing"]},
    },
}

REFUSALS = {
    "401": ("NotAuthenticated", "Nobody is signed in, or the token does not hold"),
    "403": ("Forbidden", "Role, scope or organization do not allow this"),
    "404": ("NotFound", "No such thing, or none the caller may know of"),
    "409": ("Conflict", "The present state forbids it, or the key was used for another request"),
    "413": ("TooLarge", "More bytes than the rules allow"),
    "415": ("UnsupportedType", "Not a type of file that is accepted here"),
    "422": ("InvalidInput", "What was sent cannot be taken as it is"),
    "429": ("TooManyRequests", "Too many attempts; wait as Retry-After says"),
    "503": ("Unavailable", "Something this needs does not answer now; try again later"),
}
"""Answers of refusal: name among the components, and when they come."""

PROBLEM_SCHEMA: Node = {
    "type": "object",
    "title": "Problem",
    "description": "RFC 9457 problem details; programs go by `code`, which never changes.",
    "required": ["type", "title", "status", "detail", "detail_en", "code"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string", "description": "Stable for ever"},
        "detail": {"type": "string", "description": "In Russian: what happened, what to do next"},
        "detail_en": {"type": "string", "description": "The same in English"},
        "instance": {"type": "string", "description": "The request's number, to quote to support"},
        "details": {"type": "object", "description": "Facts for programs: fields, ids, limits"},
    },
    "examples": [
        {
            "type": "urn:docflow:error:illegal_transition",
            "title": "Conflict",
            "status": 409,
            "code": "illegal_transition",
            "detail": "В текущем состоянии это действие недоступно. Обновите страницу.",
            "detail_en": "Not possible in the current state. Reload and look again.",
            "instance": "urn:uuid:019a0000-0000-7000-8000-000000000001",
        }
    ],
}


class Description(OpenAPIRenderPlugin):
    """Serves the finished description at ``/schema/openapi.json``; made at the first request."""

    def __init__(self) -> None:
        super().__init__(path="/openapi.json", media_type=OpenAPIMediaType.OPENAPI_JSON)
        self._ready = b""

    def render(self, request: Request[Any, Any, Any], openapi_schema: Node) -> bytes:
        """The description as JSON."""
        if not self._ready:
            self._ready = msgspec.json.encode(described(request.app, openapi_schema))
        return self._ready


def described(app: Litestar, schema: Node) -> Node:
    """Litestar's description with examples, refusals, keys, files and credentials added."""
    whole: Node = msgspec.json.decode(msgspec.json.encode(schema))
    components = whole["components"]
    components["schemas"]["Problem"] = PROBLEM_SCHEMA
    components["responses"] = {
        name: {"description": words, "content": {PROBLEM: {"schema": _ref("schemas", "Problem")}}}
        for name, words in REFUSALS.values()
    }
    components["securitySchemes"] = {
        "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "dfl_…",
                   "description": "A program's token; a route names the scopes it needs."},
        "cookie": {"type": "apiKey", "in": "cookie", "name": session_cookie(),
                   "description": "A person's session; every change needs the CSRF token too."},
        "csrf": {"type": "apiKey", "in": "header", "name": CSRF_HEADER},
    }  # fmt: skip
    for handler, method, operation in _operations(app, whole["paths"]):
        _describe(handler, method, operation)
        _give_example(handler, operation, components["schemas"])
    return whole


def _operations(app: Litestar, paths: Node) -> Iterator[tuple[HTTPRouteHandler, str, Node]]:
    for route in app.routes:
        if isinstance(route, HTTPRoute) and (route.path_format or "/") in paths:
            for method, (handler, _) in route.route_handler_map.items():
                operation = paths[route.path_format or "/"].get(method.lower())
                if operation is not None:
                    yield handler, method, operation


def _describe(handler: HTTPRouteHandler, method: str, operation: Node) -> None:
    changes, guards = method not in ("GET", "HEAD"), guards_of(handler)
    is_open = not guards or "public" in guards
    words = [handler.fn.__doc__ or "", *(f"Guard: `{guard}`." for guard in guards)]
    operation["description"] = "\n\n".join(word.strip() for word in words if word)
    operation["security"] = [] if is_open else _credentials(guards, changes=changes)
    raw = bool(handler.opt.get("raw_body"))
    if raw:
        operation["requestBody"] = {
            "required": True, "content": {"application/octet-stream": BINARY},
            "description": "The file itself, not a form.",
        }  # fmt: skip
    if form := handler.opt.get("form_body"):
        schema = form if isinstance(form, dict) else SIGNATURE_FORM
        operation["requestBody"] = {
            "required": True, "content": {"multipart/form-data": {"schema": schema}},
        }  # fmt: skip
    refusals = {
        "401": not is_open or method == "POST",
        "403": not is_open,
        # what a body names may be as unknown as what the address names
        "404": changes or any(one["in"] == "path" for one in operation.get("parameters", ())),
        "409": changes,
        "413": raw, "415": raw,
        "422": bool(operation.get("parameters") or operation.get("requestBody")),
        "429": is_open and changes,
    }  # fmt: skip
    answers = operation["responses"]
    answers.pop("400", None)  # a body that cannot be read is answered with 422 here
    refusals |= dict.fromkeys(handler.opt.get("refusals", ()), True)
    for status, may_occur in refusals.items():
        if may_occur:
            answers[status] = _ref("responses", REFUSALS[status][0])
    if told := handler.opt.get("raw_answer"):
        kind = told if isinstance(told, str) else "*/*"  # whatever type the stored bytes have
        answers["200"]["content"] = {kind: BINARY}


def _credentials(guards: list[str], *, changes: bool) -> list[Node]:
    """A session for people; a token too, where the route names a scope or takes any."""
    session: Node = {"cookie": [], **({"csrf": []} if changes else {})}
    scopes = [guard.removeprefix("scope:") for guard in guards if guard.startswith("scope:")]
    if scopes or "any_token" in guards:
        return [{"bearer": scopes}, session]
    return [session]


def _give_example(handler: HTTPRouteHandler, operation: Node, schemas: Node) -> None:
    taken = handler.parsed_fn_signature.parameters.get("data")
    if taken is None:
        return
    known = EXAMPLES.get(taken.annotation, CHANGES)
    example = msgspec.json.decode(msgspec.json.encode(known))
    content = operation["requestBody"]["content"][MediaType.JSON.value]
    content["examples"] = {"example": {"value": example}}
    name = content["schema"].get("$ref", "").rpartition("/")[2]
    if name:
        schemas[name]["examples"] = [example]


def _ref(kind: str, name: str) -> Node:
    return {"$ref": f"#/components/{kind}/{name}"}
