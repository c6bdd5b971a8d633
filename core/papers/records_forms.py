"""What the papers of the records schedule need to be told."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class PlanRow:
    """A case: the five columns of the form."""

    index: str
    title: str
    units: str
    term: str
    note: str


@dataclass(frozen=True, kw_only=True, slots=True)
class PlanSection:
    """The cases of a unit or function; a plan without sections has one without a name."""

    name: str
    rows: tuple[PlanRow, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class PlanCount:
    """A line of the final note."""

    label: str
    cases: int
    carried: int
    decision: int


@dataclass(frozen=True, kw_only=True, slots=True)
class CasePlan:
    """The plan of cases for a year (номенклатура дел)."""

    organization: str
    year: int
    state: str
    """«Проект» on a draft; empty once it is approved."""
    approved_on: str
    agreement: str
    sections: tuple[PlanSection, ...]
    counts: tuple[PlanCount, ...] = ()
    """The final note, once the year is closed."""
    lists: str = ""
    """The editions of the lists whose articles stand in the fourth column."""


@dataclass(frozen=True, kw_only=True, slots=True)
class InventoryRow:
    """A case in an inventory."""

    position: int
    index: str
    title: str
    dates: str
    documents: int
    term: str
    note: str


@dataclass(frozen=True, kw_only=True, slots=True)
class CaseInventory:
    """An inventory of cases that are kept (опись дел)."""

    organization: str
    number: str
    kind: str
    """«дел постоянного хранения» and the like."""
    year: int
    state: str
    approved_on: str
    protocol: str
    rows: tuple[InventoryRow, ...]
    total_words: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ActRow:
    """A case in an act: the eight columns of the form."""

    position: int
    title: str
    dates: str
    inventory: str
    """№ of the inventory or year of the plan."""
    index: str
    units: int
    term: str
    note: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Voter:
    """A member of the commission and the vote."""

    name: str
    vote: str
    remark: str


@dataclass(frozen=True, kw_only=True, slots=True)
class DestructionAct:
    """Cases chosen to be destroyed (акт о выделении к уничтожению документов)."""

    organization: str
    number: str
    date: str
    state: str
    basis: str
    rows: tuple[ActRow, ...]
    total: int
    total_words: str
    years: str
    inventories: tuple[str, ...]
    """Approved inventories of the same years."""
    voters: tuple[Voter, ...]
    protocol: str
    archive_protocol: str
    approved_on: str
    executed_at: str
    """Empty until it was carried out."""
    outcome: str
    method: str
    backups_until: str
