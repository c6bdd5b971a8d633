"""A message came: verified, stored, judged, entered in one transaction, and only then receipted.

Killed anywhere before the commit the sender's next try begins again, killed after it the same try
finds the message known and gets the same receipt as a duplicate.
"""

import logging

from audit import events
from core import clock, db
from core.actor import RULE
from core.errors import InvalidInput, TooLarge
from docflow.documents import external
from docflow.documents.kinds import kind_of
from docflow.gateways.node import container as wire
from docflow.gateways.node.container import Container
from docflow.gateways.node.messages import Manifest, Need, Needs, Receipt
from docflow.routing.nodes import entering, journal, judging, parts, points
from docflow.routing.nodes.intake import Call
from storage import scanning
from storage.blobs import StoredBlob

log = logging.getLogger(__name__)


async def take(call: Call) -> Receipt | Needs:
    """What to answer a message with: a receipt of what is committed, or which parts are missing.

    Raises `BadMessage` for what is no message at all, Unavailable when store or database are away.
    """
    message = wire.unpack(call.body)
    view = await judging.look(call.peer.id, message.manifest)
    if view.message is not None and (again := await judging.again(call, view.message, message)):
        return again
    points.reach("message_read")
    try:
        author_id = judging.check(view, call.peer, message.manifest)
        _check_card(message.manifest)
        is_known = view.known_document(message.manifest) is not None
        stored = {} if is_known else await _stored(call, message)
        if isinstance(stored, list):
            return Needs(message.manifest.uid, tuple(stored))
        points.reach("parts_stored")
        looked = () if is_known else await _judged(message, stored)
        points.reach("judged")
        receipt = await entering.enter(call, message, looked, author_id=author_id)
    except judging.Refused as problem:
        return await _refused(call, message, problem.reason, problem.text)
    except TooLarge as problem:
        return await _refused(call, message, "too_large", problem.message_ru)
    points.reach("after_commit")
    return receipt


async def _stored(call: Call, message: Container) -> dict[str, StoredBlob] | list[Need]:
    found = await parts.stored(call.peer.id, message)
    if isinstance(found, dict):
        return found
    await parts.finish_interrupted(call.peer.id, found, message.manifest.parts())
    return await parts.stored(call.peer.id, message)


def _check_card(manifest: Manifest) -> None:
    try:
        kind = kind_of(manifest.card.kind)
    except InvalidInput as problem:
        raise judging.Refused("unknown_kind", problem.message_ru) from problem
    for one in manifest.files:
        rule = kind.main if one.role == "main" else kind.annex
        if one.size > rule.max_size:
            raise judging.Refused("too_large", f"Файл «{one.file_name[:100]}» больше допустимого.")


async def _judged(
    message: Container, stored: dict[str, StoredBlob]
) -> tuple[external.OutsideFile, ...]:
    """Read every file and check its signatures at arm's length; a false signature is refused."""
    manifest = message.manifest
    try:
        looked = await _looked(message, stored)
    except scanning.MalwareFound as problem:
        raise judging.Refused("malware_found", problem.message_ru) from problem
    if any("invalid" in one.verdicts for one in looked):
        raise judging.Refused("signature_invalid", "Подпись документа недействительна.")
    main = next(one for one in looked if one.role == "main")
    if kind_of(manifest.card.kind).signatures and not main.verdicts:
        raise judging.Refused("signature_missing", "Документ этого вида должен быть подписан.")
    if main.blob.media_type not in kind_of(manifest.card.kind).main.media_types:
        raise judging.Refused("unsupported_type", "Основной файл — не PDF.")
    return looked


async def _looked(
    message: Container, stored: dict[str, StoredBlob]
) -> tuple[external.OutsideFile, ...]:
    manifest, bodies = message.manifest, message.parts or {}
    return tuple(
        [
            await external.look_into(
                stored[one.sha256], role=one.role, position=one.position,
                file_name=one.file_name, title=one.title, content=bodies.get(one.sha256),
                signatures=tuple((stored[each.sha256], each.role) for each in one.signatures),
            )
            for one in manifest.files
        ]
    )  # fmt: skip


async def _refused(call: Call, message: Container, reason: str, text: str) -> Receipt:
    """Journal a refusal; the same message sent again is judged anew."""
    manifest = message.manifest
    receipt = Receipt(
        uid=manifest.uid, sha256=message.sha256, status="refused", time=clock.now(),
        reason=reason, text=text[:500] or None,
    )  # fmt: skip
    log.warning("message %s of node %s refused: %s", manifest.uid, call.peer.id, reason)
    async with db.transaction():
        row = await journal.known(call.peer.id, manifest.uid, lock=True)
        await journal.enter(
            call, message.raw, row=row, uid=manifest.uid, kind="document", receipt=receipt,
            origin_id=manifest.card.id, is_inline=message.parts is not None,
            identity=judging.identity_of(manifest),
        )  # fmt: skip
        await events.record(
            RULE, "node.message_refused", subject=("node", call.peer.id),
            data={"uid": str(manifest.uid), "reason": reason},
        )  # fmt: skip
    return receipt
