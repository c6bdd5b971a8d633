"""The lives of plans, cases, filings, inventories and acts, as data; pure."""

from collections.abc import Mapping
from enum import StrEnum


class PlanStatus(StrEnum):
    """Where the plan of a year stands (состояние номенклатуры дел)."""

    DRAFT = "draft"
    """being drawn up; nothing can be filed by it (проект)"""
    APPROVED = "approved"
    """in force from 1 January of its year (утверждена)"""
    CLOSED = "closed"
    """the year is over, its final note is made (закрыта, итоговая запись составлена)"""


class CaseStatus(StrEnum):
    """Where a case stands (состояние дела)."""

    PLANNED = "planned"
    """a row of a draft (запланировано)"""
    OPEN = "open"
    """documents are filed in it (заведено)"""
    CLOSED = "closed"
    """ended in office work; its term runs (закрыто)"""
    CARRIED = "carried"
    """goes on under the next year's plan, with its documents (переходящее)"""
    DESTROYED = "destroyed"
    """destroyed by an act; the row stays (уничтожено)"""


class FilingStatus(StrEnum):
    """Where a document's place in a case stands (подшивка)."""

    FILED = "filed"
    DESTROYED = "destroyed"


class InventoryStatus(StrEnum):
    """Where an inventory stands (состояние описи)."""

    DRAFT = "draft"
    APPROVED = "approved"
    CANCELLED = "cancelled"


class LineStatus(StrEnum):
    """Where a line of an act stands (позиция акта)."""

    LISTED = "listed"
    DROPPED = "dropped"
    """taken out again: a hold, or the act came to nothing"""
    DESTROYED = "destroyed"


class ActStatus(StrEnum):
    """Where an act of destruction stands (состояние акта)."""

    DRAFT = "draft"
    REVIEW = "review"
    """before the expert commission (на рассмотрении ЭК)"""
    AGREED = "agreed"
    """more than half of the commission is for it (согласован ЭК)"""
    APPROVED = "approved"
    """by the head of the organization (утверждён)"""
    EXECUTING = "executing"
    """is being destroyed (исполняется)"""
    EXECUTED = "executed"
    REJECTED = "rejected"
    """the commission is against it (отклонён ЭК)"""
    CANCELLED = "cancelled"


P, C, A = PlanStatus, CaseStatus, ActStatus

PLAN: Mapping[PlanStatus, frozenset[PlanStatus]] = {
    P.DRAFT: frozenset({P.APPROVED}),
    P.APPROVED: frozenset({P.CLOSED}),
    P.CLOSED: frozenset(),
}
CASE: Mapping[CaseStatus, frozenset[CaseStatus]] = {
    C.PLANNED: frozenset({C.OPEN}),
    C.OPEN: frozenset({C.CLOSED, C.CARRIED}),
    C.CLOSED: frozenset({C.DESTROYED}),
    C.CARRIED: frozenset(),
    C.DESTROYED: frozenset(),
}
FILING: Mapping[FilingStatus, frozenset[FilingStatus]] = {
    FilingStatus.FILED: frozenset({FilingStatus.DESTROYED}),
    FilingStatus.DESTROYED: frozenset(),
}
INVENTORY: Mapping[InventoryStatus, frozenset[InventoryStatus]] = {
    InventoryStatus.DRAFT: frozenset({InventoryStatus.APPROVED, InventoryStatus.CANCELLED}),
    InventoryStatus.APPROVED: frozenset(),
    InventoryStatus.CANCELLED: frozenset(),
}
LINE: Mapping[LineStatus, frozenset[LineStatus]] = {
    LineStatus.LISTED: frozenset({LineStatus.DROPPED, LineStatus.DESTROYED}),
    LineStatus.DROPPED: frozenset(),
    LineStatus.DESTROYED: frozenset(),
}
ACT: Mapping[ActStatus, frozenset[ActStatus]] = {
    A.DRAFT: frozenset({A.REVIEW, A.CANCELLED}),
    A.REVIEW: frozenset({A.AGREED, A.REJECTED, A.CANCELLED}),
    A.AGREED: frozenset({A.APPROVED, A.CANCELLED}),
    A.APPROVED: frozenset({A.EXECUTING, A.CANCELLED}),
    A.EXECUTING: frozenset({A.EXECUTED}),
    A.EXECUTED: frozenset(),
    A.REJECTED: frozenset(),
    A.CANCELLED: frozenset(),
}
