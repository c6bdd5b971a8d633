"""What the database knows of one use of a picture, gathered for its dossier."""

import uuid
from dataclasses import dataclass
from typing import Any

from audit import events, reads
from compliance.checking.checks import Answer, answer_of
from compliance.verdicts.case import Case, Verdict, decode_case
from compliance.visibility import may_see
from core import db
from core.actor import Actor
from core.errors import NotFound

CHAIN = 20_000
"""So many changes of the registers go along, so that their digest can be made again."""


@dataclass(frozen=True, slots=True)
class Facts:
    """One use with everything that belongs to it."""

    use: db.Row
    organization: str
    check: db.Row
    answer: Answer
    latest: db.Row | None
    """The newest look back, when it is another check than the one it was published by."""
    publication: db.Row | None
    pictures: list[db.Row]
    licences: list[db.Row]
    own_works: list[db.Row]
    reviews: list[db.Row]
    changes: list[db.Row]
    told: list[db.Row]
    """Events, oldest first."""
    people: dict[uuid.UUID, str]
    """Names by account."""

    @property
    def case(self) -> Case:
        """What the verdict was made from."""
        return self.answer.case

    @property
    def verdict(self) -> Verdict:
        """The verdict of the day of publication."""
        return self.answer.verdict


async def gathered(actor: Actor, use_id: uuid.UUID) -> Facts:
    """Everything known of a use of one's own organization, for a lawyer of one below too.

    Names of people are read, so the read is logged. Raises NotFound.
    """
    use = await visible(actor, use_id)
    check = await _one("SELECT * FROM picture_check WHERE id = $1", use["check_id"])
    case = decode_case(check["case_json"])
    ids = [uuid.UUID(one.id) for one in case.pictures]
    licence_ids = [uuid.UUID(one.id) for one in case.licences]
    pictures = await db.rows("SELECT * FROM picture WHERE id = ANY ($1) ORDER BY id", ids)
    licences = await db.rows("SELECT * FROM licence WHERE id = ANY ($1) ORDER BY id", licence_ids)
    own_works = await db.rows(
        """SELECT * FROM own_work WHERE picture_id = ANY ($1) AND organization_id = ANY ($2)
           ORDER BY id""",
        ids, [uuid.UUID(one.organization) for one in case.own_works],
    )  # fmt: skip
    reviews = await db.rows(
        """SELECT * FROM picture_review WHERE sha256 = $1 AND organization_id = $2 ORDER BY id""",
        check["sha256"], use["organization_id"],
    )  # fmt: skip
    publication = await db.row(
        """SELECT p.*, i.caption, i.places, i.file_name AS picture_name
           FROM publication_picture AS i JOIN publication AS p ON p.id = i.publication_id
           WHERE i.use_id = $1""",
        use_id,
    )
    latest = None
    if use["last_check_id"] != use["check_id"]:
        latest = await _one("SELECT * FROM picture_check WHERE id = $1", use["last_check_id"])
    subjects = [use_id, check["id"], *ids, *licence_ids, *(row["id"] for row in own_works),
                *(row["id"] for row in reviews),
                *([publication["id"]] if publication else [])]  # fmt: skip
    told = [one for subject in subjects for one in await events.of_subject(subject)]
    told.sort(key=lambda one: one["id"])
    facts = Facts(
        use=use,
        organization=await db.value(
            "SELECT name FROM organization WHERE id = $1", use["organization_id"]
        ),
        check=check, answer=await answer_of(check), latest=latest, publication=publication,
        pictures=pictures, licences=licences, own_works=own_works, reviews=reviews,
        changes=await _changes(check["register_change_id"]), told=told,
        people=await _people(pictures, licences, own_works, reviews, told, use),
    )  # fmt: skip
    await reads.log(
        actor, subject=("picture_use", use_id), purpose="picture_dossier", count=len(facts.people)
    )
    return facts


async def visible(actor: Actor, use_id: uuid.UUID) -> db.Row:
    """The row of a use the actor may have a dossier of; NotFound otherwise."""
    actor.require("editor", "lawyer")
    found = await db.row("SELECT * FROM picture_use WHERE id = $1", use_id)
    if found is None or not await may_see(actor, found["organization_id"]):
        raise NotFound(use_id=str(use_id))
    return found


async def _changes(upto: int) -> list[db.Row]:
    rows = await db.rows(
        """SELECT id, at, change, subject_kind, subject_id, content, digest FROM register_change
           WHERE id <= $1 ORDER BY id DESC LIMIT $2""",
        upto, CHAIN,
    )  # fmt: skip
    return rows[::-1]


async def _people(*groups: Any) -> dict[uuid.UUID, str]:
    rows = [row for group in groups for row in (group if isinstance(group, list) else [group])]
    columns = ("found_by", "approved_by", "created_by", "confirmed_by", "asked_by", "decided_by",
               "actor_id")  # fmt: skip
    accounts = {row[name] for row in rows for name in columns if row.get(name) is not None}
    found = await db.rows(
        """SELECT a.id, concat_ws(' ', p.last_name, nullif(p.first_name, ''),
                  nullif(p.middle_name, '')) AS name
           FROM account AS a JOIN person AS p ON p.id = a.person_id WHERE a.id = ANY ($1)""",
        list(accounts),
    )
    return {row["id"]: row["name"] for row in found}


async def _one(sql: str, *values: Any) -> db.Row:
    found = await db.row(sql, *values)
    if found is None:
        raise NotFound
    return found
