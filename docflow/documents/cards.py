"""The registration card (РКК) of a document: create, correct, complete, show, give up."""

import json
import uuid
from datetime import date
from typing import Any

import msgspec

from audit import events, transitions
from core import clock, db, idempotency
from core.actor import Actor
from core.errors import Conflict, InvalidInput
from docflow.documents import visibility
from docflow.documents.kinds import DocumentKind, kind_of
from docflow.documents.states import EDITABLE, TRANSITIONS, DocumentStatus

MAX_TITLE = 1000
MAX_REASON = 1000
MAX_INDEX = 100
MAX_ADDRESSEE = 10_000
MAX_FIELDS = 64 * 1024


class CardInput(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What a clerk fills in; see records.md section 2 for the fields of the card."""

    kind: str
    title: str
    addressee: str = ""
    mark: str = "none"
    origin: str = "electronic"
    fields: dict[str, Any] = {}
    signatory_id: uuid.UUID | None = None
    executor_id: uuid.UUID | None = None
    due_on: date | None = None
    file_index: str | None = None
    received_number: str | None = None
    received_date: date | None = None


async def create(actor: Actor, *, card: CardInput, key: str | None = None) -> uuid.UUID:
    """A new draft of the actor's organization; the same `key` leads to the same document.

    Raises InvalidInput naming the field that is wrong.
    """
    actor.require("clerk", "signatory")
    check(card)
    request = idempotency.request_hash("document", msgspec.json.encode(card, order="sorted"))
    document_id, _ = await idempotency.once(
        scope=actor.home_id, key=key, request=request, create=lambda: _insert(actor, card)
    )
    return document_id


async def _insert(actor: Actor, card: CardInput) -> uuid.UUID:
    document_id, moment = clock.new_id(), clock.now()
    await db.execute(
        """WITH made AS (
               INSERT INTO document (id, kind, organization_id, status, title, addressee, mark,
               origin, fields, author_id, signatory_id, executor_id, due_on, file_index,
               received_number, received_date, created_at, updated_at)
           VALUES ($1, $2, $3, 'draft', $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16,
                   $16))
           INSERT INTO document_text (document_id, card) VALUES ($1, $17)""",
        document_id, card.kind, actor.home_id, card.title.strip(), card.addressee, card.mark,
        card.origin, card.fields, actor.account_id, card.signatory_id, card.executor_id,
        card.due_on, card.file_index, card.received_number, card.received_date, moment,
        _card_text(card),
    )  # fmt: skip
    await events.record(
        actor, "document.created", subject=("document", document_id), document_id=document_id,
        change=(None, DocumentStatus.DRAFT), data={"kind": card.kind},
    )  # fmt: skip
    return document_id


async def correct(actor: Actor, document_id: uuid.UUID, *, card: CardInput, version: int) -> None:
    """Change the card of a draft; `version` is the one the editor saw.

    Raises `document_frozen` once the document has left the draft state and Conflict
    (`stale_version`) when somebody else has saved meanwhile. What changed is written to the
    event, old beside new.
    """
    actor.require("clerk", "signatory")
    check(card)
    async with db.transaction():
        found = await visibility.own_document(actor, document_id)
        require_editable(found)
        if found["version"] != version:
            raise Conflict(
                "Карточку уже изменили. Обновите страницу и повторите правку.",
                "The card was changed meanwhile. Reload and repeat your change.",
                code="stale_version",
                current=found["version"],
            )
        new = msgspec.to_builtins(card, builtin_types=(uuid.UUID, date))
        new["title"] = card.title.strip()
        changed = {name: (found[name], new[name]) for name in new if found[name] != new[name]}
        if not changed:
            return
        names = list(changed)
        setters = ", ".join(f"{name} = ${place}" for place, name in enumerate(names, start=3))
        await db.execute(
            f"""UPDATE document SET {setters}, version = version + 1, updated_at = $2
                WHERE id = $1""",
            document_id, clock.now(), *(new[name] for name in names),
        )  # fmt: skip
        await db.execute(
            "UPDATE document_text SET card = $2 WHERE document_id = $1",
            document_id, _card_text(card),
        )  # fmt: skip
        await events.record(
            actor, "document.corrected", subject=("document", document_id),
            document_id=document_id, data={"fields": names},
            detail={name: {"old": _plain(old), "new": _plain(now)}
                    for name, (old, now) in changed.items()},
        )  # fmt: skip


async def discard(actor: Actor, document_id: uuid.UUID, *, reason: str = "") -> None:
    """Give up a document that has no number yet; what has a number is recalled instead."""
    actor.require("clerk", "signatory")
    require_text(reason, most=MAX_REASON, field="reason")
    async with db.transaction():
        found = await visibility.own_document(actor, document_id)
        await transitions.move(
            actor, "document", document_id, graph=TRANSITIONS,
            source=DocumentStatus(found["status"]), target=DocumentStatus.DISCARDED,
            verb="document.discarded", document_id=document_id,
            detail={"reason": reason} if reason else None,
        )  # fmt: skip


async def close(actor: Actor, document_id: uuid.UUID, *, file_index: str) -> None:
    """File the document («в дело») under an index of the номенклатура (CLS-1)."""
    actor.require("clerk")
    if not file_index.strip():
        raise InvalidInput(
            "Укажите индекс дела.", "Name the file index.", code="field_missing", field="file_index"
        )
    require_text(file_index, most=MAX_INDEX, field="file_index")
    async with db.transaction():
        found = await visibility.own_document(actor, document_id)
        await transitions.move(
            actor, "document", document_id, graph=TRANSITIONS,
            source=DocumentStatus(found["status"]), target=DocumentStatus.CLOSED,
            verb="document.closed", document_id=document_id,
            assign={"file_index": file_index.strip()},
        )  # fmt: skip


def require_editable(found: db.Row) -> None:
    """Raise unless the document is still a draft (CAP-7: frozen after registration)."""
    if DocumentStatus(found["status"]) not in EDITABLE:
        raise InvalidInput(
            "Документ уже не проект: его карточка и файлы не меняются. Оформите исправление "
            "новым документом «взамен».",
            "No longer a draft: card and files are frozen. Issue a correcting document instead.",
            code="document_frozen",
            status=found["status"],
        )


def require_text(text: str, *, most: int, field: str) -> None:
    """Raise `bad_character` for what PostgreSQL cannot keep, `too_long` above `most` characters."""
    if "\x00" in text:
        raise _bad_character(field)
    if len(text) > most:
        raise InvalidInput(
            f"Поле {field}: не длиннее {most} знаков.",
            f"{field}: at most {most} characters.",
            code="too_long",
            field=field,
        )


def _bad_character(field: str) -> InvalidInput:
    return InvalidInput(
        "Текст содержит недопустимый знак с кодом 0.",
        "The text holds a NUL character.",
        code="bad_character",
        field=field,
    )


def require_complete(found: db.Row, kind: DocumentKind) -> None:
    """Raise `field_missing` naming what the kind needs and the card lacks."""
    missing = [
        name for name in kind.required
        if (found[name] if name in found else found["fields"].get(name)) in (None, "", [])
    ]  # fmt: skip
    if missing:
        raise InvalidInput(
            f"{kind.ru}: заполните поля {', '.join(missing)}.",
            f"{kind.en}: fill in {', '.join(missing)}.",
            code="field_missing",
            fields=missing,
        )


def check(card: CardInput) -> None:
    """Raise InvalidInput naming the field of a card that is wrong."""
    kind_of(card.kind)
    if not 1 <= len(card.title.strip()) <= MAX_TITLE:
        raise InvalidInput(
            f"Заголовок: от 1 до {MAX_TITLE} знаков.",
            f"Title: 1 to {MAX_TITLE} characters.",
            code="title_length",
            field="title",
        )
    for name, text, most in (
        ("title", card.title, MAX_TITLE * 2),
        ("addressee", card.addressee, MAX_ADDRESSEE),
        ("file_index", card.file_index or "", MAX_INDEX),
        ("received_number", card.received_number or "", MAX_INDEX),
    ):
        require_text(text, most=most, field=name)
    if "\\u0000" in json.dumps(card.fields):
        raise _bad_character("fields")
    for name, value, allowed in (
        ("mark", card.mark, ("none", "dsp")),
        ("origin", card.origin, ("electronic", "paper_copy")),
    ):
        if value not in allowed:
            raise InvalidInput(
                f"{name}: допустимо {', '.join(allowed)}.",
                f"{name}: one of {', '.join(allowed)}.",
                code="unknown_value",
                field=name,
            )
    if len(json.dumps(card.fields, ensure_ascii=False).encode()) > MAX_FIELDS:
        raise InvalidInput(
            "Поля карточки слишком велики.", "The card's fields are too large.", code="too_long"
        )


def _card_text(card: CardInput) -> str:
    """What full-text search finds of the card; the number is found by its own index."""
    values = [value for value in card.fields.values() if isinstance(value, str)]
    return "\n".join([card.title, card.addressee, *values])


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, uuid.UUID | date) else value
