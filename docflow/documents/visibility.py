"""The one rule that decides which documents an actor may see (architecture rule 10).

An organization sees what it wrote and what was delivered to it. A letter that still waits at a
relay, or in a queue, is not there yet for its recipient. What an organization destroyed by an act
it sees no more, while others may still hold it. Every query over documents goes through
the conditions here; a test reads the sources for queries that do not.
"""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from core import db
from core.actor import Actor
from core.errors import Forbidden, NotFound

READERS = frozenset({"clerk", "signatory", "lawyer"})
"""Roles that read documents; administering accounts gives no right to read (records.md ACC-5)."""

ARRIVED = "('delivered', 'opened', 'acknowledged', 'executed', 'refused', 'recalled')"


def condition(document: str, organization: str) -> str:
    """SQL that is true when the organization `organization` may see the row `document`.

    Both are SQL names or placeholders of our own text, e.g. ``condition("d", "$1")``. The table
    of deliveries belongs to routing; that it is named here is what keeps the rule in one place.
    """
    return f"""(({document}.organization_id = {organization} OR EXISTS (
        SELECT 1 FROM delivery AS seen WHERE seen.recipient_id = {organization}
        AND seen.document_id = {document}.id AND seen.status IN {ARRIVED}))
        AND {kept(f"{document}.id", organization)})"""


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
        f"""SELECT d.* FROM document AS d WHERE d.id = $2 AND {condition("d", "$1")}
            {"FOR NO KEY UPDATE OF d" if lock else ""}""",
        reader(actor), document_id,
    )  # fmt: skip
    if found is None:
        raise NotFound(document_id=str(document_id))
    return found


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
        raise NotFound(**{name: str(value) for name, value in asked.items()}) from None


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
