"""Notices: what an organization is told, in its list of notices and by e-mail."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from core import clock, db, jobs
from core.actor import Actor
from core.settings import settings
from directory import quiet
from notify.notice_kinds import NOTICE_KINDS, subjects_of, texts_of

__all__ = ["NOTICE_KINDS", "Notice", "Post", "mark_read", "post", "post_many", "unread"]

MAIL_JOB = "notify.send_mail"
MAIL_QUEUE = "mail"
MAIL_LOCK = "notify.send_mail"
"""One process speaks to the mail relay at a time."""

jobs.allow(MAIL_JOB, queue=MAIL_QUEUE)

_INSERT = """
WITH new AS (
    INSERT INTO notice (organization_id, kind, subject_kind, subject_id, about, data, created_at,
        email_status, email_next_at)
    SELECT w.organization_id, w.kind, w.subject_kind, w.subject_id, w.about, w.data,
        $7::timestamptz,
        CASE WHEN w.mailed AND o.email <> '' THEN 'waiting' ELSE 'none' END,
        CASE WHEN w.mailed AND o.email <> ''
             THEN CASE WHEN w.urgent THEN $7 ELSE coalesce(night.wake, $7) END END
    FROM unnest($1::uuid[], $2::text[], $3::text[], $4::uuid[], $5::date[], $6::jsonb[],
                $8::bool[], $9::bool[])
        AS w (organization_id, kind, subject_kind, subject_id, about, data, mailed, urgent)
    LEFT JOIN organization AS o ON o.id = w.organization_id
    LEFT JOIN unnest($10::text[], $11::timestamptz[]) AS night (zone, wake)
        ON night.zone = o.time_zone
    ON CONFLICT ON CONSTRAINT notice_once DO NOTHING
    RETURNING email_status)
SELECT count(*) AS written, count(*) FILTER (WHERE email_status = 'waiting') AS mailed FROM new
"""


@dataclass(frozen=True, slots=True)
class Post:
    """A notice to be posted; the same organization, kind, subject and date make it the same."""

    organization_id: uuid.UUID
    kind: str
    subject: tuple[str, uuid.UUID]
    """What it is about: kind of thing and id, such as ("delivery", …)."""
    about: date | None = None
    """The day it is about: a reminder of another day is another notice."""
    data: dict[str, Any] = field(default_factory=dict)
    """Ids, dates, counts and codes for the text; nothing about a person."""
    is_urgent: bool = False
    """Its letter does not wait for morning where the organization lives."""


@dataclass(frozen=True, slots=True)
class Notice:
    """A notice as it is read."""

    id: uuid.UUID
    kind: str
    subject_kind: str
    subject_id: uuid.UUID
    about: date | None
    data: dict[str, Any]
    heading_ru: str
    heading_en: str
    text_ru: str
    text_en: str
    email_status: str
    created_at: datetime


async def post(
    organization_id: uuid.UUID,
    kind: str,
    subject: tuple[str, uuid.UUID],
    about: date | None = None,
    data: dict[str, Any] | None = None,
) -> bool:
    """Tell an organization once, in the open transaction; False when it was told already."""
    return await post_many([Post(organization_id, kind, subject, about, data or {})]) == 1


async def post_many(posts: Sequence[Post]) -> int:
    """Tell many at once; answers how many notices are new, the rest were there.

    Those of a mailed kind whose organization has an address go to the mail, when a relay is set
    (SMTP_HOST). A kind that is not in NOTICE_KINDS is a defect (LookupError).
    """
    if not posts:
        return 0
    unknown = {one.kind for one in posts} - NOTICE_KINDS.keys()
    if unknown:
        raise LookupError(f"no such kind of notice: {sorted(unknown)}")
    with_mail = bool(settings().smtp.host)
    async with db.transaction():
        found = await db.row(
            _INSERT,
            [one.organization_id for one in posts], [one.kind for one in posts],
            [one.subject[0] for one in posts], [one.subject[1] for one in posts],
            [one.about for one in posts], [one.data for one in posts], clock.now(),
            [with_mail and NOTICE_KINDS[one.kind].is_mailed for one in posts],
            [one.is_urgent or NOTICE_KINDS[one.kind].is_urgent for one in posts],
            *quiet.nights(clock.now()),
        )  # fmt: skip
        if found is None:
            return 0
        if found["mailed"]:
            # No key: joining a queued job would make every poster wait for the last one's commit.
            await jobs.defer(MAIL_JOB, lock=MAIL_LOCK)
    return int(found["written"])


async def unread(actor: Actor, *, after: uuid.UUID | None = None, limit: int = 50) -> list[Notice]:
    """What the actor's organization has not read, newest first; `after`: last id of the page
    before.
    """
    found = await db.rows(
        """SELECT id, kind, subject_kind, subject_id, about, data, email_status, created_at
           FROM notice WHERE organization_id = $1 AND read_at IS NULL
           AND ($2::uuid IS NULL OR id < $2) ORDER BY id DESC LIMIT $3""",
        actor.home_id, after, limit,
    )  # fmt: skip
    return [_notice(row) for row in found]


async def mark_read(actor: Actor, notice_ids: Sequence[uuid.UUID]) -> int:
    """Mark notices of the actor's organization as read; answers how many were not yet."""
    return await db.execute(
        """UPDATE notice SET read_at = $3
           WHERE id = ANY($1) AND organization_id = $2 AND read_at IS NULL""",
        list(notice_ids), actor.home_id, clock.now(),
    )  # fmt: skip


def _notice(row: db.Row) -> Notice:
    heading_ru, heading_en = subjects_of(row["kind"])
    text_ru, text_en = texts_of(row["kind"], row["data"])
    return Notice(
        heading_ru=heading_ru, heading_en=heading_en, text_ru=text_ru, text_en=text_en, **row
    )
