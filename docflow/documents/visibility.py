"""The one rule that decides which documents an actor may see (architecture rule 10).

An organization sees what it wrote and what was delivered to it. A letter that still waits at a
relay, or in a queue, is not there yet for its recipient. What an organization destroyed by an act
it sees no more, while others may still hold it. A document of restricted use («ДСП») is seen by
the author, who signs or carries it out, the head of an organization that has it, and those they
have named; for all others it is not there, and their trying is noted. Every query over documents
goes through the conditions here; a test reads the sources for queries that do not.
"""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from audit import refusals
from core import db
from core.actor import Actor
from core.errors import Forbidden, NotFound

READERS = frozenset({"clerk", "signatory", "lawyer"})
"""Roles that read documents; administering accounts gives no right to read (records.md ACC-5)."""

RESTRICTED = "dsp"
HEAD = "chairman"
"""The post that reads what is restricted without being named."""
NOBODY = "NULL::uuid"
"""Whose eyes a query has that stands for no person: nothing restricted is shown."""
_RULE = "'00000000-0000-0000-0000-000000000000'::uuid"
_TODAY = "(now() AT TIME ZONE 'Europe/Moscow')::date"

ARRIVED = "('delivered', 'opened', 'acknowledged', 'executed', 'refused', 'recalled')"


class ReadRefused(NotFound):
    """The organization has it, this person may not read it; told like any other NotFound."""


def condition(document: str, organization: str, account: str = NOBODY) -> str:
    """SQL that is true when `account` may see the row `document` for `organization`.

    All are SQL names or placeholders of our own text, e.g. ``condition("d", "$1", "$2")``; the
    account decides what is restricted only. The table of deliveries belongs to routing; that it is
    named here is what keeps the rule in one place.
    """
    return f"""(({document}.organization_id = {organization} OR EXISTS (
        SELECT 1 FROM delivery AS seen WHERE seen.recipient_id = {organization}
        AND seen.document_id = {document}.id AND seen.status IN {ARRIVED}))
        AND {kept(f"{document}.id", organization)}
        AND {readable(document, organization, account)})"""


def readable(document: str, organization: str, account: str) -> str:
    """SQL that is true unless the row `document` is restricted and `account` may not read it."""
    return f"""({document}.mark <> '{RESTRICTED}' OR {account} = {_RULE}
        OR {insider(document, organization, account)})"""


def insider(document: str, organization: str, account: str, *, original: bool = False) -> str:
    """SQL: is `account` the author, a signer, the head or named; `original`: may take the bytes.

    A head is no exception to the right to the original: it is given by name.
    """
    right = "AND named.may_take_original" if original else ""
    holds = "" if original else f"held.kind = '{HEAD}' OR "
    named = f"""SELECT FROM document_reader AS named WHERE named.document_id = {document}.id
        AND named.struck_at IS NULL {right}
        AND named.organization_id IN ({organization}, {document}.organization_id)"""
    return f"""EXISTS (SELECT FROM account AS who WHERE who.id = {account} AND (
        who.id = {document}.author_id
        OR {document}.signatory_id IN (who.person_id, who.id)
        {"" if original else f"OR {document}.executor_id IN (who.person_id, who.id)"}
        OR EXISTS (SELECT FROM signing_step AS turn WHERE turn.document_id = {document}.id
            AND turn.person_id = who.person_id)
        OR EXISTS ({named} AND named.person_id = who.person_id)
        OR EXISTS (SELECT FROM post AS held WHERE held.person_id = who.person_id
            AND held.organization_id = {organization} AND held.valid_from <= {_TODAY}
            AND (held.valid_to IS NULL OR held.valid_to > {_TODAY})
            AND ({holds}EXISTS ({named} AND named.post = held.kind)))))"""


def shown(document_id: str, organization: str, account: str) -> str:
    """SQL for lists of deliveries and the like: neither destroyed here nor restricted for them.

    One look into the small index of restricted documents a row, whatever the planner thinks.
    """
    return f"""{kept(document_id, organization)} AND coalesce((
        SELECT {readable("secret", organization, account)} FROM document AS secret
        WHERE secret.id = {document_id} AND secret.mark = '{RESTRICTED}'), true)"""


def kept(document_id: str, organization: str) -> str:
    """SQL that is true unless the organization has destroyed its copy by an act."""
    return f"""NOT EXISTS (SELECT 1 FROM case_filing AS gone WHERE gone.status = 'destroyed'
        AND gone.document_id = {document_id} AND gone.organization_id = {organization})"""


def reader(actor: Actor) -> uuid.UUID:
    """The organization through whose eyes `actor` reads; Forbidden without a reading role."""
    if actor.kind != "rule" and not actor.roles & READERS:
        raise Forbidden(needs=sorted(READERS))
    return actor.home_id


async def visible_document(actor: Actor, document_id: uuid.UUID, *, lock: bool = False) -> db.Row:
    """The document's row, if the actor may see it; NotFound otherwise, whether it exists or not."""
    found = await db.row(
        f"""SELECT d.* FROM document AS d WHERE d.id = $2 AND {condition("d", "$1", "$3")}
            {"FOR NO KEY UPDATE OF d" if lock else ""}""",
        reader(actor), document_id, actor.id,
    )  # fmt: skip
    if found is None:
        raise await unseen(actor, document_id, document_id=document_id)
    return found


async def unseen(actor: Actor, document_id: uuid.UUID | None, /, **asked: object) -> NotFound:
    """The error for a document that is not shown; a refused read of a restricted one is noted.

    `asked`: by which id, the only one the error names.
    """
    details = {name: str(value) for name, value in asked.items()}
    is_here = await db.value(
        f"""SELECT true FROM document AS d WHERE d.id = $2 AND d.mark = '{RESTRICTED}'
            AND {condition("d", "$1", _RULE)}""",
        reader(actor), document_id,
    )  # fmt: skip
    if document_id is None or not is_here:
        return NotFound(**details)
    await refusals.note(
        actor, "document.read_refused", subject=("document", document_id), document_id=document_id
    )
    return ReadRefused(**details)


async def require_readable(actor: Actor, document_id: uuid.UUID, /, **asked: object) -> None:
    """For what has a door of its own beside the document: raise `unseen` where it is restricted."""
    may = await db.value(
        f"SELECT {readable('d', '$1', '$3')} FROM document AS d WHERE d.id = $2",
        reader(actor), document_id, actor.id,
    )  # fmt: skip
    if not may:
        raise await unseen(actor, document_id, **asked)


async def may_take_original(actor: Actor, document_id: uuid.UUID) -> bool:
    """May the actor have the bytes as they are, without a reader's name on every page?"""
    found = await db.value(
        f"""SELECT d.mark <> '{RESTRICTED}' OR $3 = {_RULE}
                   OR {insider("d", "$1", "$3", original=True)}
            FROM document AS d WHERE d.id = $2""",
        actor.home_id, document_id, actor.id,
    )  # fmt: skip
    return bool(found)


@contextmanager
def hiding(**asked: object) -> Iterator[None]:
    """What is not visible is as unknown as the id it was asked by, and no other id is told.

    For things found by an id of their own whose document decides: NotFound names `asked` alone.
    """
    try:
        yield
    except NotFound as problem:
        if problem.error_code != NotFound.code:
            raise
        raise type(problem)(**{name: str(value) for name, value in asked.items()}) from None


async def own_document(actor: Actor, document_id: uuid.UUID, *, lock: bool = True) -> db.Row:
    """The row of a document of the actor's own organization, locked for change."""
    found = await visible_document(actor, document_id, lock=lock)
    if found["organization_id"] != actor.home_id:
        raise Forbidden(
            "Изменять документ может только организация, которая его создала.",
            "Only the organization that created the document may change it.",
            code="not_the_author",
        )
    return found
