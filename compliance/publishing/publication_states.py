"""States of publications and of the keys of permits, and the ways between them; pure."""

from collections.abc import Mapping
from enum import StrEnum


class PublicationStatus(StrEnum):
    """Published is reached only through the gate."""

    DRAFT = "draft"
    READY = "ready"
    PUBLISHED = "published"
    WITHDRAWN = "withdrawn"


class PermitKeyStatus(StrEnum):
    """A key is shown to the sites before it signs, and until its last permit has ended."""

    NEXT = "next"
    ACTIVE = "active"
    RETIRED = "retired"


PUBLICATION_TRANSITIONS: Mapping[PublicationStatus, frozenset[PublicationStatus]] = {
    PublicationStatus.DRAFT: frozenset({PublicationStatus.READY, PublicationStatus.WITHDRAWN}),
    PublicationStatus.READY: frozenset(
        {PublicationStatus.DRAFT, PublicationStatus.PUBLISHED, PublicationStatus.WITHDRAWN}
    ),
    PublicationStatus.PUBLISHED: frozenset({PublicationStatus.WITHDRAWN}),
    PublicationStatus.WITHDRAWN: frozenset(),
}

PERMIT_KEY_TRANSITIONS: Mapping[PermitKeyStatus, frozenset[PermitKeyStatus]] = {
    PermitKeyStatus.NEXT: frozenset({PermitKeyStatus.ACTIVE}),
    PermitKeyStatus.ACTIVE: frozenset({PermitKeyStatus.RETIRED}),
    PermitKeyStatus.RETIRED: frozenset(),
}
