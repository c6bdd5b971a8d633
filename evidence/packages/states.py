"""What an export can be and how it moves; pure."""

from collections.abc import Mapping
from enum import StrEnum


class ExportKind(StrEnum):
    """What a package is about."""

    DOCUMENT = "document"
    PICTURE = "picture"
    """one use of a picture (использование изображения)"""
    PERSON = "person"
    ORGANIZATION = "organization"
    PERIOD = "period"


class ExportStatus(StrEnum):
    """How far an export is."""

    QUEUED = "queued"
    PACKING = "packing"
    READY = "ready"
    FAILED = "failed"
    EXPIRED = "expired"
    """handed out or not, its bytes are gone; that it was made stays known"""


S = ExportStatus

TRANSITIONS: Mapping[ExportStatus, frozenset[ExportStatus]] = {
    S.QUEUED: frozenset({S.PACKING, S.FAILED}),
    S.PACKING: frozenset({S.READY, S.FAILED}),
    S.READY: frozenset({S.EXPIRED}),
    S.FAILED: frozenset({S.PACKING}),
    S.EXPIRED: frozenset(),
}

OPEN = (S.QUEUED, S.PACKING)

KIND_NAMES: Mapping[ExportKind, tuple[str, str]] = {
    ExportKind.DOCUMENT: ("документ", "document"),
    ExportKind.PICTURE: ("использование изображения", "use of a picture"),
    ExportKind.PERSON: ("физическое лицо", "person"),
    ExportKind.ORGANIZATION: ("организация", "organization"),
    ExportKind.PERIOD: ("период", "period"),
}
