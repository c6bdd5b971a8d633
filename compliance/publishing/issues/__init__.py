"""Issues as files: the pictures of a PDF newspaper, a DOCX, ODT, PPTX or ODP, taken out one by one.

Runs in the sandbox, on any bytes. Small decorations and thumbnails are left out and listed.
"""

from typing import Any

from compliance.publishing.issues.model import MOST_PICTURES, READABLE, Taken

__all__ = ["MOST_PICTURES", "READABLE", "take_out"]


def take_out(
    data: bytes, media_type: str, *, after: int = 0, known: list[str] | None = None
) -> dict[str, Any]:
    """Pictures of the pages behind `after` (0: from the first), as many as fit one answer.

    Answers ``{"pages", "next", "pictures", "ignored", "page_report", "problems"}``; `next` is the
    `after` of the next call, None at the end. Each of `pictures` has `sha256`, `places` (page from
    1 or None, box in points from the top left, percent shown) and `data`, None where `known` names
    its SHA-256 already. Raises HostileInput: broken_pdf, pdf_encrypted, broken_office, xml_dtd,
    too_many_pictures, or what the archive check says.
    """
    # The service's own process names this function and never opens a file itself.
    from compliance.publishing.issues.office import take_from_office  # noqa: PLC0415 - as said above
    from compliance.publishing.issues.pdf import take_from_pdf  # noqa: PLC0415 - as said above

    taken = Taken(known=set(known or ()))
    if media_type == "application/pdf":
        take_from_pdf(data, taken, after=after)
    else:
        take_from_office(data, media_type, taken)
    return taken.answer()
