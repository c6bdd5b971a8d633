"""Dossiers over HTTP."""

import uuid

from litestar import Controller, Response, get
from litestar.params import FromPath

from compliance.dossiers import dossier
from directory.controllers.authentication import CALLER, Caller, requires, scope


class DossierController(Controller):
    """What is known of one use, for a court or a claimant."""

    path = "/api/v1/pictures/uses"
    tags = ("pictures",)
    dependencies = CALLER

    @get(
        "/{use_id:uuid}/dossier", guards=[scope("pictures:read"), requires("editor", "lawyer")],
        opt={"raw_answer": True}, summary="Dossier of a use",
    )  # fmt: skip
    async def download(self, use_id: FromPath[uuid.UUID], actor: Caller) -> Response[bytes]:
        """A ZIP: signed PDF/A, canonical JSON, case and verdict, documents, manifest."""
        made = await dossier.make(actor, use_id)
        headers = {
            "Content-Disposition": f'attachment; filename="{made.name}"',
            "X-Content-Type-Options": "nosniff",
        }
        return Response(made.data, media_type="application/zip", headers=headers)
