"""Filing (подшивка): a registered document into a case of one's organization.

Each organization files its own copy in its own case: the author by its number, a recipient by the
number it entered the document under. A document lies in one case of an organization at a time.
"""

import uuid

from audit import events
from core import clock, db
from core.actor import Actor
from core.errors import Conflict, InvalidInput
from core.paging import require_limit
from docflow.documents import cards, visibility
from docflow.documents.records import cases
from docflow.documents.records.states import CaseStatus
from docflow.documents.states import DocumentStatus

PAGE = 200
_FILES = frozenset({DocumentStatus.REGISTERED, DocumentStatus.SENT, DocumentStatus.CLOSED,
                    DocumentStatus.RECALLED})  # fmt: skip


async def close_document(actor: Actor, document_id: uuid.UUID, *, file_index: str) -> None:
    """File a document under an index («в дело»): the last step of one's own.

    Where the organization has an approved plan for this year, the index is one of its open cases
    (`unknown_case`); without any plan the index is only noted on the card.
    """
    async with db.transaction():
        year = clock.today().year
        has_plan = await db.value(
            """SELECT true FROM file_plan WHERE organization_id = $1 AND year = $2
               AND status = 'approved'""",
            actor.home_id, year,
        )  # fmt: skip
        if not has_plan:
            await cards.close(actor, document_id, file_index=file_index)
            return
        cards.require_text(file_index, most=cards.MAX_INDEX, field="file_index")
        case_id = await db.value(
            """SELECT id FROM record_case WHERE organization_id = $1 AND year = $2 AND index = $3
               AND status = 'open'""",
            actor.home_id, year, file_index.strip(),
        )  # fmt: skip
        if case_id is None:
            await visibility.own_document(actor, document_id)
            raise InvalidInput(
                f"В номенклатуре {year} года нет открытого дела с таким индексом.",
                f"The plan of {year} has no open case with this index.",
                code="unknown_case", field="file_index",
            )  # fmt: skip
        await file(actor, case_id, document_id=document_id)


async def file(actor: Actor, case_id: uuid.UUID, *, document_id: uuid.UUID) -> uuid.UUID:
    """Put a registered document into an open case, or move it there from another one.

    Moved, it takes the term of the new case (CLS-2). The author's own document is closed by it.
    Raises `not_registered`, `case_not_open`, `filed_in_act` while an act lists its present case.
    """
    actor.require("clerk")
    async with db.transaction():
        case = await cases.own(actor, case_id, lock=True)
        if case["status"] != CaseStatus.OPEN:
            raise Conflict(
                "Подшить можно только в заведённое, ещё не закрытое дело.",
                "Documents are filed in open cases only.", code="case_not_open",
            )  # fmt: skip
        found = await visibility.visible_document(actor, document_id, lock=True)
        entry = await db.row(
            "SELECT number, date FROM registration WHERE document_id = $1 AND organization_id = $2",
            document_id, actor.home_id,
        )  # fmt: skip
        if entry is None or DocumentStatus(found["status"]) not in _FILES:
            raise Conflict(
                "Подшивается только зарегистрированный у вас документ.",
                "Only a document registered with you is filed.", code="not_registered",
            )  # fmt: skip
        known = await db.row(
            "SELECT id, case_id FROM case_filing WHERE document_id = $1 AND organization_id = $2",
            document_id, actor.home_id,
        )  # fmt: skip
        if known is not None and known["case_id"] == case_id:
            return uuid.UUID(str(known["id"]))
        filing_id = await _enter(actor, case, found, entry, known)
        if found["organization_id"] == actor.home_id:
            await _note_on_card(actor, found, case)
    return filing_id


async def _enter(
    actor: Actor, case: db.Row, found: db.Row, entry: db.Row, known: db.Row | None
) -> uuid.UUID:
    moment = clock.now()
    if known is None:
        filing_id = clock.new_id()
        await db.execute(
            """INSERT INTO case_filing (id, case_id, document_id, organization_id, status, number,
                   date, kind, filed_by, filed_at, updated_at)
               VALUES ($1, $2, $3, $4, 'filed', $5, $6, $7, $8, $9, $9)""",
            filing_id, case["id"], found["id"], actor.home_id, entry["number"], entry["date"],
            found["kind"], actor.account_id, moment,
        )  # fmt: skip
    else:
        filing_id = uuid.UUID(str(known["id"]))
        before = await cases.own(actor, known["case_id"], lock=True)
        if await db.value(
            """SELECT true FROM destruction_line
               WHERE case_id = $1 AND status <> 'dropped'""",
            before["id"],
        ):
            raise Conflict(
                "Дело, в котором лежит документ, включено в акт об уничтожении.",
                "The case it lies in is listed in an act of destruction.", code="filed_in_act",
            )  # fmt: skip
        await db.execute(
            "UPDATE case_filing SET case_id = $2, updated_at = $3 WHERE id = $1",
            filing_id, case["id"], moment,
        )  # fmt: skip
    await events.record(
        actor, "document.filed" if known is None else "document.refiled",
        subject=("case_filing", filing_id), document_id=found["id"],
        data={"case_id": str(case["id"]), "index": case["index"], "year": case["year"]},
    )  # fmt: skip
    return filing_id


async def _note_on_card(actor: Actor, found: db.Row, case: db.Row) -> None:
    if found["status"] in (DocumentStatus.REGISTERED, DocumentStatus.SENT):
        await cards.close(actor, found["id"], file_index=case["index"])
    await db.execute(
        """UPDATE document SET file_index = $2, retention_code = $3, retention_until = NULL
           WHERE id = $1""",
        found["id"], case["index"], cases.term_of(case).said(),
    )  # fmt: skip


async def place_of(actor: Actor, document_id: uuid.UUID) -> db.Row | None:
    """The case a document lies in with the actor's organization: id, index, year, title."""
    return await db.row(
        """SELECT c.id, c.index, c.year, c.title FROM case_filing AS f
           JOIN record_case AS c ON c.id = f.case_id
           WHERE f.document_id = $1 AND f.organization_id = $2""",
        document_id, visibility.reader(actor),
    )  # fmt: skip


async def choices(actor: Actor, document_id: uuid.UUID) -> list[db.Row]:
    """Open cases of this year in which the actor could file a document; none without the right."""
    if "clerk" not in actor.roles:
        return []
    return await db.rows(
        """SELECT c.index, c.title FROM record_case AS c
           WHERE c.organization_id = $1 AND c.year = $2 AND c.status = 'open' AND EXISTS (
               SELECT 1 FROM registration AS r JOIN document AS d ON d.id = r.document_id
               WHERE r.document_id = $3 AND r.organization_id = $1 AND d.status = ANY($4))
           ORDER BY c.index LIMIT 500""",
        actor.home_id, clock.today().year, document_id, [str(one) for one in _FILES],
    )  # fmt: skip


async def by_number(actor: Actor, number: str) -> uuid.UUID:
    """The document that was registered with the organization under a number, the newest such one.

    Raises `no_such_number`.
    """
    cards.require_text(number, most=200, field="number")
    found: uuid.UUID | None = await db.value(
        """SELECT document_id FROM registration WHERE organization_id = $1
           AND lower(number) = lower($2) ORDER BY date DESC, id DESC LIMIT 1""",
        visibility.reader(actor), number.strip(),
    )  # fmt: skip
    if found is None:
        raise InvalidInput(
            f"Документа с номером «{number.strip()}» в ваших журналах нет.",
            f"No document {number.strip()!r} in your journals.",
            code="no_such_number", field="number",
        )  # fmt: skip
    return found


async def of_case(
    actor: Actor, case_id: uuid.UUID, *, after: uuid.UUID | None = None, limit: int = PAGE
) -> list[db.Row]:
    """What is filed in a case, in the order of filing; destroyed documents as notes of them.

    The title stands only beside what may still be read.
    """
    await cases.own(actor, case_id)
    require_limit(limit, most=PAGE)
    return await db.rows(
        f"""SELECT f.id, f.document_id, f.number, f.date, f.kind, f.status, f.filed_at,
                   f.destroyed_at, f.act_id, a.number AS act_number, a.year AS act_year, d.title
            FROM case_filing AS f
            LEFT JOIN document AS d ON d.id = f.document_id
                AND {visibility.condition("d", "$2", "$5")}
            LEFT JOIN destruction_act AS a ON a.id = f.act_id
            WHERE f.case_id = $1 AND ($3::uuid IS NULL OR f.id > $3) ORDER BY f.id LIMIT $4""",
        case_id, visibility.reader(actor), after, limit, actor.id,
    )  # fmt: skip


async def tombstones(
    actor: Actor, *, number: str = "", after: uuid.UUID | None = None, limit: int = PAGE
) -> list[db.Row]:
    """Notes of documents the organization has destroyed: number, date, kind, case and act."""
    cards.require_text(number, most=200, field="number")
    require_limit(limit, most=PAGE)
    return await db.rows(
        """SELECT f.id, f.document_id, f.number, f.date, f.kind, f.destroyed_at, f.is_erased,
                  f.act_id, a.number AS act_number, a.year AS act_year, a.date AS act_date,
                  c.index, c.year, c.title AS case_title
           FROM case_filing AS f JOIN destruction_act AS a ON a.id = f.act_id
           JOIN record_case AS c ON c.id = f.case_id
           WHERE f.organization_id = $1 AND f.status = 'destroyed'
           AND ($2 = '' OR lower(f.number) = lower($2)) AND ($3::uuid IS NULL OR f.id > $3)
           ORDER BY f.id LIMIT $4""",
        visibility.reader(actor), number.strip(), after, limit,
    )  # fmt: skip
