"""Kinds of documents as data: what each must carry before it gets a number."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from core.errors import InvalidInput

PDF = "application/pdf"
MEGABYTE = 1024 * 1024

OFFICE = frozenset(
    {
        PDF,
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "application/vnd.oasis.opendocument.text",
        "application/vnd.oasis.opendocument.spreadsheet",
        "text/plain",
        "text/csv",
        "image/png",
        "image/jpeg",
        "image/tiff",
        "application/zip",
        "text/xml",
        "application/xml",
    }
)


Authority = Literal["none", "organization", "head_or_mchd"]
"""How much a signer must have to bind the organization (ADR 0012).

`organization`: anything that ties the certificate to it: its own key, its signatory, its head, a
power of attorney. `head_or_mchd`: its head, or somebody with a power of attorney. `none`: any
valid signature will do.
"""


@dataclass(frozen=True, slots=True)
class FileRule:
    """Which bytes may stand in a place of a document."""

    media_types: frozenset[str]
    max_size: int
    """Bytes."""


MAIN_FILE = FileRule(frozenset({PDF}), 256 * MEGABYTE)
ANNEX_FILE = FileRule(OFFICE, 2048 * MEGABYTE)


@dataclass(frozen=True, slots=True)
class DocumentKind:
    """One kind of document (вид документа)."""

    code: str
    ru: str
    en: str
    direction: Literal["out", "internal"]
    """Which journals number it."""
    required: tuple[str, ...] = ()
    """Fields of the card (`addressee`, `due_on`, `executor_id`) or of `fields` it must carry."""
    signatures: int = 1
    """Approving signatures without which it gets no number."""
    authority: Authority = "organization"
    """What an approving signature needs to count as one."""
    route: Literal["down", "up", "any", "none"] = "any"
    """Where it may be sent: to subordinates, to superiors, to anybody, or nowhere."""
    parent_link: str | None = None
    """The kind of link to another document without which it makes no sense."""
    main: FileRule = MAIN_FILE
    annex: FileRule = ANNEX_FILE


DOCUMENT_KINDS: Mapping[str, DocumentKind] = {
    kind.code: kind
    for kind in (
        DocumentKind("letter", "Письмо", "Letter", "out", ("addressee",)),
        DocumentKind("circular", "Циркулярное письмо", "Circular", "out", route="down"),
        DocumentKind("resolution", "Постановление", "Resolution", "internal", ("body",)),
        DocumentKind(
            "minutes", "Протокол", "Minutes", "internal",
            ("body", "meeting_date", "present", "total"), signatures=1, route="up",
        ),
        DocumentKind(
            "extract", "Выписка из протокола", "Extract from minutes", "out",
            ("item",), route="up", parent_link="extract_of",
        ),
        DocumentKind("order", "Распоряжение", "Order", "internal", route="down"),
        DocumentKind("appeal", "Обращение", "Appeal", "out", ("addressee",), route="any"),
        DocumentKind("report", "Отчёт", "Report", "out", ("period",), route="up"),
    )
}  # fmt: skip


def kind_of(code: str) -> DocumentKind:
    """The kind with this code; `unknown_kind` names those there are."""
    try:
        return DOCUMENT_KINDS[code]
    except KeyError:
        known = ", ".join(DOCUMENT_KINDS)
        raise InvalidInput(
            f"Вид документа «{code}» неизвестен. Допустимы: {known}.",
            f"Unknown kind of document {code!r}. Known kinds: {known}.",
            code="unknown_kind",
            field="kind",
        ) from None
