"""Who may read a document of restricted use (ДСП): named by its author and by heads, each for one's
own organization; the author's choice of posts holds wherever the document has come.
"""

import uuid

from audit import events, reads
from core import clock, db
from core.actor import Actor
from core.errors import Forbidden, InvalidInput, NotFound
from directory.states import PostKind
from docflow.documents import visibility


async def listed(actor: Actor, document_id: uuid.UUID) -> list[db.Row]:
    """Those named by one's own organization, and posts named by the author; the look is logged."""
    found = await visibility.visible_document(actor, document_id)
    rows = await db.rows(
        """SELECT r.id, r.organization_id, r.person_id, r.post, r.may_take_original, r.named_at,
                  p.last_name, p.first_name, p.middle_name
           FROM document_reader AS r LEFT JOIN person AS p ON p.id = r.person_id
           WHERE r.document_id = $1 AND r.struck_at IS NULL AND (r.organization_id = $2
               OR (r.organization_id = $3 AND r.post IS NOT NULL)) ORDER BY r.id""",
        document_id, actor.home_id, found["organization_id"],
    )  # fmt: skip
    if named := sum(1 for row in rows if row["person_id"] is not None):
        await reads.log(actor, subject=("document", document_id), purpose="readers", count=named)
    return rows


async def name(
    actor: Actor,
    document_id: uuid.UUID,
    *,
    person_id: uuid.UUID | None = None,
    post: str | None = None,
    may_take_original: bool = False,
) -> uuid.UUID:
    """Let a person of one's organization read it, or whoever holds a post; answers the entry's id.

    Naming again changes the right to the original. By the author or the head (`not_the_holder`).
    Raises `not_restricted`, `reader_unclear`, `unknown_post`, `person_not_there`.
    """
    async with db.transaction():
        await _held(actor, document_id)
        await _check(actor, person_id, post)
        reader_id = await db.value(
            """INSERT INTO document_reader (id, document_id, organization_id, person_id, post,
                   may_take_original, named_by, named_at)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
               ON CONFLICT (document_id, organization_id, person_id, post)
                   WHERE struck_at IS NULL
               DO UPDATE SET may_take_original = $6, named_by = $7, named_at = $8
               RETURNING id""",
            clock.new_id(), document_id, actor.home_id, person_id, post, may_take_original,
            actor.account_id, clock.now(),
        )  # fmt: skip
        await events.record(
            actor, "document.reader_named", subject=("document_reader", reader_id),
            document_id=document_id,
            data={"person_id": person_id and str(person_id), "post": post,
                  "may_take_original": may_take_original},
        )  # fmt: skip
    return uuid.UUID(str(reader_id))


async def strike(actor: Actor, document_id: uuid.UUID, reader_id: uuid.UUID) -> None:
    """End a right to read that one's own organization gave; done twice it changes nothing."""
    async with db.transaction():
        await _held(actor, document_id)
        row = await db.row(
            """SELECT struck_at FROM document_reader
               WHERE id = $1 AND document_id = $2 AND organization_id = $3 FOR UPDATE""",
            reader_id, document_id, actor.home_id,
        )  # fmt: skip
        if row is None:
            raise NotFound(reader_id=str(reader_id))
        if row["struck_at"] is not None:
            return
        await db.execute(
            "UPDATE document_reader SET struck_at = $2, struck_by = $3 WHERE id = $1",
            reader_id, clock.now(), actor.account_id,
        )  # fmt: skip
        await events.record(
            actor, "document.reader_struck", subject=("document_reader", reader_id),
            document_id=document_id,
        )  # fmt: skip


async def may_name(actor: Actor, document: db.Row) -> bool:
    """Is the actor the author of this document, or the head of an organization that has it?"""
    return document["author_id"] == actor.id or await _holds(
        actor.person_id, actor.home_id, visibility.HEAD
    )


async def candidates(actor: Actor) -> list[db.Row]:
    """People who hold a post in one's organization today, for the choice; the look is logged."""
    rows = await db.rows(
        """SELECT DISTINCT p.id, p.last_name, p.first_name, p.middle_name
           FROM post AS t JOIN person AS p ON p.id = t.person_id
           WHERE t.organization_id = $1 AND t.valid_from <= $2
           AND (t.valid_to IS NULL OR t.valid_to > $2) ORDER BY p.last_name, p.id LIMIT 200""",
        actor.home_id, clock.today(),
    )  # fmt: skip
    if rows:
        await reads.log(
            actor, subject=("organization", actor.home_id), purpose="readers", count=len(rows)
        )
    return rows


async def _check(actor: Actor, person_id: uuid.UUID | None, post: str | None) -> None:
    if (person_id is None) == (post is None):
        raise InvalidInput(
            "Укажите человека или должность, что-то одно.",
            "Name a person or a post, one of the two.",
            code="reader_unclear",
        )
    if post is not None and post not in set(PostKind):
        raise InvalidInput(
            f"Должность: {', '.join(PostKind)}.", f"Post: {', '.join(PostKind)}.",
            code="unknown_post", field="post",
        )  # fmt: skip
    if person_id is not None and not await _holds(person_id, actor.home_id):
        raise InvalidInput(
            "Этот человек не занимает должности в вашей организации. Назначьте его или укажите "
            "должность.",
            "This person holds no post in your organization. Give them one, or name a post.",
            code="person_not_there", field="person_id",
        )  # fmt: skip


async def _held(actor: Actor, document_id: uuid.UUID) -> None:
    """Lock the document for a change of its readers by who may make one."""
    found = await visibility.visible_document(actor, document_id, lock=True)
    if found["mark"] != visibility.RESTRICTED:
        raise InvalidInput(
            "У документа нет отметки «ДСП»: его читают все, кто работает с документами.",
            "The document is not restricted: whoever works with documents reads it.",
            code="not_restricted",
        )
    if not await may_name(actor, found):
        raise Forbidden(
            "Круг читателей определяют автор документа и руководитель организации.",
            "The author and the head of the organization decide who reads it.",
            code="not_the_holder",
        )


async def _holds(
    person_id: uuid.UUID | None, organization_id: uuid.UUID, kind: str | None = None
) -> bool:
    found = await db.value(
        """SELECT true FROM post WHERE person_id = $1 AND organization_id = $2
           AND ($4::text IS NULL OR kind = $4) AND valid_from <= $3
           AND (valid_to IS NULL OR valid_to > $3) LIMIT 1""",
        person_id, organization_id, clock.today(), kind,
    )  # fmt: skip
    return bool(found)
