"""What pages show beyond the verbs of the rooms: one's own delivery, the way a letter came."""

import uuid
from collections.abc import Mapping
from typing import Any

from core import db
from core.actor import Actor
from core.errors import IllegalTransition
from docflow.documents import files, links, previews, signed, signing_steps, timeline, visibility
from docflow.documents.kinds import PDF
from docflow.routing import deliveries, questions, relay, resolutions

SHOWN_HOPS = 40
SHOWN_SHEETS = 20


async def document(actor: Actor, document_id: uuid.UUID) -> dict[str, Any]:
    """Everything the page of a document shows, cut to what this organization may see."""
    found = await visibility.visible_document(actor, document_id)
    is_own = found["organization_id"] == actor.home_id
    delivery = None if is_own else await _own_delivery(actor, document_id)
    hops = await relay.hops_seen(actor, document_id)
    line = await timeline.timeline(actor, document_id)
    return {
        "document": found,
        "is_own": is_own,
        "delivery": delivery,
        "files": await files.current_files(document_id),
        "signatures": await signed.signatures_of(document_id),
        "signers": await signing_steps.steps_of(document_id) if is_own else [],
        "questions": await _questions(actor, document_id),
        "links": await links.links_of(actor, document_id),
        "steps": _steps(line, hops),
        "own_hop": any(hop["organization_id"] == actor.home_id for hop in hops),
        "names": await names_of(
            {found["organization_id"], *(event["organization_id"] for event in line)}
        ),
        "returned": await _returned(found) if is_own and found["status"] == "draft" else None,
    }


async def resolution(actor: Actor, shown: Mapping[str, Any]) -> dict[str, Any]:
    """What a chancery wrote on the letter, or what it may choose from while it has not yet."""
    found: dict[str, Any] = {"resolution": None, "usual": [], "executors": []}
    if not shown["delivery"]:
        return found
    if shown["own_hop"]:
        return {**found, "resolution": await resolutions.own(actor, shown["document"]["id"])}
    if "clerk" not in actor.roles:
        return found
    return {
        **found,
        "usual": await resolutions.usual(actor),
        "executors": await resolutions.executors(actor),
    }


def chosen_file(present: list[db.Row], file_id: uuid.UUID | None) -> db.Row:
    """The file that is asked for, else the main one; raises `no_preview` without any."""
    pdfs = [one for one in present if one["media_type"] == PDF]
    for one in pdfs:
        if one["id"] == file_id or (file_id is None and one["role"] == "main"):
            return one
    raise previews.no_preview()


def sheets(file: db.Row, start: int) -> range:
    """The pages of a file shown at once, from `start` on."""
    total = file["pages"] or 1
    first = min(max(start, 1), total)
    return range(first, min(first + SHOWN_SHEETS, total + 1))


async def mark_opened(actor: Actor, document_id: uuid.UUID) -> None:
    """Note that a received document was opened; two tabs at once are no error."""
    delivery = await _own_delivery(actor, document_id)
    if delivery and delivery["status"] == "delivered":
        try:
            await deliveries.open_delivery(actor, delivery["id"])
        except IllegalTransition:
            return


async def names_of(organization_ids: set[uuid.UUID | None]) -> dict[uuid.UUID, str]:
    """The names of organizations by id."""
    found = await db.rows(
        "SELECT id, name FROM organization WHERE id = ANY ($1)",
        [one for one in organization_ids if one is not None],
    )
    return {row["id"]: row["name"] for row in found}


async def _questions(actor: Actor, document_id: uuid.UUID) -> list[db.Row]:
    return await questions.of_document(actor, document_id) if actor.organization_id else []


async def _own_delivery(actor: Actor, document_id: uuid.UUID) -> db.Row | None:
    return await db.row(
        f"""SELECT v.*, r.number AS own_number, r.date AS own_date,
                   EXISTS (SELECT 1 FROM delivery AS b WHERE b.via_id = v.id) AS has_below
            FROM delivery AS v LEFT JOIN registration AS r
                 ON r.document_id = v.document_id AND r.organization_id = v.recipient_id
            WHERE v.document_id = $2 AND v.recipient_id = $1
            AND v.status IN {visibility.ARRIVED} ORDER BY v.id DESC LIMIT 1""",
        visibility.reader(actor), document_id,
    )  # fmt: skip


async def _returned(document: db.Row) -> str | None:
    """Why the signatory gave the draft back the last time."""
    found = await db.row(
        """SELECT e.verb, p.detail FROM event AS e
           LEFT JOIN event_payload AS p ON p.event_id = e.id
           WHERE e.document_id = $1 AND e.verb IN ('document.declined', 'document.submitted')
           ORDER BY e.id DESC LIMIT 1""",
        document["id"],
    )
    if found is None or found["verb"] != "document.declined" or not found["detail"]:
        return None
    return str(found["detail"].get("reason", ""))


def _steps(line: list[db.Row], hops: list[db.Row]) -> list[dict[str, Any]]:
    """Events and hops in the order they happened; a hop's own events are told by the hop."""
    steps = [
        {"at": event["at"], "event": event, "hop": None}
        for event in line
        if event["verb"] not in ("delivery.passed_on", "document.registered_incoming")
    ] + [{"at": hop["passed_at"], "event": None, "hop": hop} for hop in hops[:SHOWN_HOPS]]
    return sorted(steps, key=lambda step: step["at"])
