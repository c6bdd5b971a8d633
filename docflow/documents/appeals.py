"""Appeals under 59-FZ (обращения): a clock of their own on our card, and the way to the portal.

What organizations write to each other is correspondence and goes by МЭДО; an appeal is handed in at
the state portal by a person, so this service prepares the package and takes the number back.
"""

import io
import json
import uuid
import zipfile
from datetime import date, timedelta
from enum import StrEnum
from typing import Any

from audit import events, transitions
from core import clock, db
from core.actor import Actor
from core.errors import Conflict, InvalidInput, NotFound, TooLarge
from docflow.documents import cards, files, visibility
from docflow.documents.states import NUMBERED
from notify import notices
from storage import blobs

KIND = "appeal"
TERM_DAYS = 30
MAX_EXTENSION = 30
"""Days in all (59-FZ art. 12)."""
PACKAGE_MAX = 200 << 20
CATCH_UP = timedelta(days=7)


class AppealStatus(StrEnum):
    """Where an appeal stands (состояние обращения)."""

    OPEN = "open"
    """its term runs (на рассмотрении)"""
    ANSWERED = "answered"
    """an answer was given (дан ответ)"""


TRANSITIONS = {AppealStatus.OPEN: frozenset({AppealStatus.ANSWERED}),
               AppealStatus.ANSWERED: frozenset()}  # fmt: skip


def overdue_on(registered_on: date, *, extended_days: int = 0) -> date:
    """The first late day: registered on day D, considered within 30 days, overdue at D + 30."""
    return registered_on + timedelta(days=TERM_DAYS + extended_days)


async def start(actor: Actor, document_id: uuid.UUID) -> uuid.UUID:
    """Start the clock of a registered appeal in the actor's organization; once, then the same.

    Day D is the day it was registered here. Raises `not_an_appeal`, `not_registered`.
    """
    actor.require("clerk")
    async with db.transaction():
        found = await visibility.visible_document(actor, document_id, lock=True)
        if found["kind"] != KIND:
            raise InvalidInput(
                "Срок по 59-ФЗ ведётся только для обращений. Для писем он не применяется.",
                "The term of 59-FZ is kept for appeals only, not for letters.",
                code="not_an_appeal",
            )
        if known := await _known(document_id, actor.home_id):
            return uuid.UUID(str(known["id"]))
        day = await db.value(
            "SELECT date FROM registration WHERE document_id = $1 AND organization_id = $2",
            document_id, actor.home_id,
        )  # fmt: skip
        if day is None:
            raise Conflict(
                "Сначала зарегистрируйте обращение: срок идёт со дня регистрации.",
                "Register the appeal first: its term runs from that day.",
                code="not_registered",
            )
        appeal_id = clock.new_id()
        await db.execute(
            """INSERT INTO appeal (id, document_id, organization_id, status, registered_on,
                                   overdue_on, created_at, updated_at)
               VALUES ($1, $2, $3, 'open', $4, $5, $6, $6)""",
            appeal_id, document_id, actor.home_id, day, overdue_on(day), clock.now(),
        )  # fmt: skip
        await events.record(
            actor, "appeal.started", subject=("appeal", appeal_id), document_id=document_id,
            change=(None, AppealStatus.OPEN), data={"overdue_on": overdue_on(day).isoformat()},
        )  # fmt: skip
    return appeal_id


async def of_document(actor: Actor, document_id: uuid.UUID) -> db.Row:
    """The appeal's clock in the actor's organization. Raises NotFound."""
    await visibility.visible_document(actor, document_id)
    found = await _known(document_id, actor.home_id)
    if found is None:
        raise NotFound(document_id=str(document_id))
    is_open = found["status"] == AppealStatus.OPEN
    return {**found, "is_overdue": is_open and clock.today() >= found["overdue_on"]}


async def extend(actor: Actor, document_id: uuid.UUID, *, days: int, notice: str) -> date:
    """Prolong the term by at most 30 days in all; the notice to the applicant is kept with it.

    Answers the new first late day. Raises `extension_length`, `notice_missing`.
    """
    actor.require("clerk")
    async with db.transaction():
        found = await _locked(actor, document_id)
        cards.require_text(notice, most=2000, field="notice")
        total = found["extended_days"] + days
        if days < 1 or total > MAX_EXTENSION:
            raise InvalidInput(
                f"Срок продлевается не более чем на {MAX_EXTENSION} дней (59-ФЗ, ст. 12).",
                f"A term is prolonged by at most {MAX_EXTENSION} days (59-FZ art. 12).",
                code="extension_length", field="days",
            )  # fmt: skip
        if len(notice.strip()) < 3:
            raise InvalidInput(
                "Укажите уведомление заявителя о продлении: дата, номер, способ.",
                "Give the notice sent to the applicant: date, number, way.",
                code="notice_missing", field="notice",
            )  # fmt: skip
        day: date = overdue_on(found["registered_on"], extended_days=total)
        said = "\n".join(part for part in (found["extension_notice"], notice.strip()) if part)
        await db.execute(
            """UPDATE appeal SET extended_days = $2, extension_notice = $3, overdue_on = $4,
                   updated_at = $5 WHERE id = $1""",
            found["id"], total, said, day, clock.now(),
        )  # fmt: skip
        await events.record(
            actor, "appeal.extended", subject=("appeal", found["id"]), document_id=document_id,
            data={"days": days, "overdue_on": day.isoformat()}, detail={"notice": notice.strip()},
        )  # fmt: skip
    return day


async def enter_portal_number(
    actor: Actor, document_id: uuid.UUID, *, number: str, on: date
) -> None:
    """Enter the number the state portal gave; the body's term runs from that day.

    Raises `field_missing`, `date_in_future`; a number once entered is corrected by entering anew.
    """
    actor.require("clerk")
    cards.require_text(number, most=100, field="number")
    if not number.strip():
        raise InvalidInput(code="field_missing", field="number")
    if on > clock.today():
        raise InvalidInput(
            "Дата регистрации на портале не может быть в будущем.",
            "The portal's date cannot lie in the future.",
            code="date_in_future", field="on",
        )  # fmt: skip
    async with db.transaction():
        found = await _locked(actor, document_id)
        day = overdue_on(on, extended_days=found["extended_days"])
        await db.execute(
            """UPDATE appeal SET portal_number = $2, portal_date = $3, registered_on = $3,
                   overdue_on = $4, updated_at = $5 WHERE id = $1""",
            found["id"], number.strip(), on, day, clock.now(),
        )  # fmt: skip
        await events.record(
            actor, "appeal.portal_number", subject=("appeal", found["id"]),
            document_id=document_id, data={"number": number.strip(), "date": on.isoformat()},
        )  # fmt: skip


async def answer(actor: Actor, document_id: uuid.UUID, *, on: date | None = None) -> None:
    """Note that the appeal was answered; its clock stops."""
    actor.require("clerk")
    async with db.transaction():
        found = await _locked(actor, document_id)
        await transitions.move(
            actor, "appeal", found["id"], graph=TRANSITIONS, source=AppealStatus(found["status"]),
            target=AppealStatus.ANSWERED, verb="appeal.answered", document_id=document_id,
            assign={"answered_on": on or clock.today()},
        )  # fmt: skip


async def package(actor: Actor, document_id: uuid.UUID) -> bytes:
    """A ZIP for the state portal: the document, its annexes, detached signatures, a card, a note.

    Files are the stored bytes, unchanged. Raises `not_registered`, TooLarge; outside a transaction.
    """
    actor.require("clerk", "signatory")
    found = await visibility.visible_document(actor, document_id)
    if found["status"] not in NUMBERED:
        raise Conflict(
            "Пакет готовится из зарегистрированного обращения.",
            "A package is made of a registered appeal.",
            code="not_registered",
        )
    if found["mark"] == visibility.RESTRICTED:
        raise Conflict(
            "Документ с отметкой «ДСП» через портал не передаётся.",
            "A restricted document does not go through the portal.",
            code="mark_forbids",
        )
    present = await files.current_files(document_id)
    if sum(one["size"] for one in present) > PACKAGE_MAX:
        raise TooLarge(limit=PACKAGE_MAX)
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        for one in present:
            name = f"{one['role']}-{one['position']:02d}-{_plain_name(one['file_name'])}"
            archive.writestr(name, await blobs.read(one["blob_id"], limit=PACKAGE_MAX))
            for place, blob_id in enumerate(await _detached(one["id"]), start=1):
                made = await blobs.read(blob_id, limit=1 << 23)
                archive.writestr(f"{name}.{place}.sig", made)
        archive.writestr("card.json", json.dumps(_card(found), ensure_ascii=False, indent=1))
        archive.writestr("КАК-ПОДАТЬ.txt", _NOTE)
    async with db.transaction():
        await events.record(
            actor, "appeal.packaged", subject=("document", document_id), document_id=document_id,
            data={"files": len(present)},
        )  # fmt: skip
    return written.getvalue()


_NOTE = """Пакет обращения по 59-ФЗ для подачи через государственный портал.

1. Подайте обращение на портале от имени заявителя и приложите файлы из этого архива.
2. Файлы .sig — отсоединённые подписи; приложите их рядом с подписанными файлами.
3. Полученный на портале номер и дату внесите в карточку: срок считается со дня регистрации там.

Переписка между организациями обращением не является: её ведут письмами по МЭДО.
"""


def _card(found: db.Row) -> dict[str, Any]:
    return {
        "номер": found["number"], "дата": found["date"] and found["date"].isoformat(),
        "заголовок": found["title"], "адресат": found["addressee"], **found["fields"],
    }  # fmt: skip


def _plain_name(name: str) -> str:
    return "".join(sign if sign.isalnum() or sign in "._-" else "_" for sign in name)[-100:]


async def _detached(file_id: uuid.UUID) -> list[uuid.UUID]:
    rows = await db.rows(
        """SELECT DISTINCT blob_id FROM signature
           WHERE file_id = $1 AND form = 'cades' AND blob_id IS NOT NULL""",
        file_id,
    )
    return [row["blob_id"] for row in rows]


async def watch() -> int:
    """Tell of appeals whose term is over, once each term; answers how many were told."""
    today = clock.today()
    late = await db.rows(
        """SELECT id, document_id, organization_id, overdue_on FROM appeal
           WHERE status = 'open' AND overdue_on <= $1 AND overdue_on > $2 ORDER BY id""",
        today, today - CATCH_UP,
    )  # fmt: skip
    return await notices.post_many(
        [
            notices.Post(row["organization_id"], "appeal_overdue", ("document", row["document_id"]),
                         row["overdue_on"], {"overdue_on": row["overdue_on"].isoformat()})
            for row in late
        ]
    )  # fmt: skip


async def _known(document_id: uuid.UUID, organization_id: uuid.UUID) -> db.Row | None:
    return await db.row(
        "SELECT * FROM appeal WHERE document_id = $1 AND organization_id = $2",
        document_id, organization_id,
    )  # fmt: skip


async def _locked(actor: Actor, document_id: uuid.UUID) -> db.Row:
    await visibility.visible_document(actor, document_id)
    found = await db.row(
        "SELECT * FROM appeal WHERE document_id = $1 AND organization_id = $2 FOR UPDATE",
        document_id, actor.home_id,
    )  # fmt: skip
    if found is None:
        raise NotFound(document_id=str(document_id))
    if found["status"] != AppealStatus.OPEN:
        raise Conflict(code="illegal_transition", status=found["status"])
    return found
