"""What organizations, lines and posts can be, as data; pure."""

from collections.abc import Mapping
from enum import StrEnum


class OrganizationKind(StrEnum):
    """Kinds of bodies (виды организаций), from the centre down."""

    CENTER = "center"
    """the federation itself (федеральный центр)"""
    DISTRICT = "district"
    """its office in a federal district (федеральный округ)"""
    TERRITORIAL = "territorial"
    """association of a region's unions (территориальное объединение)"""
    UNION = "union"
    """all-Russian branch union (общероссийский профсоюз)"""
    REGIONAL = "regional"
    """a union's organization in a region (региональная организация)"""
    LOCAL = "local"
    """city or district organization (местная организация)"""
    PRIMARY = "primary"
    """organization at a place of work (первичная организация, ППО)"""
    COUNCIL = "council"
    """municipal coordination council (координационный совет)"""
    OUTSIDE = "outside"
    """ministry, government, partner (внешняя организация)"""


class Line(StrEnum):
    """The two lines of subordination (линия подчинения)."""

    BRANCH = "branch"
    """by union (отраслевая)"""
    TERRITORIAL = "territorial"
    """by territory (территориальная)"""


class OrganizationStatus(StrEnum):
    """What was decided about an organization; `closed_on` says from which date it counts."""

    ACTIVE = "active"
    CLOSED = "closed"
    MERGED = "merged"


class PostKind(StrEnum):
    """Kinds of posts (должности), one person may hold several."""

    CHAIRMAN = "chairman"
    DEPUTY = "deputy"
    SECRETARY = "secretary"
    ACCOUNTANT = "accountant"
    INFORMATION = "information"
    YOUTH = "youth"
    LEGAL = "legal"
    INSPECTOR = "inspector"
    CLERK = "clerk"
    EDITOR = "editor"
    MEMBER = "member"


K = OrganizationKind
S = OrganizationStatus

TRANSITIONS: Mapping[OrganizationStatus, frozenset[OrganizationStatus]] = {
    S.ACTIVE: frozenset({S.CLOSED, S.MERGED}),
    S.CLOSED: frozenset(),
    S.MERGED: frozenset(),
}

SUPERIORS: Mapping[tuple[OrganizationKind, Line], frozenset[OrganizationKind]] = {
    (K.UNION, Line.BRANCH): frozenset({K.CENTER}),
    (K.REGIONAL, Line.BRANCH): frozenset({K.UNION}),
    (K.LOCAL, Line.BRANCH): frozenset({K.REGIONAL, K.LOCAL}),
    (K.PRIMARY, Line.BRANCH): frozenset({K.LOCAL, K.REGIONAL, K.UNION}),
    (K.DISTRICT, Line.TERRITORIAL): frozenset({K.CENTER}),
    (K.TERRITORIAL, Line.TERRITORIAL): frozenset({K.CENTER, K.DISTRICT}),
    (K.REGIONAL, Line.TERRITORIAL): frozenset({K.TERRITORIAL}),
    (K.COUNCIL, Line.TERRITORIAL): frozenset({K.TERRITORIAL}),
    (K.OUTSIDE, Line.TERRITORIAL): frozenset({K.OUTSIDE}),
}
"""Which kinds may stand directly above a kind on a line; what is not here has no superior there.

A district committee may stand under its city's committee, a department under its ministry.
"""

KIND_NAMES: Mapping[OrganizationKind, tuple[str, str]] = {
    K.CENTER: ("федеральный центр", "federal center"),
    K.DISTRICT: ("федеральный округ", "federal district"),
    K.TERRITORIAL: ("территориальное объединение", "territorial association"),
    K.UNION: ("общероссийский профсоюз", "branch union"),
    K.REGIONAL: ("региональная организация", "regional organization"),
    K.LOCAL: ("местная организация", "local organization"),
    K.PRIMARY: ("первичная организация", "primary organization"),
    K.COUNCIL: ("координационный совет", "coordination council"),
    K.OUTSIDE: ("внешняя организация", "outside body"),
}

LINE_NAMES: Mapping[Line, tuple[str, str]] = {
    Line.BRANCH: ("отраслевая линия", "branch line"),
    Line.TERRITORIAL: ("территориальная линия", "territorial line"),
}

POST_NAMES: Mapping[PostKind, tuple[str, str]] = {
    PostKind.CHAIRMAN: ("председатель", "chairman"),
    PostKind.DEPUTY: ("заместитель председателя", "deputy chairman"),
    PostKind.SECRETARY: ("секретарь", "secretary"),
    PostKind.ACCOUNTANT: ("казначей", "treasurer"),
    PostKind.INFORMATION: ("ответственный за информационную работу", "information officer"),
    PostKind.YOUTH: ("председатель молодёжного совета", "youth council chairman"),
    PostKind.LEGAL: ("правовой инспектор труда", "legal inspector"),
    PostKind.INSPECTOR: ("технический инспектор труда", "technical inspector"),
    PostKind.CLERK: ("делопроизводитель", "clerk"),
    PostKind.EDITOR: ("редактор", "editor"),
    PostKind.MEMBER: ("член комитета", "committee member"),
}

DISTRICTS: Mapping[str, tuple[str, str]] = {
    "central": ("Центральный", "Central"),
    "northwestern": ("Северо-Западный", "Northwestern"),
    "southern": ("Южный", "Southern"),
    "north_caucasian": ("Северо-Кавказский", "North Caucasian"),
    "volga": ("Приволжский", "Volga"),
    "ural": ("Уральский", "Ural"),
    "siberian": ("Сибирский", "Siberian"),
    "far_eastern": ("Дальневосточный", "Far Eastern"),
}
"""Federal districts (федеральные округа) by the code in `organization.district_code`."""

CHANNELS = ("internal", "email", "node", "medo", "offline", "voice", "paper")
"""How an organization can be reached; in its card in the order of its preference."""
