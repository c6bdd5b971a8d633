"""Notifications and receipts, of every version."""

from typing import Any

from core.sandbox.trees import Node
from docflow.gateways.medo import lists, parties, values
from docflow.gateways.medo.findings import Notes
from docflow.gateways.medo.messages import Event, Notification, Party, Receipt, Reference


def read_notification(node: Node, notes: Notes) -> Notification:
    """What the office did; the element decides, the words of `@type` only where there is none."""
    found = next((child for child in node.children if child.name in set(Event)), None)
    said = values.value(node, "type")
    event = Event(found.name) if found is not None else _by_words(said, notes)
    if found is None and event is not None:
        # Some write the event's parts straight into the notification, or in an element unknown.
        found = next((child for child in node.children if child.first("time")), node)
    where = event.value if event else "notification"
    inner = found if found is not None else node
    return Notification(
        event=event,
        type=said,
        uid=values.guid(values.value(node, "uid"), notes, "notification/@uid"),
        id=node.get("id"),
        time=values.moment(values.value(inner, "time"), notes, f"{where}/time"),
        **_numbers(inner, event, notes, where),
        reason=_reason(inner, event, notes, where),
        foundation=_reference(inner, "foundation", notes),
        clause=_clause(inner),
        correspondent=_reference(inner, "correspondent", notes),
        executor=_party(inner, "executor", notes),
        manager=_party(inner, "manager", notes),
        secretary=_party(inner, "secretary", notes),
        signatory=_party(inner, "signatory", notes),
        report=_reference(inner, "report", notes) or _reference(inner, "reference", notes),
        course=values.value(inner, "courseText"),
        place=_place(inner),
        comment=values.text(node, "comment", notes, "notification")
        or values.value(inner, "comment"),
    )  # fmt: skip


def _by_words(said: str, notes: Notes) -> Event | None:
    known = {words.casefold(): name for name, words in lists.load().events.items()}
    known["государственная регистрация"] = Event.ACCEPTED
    if name := known.get(said.casefold()):
        notes.warn("event_by_type", "notification", type=said)
        return Event(name)
    notes.refuse("unknown_event", "notification", type=said)
    return None


def _numbers(node: Node, event: Event | None, notes: Notes, where: str) -> dict[str, Any]:
    """The receiver's own number; publications have theirs in elements of unsettled names."""
    num = node.first("num", "publicationNum", "publication", "registration")
    number = values.value(num, "number") or values.value(node, "number")
    date = values.value(num, "date") or values.value(node, "date")
    if event is Event.ACCEPTED and not number:
        notes.warn("missing_part", f"{where}/num/number")
    return {"number": number, "date": values.day(date, notes, f"{where}/num/date")}


def _reason(node: Node, event: Event | None, notes: Notes, where: str) -> str:
    reason = values.value(node, "reason")
    if event is Event.REFUSED and not reason:
        notes.warn("missing_part", f"{where}/reason")
    if reason and reason not in lists.load().refusals.reasons:
        notes.warn("unknown_reason", f"{where}/reason", reason=reason)
    return reason


def _clause(node: Node) -> str:
    """Which task of the document it is about."""
    clause = node.first("clause")
    return values.value(clause, "designation", "localId", "id") or (clause.text if clause else "")


def _reference(node: Node, name: str, notes: Notes) -> Reference | None:
    child = node.first(name)
    return parties.reference(child, notes, name) if child is not None else None


def _party(node: Node, name: str, notes: Notes) -> Party | None:
    child = node.first(name)
    return parties.anyone(child, notes, name) if child is not None else None


def _place(node: Node) -> str:
    return values.value(node, "place", "publicationPlace", "placeOfPublication")


def read_receipt(node: Node, notes: Notes) -> Receipt:
    """Did it arrive; without a readable answer nobody may take it for a yes."""
    accepted = values.value(node, "accepted")
    if not accepted:
        notes.warn("missing_part", "acknowledgment/accepted")
    return Receipt(
        uid=values.guid(values.value(node, "uid"), notes, "acknowledgment/@uid"),
        time=values.moment(values.value(node, "time"), notes, "acknowledgment/time"),
        is_accepted=values.flag(accepted, notes, "acknowledgment/accepted") if accepted else None,
        content=node.get("content"),
        comment=values.text(node, "comment", notes, "acknowledgment"),
    )
