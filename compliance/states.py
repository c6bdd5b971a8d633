"""States of what the room keeps, and the ways between them; pure."""

from collections.abc import Mapping
from enum import StrEnum


class EntryStatus(StrEnum):
    """A picture or a licence of the register."""

    ACTIVE = "active"
    RETIRED = "retired"


class ClaimantStatus(StrEnum):
    """A claimant counts from the second person's word on."""

    PROPOSED = "proposed"
    ACTIVE = "active"
    RETIRED = "retired"


class ReviewStatus(StrEnum):
    """A lawyer's look at a check."""

    OPEN = "open"
    CLEARED = "cleared"
    REFUSED = "refused"
    EXPIRED = "expired"


ENTRY_TRANSITIONS: Mapping[EntryStatus, frozenset[EntryStatus]] = {
    EntryStatus.ACTIVE: frozenset({EntryStatus.RETIRED}),
    EntryStatus.RETIRED: frozenset(),
}

CLAIMANT_TRANSITIONS: Mapping[ClaimantStatus, frozenset[ClaimantStatus]] = {
    ClaimantStatus.PROPOSED: frozenset({ClaimantStatus.ACTIVE, ClaimantStatus.RETIRED}),
    ClaimantStatus.ACTIVE: frozenset({ClaimantStatus.RETIRED}),
    ClaimantStatus.RETIRED: frozenset(),
}

REVIEW_TRANSITIONS: Mapping[ReviewStatus, frozenset[ReviewStatus]] = {
    ReviewStatus.OPEN: frozenset(
        {ReviewStatus.CLEARED, ReviewStatus.REFUSED, ReviewStatus.EXPIRED}
    ),
    ReviewStatus.CLEARED: frozenset(),
    ReviewStatus.REFUSED: frozenset(),
    ReviewStatus.EXPIRED: frozenset(),
}
