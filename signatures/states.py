"""States of what is trusted, and of where revocation data comes from; pure."""

from collections.abc import Mapping
from enum import StrEnum


class AnchorStatus(StrEnum):
    """A trust anchor: what one administrator proposes a second one confirms."""

    PROPOSED = "proposed"
    TRUSTED = "trusted"
    RETIRED = "retired"


ANCHOR_TRANSITIONS: Mapping[AnchorStatus, frozenset[AnchorStatus]] = {
    AnchorStatus.PROPOSED: frozenset({AnchorStatus.TRUSTED, AnchorStatus.RETIRED}),
    AnchorStatus.TRUSTED: frozenset({AnchorStatus.RETIRED}),
    AnchorStatus.RETIRED: frozenset({AnchorStatus.PROPOSED}),
}


class SourceStatus(StrEnum):
    """An address that is asked, or not any more."""

    ACTIVE = "active"
    DISABLED = "disabled"


SOURCE_TRANSITIONS: Mapping[SourceStatus, frozenset[SourceStatus]] = {
    SourceStatus.ACTIVE: frozenset({SourceStatus.DISABLED}),
    SourceStatus.DISABLED: frozenset({SourceStatus.ACTIVE}),
}
