"""What is gathered of an issue while its pages are gone through."""

import hashlib
from dataclasses import dataclass, field
from typing import Any

from core.sandbox import HostileInput
from core.sandbox.office import DIALECTS

READABLE = ("application/pdf", *(kind for kind in DIALECTS if "spreadsheet" not in kind))
"""Media types of issues that can be taken apart."""

DECORATION = 64
"""Pictures whose shorter side is below so many pixels are bullets and rules, not works."""
MOST_PICTURES = 2_000
MOST_BYTES = 32 << 20
"""Of picture bytes in one answer; a sandbox answer holds twice as much."""
MOST_PIXELS = 120_000_000

Box = tuple[float, float, float, float]


@dataclass(slots=True)
class Taken:
    """Pictures by content, places by picture, and what was left out."""

    known: set[str]
    pages: int | None = None
    next: int | None = None
    bytes_taken: int = 0
    pictures: dict[str, dict[str, Any]] = field(default_factory=dict)
    ignored: list[dict[str, Any]] = field(default_factory=list)
    page_report: list[dict[str, Any]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @property
    def is_full(self) -> bool:
        """Whether the next page should be left to another call."""
        return self.bytes_taken > MOST_BYTES

    def add(self, content: bytes, media_type: str, size: tuple[int, int], **place: Any) -> None:
        """One picture at one place; equal content is one picture at several."""
        digest = hashlib.sha256(content).hexdigest()
        found = self.pictures.get(digest)
        if found is None:
            is_new = digest not in self.known
            found = self.pictures[digest] = {
                "sha256": digest, "media_type": media_type, "width": size[0], "height": size[1],
                "places": [], "data": content if is_new else None,
            }  # fmt: skip
            self.bytes_taken += len(content) if is_new else 0
        if place not in found["places"]:
            found["places"].append(place)
        if len(self.known | self.pictures.keys()) > MOST_PICTURES:
            raise HostileInput(
                f"В файле больше {MOST_PICTURES} изображений. Разделите номер на части.",
                f"The file holds more than {MOST_PICTURES} pictures. Split the issue into parts.",
                code="too_many_pictures",
                most=MOST_PICTURES,
            )

    def ignore(self, reason: str, **place: Any) -> None:
        """Something that is no picture to check, and why."""
        if len(self.ignored) < MOST_PICTURES:
            self.ignored.append({"reason": reason, **place})
        elif "ignored_truncated" not in self.problems:
            self.problems.append("ignored_truncated")

    def answer(self) -> dict[str, Any]:
        """Plain data for the way out of the sandbox."""
        return {
            "pages": self.pages, "next": self.next, "pictures": list(self.pictures.values()),
            "ignored": self.ignored, "page_report": self.page_report, "problems": self.problems,
        }  # fmt: skip
