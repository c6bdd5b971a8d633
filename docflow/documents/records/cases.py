"""Cases (дела): rows of a plan with index, heading and term; opened, closed, appraised."""

import re
import uuid
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any

import asyncpg
import msgspec

from audit import events, transitions
from core import clock, db
from core.actor import Actor
from core.errors import Conflict, InvalidInput, NotFound
from directory import organizations
from docflow.documents import visibility
from docflow.documents.cards import require_text
from docflow.documents.records import plans, retention, terms
from docflow.documents.records.states import CASE, CaseStatus, PlanStatus
from docflow.documents.records.terms import Term, TermKind

INDEX = re.compile(r"[0-9А-ЯЁA-Z]{1,6}([-./][0-9А-ЯЁA-Z]{1,6}){1,4}")
"""Code of the unit, hyphen, number inside it: 01-12."""
MAX_CASES = 2000

Line = Annotated[str, msgspec.Meta(max_length=1000)]


class CaseInput(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, frozen=True):
    """A row of the plan; without term fields the article's own term holds.

    A term longer than the article's, or one without an article, needs the `protocol` of the
    expert commission; a shorter one is refused.
    """

    index: Annotated[str, msgspec.Meta(min_length=1, max_length=40)]
    title: Annotated[str, msgspec.Meta(min_length=1, max_length=1000)]
    section: Line = ""
    article_id: uuid.UUID | None = None
    term_kind: TermKind | None = None
    years: Annotated[int, msgspec.Meta(ge=1, le=200)] | None = None
    needs_decision: bool = False
    protocol: Line = ""
    is_personnel: bool = False
    is_electronic: bool = True
    is_carried: bool = False
    note: Line = ""
    reason: Line = ""
    """Why it is added to a plan that is already approved."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A row that may stand: its term and what it rests on."""

    term: Term
    article_id: uuid.UUID | None
    protocol: str


async def judge(given: CaseInput, *, year: int, is_archive_source: bool) -> Judged:
    """The term of a row, or why it cannot stand (NOM-4, RET-5).

    Raises `bad_index`, `term_missing`, `term_too_short`, `protocol_missing`, and what
    `retention.attachable` raises.
    """
    _check_texts(given)
    asked = _asked(given)
    if given.article_id is None:
        if asked is None:
            raise InvalidInput(
                "Укажите статью перечня или срок с протоколом экспертной комиссии.",
                "Give an article of a list, or a term with the commission's protocol.",
                code="term_missing",
            )
        plans.require_protocol(given.protocol)
        return Judged(asked, None, given.protocol.strip())
    article = await retention.attachable(given.article_id, year=year)
    least = terms.of_article(article, is_archive_source=is_archive_source)
    if asked is None or asked == least:
        return Judged(least, given.article_id, given.protocol.strip())
    if terms.is_shorter(asked, least):
        raise InvalidInput(
            f"Срок по {retention.said(article)} — {least.said()}; сократить его нельзя.",
            f"By {retention.said(article)} the term is {least.said(russian=False)}; it cannot be"
            " shortened.",
            code="term_too_short", field="years",
        )  # fmt: skip
    plans.require_protocol(given.protocol)
    return Judged(asked, given.article_id, given.protocol.strip())


def _asked(given: CaseInput) -> Term | None:
    kind = given.term_kind or ("years" if given.years is not None else None)
    if kind is None:
        return None
    if (kind == "years") != (given.years is not None):
        raise InvalidInput(
            "Число лет указывается только для срока в годах.",
            "A number of years goes with a term in years, and only with it.",
            code="term_missing", field="years",
        )  # fmt: skip
    return Term(kind, given.years, given.needs_decision)


def _check_texts(given: CaseInput) -> None:
    for name in ("index", "title", "section", "protocol", "note", "reason"):
        require_text(getattr(given, name), most=1000, field=name)
    if not INDEX.fullmatch(given.index.strip()):
        raise InvalidInput(
            "Индекс дела: код подразделения и номер через дефис, например 01-12.",
            "Index of a case: the unit's code, a hyphen, a number, such as 01-12.",
            code="bad_index", field="index",
        )  # fmt: skip
    if not given.title.strip():
        raise InvalidInput(code="field_missing", field="title")


async def add(actor: Actor, plan_id: uuid.UUID, given: CaseInput) -> uuid.UUID:
    """Add a case; to an approved plan only with a reason, and it opens at once (NOM-1).

    Raises `index_taken`, `reason_missing`, `plan_closed` and what `judge` raises.
    """
    actor.require("clerk")
    async with db.transaction():
        plan = await plans.own(actor, plan_id, lock=True)
        status = PlanStatus(plan["status"])
        if status == PlanStatus.CLOSED:
            raise Conflict("Год закрыт.", "The year is closed.", code="plan_closed")
        if status == PlanStatus.APPROVED and len(given.reason.strip()) < 3:
            raise InvalidInput(
                "Номенклатура утверждена: укажите, почему дело заводится в течение года.",
                "The plan is approved: say why a case is added during the year.",
                code="reason_missing", field="reason",
            )  # fmt: skip
        count = await db.value("SELECT count(*) FROM record_case WHERE plan_id = $1", plan_id)
        if count >= MAX_CASES:
            raise InvalidInput(
                f"В номенклатуре не больше {MAX_CASES} дел.",
                f"A plan has at most {MAX_CASES} cases.", code="too_many_cases",
            )  # fmt: skip
        source = await is_source(actor.home_id)
        judged = await judge(given, year=plan["year"], is_archive_source=source)
        is_open = status == PlanStatus.APPROVED
        return await insert(actor, plan, given, judged, is_open=is_open)


async def insert(
    actor: Actor, plan: db.Row, given: CaseInput, judged: Judged, *, is_open: bool,
    previous_id: uuid.UUID | None = None,
) -> uuid.UUID:  # fmt: skip
    """Write a judged row; inside the caller's transaction. Raises `index_taken`."""
    case_id, moment = clock.new_id(), clock.now()
    status = CaseStatus.OPEN if is_open else CaseStatus.PLANNED
    made = await db.execute(
        """INSERT INTO record_case (id, plan_id, organization_id, year, index, section, title,
               status, article_id, protocol, term_kind, years, needs_decision, is_personnel,
               is_electronic, is_carried, note, reason, previous_id, opened_on, created_by,
               created_at, updated_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18,
                   $19, $20, $21, $22, $22)
           ON CONFLICT (organization_id, year, index) DO NOTHING""",
        case_id, plan["id"], plan["organization_id"], plan["year"], given.index.strip(),
        given.section.strip(), given.title.strip(), status, judged.article_id, judged.protocol,
        judged.term.kind, judged.term.years, judged.term.needs_decision, given.is_personnel,
        given.is_electronic, given.is_carried, given.note.strip(), given.reason.strip(),
        previous_id, clock.today() if is_open else None, actor.account_id, moment,
    )  # fmt: skip
    if not made:
        raise Conflict(
            f"Дело с индексом {given.index.strip()} в этом году уже есть.",
            f"There is a case {given.index.strip()} in that year.",
            code="index_taken", index=given.index.strip(),
        )  # fmt: skip
    await events.record(
        actor, "record_case.added", subject=("record_case", case_id), change=(None, status),
        data={"index": given.index.strip(), "year": plan["year"]},
    )  # fmt: skip
    return case_id


async def correct(actor: Actor, case_id: uuid.UUID, given: CaseInput) -> None:
    """Change a row of a draft; once the plan is approved its rows stand (`case_fixed`)."""
    actor.require("clerk")
    async with db.transaction():
        found = await own(actor, case_id, lock=True)
        _require_planned(found)
        source = await is_source(actor.home_id)
        judged = await judge(given, year=found["year"], is_archive_source=source)
        try:
            await db.execute(
                """UPDATE record_case SET index = $2, title = $3, section = $4, article_id = $5,
                       protocol = $6, term_kind = $7, years = $8, needs_decision = $9,
                       is_personnel = $10, is_electronic = $11, is_carried = $12, note = $13,
                       updated_at = $14 WHERE id = $1""",
                case_id, given.index.strip(), given.title.strip(), given.section.strip(),
                judged.article_id, judged.protocol, judged.term.kind, judged.term.years,
                judged.term.needs_decision, given.is_personnel, given.is_electronic,
                given.is_carried, given.note.strip(), clock.now(),
            )  # fmt: skip
        except asyncpg.UniqueViolationError as problem:
            raise Conflict(
                "Дело с таким индексом в этом году уже есть.",
                "There is a case with this index in that year.", code="index_taken",
            ) from problem  # fmt: skip
        await events.record(
            actor, "record_case.corrected", subject=("record_case", case_id),
            data={"index": given.index.strip(), "was": found["index"]},
        )  # fmt: skip


async def remove(actor: Actor, case_id: uuid.UUID) -> None:
    """Take a row out of a draft."""
    actor.require("clerk")
    async with db.transaction():
        found = await own(actor, case_id, lock=True)
        _require_planned(found)
        await db.execute("DELETE FROM record_case WHERE id = $1", case_id)
        await events.record(
            actor, "record_case.removed", subject=("record_case", case_id),
            data={"index": found["index"]},
        )  # fmt: skip


async def close(actor: Actor, case_id: uuid.UUID, *, on: date | None = None) -> date | None:
    """End a case in office work; its term runs from 1 January after. Answers when it is over.

    Raises `date_in_future`, `closed_before_filed` for a day before its last document was filed.
    """
    actor.require("clerk")
    day = on or clock.today()
    if day > clock.today():
        raise InvalidInput(
            "Дата закрытия не может быть в будущем.", "The day of closing is in the future.",
            code="date_in_future", field="on",
        )  # fmt: skip
    async with db.transaction():
        found = await own(actor, case_id, lock=True)
        last = await db.value("SELECT max(date) FROM case_filing WHERE case_id = $1", case_id)
        earliest = max(filter(None, (found["opened_on"], last)), default=day)
        if day < earliest:
            raise InvalidInput(
                f"Дело не может быть закрыто раньше {earliest:%d.%m.%Y}.",
                f"The case cannot be closed before {earliest}.",
                code="closed_before_filed", field="on",
            )  # fmt: skip
        over = terms.expires_on(term_of(found), closed_on=day)
        await transitions.move(
            actor, "record_case", case_id, graph=CASE, source=CaseStatus(found["status"]),
            target=CaseStatus.CLOSED, verb="record_case.closed",
            assign={"closed_on": day, "expires_on": over},
            data={"closed_on": day.isoformat(), "expires_on": over and over.isoformat()},
        )  # fmt: skip
        await db.execute(
            """UPDATE document AS d SET retention_until = $2 FROM case_filing AS f
               WHERE f.case_id = $1 AND d.id = f.document_id
               AND d.organization_id = f.organization_id""",
            case_id, over,
        )  # fmt: skip
    return over


async def appraise(
    actor: Actor, case_id: uuid.UUID, *, protocol: str, keep: bool, on: date | None = None
) -> None:
    """Enter what the expert commission decided of a closed case whose term asks for it.

    «ЭПК»: `keep` makes it permanent, otherwise it may be destroyed once its term is over. A term
    that hangs on an event ends on the day `on`. Raises `nothing_to_decide`.
    """
    actor.require("clerk")
    plans.require_protocol(protocol)
    async with db.transaction():
        found = await own(actor, case_id, lock=True)
        hangs = found["term_kind"] in ("until_need", "until_replaced", "conditional")
        if found["status"] != CaseStatus.CLOSED or not (found["needs_decision"] or hangs):
            raise Conflict(
                "Решение нужно только для закрытых дел с пометой «ЭПК» или сроком по событию.",
                "Only closed cases marked for a decision, or kept until an event, need one.",
                code="nothing_to_decide",
            )
        over = found["expires_on"]
        if hangs and not keep:
            over = max(on or clock.today(), found["closed_on"])
        values: dict[str, Any] = {"appraisal": protocol.strip(), "expires_on": over}
        if keep:
            values |= {"term_kind": "permanent", "years": None, "needs_decision": False,
                       "expires_on": None}  # fmt: skip
        setters = ", ".join(f"{name} = ${place}" for place, name in enumerate(values, start=3))
        await db.execute(
            f"UPDATE record_case SET {setters}, updated_at = $2 WHERE id = $1",
            case_id, clock.now(), *values.values(),
        )  # fmt: skip
        await events.record(
            actor, "record_case.appraised", subject=("record_case", case_id),
            data={"keep": keep, "protocol": protocol.strip()},
        )  # fmt: skip


async def own(actor: Actor, case_id: uuid.UUID, *, lock: bool = False) -> db.Row:
    """A case of the actor's organization. Raises NotFound."""
    found = await db.row(
        f"""SELECT * FROM record_case WHERE id = $1 AND organization_id = $2
            {"FOR UPDATE" if lock else ""}""",
        case_id, visibility.reader(actor),
    )  # fmt: skip
    if found is None:
        raise NotFound(case_id=str(case_id))
    return found


async def of_plan(plan_id: uuid.UUID) -> list[db.Row]:
    """The rows of a plan by section and index, with article, edition and number of documents."""
    return await db.rows(f"{SELECT} WHERE c.plan_id = $1 ORDER BY c.section, c.index", plan_id)


SELECT = """SELECT c.*, a.article, a.item, l.edition,
        (SELECT count(*) FROM case_filing AS f WHERE f.case_id = c.id) AS documents
    FROM record_case AS c LEFT JOIN retention_article AS a ON a.id = c.article_id
    LEFT JOIN retention_list AS l ON l.id = a.list_id"""


def term_of(row: db.Row) -> Term:
    """The term that stands in a row."""
    return Term(row["term_kind"], row["years"], row["needs_decision"])


def basis_of(row: db.Row) -> str:
    """«ст. 19а» or the protocol: what a term rests on, as the fourth column has it."""
    parts = [retention.said(row)] if row["article"] is not None else []
    return ", ".join(parts + ([row["protocol"]] if row["protocol"] else []))


async def is_source(organization_id: uuid.UUID) -> bool:
    """Does the organization hand its documents to a state archive?"""
    return bool((await organizations.get(organization_id=organization_id))["is_archive_source"])


def _require_planned(found: db.Row) -> None:
    if found["status"] != CaseStatus.PLANNED:
        raise Conflict(
            "Номенклатура утверждена: её строки не меняются. Заведите новое дело с обоснованием.",
            "The plan is approved: its rows stand. Add another case, with a reason.",
            code="case_fixed",
        )
