"""Requests that schemathesis makes of the description of the API, and what it says of the answers.

Making and sending are two steps: hypothesis runs without an event loop, the application within the
one that its connections belong to.
"""

import random
import warnings
from collections.abc import Iterator, Mapping
from typing import Any

import httpx
import requests  # noqa: TID251 - what schemathesis prepares requests with
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis import Case
from schemathesis.checks import not_a_server_error
from schemathesis.core import NotSet
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.core.transport import Response
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

BASE = "http://service.test"
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
SENT_BY_US = frozenset({"authorization", "cookie", "host", "content-length", "user-agent"})
"""Headers that a generated request does not decide: who calls is the test's business."""


def made(described: dict[str, Any], *, total: int, number: int) -> Iterator[Case]:
    """About `total` requests, as many for each operation, good and bad; `number` seeds them."""
    schema = schemathesis.openapi.from_dict(described)
    operations = [found.ok() for found in schema.get_all_operations()]
    each = -(-total // len(operations))
    for operation in operations:
        good = each if operation.method.upper() == "GET" else -(-each * 2 // 3)
        yield from _drawn(operation, GenerationMode.POSITIVE, good, number)
        if each > good and _takes_anything(operation):
            yield from _drawn(operation, GenerationMode.NEGATIVE, each - good, number)


def _takes_anything(operation: Any) -> bool:
    return bool(operation.body or operation.query or operation.path_parameters)


def _drawn(operation: Any, mode: GenerationMode, count: int, number: int) -> list[Case]:
    found: list[Case] = []

    @seed(number)
    @settings(
        max_examples=count, database=None, deadline=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(case=operation.as_strategy(mode))
    def draw(case: Case) -> None:
        found.append(case)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # hypothesis, about strategies that repeat themselves
        draw()
    return found[:count]


def with_known_ids(case: Case, known: Mapping[str, list[str]], dice: random.Random) -> None:
    """Put ids of things that are there into most of the places for ids; others stay as drawn."""
    for place in (case.path_parameters, case.query, case.body):
        if not isinstance(place, NotSet):
            _fill(place, known, dice)


def _fill(place: Any, known: Mapping[str, list[str]], dice: random.Random) -> None:
    if isinstance(place, list):
        for one in place:
            _fill(one, known, dice)
    if not isinstance(place, dict):
        return
    for name, value in place.items():
        if name in known and isinstance(value, str) and dice.random() < 0.75:
            place[name] = dice.choice(known[name])
        else:
            _fill(value, known, dice)


def prepared(case: Case) -> requests.PreparedRequest:
    """The request as bytes; what schemathesis itself would send."""
    kwargs = case.as_transport_kwargs(base_url=BASE)
    names = ("method", "url", "headers", "files", "data", "json", "params", "cookies")
    return requests.Request(**{name: kwargs[name] for name in names if name in kwargs}).prepare()


async def send(client: httpx.AsyncClient, request: requests.PreparedRequest) -> httpx.Response:
    """Send it through `client`, whose credentials it gets."""
    body = request.body
    content = body.encode() if isinstance(body, str) else body
    headers = {
        name: value if isinstance(value, bytes) else value.encode("utf-8", "surrogateescape")
        for name, value in (request.headers or {}).items()
        if name.lower() not in SENT_BY_US
    }
    return await client.request(
        request.method or "GET", request.url or BASE, content=content, headers=headers
    )


def faults(case: Case, request: requests.PreparedRequest, answer: httpx.Response) -> list[str]:
    """What the answer breaks of the description, in one line each."""
    told = Response(
        status_code=answer.status_code,
        headers={name: [value] for name, value in answer.headers.items()},
        content=answer.content, request=request, elapsed=0.0, verify=True,
        message=answer.reason_phrase, encoding=answer.encoding,
    )  # fmt: skip
    try:
        case.validate_response(told, checks=CHECKS)
    except (FailureGroup, Failure) as failed:
        each = failed.exceptions if isinstance(failed, FailureGroup) else [failed]
        where = f"{case.method} {case.operation.path} -> {answer.status_code}"
        return [f"{where}: {one.title}: {str(one.message)[:300]}" for one in each]
    return []
