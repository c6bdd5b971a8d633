"""Acts of destruction (акты о выделении к уничтожению): drafted, agreed, approved, executed.

Nothing is destroyed without the word of three: who drafts the act, the expert commission, the head.
An act takes only closed cases whose term is over, on which the commission has decided where the
list asks it to, and on which no hold lies.
"""

import uuid
from datetime import date, timedelta

from audit import events, transitions
from core import clock, db, jobs
from core.actor import Actor
from core.errors import Conflict, Forbidden, InvalidInput, NotFound
from directory import second_factor
from docflow.documents import holds, visibility
from docflow.documents.cards import require_text
from docflow.documents.records import cases, commission, inventories, plans
from docflow.documents.records.states import ACT, LINE, ActStatus, LineStatus
from notify import notices

EXECUTE_JOB = "records.execute"
MAX_CASES = 500
METHOD = (
    "Удаление из хранилища файлов, текстов поиска и карточек; физические носители — измельчение"
)
BACKUPS = timedelta(days=90)

jobs.allow(EXECUTE_JOB)

_DUE = """c.organization_id = $1 AND c.status = 'closed' AND c.expires_on <= $2
    AND (NOT c.needs_decision OR c.appraisal <> '')
    AND (c.term_kind = 'years' OR c.appraisal <> '')"""


async def expired(actor: Actor, *, on: date | None = None) -> list[db.Row]:
    """Closed cases whose term is over on a day and that stand in no act, the oldest first.

    `is_held`: a hold lies on something in it; `waits`: the commission has to decide first.
    """
    rows = await db.rows(
        f"""SELECT s.*, ({_DUE.replace("c.", "s.")}) AS is_due FROM ({cases.SELECT}
                WHERE c.organization_id = $1 AND c.status = 'closed' AND c.expires_on <= $2
                AND NOT EXISTS (SELECT 1 FROM destruction_line AS l
                                WHERE l.case_id = c.id AND l.status <> 'dropped')
                ORDER BY c.expires_on, c.year, c.index LIMIT {MAX_CASES}) AS s
            ORDER BY s.expires_on, s.year, s.index""",
        visibility.reader(actor), on or clock.today(),
    )  # fmt: skip
    held = await held_cases([row["id"] for row in rows])
    return [{**row, "waits": not row["is_due"], "is_held": row["id"] in held} for row in rows]


async def held_cases(case_ids: list[uuid.UUID]) -> set[uuid.UUID]:
    """Which of these cases hold a document on which a legal hold lies (RET-7)."""
    filed = await db.rows(
        """SELECT case_id, document_id FROM case_filing
           WHERE case_id = ANY($1::uuid[]) AND status = 'filed'""",
        case_ids,
    )
    held = await holds.on([row["document_id"] for row in filed])
    return {row["case_id"] for row in filed if row["document_id"] in held}


async def draft(
    actor: Actor, *, case_ids: list[uuid.UUID], basis: str, method: str = METHOD,
    backups_until: date | None = None,
) -> uuid.UUID:  # fmt: skip
    """An act over cases, numbered within its year. Answers its id.

    `basis`: the list by which they were judged; `backups_until`: when the last backup that still
    has them is gone. Raises `nothing_chosen`, and for cases that may not be in it `not_expired`,
    `decision_missing`, `kept_for_ever`, `legal_hold`, `in_another_act`.
    """
    actor.require("clerk")
    for name, text in (("basis", basis), ("method", method)):
        require_text(text, most=2000, field=name)
        if not text.strip():
            raise InvalidInput(code="field_missing", field=name)
    chosen = list(dict.fromkeys(case_ids))
    if not 1 <= len(chosen) <= MAX_CASES:
        raise InvalidInput(
            f"Выберите дела, от 1 до {MAX_CASES}.", f"Choose cases, 1 to {MAX_CASES}.",
            code="nothing_chosen", field="case_ids",
        )  # fmt: skip
    async with db.transaction():
        await db.value("SELECT pg_advisory_xact_lock(hashtextextended($1, 8))", str(actor.home_id))
        for case_id in chosen:
            await _require_destroyable(await cases.own(actor, case_id, lock=True))
        if held := await held_cases(chosen):
            raise Conflict(
                "На документах дела лежит запрет на уничтожение.",
                "A legal hold lies on documents of the case.",
                code="legal_hold", cases=sorted(str(one) for one in held),
            )  # fmt: skip
        return await _insert(actor, chosen, basis, method, backups_until)


async def _insert(
    actor: Actor, chosen: list[uuid.UUID], basis: str, method: str, backups_until: date | None
) -> uuid.UUID:
    act_id, moment, today = clock.new_id(), clock.now(), clock.today()
    number = await db.value(
        "SELECT coalesce(max(number), 0) + 1 FROM destruction_act"
        " WHERE organization_id = $1 AND year = $2",
        actor.home_id, today.year,
    )  # fmt: skip
    await db.execute(
        """INSERT INTO destruction_act (id, organization_id, year, number, date, status, basis,
               method, backups_until, drafted_by, created_at, updated_at)
           VALUES ($1, $2, $3, $4, $5, 'draft', $6, $7, $8, $9, $10, $10)""",
        act_id, actor.home_id, today.year, number, today, basis.strip(), method.strip(),
        backups_until or today + BACKUPS, actor.account_id, moment,
    )  # fmt: skip
    await db.execute(
        """INSERT INTO destruction_line (id, act_id, case_id, position, status, documents,
                                         updated_at)
           SELECT uuidv7(), $1, c.id, row_number() OVER (ORDER BY c.year, c.index), 'listed',
                  (SELECT count(*) FROM case_filing AS f WHERE f.case_id = c.id), $3
           FROM record_case AS c WHERE c.id = ANY($2::uuid[])""",
        act_id, chosen, moment,
    )  # fmt: skip
    await events.record(
        actor, "destruction_act.drafted", subject=("destruction_act", act_id),
        change=(None, ActStatus.DRAFT), data={"number": number, "cases": len(chosen)},
    )  # fmt: skip
    return act_id


async def _require_destroyable(case: db.Row) -> None:
    """ACT-2: what may not enter an act, each with its own reason."""
    refused: tuple[str, str, str] | None = None
    if case["term_kind"] in ("permanent", "until_liquidation"):
        refused = ("kept_for_ever", "хранится постоянно", "is kept for ever")
    elif (case["needs_decision"] or case["term_kind"] != "years") and not case["appraisal"]:
        refused = ("decision_missing", "ждёт решения экспертной комиссии",
                   "waits for a decision of the commission")  # fmt: skip
    elif case["status"] != "closed" or (case["expires_on"] or date.max) > clock.today():
        refused = ("not_expired", "срок хранения не истёк", "its term is not over")
    elif await db.value(
        "SELECT true FROM destruction_line WHERE case_id = $1 AND status <> 'dropped'", case["id"]
    ):
        refused = ("in_another_act", "уже включено в акт", "stands in an act already")
    if refused is not None:
        code, ru, en = refused
        raise Conflict(
            f"Дело {case['index']} ({case['year']}): {ru}.",
            f"Case {case['index']} ({case['year']}) {en}.",
            code=code, case_id=str(case["id"]),
        )  # fmt: skip


async def submit(actor: Actor, act_id: uuid.UUID) -> None:
    """Lay an act before the commission as it sits today. Raises `no_commission`."""
    actor.require("clerk")
    async with db.transaction():
        act = await own(actor, act_id, lock=True)
        sitting = [row["account_id"] for row in await commission.members(actor.home_id)]
        if len(sitting) < commission.LEAST:
            raise Conflict(
                "Экспертная комиссия не назначена.", "No expert commission is appointed.",
                code="no_commission",
            )  # fmt: skip
        await _move(actor, act, ActStatus.REVIEW, "submitted", assign={"members": sitting})
        await _tell(act, "act_to_judge")


async def vote(actor: Actor, act_id: uuid.UUID, *, is_for: bool, remark: str = "") -> ActStatus:
    """Vote as a member; more than half of the members decide. Answers where the act stands.

    Each votes once (`voted_already`). Raises Forbidden (`not_a_member`).
    """
    require_text(remark, most=2000, field="remark")
    async with db.transaction():
        act = await own(actor, act_id, lock=True)
        if actor.id not in act["members"]:
            raise Forbidden(
                "Голосуют только члены экспертной комиссии.",
                "Only members of the commission vote.", code="not_a_member",
            )  # fmt: skip
        if act["status"] != ActStatus.REVIEW:
            raise Conflict(code="illegal_transition", status=act["status"])
        made = await db.execute(
            """INSERT INTO destruction_vote (id, act_id, account_id, is_for, remark, voted_at)
               VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING""",
            clock.new_id(), act_id, actor.account_id, is_for, remark.strip(), clock.now(),
        )  # fmt: skip
        if not made:
            raise Conflict("Вы уже голосовали.", "You have voted.", code="voted_already")
        await events.record(
            actor, "destruction_act.voted", subject=("destruction_act", act_id),
            data={"is_for": is_for}, detail={"remark": remark.strip()} if remark.strip() else None,
        )  # fmt: skip
        counted = await db.row(
            """SELECT count(*) FILTER (WHERE is_for) AS yes, count(*) FILTER (WHERE NOT is_for)
               AS no FROM destruction_vote WHERE act_id = $1""",
            act_id,
        ) or {"yes": 0, "no": 0}  # fmt: skip
        size = len(act["members"])
        if counted["yes"] * 2 > size:
            await _move(actor, act, ActStatus.AGREED, "agreed")
            await _tell(act, "act_to_approve")
            return ActStatus.AGREED
        if (size - counted["no"]) * 2 <= size:  # no majority can be reached any more
            await _drop_lines(actor, act_id, reason="rejected")
            await _move(actor, act, ActStatus.REJECTED, "rejected")
            return ActStatus.REJECTED
    return ActStatus.REVIEW


async def approve(
    actor: Actor, act_id: uuid.UUID, *, protocol: str, archive_protocol: str = ""
) -> None:
    """Approve an agreed act, by the head, who is not who drafted it.

    `protocol`: that of the commission; `archive_protocol`: of the state archive's (ЭПК), needed of
    its sources. Raises `drafter_approves`, `inventories_missing` (ACT-1), `protocol_missing`.
    """
    actor.require("signatory")
    second_factor.demand(actor)
    plans.require_protocol(protocol)
    if await cases.is_source(actor.home_id):
        plans.require_protocol(archive_protocol, field="archive_protocol")
    require_text(archive_protocol, most=1000, field="archive_protocol")
    async with db.transaction():
        act = await own(actor, act_id, lock=True)
        if act["drafted_by"] == actor.account_id:
            raise Forbidden(
                "Акт утверждает не тот, кто его составил.",
                "Who drafted an act does not approve it.", code="drafter_approves",
            )  # fmt: skip
        years = sorted({row["year"] for row in await lines(act_id) if row["status"] == "listed"})
        if lacking := await inventories.missing(actor.home_id, years):
            raise Conflict(
                "Сначала утвердите описи дел постоянного хранения и по личному составу за те же"
                " годы: " + ", ".join(f"{row['index']} ({row['year']})" for row in lacking[:20]),
                "Approve the inventories of permanent and personnel cases of the same years"
                " first: " + ", ".join(f"{row['index']} ({row['year']})" for row in lacking[:20]),
                code="inventories_missing", cases=[row["index"] for row in lacking],
            )  # fmt: skip
        await _move(
            actor, act, ActStatus.APPROVED, "approved",
            assign={"protocol": protocol.strip(), "archive_protocol": archive_protocol.strip(),
                    "approved_by": actor.account_id, "approved_on": clock.today()},
        )  # fmt: skip


async def execute(actor: Actor, act_id: uuid.UUID) -> None:
    """Let an approved act be carried out by a job; from here on there is no way back.

    A case on which a hold was laid since drops out of the act by itself.
    """
    actor.require("clerk", "administrator")
    second_factor.demand(actor)
    async with db.transaction():
        act = await own(actor, act_id, lock=True)
        await _move(actor, act, ActStatus.EXECUTING, "begun",
                    assign={"executed_by": actor.account_id})  # fmt: skip
        await defer_execution(act_id)


async def defer_execution(act_id: uuid.UUID) -> None:
    """Queue the job of an act, unless it waits already; one works on an act at a time."""
    lock = f"destruction:{act_id}"
    await jobs.defer(EXECUTE_JOB, key=lock, lock=lock, act_id=str(act_id))


async def cancel(actor: Actor, act_id: uuid.UUID, *, reason: str) -> None:
    """Give an act up before it is carried out; its cases are free for another one."""
    actor.require("clerk", "signatory")
    require_text(reason, most=2000, field="reason")
    async with db.transaction():
        act = await own(actor, act_id, lock=True)
        await _move(actor, act, ActStatus.CANCELLED, "cancelled",
                    assign={"reason": reason.strip()})  # fmt: skip
        await _drop_lines(actor, act_id, reason="cancelled")


async def _tell(act: db.Row, kind: str) -> None:
    about = ("destruction_act", act["id"])
    told = notices.Post(act["organization_id"], kind, about, data={"number": act["number"]})
    await notices.post_many([told])


async def _drop_lines(actor: Actor, act_id: uuid.UUID, *, reason: str) -> None:
    for row in await lines(act_id):
        if row["status"] == LineStatus.LISTED:
            await transitions.move(
                actor, "destruction_line", row["id"], graph=LINE, source=LineStatus.LISTED,
                target=LineStatus.DROPPED, verb="destruction_line.dropped",
                assign={"reason": reason},
            )  # fmt: skip


async def _move(
    actor: Actor, act: db.Row, target: ActStatus, verb: str,
    assign: dict[str, object] | None = None,
) -> None:  # fmt: skip
    await transitions.move(
        actor, "destruction_act", act["id"], graph=ACT, source=ActStatus(act["status"]),
        target=target, verb=f"destruction_act.{verb}", assign=assign,
        data={"number": act["number"], "year": act["year"]},
    )  # fmt: skip


async def own(actor: Actor, act_id: uuid.UUID, *, lock: bool = False) -> db.Row:
    """An act of the actor's organization; also for members of its commission. Raises NotFound."""
    found = await db.row(
        f"""SELECT * FROM destruction_act WHERE id = $1 AND organization_id = $2
            {"FOR UPDATE" if lock else ""}""",
        act_id, actor.home_id,
    )  # fmt: skip
    if found is None or (actor.id not in found["members"] and not _reads(actor)):
        raise NotFound(act_id=str(act_id))
    return found


def _reads(actor: Actor) -> bool:
    return actor.kind == "rule" or bool(actor.roles & visibility.READERS)


async def listed(actor: Actor) -> list[db.Row]:
    """The organization's acts, the newest first; to others than readers only those they judge."""
    return await db.rows(
        """SELECT a.*, (SELECT count(*) FROM destruction_line AS l WHERE l.act_id = a.id) AS cases
           FROM destruction_act AS a WHERE a.organization_id = $1 AND ($2 OR $3 = ANY(a.members))
           ORDER BY a.id DESC LIMIT 500""",
        actor.home_id, _reads(actor), actor.id,
    )  # fmt: skip


async def lines(act_id: uuid.UUID) -> list[db.Row]:
    """The cases of an act in order, with term, article and the days of their documents."""
    return await db.rows(
        f"""SELECT l.id, l.case_id, l.position, l.status, l.documents, l.destroyed,
                   l.kept_for_others, l.reason, s.index, s.year, s.title, s.term_kind, s.years,
                   s.needs_decision, s.article, s.item, s.edition, s.protocol, s.appraisal, s.note,
                   s.is_electronic, s.expires_on,
                   (SELECT min(f.date) FROM case_filing AS f WHERE f.case_id = s.id) AS first,
                   (SELECT max(f.date) FROM case_filing AS f WHERE f.case_id = s.id) AS last
            FROM destruction_line AS l JOIN ({cases.SELECT}) AS s ON s.id = l.case_id
            WHERE l.act_id = $1 ORDER BY l.position""",
        act_id,
    )


async def votes(act_id: uuid.UUID) -> list[db.Row]:
    """How the members voted, with names; who has not is there too."""
    return await db.rows(
        """SELECT m.id AS account_id, v.is_for, v.remark, v.voted_at,
                  concat_ws(' ', p.last_name, p.first_name, p.middle_name) AS name
           FROM destruction_act AS a CROSS JOIN LATERAL unnest(a.members) AS m (id)
           JOIN account AS c ON c.id = m.id JOIN person AS p ON p.id = c.person_id
           LEFT JOIN destruction_vote AS v ON v.act_id = a.id AND v.account_id = m.id
           WHERE a.id = $1 ORDER BY name""",
        act_id,
    )
