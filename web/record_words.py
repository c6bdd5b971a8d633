"""Names of states and kinds of the records schedule as people read them."""

from collections.abc import Mapping

from core import db
from docflow.documents.records import cases, retention, terms
from web.translation import N_, spoken

PLANS: Mapping[str, str] = {
    "draft": N_("Draft"),
    "approved": N_("In force"),
    "closed": N_("Year closed"),
}
CASES: Mapping[str, str] = {
    "planned": N_("Planned"),
    "open": N_("Open case"),
    "closed": N_("Ended"),
    "carried": N_("Carried on"),
    "destroyed": N_("Destroyed"),
}
ACTS: Mapping[str, str] = {
    "draft": N_("Draft"),
    "review": N_("Before the commission"),
    "agreed": N_("Agreed by the commission"),
    "approved": N_("Approved"),
    "executing": N_("Is being carried out"),
    "executed": N_("Carried out"),
    "rejected": N_("Rejected by the commission"),
    "cancelled": N_("Given up"),
}
INVENTORIES: Mapping[str, str] = {
    "draft": N_("Draft"),
    "approved": N_("Approved"),
    "cancelled": N_("Given up"),
}
KINDS: Mapping[str, str] = {
    "permanent": N_("Kept for ever"),
    "long": N_("Above ten years"),
    "personnel": N_("Personnel"),
}
GROUPS: Mapping[str, str] = {
    "permanent": N_("Kept for ever"),
    "long": N_("Above ten years"),
    "short": N_("Up to ten years"),
    "total": N_("In all"),
}
LINES: Mapping[str, str] = {
    "listed": N_("Listed"),
    "dropped": N_("Taken out"),
    "destroyed": N_("Destroyed"),
}
REASONS: Mapping[str, str] = {
    "legal_hold": N_("a legal hold came in between"),
    "rejected": N_("the commission was against it"),
    "cancelled": N_("the act was given up"),
}
MARKS: Mapping[str, str] = {
    "read": N_("read in the list"),
    "seen": N_("seen in a reference book"),
    "unverified": N_("not compared with the list"),
    "confirmed": N_("confirmed"),
}
TONE: Mapping[str, str] = {
    "draft": "wait", "planned": "wait", "approved": "good", "open": "good", "closed": "seen",
    "carried": "gone", "destroyed": "gone", "review": "new", "agreed": "seen",
    "executing": "new", "executed": "gone", "rejected": "bad", "cancelled": "gone",
    "listed": "seen", "dropped": "wait", "read": "good", "seen": "good", "unverified": "bad",
    "confirmed": "good",
}  # fmt: skip


def term(row: db.Row) -> str:
    """The term of a case in words."""
    return cases.term_of(row).said(russian=spoken() == "ru")


def article_term(row: db.Row) -> str:
    """The term of an article; beside it the one for those who feed no state archive."""
    russian = spoken() == "ru"
    first = terms.of_article(row, is_archive_source=True).said(russian=russian)
    other = terms.of_article(row, is_archive_source=False).said(russian=russian)
    return first if first == other else f"{first} / {other}"


def basis(row: db.Row) -> str:
    """What a term rests on."""
    return cases.basis_of(row)


def article(row: db.Row) -> str:
    """«ст. 19а»."""
    return retention.said(row)
