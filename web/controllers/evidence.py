"""Evidence packages: asked for with purpose and ground, followed, taken."""

import uuid
from typing import Any

from litestar import Controller, Response, get, post
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect, Stream

from core.errors import InvalidInput, ServiceError
from directory.controllers.authentication import CALLER, Caller, requires
from evidence.packages import exports
from evidence.packages.states import ExportKind
from web import forms, pages
from web.pages import R
from web.translation import N_

PAGE = 50
TAKERS = [requires(*exports.ROLES)]


class EvidencePageController(Controller):
    """What was handed out, why and to whom; and a form for the next one."""

    path = "/evidence"
    include_in_schema = False
    dependencies = CALLER

    @get(guards=TAKERS)
    async def listed(
        self, request: R, actor: Caller, kind: FromQuery[str] = "document",
        subject: FromQuery[str] = "", after: FromQuery[uuid.UUID | None] = None,
    ) -> Response[str]:  # fmt: skip
        """The register of exports, newest first."""
        given = {"kind": kind, "subject_id": subject}
        return await _list_page(request, actor, after=after, given=given)

    @post(guards=TAKERS)
    async def ask(self, request: R, actor: Caller) -> Response[Any]:
        """Register an export and begin to pack it."""
        given = {name: str(value) for name, value in dict(await request.form()).items()}
        try:
            await exports.request(actor, _wanted(given), key=given.get("key") or None)
        except ServiceError as problem:
            return await _list_page(request, actor, problem=problem, given=given)
        return pages.redirect(
            request, "/evidence", done=N_("The package is being made; reload the page in a while.")
        )

    @post("/{export_id:uuid}/retry", guards=TAKERS)
    async def retry(self, request: R, export_id: FromPath[uuid.UUID], actor: Caller) -> Redirect:
        """Go on from where it failed."""
        work = exports.retry(actor, export_id)
        return await pages.act(request, "/evidence", work, done=N_("It goes on."))

    @get("/{export_id:uuid}/package", guards=TAKERS)
    async def take(self, export_id: FromPath[uuid.UUID], actor: Caller) -> Stream:
        """The ZIP itself; that it was taken is noted."""
        found, stream = await exports.take(actor, export_id)
        headers = {
            "content-disposition": f'attachment; filename="evidence-{export_id}.zip"',
            "content-length": str(found["bytes"]), "cache-control": "no-store",
        }  # fmt: skip
        return Stream(stream, media_type="application/zip", headers=headers)


def _wanted(given: dict[str, str]) -> exports.Wanted:
    subject = pages.id_of(given.get("subject_id", "").strip())
    try:
        kind = ExportKind(given.get("kind", ""))
    except ValueError:
        raise InvalidInput(
            "Выберите, о чём нужен пакет.", "Choose what the package is about.",
            code="wrong_subject", field="kind",
        ) from None  # fmt: skip
    return exports.Wanted(
        kind=kind, purpose=given.get("purpose", ""), basis=given.get("basis", ""),
        recipient=given.get("recipient", ""), subject_id=subject,
        since=forms.day(given.get("since"), field="since"),
        until=forms.day(given.get("until"), field="until"),
        level="masked" if given.get("level") == "masked" else "full",
    )  # fmt: skip


async def _list_page(
    request: R, actor: Caller, *, given: dict[str, str], after: uuid.UUID | None = None,
    problem: ServiceError | None = None,
) -> Response[str]:  # fmt: skip
    rows = await exports.listed(actor, after=after, limit=PAGE + 1)
    return await pages.page(
        request, "evidence.html", rows=rows[:PAGE], given=given, problem=problem,
        kinds=list(ExportKind), key=pages.new_key(), status_code=422 if problem else 200,
        more=rows[PAGE - 1]["id"] if len(rows) > PAGE else None,
    )  # fmt: skip
