"""The web process: the list of controllers, and the one place where errors become answers."""

import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any

import asyncpg
from litestar import Controller, Litestar, Request, Response
from litestar.exceptions import HTTPException
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.spec import Contact, License
from litestar.types import ASGIApp

import wiring
from compliance.controllers import checks as picture_checks
from compliance.controllers import dossier as picture_dossier
from compliance.controllers import intake as picture_intake
from compliance.controllers import publications, use_search
from compliance.controllers import register as picture_register
from core import clock, errors, sealing
from core.errors import ServiceError
from directory.controllers import access, organizations
from directory.controllers.authentication import Authentication, answer_request_id
from docflow.documents import appeal_controllers, hold_controllers, verdict_controllers
from docflow.documents import authority_controllers as authority
from docflow.documents import controllers as documents
from docflow.documents import copy_controllers as copies
from docflow.documents import reader_controllers as readers
from docflow.documents import signing_controllers as signing
from docflow.documents.longevity import controllers as longevity
from docflow.documents.records import controllers as records
from docflow.routing import controllers as routing
from docflow.routing import medo_controllers as medo
from docflow.routing import message_controllers as messages
from docflow.routing import question_controllers as questions
from docflow.routing.nodes.controllers import administration as nodes
from docflow.routing.offline.controllers import OfflineController
from docflow.routing.paper.controllers import AnswerCodeController, PaperController
from evidence.log import controllers as evidence_log
from evidence.packages import controllers as evidence
from evidence.privacy import controllers as privacy
from notify import controllers as notify
from signatures import controllers as trust
from storage.blobs import BlobMissing
from web import description, public_check, site, stuck_api
from web.health import HealthController

log = logging.getLogger(__name__)

STATUS: Mapping[type[ServiceError], HTTPStatus] = {
    errors.InvalidInput: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.NotFound: HTTPStatus.NOT_FOUND,
    errors.Conflict: HTTPStatus.CONFLICT,
    errors.NotAuthenticated: HTTPStatus.UNAUTHORIZED,
    errors.Forbidden: HTTPStatus.FORBIDDEN,
    errors.TooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    errors.UnsupportedType: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    errors.TooManyRequests: HTTPStatus.TOO_MANY_REQUESTS,
    errors.Unavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    BlobMissing: HTTPStatus.INTERNAL_SERVER_ERROR,
    sealing.SealBroken: HTTPStatus.INTERNAL_SERVER_ERROR,
}
"""HTTP status of each class of error; the nearest ancestor decides."""

API_CONTROLLERS: list[type[Controller]] = [
    *access.CONTROLLERS,
    *organizations.CONTROLLERS,
    documents.DocumentController,
    documents.FileController,
    documents.JournalController,
    readers.ReaderController,
    readers.ReaderCopyController,
    copies.CopyController,
    longevity.LongevityController,
    longevity.EvidenceRecordController,
    *signing.CONTROLLERS,
    verdict_controllers.VerdictController,
    hold_controllers.HoldController,
    authority.MchdController,
    authority.SignatureAuthorityController,
    authority.PowerRuleController,
    authority.PersonCertificateController,
    routing.DispatchController,
    routing.DeliveryController,
    routing.CoverageController,
    PaperController,
    AnswerCodeController,
    OfflineController,
    *messages.CONTROLLERS,
    questions.QuestionController,
    *medo.CONTROLLERS,
    *nodes.CONTROLLERS,
    appeal_controllers.AppealController,
    *records.CONTROLLERS,
    *publications.CONTROLLERS,
    use_search.UseSearchController,
    picture_dossier.DossierController,
    *trust.CONTROLLERS,
    *picture_register.CONTROLLERS,
    *picture_checks.CONTROLLERS,
    *picture_intake.CONTROLLERS,
    evidence.EvidenceController,
    *evidence_log.CONTROLLERS,
    *privacy.CONTROLLERS,
    notify.WebhookController,
    notify.NoticeController,
    HealthController,
    stuck_api.StuckApiController,
    public_check.CheckApiController,
]


def status_of(error: ServiceError) -> HTTPStatus:
    """The status by the nearest class in `STATUS`."""
    for kind in type(error).__mro__:
        if kind in STATUS:
            return STATUS[kind]
    return HTTPStatus.INTERNAL_SERVER_ERROR


def problem(
    error: ServiceError, request: Request[Any, Any, Any], status: HTTPStatus | None = None
) -> Response[Any]:
    """The error as RFC 9457 problem details, or as a page for a browser on a page."""
    status = status or status_of(error)
    if site.wants_page(request):
        return site.error_page(request, error, status)
    body = {
        "type": f"urn:docflow:error:{error.error_code}",
        "title": status.phrase,
        "status": int(status),
        "detail": error.message_ru,
        "detail_en": error.message_en,
        "code": error.error_code,
        # an address that is nobody's is refused before the middleware gave the request its id
        "instance": f"urn:uuid:{request.scope['state'].setdefault('request_id', clock.new_id())}",
    }
    if error.details:
        body["details"] = {
            name: [str(one) for one in value] if isinstance(value, list | set | tuple) else value
            for name, value in error.details.items()
        }
    headers = {}
    if (wait := error.details.get("retry_after")) is not None:
        headers["Retry-After"] = str(wait)
    return Response(
        body, status_code=status, headers=headers, media_type="application/problem+json"
    )


def _service_error(request: Request[Any, Any, Any], error: ServiceError) -> Response[Any]:
    return problem(error, request)


def _http_error(request: Request[Any, Any, Any], error: HTTPException) -> Response[Any]:
    """Litestar's own refusals (no route, wrong method, unreadable body) in our words."""
    if error.status_code == HTTPStatus.BAD_REQUEST:
        fields = [
            f"{one.get('key', '')}: {one.get('message', '')}".strip(": ")
            for one in (error.extra if isinstance(error.extra, list) else ())
            if isinstance(one, dict)
        ]
        told: ServiceError = errors.InvalidInput(
            code="malformed_request", fields=fields or [error.detail]
        )
        return problem(told, request)
    kind = _KIND_OF_STATUS.get(error.status_code)
    if kind is not None:
        return problem(kind(), request)
    told = _Refused(code=f"http_{error.status_code}")
    answer = problem(told, request, HTTPStatus(error.status_code))
    answer.headers.update(error.headers or {})
    return answer


class _Refused(ServiceError):
    """The request does not fit the address it was sent to."""

    ru = "Запрос не подходит к этому адресу: проверьте метод и формат."
    en = "The request does not fit this address: check method and format."


_KIND_OF_STATUS: Mapping[int, type[ServiceError]] = {
    404: errors.NotFound,
    413: errors.TooLarge,
    415: errors.UnsupportedType,
    429: errors.TooManyRequests,
}


def _caused_by_input(error: Exception) -> ServiceError | None:
    """What a library or PostgreSQL refuses because of the bytes that came, wherever it noticed."""
    if isinstance(error, RecursionError | UnicodeError):  # JSON too deep, or in another encoding
        return errors.InvalidInput(code="malformed_request")
    if isinstance(
        error, asyncpg.CharacterNotInRepertoireError | asyncpg.UntranslatableCharacterError
    ):
        return errors.InvalidInput(
            "Текст содержит недопустимый знак с кодом 0.",
            "The text holds a NUL character.",
            code="bad_character",
        )
    return None


def _defect(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    """A defect of ours: logged whole, told as a number to quote, never as a traceback."""
    if (refused := _caused_by_input(error)) is not None:
        log.warning("%s in %s %s", type(error).__name__, request.method, request.url.path)
        return problem(refused, request)
    log.exception("defect in %s %s", request.method, request.url.path, exc_info=error)
    told = ServiceError(
        "Внутренняя ошибка. Мы её записали; назовите поддержке номер запроса.",
        "An internal error. It is recorded; quote the request's number to support.",
        code="internal_error",
    )
    return problem(told, request)


@asynccontextmanager
async def _lifespan(app: Litestar) -> AsyncIterator[None]:
    try:
        async with wiring.running():
            yield
    except ServiceError as problem:
        app.state.refusal = problem
        raise


def served() -> ASGIApp:
    """The application as the server runs it: what keeps it from opening is said in words.

    Litestar hands the server a traceback; an operator whose store is away wants to read which.
    """
    app = create_app()

    async def run(scope: Any, receive: Any, send: Any) -> None:
        async def said(message: Any) -> None:
            refusal: ServiceError | None = app.state.get("refusal")
            if refusal is not None and message["type"].endswith(".failed"):
                facts = "".join(f" {name}: {one}" for name, one in refusal.details.items())
                words = f"{refusal.error_code}: {refusal.message_ru} / {refusal.message_en}{facts}"
                message = {**message, "message": words}
            await send(message)

        await app(scope, receive, said if scope["type"] == "lifespan" else send)

    return run


def create_app(*, debug: bool = False) -> Litestar:
    """The application; its pools open with its first event loop."""
    return Litestar(
        route_handlers=[*API_CONTROLLERS, *site.WEB_CONTROLLERS],
        middleware=[Authentication()],
        lifespan=[_lifespan],
        exception_handlers={
            ServiceError: _service_error,
            HTTPException: _http_error,
            Exception: _defect,
        },
        before_send=[answer_request_id, site.security_headers],
        template_config=site.TEMPLATE_CONFIG,
        openapi_config=OpenAPIConfig(
            title="docflow",
            version="1",
            description="Signed electronic documents between the levels of a federation.",
            contact=Contact(name="docflow"),
            license=License(name="see the repository"),
            render_plugins=[description.Description()],
            path="/schema",
        ),
        debug=debug,
        request_max_body_size=4 * 1024 * 1024,
    )
