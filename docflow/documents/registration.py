"""Registration (регистрация): a document takes its number and is frozen."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from audit import events, transitions
from core import clock, db
from core.actor import Actor
from core.errors import Conflict, InvalidInput
from docflow.documents import cards, journals, visibility
from docflow.documents.kinds import DocumentKind, kind_of
from docflow.documents.states import NUMBERED, TRANSITIONS, DocumentStatus


@dataclass(frozen=True, slots=True)
class Registered:
    """The number a document has in one organization's journal."""

    registration_id: uuid.UUID
    journal_id: uuid.UUID
    number: str
    date: date


async def register(
    actor: Actor,
    document_id: uuid.UUID,
    *,
    journal_id: uuid.UUID | None = None,
    variables: Mapping[str, str] | None = None,
    on: date | None = None,
) -> Registered:
    """Give the document its number in the author's journal; asked again, answer the same number.

    Raises `signature_missing`, `file_missing`, `field_missing`, `link_missing` when the card is
    not complete, `date_in_future` and `journal_ambiguous`. Everything is one transaction: either
    the number is taken and the document stands under it, or neither.
    """
    actor.require("clerk")
    async with db.transaction():
        found = await visibility.own_document(actor, document_id)
        kind = kind_of(found["kind"])
        if DocumentStatus(found["status"]) in NUMBERED:
            return await _known(document_id, actor.home_id)
        await _require_ready(found, kind)
        chosen = (
            await journals.journal(actor.home_id, journal_id)
            if journal_id
            else await journals.journal_for(actor.home_id, direction=kind.direction, kind=kind.code)
        )
        day = _registration_day(on)
        given = dict(variables or {})
        if found["file_index"]:
            given.setdefault("index", found["file_index"])
        done = await _enter(actor, document_id, chosen, given, day)
        await transitions.move(
            actor, "document", document_id, graph=TRANSITIONS,
            source=DocumentStatus(found["status"]), target=DocumentStatus.REGISTERED,
            verb="document.registered", document_id=document_id,
            assign={"number": done.number, "date": day},
            data={"number": done.number, "journal_id": str(done.journal_id)},
        )  # fmt: skip
    return done


async def register_incoming(
    actor: Actor,
    document_id: uuid.UUID,
    *,
    journal_id: uuid.UUID | None = None,
    variables: Mapping[str, str] | None = None,
) -> Registered:
    """Enter a received document into the actor's own incoming journal; once, then the same answer.

    The document itself is not touched: it keeps its author's number (CAP-4).
    """
    actor.require("clerk")
    async with db.transaction():
        found = await visibility.visible_document(actor, document_id)
        if found["organization_id"] == actor.home_id:
            raise Conflict(
                "Это ваш собственный документ: во входящие его не заносят.",
                "This is your own document; it does not go into the incoming journal.",
                code="own_document",
            )
        # Two clerks at once: the second waits here and then finds the first one's number.
        await db.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended($1, 1))",
            f"{document_id}/{actor.home_id}",
        )
        if await db.value(
            "SELECT 1 FROM registration WHERE document_id = $1 AND organization_id = $2",
            document_id, actor.home_id,
        ):  # fmt: skip
            return await _known(document_id, actor.home_id)
        chosen = (
            await journals.journal(actor.home_id, journal_id)
            if journal_id
            else await journals.journal_for(actor.home_id, direction="in", kind=found["kind"])
        )
        done = await _enter(actor, document_id, chosen, dict(variables or {}), clock.today())
        await events.record(
            actor, "document.registered_incoming", subject=("registration", done.registration_id),
            document_id=document_id,
            data={"number": done.number, "journal_id": str(done.journal_id)},
        )  # fmt: skip
    return done


async def _enter(
    actor: Actor, document_id: uuid.UUID, chosen: db.Row, given: dict[str, str], day: date
) -> Registered:
    period, ordinal, number = await journals.take_number(chosen, on=day, variables=given)
    registration_id = clock.new_id()
    await db.execute(
        """INSERT INTO registration (id, document_id, organization_id, journal_id, period, ordinal,
                                     number, date, registered_by, registered_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)""",
        registration_id, document_id, actor.home_id, chosen["id"], period, ordinal, number, day,
        actor.account_id, clock.now(),
    )  # fmt: skip
    return Registered(registration_id, chosen["id"], number, day)


async def _known(document_id: uuid.UUID, organization_id: uuid.UUID) -> Registered:
    found = await db.row(
        """SELECT id, journal_id, number, date FROM registration
           WHERE document_id = $1 AND organization_id = $2""",
        document_id, organization_id,
    )  # fmt: skip
    if found is None:
        raise Conflict(code="illegal_transition")
    return Registered(found["id"], found["journal_id"], found["number"], found["date"])


def _registration_day(on: date | None) -> date:
    today = clock.today()
    if on is not None and on > today:
        raise InvalidInput(
            "Дата регистрации не может быть в будущем.",
            "The date of registration cannot lie in the future.",
            code="date_in_future",
            field="date",
        )
    return on or today


async def _require_ready(found: db.Row, kind: DocumentKind) -> None:
    cards.require_complete(found, kind)
    if not await db.value(
        "SELECT 1 FROM document_file WHERE document_id = $1 AND role = 'main' AND is_current",
        found["id"],
    ):
        raise InvalidInput(
            "Приложите файл документа: без него номер не присваивается.",
            "Attach the document's file: there is no number without it.",
            code="file_missing",
        )
    if kind.signatures and found["status"] != DocumentStatus.SIGNED:
        raise InvalidInput(
            f"{kind.ru} регистрируется только подписанным. Направьте на подпись.",
            f"{kind.en}: only a signed one is registered. Send it for signature.",
            code="signature_missing",
            needed=kind.signatures,
        )
    if kind.parent_link and not await db.value(
        "SELECT 1 FROM document_link WHERE from_id = $1 AND kind = $2",
        found["id"], kind.parent_link,
    ):  # fmt: skip
        raise InvalidInput(
            f"{kind.ru}: укажите документ, из которого она сделана.",
            f"{kind.en}: link the document it comes from.",
            code="link_missing",
            link=kind.parent_link,
        )
