"""Whether a message may be entered: what is known here of it, of its author, of its document."""

import hashlib
import uuid
from dataclasses import dataclass

import msgspec

from core import db
from docflow.gateways.node.container import Container
from docflow.gateways.node.messages import Manifest, Receipt, encode
from docflow.routing.nodes import journal
from docflow.routing.nodes.intake import Call
from docflow.routing.nodes.peers import Peer

MARKS = ("none", "dsp")


class Refused(Exception):
    """The message is not taken; the sender is told why in a signed receipt."""

    def __init__(self, reason: str, text: str = "") -> None:
        self.reason = reason
        self.text = text
        super().__init__(reason)


@dataclass(frozen=True, slots=True)
class View:
    """What is known here of a message, its document and its author, in one look."""

    message: db.Row | None
    """What came under this uid before, as `journal.known` has it."""
    author_id: uuid.UUID | None
    lives_with: uuid.UUID | None
    """The node of the author's organization."""
    document_id: uuid.UUID | None
    document_sha256: bytes | None
    is_recalled: bool

    def known_document(self, manifest: Manifest) -> uuid.UUID | None:
        """Ours for the sender's, when an earlier message brought it; refused if it differs."""
        if self.document_id is not None and self.document_sha256 != content_digest(manifest):
            raise Refused("document_changed", "Этот документ уже получен с другим содержанием.")
        return self.document_id


async def look(node_id: uuid.UUID, manifest: Manifest) -> View:
    """How everything stands that decides about a message; current only under `journal.lock`."""
    (row,) = await db.rows(
        """SELECT m.id, m.sha256, m.status, m.receipt, m.kind, o.id AS author_id,
                  r.node_id AS lives_with, d.document_id, d.sha256 AS document_sha256,
                  EXISTS (SELECT FROM node_message WHERE node_id = $1 AND origin_id = $3
                          AND kind = 'recall' AND status = 'accepted') AS is_recalled
           FROM (VALUES ($1::uuid)) AS n (id)
           LEFT JOIN node_message AS m ON m.node_id = n.id AND m.uid = $2
           LEFT JOIN node_document AS d ON d.node_id = n.id AND d.origin_id = $3
           LEFT JOIN organization AS o ON o.code = $4
           LEFT JOIN node_residence AS r ON r.organization_id = o.id""",
        # no text of PostgreSQL's holds a NUL; a manifest with one is refused by `check`
        node_id, manifest.uid, manifest.card.id, manifest.author.replace("\x00", ""),
    )  # fmt: skip
    digest = row["document_sha256"]
    return View(
        row if row["id"] is not None else None, row["author_id"], row["lives_with"],
        row["document_id"], None if digest is None else bytes(digest), row["is_recalled"],
    )  # fmt: skip


def check(view: View, peer: Peer, manifest: Manifest) -> uuid.UUID:
    """The author's organization, if it lives with that node; else the message is refused.

    Nobody but the node an organization lives with may send letters in its name.
    """
    if view.author_id is None:
        raise Refused("author_unknown", "Организации-отправителя нет в справочнике.")
    if view.lives_with != peer.id:
        raise Refused(
            "author_not_here", "По справочнику отправитель обслуживается не этим узлом."
        )  # fmt: skip
    if manifest.card.mark not in ("", *MARKS):
        raise Refused("unknown_mark", "Неизвестная отметка о доступе.")
    if b"\\u0000" in encode(manifest):
        raise Refused("bad_character", "В карточке есть недопустимый знак с кодом 0.")
    return view.author_id


def content_digest(manifest: Manifest) -> bytes:
    """What must be the same of a document however often it comes: card and files."""
    return hashlib.sha256(
        msgspec.json.encode([manifest.author, manifest.card, manifest.files], order="sorted")
    ).digest()


def identity_of(manifest: Manifest) -> bytes:
    """What makes it the same message under its uid: document, and whom it was sent to.

    Not the hops told along, nor who waits for a chancery, nor the version: a sender that was
    restored from a backup, or updated, makes those anew.
    """
    named = sorted((str(one.delivery), one.to) for one in manifest.recipients if not one.waits)
    return hashlib.sha256(content_digest(manifest) + msgspec.json.encode(named)).digest()


async def again(call: Call, row: db.Row, message: Container) -> Receipt | None:
    """The receipt for a message that came before; as `journal.again` has it."""
    return await journal.again(
        call, row, sha256=message.sha256, identity=identity_of(message.manifest)
    )
