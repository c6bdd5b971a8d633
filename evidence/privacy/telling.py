"""What is told of personal data on paper: the act, its extract of the log, the register, reads."""

import csv
import io
import uuid
from datetime import date, datetime

from audit import reads
from core import clock, db, papers
from core.actor import Actor
from core.paging import require_limit
from directory import purposes
from evidence.log import sequencing
from evidence.packages import told
from evidence.privacy import acts
from evidence.privacy.states import ERASE, ErasureStatus

_HEADINGS = {
    "code": "Код", "version": "Редакция", "title": "Цель обработки", "basis": "Вид основания",
    "law": "Правовое основание", "subjects": "Категории субъектов",
    "categories": "Категории персональных данных", "actions": "Действия",
    "recipients": "Кому передаются", "kept": "Срок", "changed_at": "Изменено",
}  # fmt: skip
_BASES = {"consent": "согласие", "law": "закон", "contract": "договор"}
_DONE = {"exports": "пакетов доказательств", "documents": "документов и файлов",
         "directory": "карточек справочника", "details": "подробностей событий"}  # fmt: skip


async def register_csv() -> bytes:
    """The register of processing operations as CSV (152-ФЗ ст. 18.1, ст. 22)."""
    text = io.StringIO()
    table = csv.writer(text, delimiter=";")
    table.writerow(_HEADINGS.values())
    for row in await purposes.listed():
        if row["is_open"]:
            table.writerow([_cell(row[name]) for name in _HEADINGS])
    return b"\xef\xbb\xbf" + text.getvalue().encode()


def _cell(value: object) -> str:
    """A cell that a spreadsheet takes for text, never for a formula."""
    if isinstance(value, datetime):
        return f"{value.astimezone(clock.MOSCOW):%d.%m.%Y}"
    text = _BASES.get(str(value), str(value))
    return "'" + text if text[:1] in "=+-@\t\r" else text


async def reads_of(
    actor: Actor, person_id: uuid.UUID, *, after: uuid.UUID | None = None, limit: int = 100
) -> list[db.Row]:
    """Who looked at a person's data and why, newest first; this look is one more.

    Looks at the lists of an organization in which the person holds or held a post count, too.
    """
    await acts.require_over(actor, person_id)
    require_limit(limit, most=1000)
    found = await db.rows(
        """SELECT id, at, actor_id, organization_id, purpose, count FROM read_log
           WHERE (subject_id = $1 OR subject_id IN (
               SELECT organization_id FROM post WHERE person_id = $1))
             AND ($2::uuid IS NULL OR id < $2) ORDER BY id DESC LIMIT $3""",
        person_id, after, limit,
    )  # fmt: skip
    await reads.log(actor, subject=("person", person_id), purpose="reads")
    return found


async def extract(actor: Actor, act_id: uuid.UUID) -> bytes:
    """Every event of an act with its proof of inclusion, as JSON lines (order 179, item 4)."""
    act = await acts.own(actor, act_id)
    ids = await db.rows(
        """SELECT id FROM event WHERE subject_id = $1 OR data->>'act_id' = $2
           OR (subject_id = $3 AND verb IN ('person.blocked', 'consent.withdrawn')) ORDER BY id""",
        act_id, str(act_id), act["person_id"],
    )  # fmt: skip
    while await sequencing.take() == sequencing.LIMIT:
        pass
    size = await db.value("SELECT max(size) FROM log_checkpoint")
    made = await told.lines([row["id"] for row in ids], size=size, level="masked")
    return b"".join(line for _, line in made.values())


async def paper(actor: Actor, act_id: uuid.UUID) -> bytes:
    """The act as PDF/A: operator, whom by id, categories, system, ground, date, commission."""
    act = await acts.show(actor, act_id)
    organization = await db.value(
        "SELECT name FROM organization WHERE id = $1", act["organization_id"]
    )
    members = await _names([one["account_id"] for one in act["members"]])
    await reads.log(actor, subject=("erasure", act_id), purpose="erasure_paper", count=len(members))
    chair = members[0] if members else ""
    letter = papers.Letter(
        organization=organization or "", title="АКТ об уничтожении персональных данных",
        addressee=("В дело",), body=tuple(_body(act, members)), number=str(act_id)[:8],
        date=_day(act["done_at"] or act["created_at"]), signer_post="Председатель комиссии",
        signer_name=chair,
    )  # fmt: skip
    return await papers.render("letter", letter)


def _body(act: db.Row, members: list[str]) -> list[str]:
    ground = ERASE[act["ground"]]
    destroyed = [one for one in act["documents"] if one["decision"] == "destroy"]
    kept = [one for one in act["documents"] if one["decision"] == "keep"]
    lines = [
        f"Комиссия в составе: {', '.join(members)} составила акт о том, что уничтожены "
        f"персональные данные субъекта {act['person_id']} (идентификатор в системе; имя субъекта "
        "после уничтожения не хранится).",
        f"Основание: {ground.ru} ({ground.source}); {act['basis']}. Срок: {_day(act['due_on'])}.",
        "Категории данных: ФИО, контакты, сведения сертификатов и учётных записей, содержание "
        "документов по решению комиссии.",
        "Система: docflow. Способ: удаление из базы данных, хранилища файлов, поискового индекса "
        "и подготовленных выгрузок без возможности восстановления; резервные копии истекают, при "
        "восстановлении уничтожение повторяется по реестру.",
        f"Документов уничтожено: {len(destroyed)}; сохранено по закону: {len(kept)}.",
    ]  # fmt: skip
    lines += [f"Сохранён документ {one['document_id']}: {one['ground']}." for one in kept]
    done = {one["step"]: one["number"] for one in act["steps"]}
    lines += [f"Затронуто {words}: {done[step]}." for step, words in _DONE.items() if step in done]
    if act["status"] == ErasureStatus.DONE:
        left = ", ".join(f"{one['place']} ({one['rows']})" for one in act["remains"]) or "нет"
        lines.append(f"Исполнен {_day(act['done_at'])}. Осталось после проверки: {left}.")
    else:
        lines.append("Акт ещё не исполнен.")
    return lines


async def _names(account_ids: list[uuid.UUID]) -> list[str]:
    found = await db.rows(
        """SELECT concat_ws(' ', p.last_name, p.first_name, p.middle_name) AS name
           FROM account AS a JOIN person AS p ON p.id = a.person_id
           WHERE a.id = ANY($1::uuid[]) ORDER BY name""",
        account_ids,
    )
    return [row["name"] for row in found]


def _day(value: date | datetime) -> str:
    if isinstance(value, datetime):
        value = value.astimezone(clock.MOSCOW).date()
    return f"{value:%d.%m.%Y}"
