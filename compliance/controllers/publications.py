"""Publications, permits and the keys of permits over HTTP."""

import uuid
from dataclasses import asdict
from typing import Any

import msgspec
from litestar import Controller, Request, Response, get, post, put
from litestar.params import FromPath, FromQuery, JSONBody
from litestar.response import Stream

from compliance.controllers.forms import LARGEST, PICTURE_FORM, picture_and_use
from compliance.publishing import gate, issue_files, permit_keys, permits, publications
from compliance.publishing import publication_schemas as wire
from compliance.publishing.permits import PermitUse
from compliance.publishing.publication_states import PublicationStatus
from compliance.publishing.publications import PictureInput, PublicationCard
from compliance.registers.register import MAX_PICTURE
from core import db
from directory.controllers.authentication import CALLER, Caller, public, requires, scope
from directory.controllers.parameters import IdempotencyKey
from storage import blobs

READ = [scope("pictures:read"), requires("editor", "lawyer", "administrator")]
WRITE = [scope("pictures:write"), requires("editor", "lawyer")]


class PublicationController(Controller):
    """Pages, posts and issues; nothing comes out with a picture that is not clear."""

    path = "/api/v1/publications"
    tags = ("publications",)
    dependencies = CALLER

    @get("/", guards=READ, summary="List publications")
    async def list_publications(
        self,
        actor: Caller,
        status: FromQuery[PublicationStatus | None] = None,
        after: FromQuery[uuid.UUID | None] = None,
        limit: FromQuery[int] = 50,
    ) -> list[wire.PublicationLine]:
        """The organization's publications, newest first; `after` is the last id seen."""
        found = await publications.list_of(actor, status=status, after=after, limit=limit)
        return msgspec.convert(found, list[wire.PublicationLine])

    @post("/", guards=WRITE, summary="Begin a publication")
    async def create(
        self, data: JSONBody[PublicationCard], actor: Caller, key: IdempotencyKey = None
    ) -> wire.Made:
        """A draft of a page, a post or an issue; pictures or a file follow."""
        return wire.Made(await publications.create(actor, card=data, key=key))

    @get("/{publication_id:uuid}", guards=READ, summary="Show a publication")
    async def show(
        self, publication_id: FromPath[uuid.UUID], actor: Caller
    ) -> wire.PublicationView:
        """The card, every picture with what its check said, the report of an issue's file."""
        return await _shown(actor, publication_id)

    @put("/{publication_id:uuid}", guards=WRITE, status_code=204, summary="Correct a draft")
    async def correct(
        self,
        publication_id: FromPath[uuid.UUID],
        data: JSONBody[PublicationCard],
        actor: Caller,
        version: FromQuery[int],
    ) -> None:
        """Change the card of a draft; `version` is the one you saw. Pictures are judged anew."""
        await publications.correct(actor, publication_id, card=data, version=version)

    @put(
        "/{publication_id:uuid}/file", guards=WRITE, request_max_body_size=None,
        opt={"raw_body": True}, summary="Send an issue's file",
    )  # fmt: skip
    async def send_file(
        self,
        publication_id: FromPath[uuid.UUID],
        request: Request[Any, Any, Any],
        actor: Caller,
        file_name: FromQuery[str] = "issue.pdf",
    ) -> wire.FileReport:
        """The body is a PDF, DOCX, ODT, PPTX or ODP; its pictures are taken out and checked."""
        report = await issue_files.take_in(
            actor, publication_id, stream=request.stream(), file_name=_clean(file_name)
        )
        return msgspec.convert(report, wire.FileReport)

    @put(
        "/{publication_id:uuid}/pictures", guards=WRITE, request_max_body_size=MAX_PICTURE,
        opt={"raw_body": True}, status_code=201, summary="Add a picture",
    )  # fmt: skip
    async def add_picture(
        self,
        publication_id: FromPath[uuid.UUID],
        request: Request[Any, Any, Any],
        actor: Caller,
        file_name: FromQuery[str] = "picture",
        caption: FromQuery[str] = "",
        is_changed: FromQuery[bool] = False,
        seat: FromQuery[str | None] = None,
    ) -> wire.PictureView:
        """The body is the picture itself; answers what the check says of it."""
        picture_id = await publications.add_picture(
            actor, publication_id, data=await request.body(), file_name=_clean(file_name),
            use=PictureInput(caption=caption, is_changed=is_changed, seat=seat),
        )  # fmt: skip
        await gate.check_pictures(actor, publication_id)
        shown = await _shown(actor, publication_id)
        return next(one for one in shown.pictures if one.id == picture_id)

    @put(
        "/{publication_id:uuid}/pictures/{picture_id:uuid}", guards=WRITE,
        summary="Correct a caption",
    )  # fmt: skip
    async def correct_picture(
        self,
        publication_id: FromPath[uuid.UUID],
        picture_id: FromPath[uuid.UUID],
        data: JSONBody[PictureInput],
        actor: Caller,
    ) -> wire.PictureView:
        """Another caption, change or seat; answers what the check says now."""
        await publications.correct_picture(actor, publication_id, picture_id, use=data)
        await gate.check_pictures(actor, publication_id)
        shown = await _shown(actor, publication_id)
        return next(one for one in shown.pictures if one.id == picture_id)

    @post(
        "/{publication_id:uuid}/pictures/{picture_id:uuid}/remove", guards=WRITE, status_code=204,
        summary="Take a picture out",
    )  # fmt: skip
    async def remove_picture(
        self,
        publication_id: FromPath[uuid.UUID],
        picture_id: FromPath[uuid.UUID],
        actor: Caller,
    ) -> None:
        """Take a picture out of a draft."""
        await publications.remove_picture(actor, publication_id, picture_id)

    @get(
        "/{publication_id:uuid}/pictures/{picture_id:uuid}/content", guards=READ,
        opt={"raw_answer": True}, summary="Download a picture",
    )  # fmt: skip
    async def picture_content(
        self,
        publication_id: FromPath[uuid.UUID],
        picture_id: FromPath[uuid.UUID],
        actor: Caller,
    ) -> Stream:
        """The bytes as they are checked; never shown inside a page of ours."""
        found = await publications.content_of(actor, publication_id, picture_id)
        headers = {
            "Content-Disposition": f'attachment; filename="{picture_id}"',
            "X-Content-Type-Options": "nosniff",
            "Content-Length": str(found["size"]),
        }
        return Stream(
            await blobs.open_blob(found["id"]), media_type=found["media_type"], headers=headers
        )

    @post("/{publication_id:uuid}/check", guards=WRITE, summary="Judge every picture now")
    async def check(
        self, publication_id: FromPath[uuid.UUID], actor: Caller
    ) -> wire.PublicationView:
        """Judge all pictures again by the registers of this moment."""
        await gate.check_pictures(actor, publication_id, only_new=False)
        return await _shown(actor, publication_id)

    @post("/{publication_id:uuid}/ready", guards=WRITE, status_code=204, summary="Make it ready")
    async def make_ready(self, publication_id: FromPath[uuid.UUID], actor: Caller) -> None:
        """Finish a draft: 409 `publication_blocked` with the reasons of each picture in the way."""
        await gate.make_ready(actor, publication_id)

    @post("/{publication_id:uuid}/reopen", guards=WRITE, status_code=204, summary="Back to draft")
    async def reopen(self, publication_id: FromPath[uuid.UUID], actor: Caller) -> None:
        """Open a ready publication again to change it."""
        await publications.reopen(actor, publication_id)

    @post("/{publication_id:uuid}/publish", guards=WRITE, summary="Publish")
    async def publish(self, publication_id: FromPath[uuid.UUID], actor: Caller) -> wire.Published:
        """Let it out: judged again today; 409 `publication_blocked` when a picture is not clear."""
        return wire.Published(await gate.publish(actor, publication_id))

    @post("/{publication_id:uuid}/withdraw", guards=WRITE, status_code=204, summary="Withdraw")
    async def withdraw(
        self,
        publication_id: FromPath[uuid.UUID],
        data: JSONBody[wire.Reason],
        actor: Caller,
    ) -> None:
        """Take it back, with the reason; the uses of its pictures end now."""
        await publications.withdraw(actor, publication_id, reason=data.reason)


class PermitController(Controller):
    """One call for outside sites: a picture and its use in, a signed permit out."""

    path = "/api/v1/publications"
    tags = ("publications",)
    dependencies = CALLER

    @post(
        "/permits", guards=WRITE, request_max_body_size=LARGEST,
        opt={"form_body": PICTURE_FORM}, summary="Ask for a permit",
    )  # fmt: skip
    async def ask(
        self, request: Request[Any, Any, Any], actor: Caller, key: IdempotencyKey = None
    ) -> wire.PermitView:
        """A form with `picture` and `use` (JSON); 409 `publication_blocked` says why not."""
        data, file_name, use = await picture_and_use(request, PermitUse)
        given = await permits.permit(
            actor, data=data, use=use, file_name=_clean(file_name), key=key
        )
        return wire.PermitView(**asdict(given))

    @get("/permits/{permit_id:uuid}", guards=READ, summary="Show a permit")
    async def show(self, permit_id: FromPath[uuid.UUID], actor: Caller) -> wire.PermitView:
        """A permit that was given to one's organization."""
        return wire.PermitView(**asdict(await permits.show(actor, permit_id)))

    @post("/permit-keys/rotate", guards=[requires("administrator")], summary="Replace the key")
    async def rotate(self, actor: Caller) -> wire.KeyChanged:
        """The next key signs from now on; what the former one signed holds to its end."""
        return wire.KeyChanged(await permit_keys.rotate(actor))


class PermitKeyController(Controller):
    """What outside sites verify permits with."""

    tags = ("publications",)

    @get(
        "/.well-known/docflow-permits.json",
        guards=[public],
        media_type="application/jwk-set+json",
        summary="Keys of permits",
    )
    async def jwks(self) -> Response[dict[str, Any]]:
        """A JWK set (RFC 7517): the key that signs, the next one, those retired of late."""
        return Response(
            await permit_keys.jwks(),
            headers={"Cache-Control": "public, max-age=3600"},
        )  # fmt: skip


async def _shown(actor: Any, publication_id: uuid.UUID) -> wire.PublicationView:
    found = await publications.own(actor, publication_id, lock=False)
    pictures = await publications.pictures_of(publication_id)
    return msgspec.convert(
        {**found, "pictures": [await _picture(row) for row in pictures]}, wire.PublicationView
    )


async def _picture(row: db.Row) -> wire.PictureView:
    told = await gate.standing(row["check_id"])
    return wire.PictureView(
        id=row["id"], sha256=row["digest"], file_name=row["file_name"], position=row["position"],
        caption=row["caption"], is_changed=row["is_changed"], seat=row["seat"],
        places=row["places"], check_id=row["check_id"], outcome=told["outcome"],
        by_lawyer=told["by_lawyer"], reasons=told["reasons"], attribution=told["attribution"],
        problem=row["problem"], use_id=row["use_id"],
    )  # fmt: skip


def _clean(name: str) -> str:
    """A file name without folders and control characters."""
    plain = "".join(sign for sign in name.replace("\\", "/").rsplit("/", 1)[-1] if sign >= " ")
    return plain.strip()[:255] or "file"


CONTROLLERS: list[type[Controller]] = [
    PublicationController, PermitController, PermitKeyController,
]  # fmt: skip
