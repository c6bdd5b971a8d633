"""Packages on sticks over HTTP: asked for, brought in, and the keys that vouch for them."""

import shutil
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
from anyio import open_file
from litestar import Controller, Request, delete, get, post
from litestar.params import FromPath, FromQuery, JSONBody
from litestar.response import Stream

from core import clock
from core.errors import InvalidInput, TooLarge
from core.settings import settings
from directory.controllers.authentication import CALLER, Caller, requires, scope
from docflow.documents.controllers import convert_all, download_headers, page_of
from docflow.routing.offline import incoming, keys, packages
from docflow.routing.offline import schemas as wire
from docflow.routing.offline.packages import Packed

READ = [scope("documents:read"), requires("clerk")]
SEE = [scope("directory:read"), requires("clerk", "administrator")]
WRITE = [scope("documents:write"), requires("clerk")]
GOVERN = [scope("directory:write"), requires("administrator")]
_CHUNK = 1 << 18


class OfflineController(Controller):
    """Packages for places without a network."""

    path = "/api/v1/offline"
    tags = ("routing",)
    dependencies = CALLER

    @get("/packages", guards=READ, summary="Packages")
    async def list_packages(
        self, actor: Caller, after: FromQuery[uuid.UUID | None] = None, limit: FromQuery[int] = 50
    ) -> wire.PackageList:
        """Handed out by the organization and brought to it, newest first."""
        found = await packages.listed(actor, after=after, limit=limit)
        return wire.PackageList(convert_all(wire.PackageLine, found), page_of(found, limit))

    @get("/waiting", guards=READ, summary="For whom packages lie ready")
    async def waiting(self, actor: Caller) -> list[wire.WaitingLine]:
        """Organizations with documents that wait for a stick."""
        return convert_all(wire.WaitingLine, await packages.waiting(actor))

    @post("/packages", guards=WRITE, opt={"raw_answer": True}, status_code=200,
          summary="Make a package")  # fmt: skip
    async def make(self, data: JSONBody[wire.PackInput], actor: Caller) -> Stream:
        """One signed file with everything unanswered for an organization, to be downloaded."""
        folder = _place()
        made = await packages.make(actor, data.organization_id, folder=folder)
        digest = await packages.digest_of(made.id)
        facts = {"file_name": made.path.name, "size": made.path.stat().st_size, "sha256": digest}
        return Stream(_sent(made, folder), media_type="application/zip",
                      headers=download_headers(facts))  # fmt: skip

    @post("/packages/take", guards=WRITE, request_max_body_size=None, opt={"raw_body": True},
          status_code=200, summary="Take a package in")  # fmt: skip
    async def take(self, request: Request[Any, Any, Any], actor: Caller) -> wire.TakenView:
        """The body is the file as it was brought; entered whole, or refused with the reason."""
        folder = _place()
        try:
            path = await _received(request, folder / "package")
            taken = await incoming.take(path, actor=actor)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        return msgspec.convert(taken, wire.TakenView, from_attributes=True)

    @get("/key", guards=SEE, summary="The key of our packages")
    async def key(self) -> wire.KeyView:
        """What the other installation's administrator enters, and compares over another way."""
        return wire.KeyView(await keys.public_hex())

    @post("/keys", guards=GOVERN, status_code=204, summary="Trust a key")
    async def trust(self, data: JSONBody[wire.TrustInput], actor: Caller) -> None:
        """Take packages by this key for an organization and those below it."""
        await keys.trust(actor, public=data.public, organization_id=data.organization_id)

    @delete("/keys/{public:str}", guards=GOVERN, summary="Trust a key no more")
    async def distrust(self, public: FromPath[str], actor: Caller) -> None:
        """Take no package by this key any more."""
        await keys.distrust(actor, public=public)


def _place() -> Path:
    """A folder of its own for one package on its way through this process."""
    made: Path = settings().data_dir / "packages" / str(clock.new_id())
    made.mkdir(parents=True)
    return made


async def _sent(made: Packed, folder: Path) -> AsyncIterator[bytes]:
    try:
        async with await open_file(made.path, "rb") as opened:
            while chunk := await opened.read(_CHUNK):
                yield chunk
    finally:
        shutil.rmtree(folder, ignore_errors=True)


async def _received(request: Request[Any, Any, Any], path: Path) -> Path:
    size = 0
    async with await open_file(path, "wb") as opened:
        async for chunk in request.stream():
            size += len(chunk)
            if size > incoming.MOST_BYTES:
                raise TooLarge(limit=incoming.MOST_BYTES)
            await opened.write(chunk)
    if not size:
        raise InvalidInput(
            "Файл пакета пуст.", "The file of the package is empty.", code="empty_file"
        )
    return path
