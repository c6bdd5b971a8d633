"""What a machine-readable power of attorney says, as plain frozen data."""

from dataclasses import dataclass
from datetime import date
from typing import Literal

Delegation = Literal["forbidden", "once", "repeated", "unknown"]


@dataclass(frozen=True, slots=True)
class Individual:
    """A natural person as the form names them (СвФЛ, СведФизЛ); numbers are digits only."""

    surname: str = ""
    given_name: str = ""
    patronymic: str = ""
    inn: str = ""
    snils: str = ""
    position: str = ""


@dataclass(frozen=True, slots=True)
class Principal:
    """Who gives the power (СвДоверит), or passes it on (СвПередПолн)."""

    kind: Literal["organization", "entrepreneur", "person", "branch", "foreign"]
    name: str = ""
    inn: str = ""
    ogrn: str = ""
    kpp: str = ""
    heads: tuple[Individual, ...] = ()
    """Who signs for it without a power of attorney; the person itself for a person."""


@dataclass(frozen=True, slots=True)
class Representative:
    """Who receives the power (СвУпПред, СвПолучПолн)."""

    kind: Literal["organization", "entrepreneur", "person", "branch", "foreign"]
    person: Individual | None = None
    name: str = ""
    inn: str = ""
    ogrn: str = ""


@dataclass(frozen=True, slots=True)
class Power:
    """One power: a code of the classifier with its name, or free text with an empty code."""

    code: str
    name: str
    limits: tuple[str, ...] = ()
    """Restrictions of this power (ОгрСвПолн), in words."""


@dataclass(frozen=True, slots=True)
class PowerOfAttorney:
    """The content of one file. Dates are Moscow civil dates, both inclusive.

    With `is_parsed` false only `version`, `file_id` and `warnings` mean something: another form
    is kept and shown, never interpreted.
    """

    version: str
    is_parsed: bool
    file_id: str = ""
    flags: str = ""
    """ПрЭлФорм, eight flags of who else must understand the form."""
    number: str = ""
    """НомДовер: the registry's number (GUID), lower case."""
    internal_number: str = ""
    issued_on: date | None = None
    expires_on: date | None = None
    delegation: Delegation = "unknown"
    is_irrevocable: bool = False
    system: str = ""
    """СведСист: where its registration could be looked up; shown, never fetched."""
    principals: tuple[Principal, ...] = ()
    representatives: tuple[Representative, ...] = ()
    powers: tuple[Power, ...] = ()
    is_joint: bool = False
    """Several representatives may act only together."""
    is_delegated: bool = False
    parent_number: str = ""
    """The power of attorney from which this one was passed on directly."""
    root_number: str = ""
    warnings: tuple[str, ...] = ()
    """What was not understood, as paths of the file; not a refusal."""
