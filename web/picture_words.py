"""Words of the pictures' pages: outcomes, ways of publishing, states."""

from collections.abc import Mapping
from typing import Any

from compliance.verdicts.case import Reason
from web.translation import N_, gettext, spoken

OUTCOMES: Mapping[str, str] = {
    "clear": N_("May be published"),
    "needs_licence": N_("A licence is needed"),
    "needs_review": N_("A lawyer has to look at it"),
    "blocked": N_("Must not be published"),
}
SHORT: Mapping[str, str] = {
    "clear": N_("may be published"),
    "needs_licence": N_("licence needed"),
    "needs_review": N_("to the lawyer"),
    "blocked": N_("must not be published"),
}
TONE: Mapping[str, str] = {
    "clear": "good", "needs_licence": "wait", "needs_review": "wait", "blocked": "bad",
}  # fmt: skip
CHANNELS: Mapping[str, str] = {
    "site": N_("web site"),
    "newspaper": N_("newspaper"),
    "social": N_("social network"),
    "print": N_("printed matter"),
    "messenger": N_("messenger"),
    "presentation": N_("presentation"),
}
REVIEWS: Mapping[str, str] = {
    "open": N_("Waits for a decision"),
    "cleared": N_("Allowed"),
    "refused": N_("Refused by the lawyer"),
    "expired": N_("Given up"),
}
REVIEW_TONE: Mapping[str, str] = {
    "open": "new", "cleared": "good", "refused": "bad", "expired": "gone",
}  # fmt: skip
LEVELS: Mapping[str, str] = {
    "exact": N_("the same file"),
    "verified": N_("the same picture, verified"),
    "candidate": N_("alike, not verified"),
    "register": N_("through a known picture"),
}
PUBLICATIONS: Mapping[str, str] = {
    "draft": N_("In preparation"),
    "ready": N_("Ready to come out"),
    "published": N_("Published"),
    "withdrawn": N_("Taken back"),
}
PUBLICATION_TONE: Mapping[str, str] = {
    "draft": "wait", "ready": "seen", "published": "good", "withdrawn": "gone",
}  # fmt: skip
KINDS: Mapping[str, str] = {
    "page": N_("Page of a site"),
    "post": N_("Post"),
    "issue": N_("Newspaper issue"),
}


def says(reason: Reason | Mapping[str, Any]) -> tuple[str, str]:
    """What a rule found, and what to do about it."""
    tongue = spoken()
    if isinstance(reason, Reason):
        return (reason.ru, reason.do_ru) if tongue == "ru" else (reason.en, reason.do_en)
    return str(reason.get(tongue, "")), str(reason.get(f"do_{tongue}", ""))


def share(match: Mapping[str, Any]) -> str:
    """How much of the asked picture a match fills, for people."""
    covered = match.get("covered")
    return "" if covered is None else f"{round(float(covered) * 100)} %"


def way(code: str) -> str:
    """A way of publishing."""
    return gettext(CHANNELS[code]) if code in CHANNELS else code
