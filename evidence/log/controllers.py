"""The log over HTTP: in its published form for everybody, with proofs and checks for those inside.

Under `/log` lie checkpoint, tiles and entry bundles as C2SP tlog-tiles has them. They hold hashes
only, and are open to everybody: a log that only its keeper can read convinces nobody.
"""

import uuid
from dataclasses import asdict
from typing import Any

import msgspec
from litestar import Controller, Response, get, post
from litestar.params import FromPath, FromQuery, JSONBody

from core import jobs
from core.errors import NotFound
from directory.controllers.authentication import CALLER, Caller, public, requires, scope
from evidence.log import alarm, checking, cosigning, heads, identity, notes, proofs, reading, tiles
from evidence.log import schemas as wire
from evidence.log.notes import VerifierKey
from evidence.log.proofs import Checkpoint
from signatures import anchors
from signatures.states import SourceStatus

READ = [scope("audit:read")]
KEEP = [scope("audit:read"), requires("administrator")]
FOR_EVER = "public, max-age=31536000, immutable"
FOR_A_MOMENT = "public, max-age=1"
TEXT = "text/plain; charset=utf-8"
OCTETS = "application/octet-stream"
STARTED = {"refusals": ("503",)}
"""Until the job process has begun the log there is nothing to show."""

jobs.allow("log.check_all")


class TileController(Controller):
    """The log in its published form."""

    path = "/log"
    tags = ("log",)
    guards = (public,)
    opt = STARTED

    @get(
        "/checkpoint",
        media_type=TEXT,
        opt={"raw_answer": "text/plain"},
        summary="Signed head of the log",
    )
    async def checkpoint(self) -> Response[str]:
        """The latest checkpoint with the signatures of log and witnesses (C2SP tlog-checkpoint)."""
        latest = await proofs.checkpoint()
        headers = {"Cache-Control": FOR_A_MOMENT}
        return Response(latest.cosigned, media_type=TEXT, headers=headers)

    @get(
        "/vkey", media_type=TEXT, opt={"raw_answer": "text/plain"}, summary="Public key of the log"
    )
    async def vkey(self) -> Response[str]:
        """The key checkpoints are signed with, as C2SP signed-note spells it."""
        return Response(f"{await identity.verifier()}\n", media_type=TEXT)

    @get(
        "/tile/{level:str}/{number:path}",
        media_type=OCTETS,
        opt={"raw_answer": True},
        summary="Tile of the tree",
    )
    async def tile(self, level: FromPath[str], number: FromPath[str]) -> Response[bytes]:
        """Hashes of a level, or with `entries` as level the entries themselves (C2SP tlog-tiles).

        `number` is spelled in groups of three digits, with `.p/W` after it for a tile of W hashes.
        """
        try:
            place, width = tiles.parsed_path(level, str(number).removeprefix("/"))
        except ValueError as problem:
            raise NotFound from problem
        data = await proofs.tile(place, width)
        return Response(data, media_type=OCTETS, headers={"Cache-Control": FOR_EVER})


class LogController(Controller):
    """Proofs, checkpoints and checks."""

    path = "/api/v1/log"
    tags = ("log",)
    dependencies = CALLER
    opt = STARTED

    @get("/", guards=KEEP, summary="How the log is")
    async def standing(self, actor: Caller) -> wire.LogView:
        """Its size, what waits for checkpoint and time stamp, what checks and witnesses found."""
        await anchors.require_keeper(actor)
        now = await alarm.standing()
        return wire.LogView(**asdict(now), troubles=now.troubles)

    @get("/events/{event_id:uuid}/proof", guards=READ, summary="Proof of an event")
    async def proof(
        self, event_id: FromPath[uuid.UUID], actor: Caller, size: FromQuery[int | None] = None
    ) -> wire.ProofView:
        """That the event is in the log, under the latest checkpoint or the one of `size`."""
        point = await proofs.checkpoint(size)
        found = await reading.proof_for(actor, event_id, size=point.head.size)
        return wire.ProofView(
            event_id=event_id, leaf=found.leaf, size=found.size, event=found.event.decode(),
            salt=found.salt.hex(), entry=found.entry.hex(), path=[one.hex() for one in found.path],
            proof=found.as_text(point),
        )  # fmt: skip

    @get("/consistency", guards=READ, summary="Proof between two sizes")
    async def consistency(self, old: FromQuery[int], new: FromQuery[int]) -> wire.ConsistencyView:
        """That the log of `new` leaves begins with the log of `old` leaves."""
        found = await proofs.consistency(old, new)
        return wire.ConsistencyView(old, new, [one.hex() for one in found.path])

    @get("/checkpoints/{size:str}", guards=READ, summary="A checkpoint")
    async def show_checkpoint(self, size: FromPath[str]) -> wire.CheckpointView:
        """Its note, its cosignatures, and which checkpoint's time stamp covers it."""
        found = await _checkpoint(size)
        stamped = await proofs.stamped_checkpoint(found.head.size)
        return wire.CheckpointView(
            size=found.head.size, root=found.head.root.hex(), note=found.note,
            cosigned=found.cosigned, at=found.at,
            stamped_size=stamped.head.size if stamped else None,
        )  # fmt: skip

    @get(
        "/checkpoints/{size:str}/token",
        guards=READ,
        media_type=OCTETS,
        opt={"raw_answer": True},
        summary="Time stamp of a checkpoint",
    )
    async def token(self, size: FromPath[str]) -> Response[bytes]:
        """The RFC 3161 token over exactly this checkpoint's note, in DER."""
        found = await _checkpoint(size)
        if found.token is None:
            raise NotFound(
                "У этой контрольной точки нет своей отметки времени. Возьмите stamped_size.",
                "This checkpoint has no time stamp of its own. Take stamped_size.",
                code="not_stamped",
            )
        return Response(found.token, media_type=OCTETS)

    @get("/checks", guards=KEEP, summary="Checks of the log")
    async def list_checks(self, actor: Caller) -> list[wire.CheckView]:
        """The last fifty, newest first, with what they found."""
        await anchors.require_keeper(actor)
        return [_view(wire.CheckView, row) for row in await checking.recent()]

    @post("/checks", guards=KEEP, status_code=202, summary="Check the whole log")
    async def check(self, actor: Caller) -> None:
        """Compare every event with its leaf; the result comes into the list of checks."""
        await anchors.require_keeper(actor)
        await jobs.defer("log.check_all", key="asked")


class WitnessController(Controller):
    """Who cosigns the log."""

    path = "/api/v1/log/witnesses"
    tags = ("log",)
    guards = (requires("administrator"),)
    dependencies = CALLER

    @get("/", summary="List witnesses")
    async def list_witnesses(self, actor: Caller) -> list[wire.WitnessView]:
        """With what each has seen of the log and its last error."""
        await anchors.require_keeper(actor)
        return [
            _view(wire.WitnessView, row | {"key": str(_key_of(row))})
            for row in await cosigning.witnesses()
        ]

    @post("/", summary="Add a witness")
    async def add(self, data: JSONBody[wire.WitnessInput], actor: Caller) -> wire.Made:
        """Ask it too; it must know our key, which stands at `/log/vkey`."""
        return wire.Made(await cosigning.add_witness(actor, url=data.url, vkey=data.key))

    @post("/{witness_id:uuid}/disable", status_code=204, summary="Ask a witness no more")
    async def disable(self, witness_id: FromPath[uuid.UUID], actor: Caller) -> None:
        """What it signed stays."""
        await cosigning.set_status(actor, witness_id, SourceStatus.DISABLED)

    @post("/{witness_id:uuid}/enable", status_code=204, summary="Ask a witness again")
    async def enable(self, witness_id: FromPath[uuid.UUID], actor: Caller) -> None:
        """From what it has seen on."""
        await cosigning.set_status(actor, witness_id, SourceStatus.ACTIVE)


async def _checkpoint(size: str) -> Checkpoint:
    try:
        return await proofs.checkpoint(heads.parsed_size(size))
    except notes.NoteError as problem:
        raise NotFound(size=size) from problem


def _key_of(row: dict[str, Any]) -> VerifierKey:
    return VerifierKey(row["name"], row["public_key"], notes.COSIGNED)


def _view(kind: type[Any], row: dict[str, Any]) -> Any:
    return msgspec.convert({name: row[name] for name in kind.__struct_fields__}, kind, strict=False)


CONTROLLERS = (TileController, LogController, WitnessController)
