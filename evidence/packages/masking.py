"""Where personal data in the facts of a package is masked, by the level of the export.

Signed originals are never touched: what is masked is what the service itself writes about people.
Every personal value of the facts goes through the functions here.
"""

from collections.abc import Mapping
from typing import Any, Literal

Level = Literal["full", "masked"]
LEVELS: tuple[Level, ...] = ("full", "masked")


def name(level: str, *parts: str | None) -> str:
    """A person's name; masked, only the first letter of each part stays."""
    known = [part for part in parts if part]
    if level == "full":
        return " ".join(known)
    return " ".join(f"{part[0]}." for part in " ".join(known).split())


def shows_details(level: str) -> bool:
    """Do the personal details of events go along?"""
    return level == "full"


def report(level: str, found: Mapping[str, Any]) -> dict[str, Any]:
    """A report on a signature; masked, without the certificate's names and numbers."""
    if level == "full":
        return dict(found)
    return {**found, "signer": name(level, found.get("signer")), "subject": {}, "identifiers": {}}
