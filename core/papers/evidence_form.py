"""What the register of an evidence package needs to be told."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class RegisterLine:
    """A thing in the package, with the main facts of it."""

    position: int
    number: str
    title: str
    date: str = ""
    organization: str = ""
    state: str = ""
    recipients: int = 0
    signatures: tuple[str, ...] = ()
    """Who signed and what was found of it."""
    lacks: tuple[str, ...] = ()
    sha256: str = ""
    """Of the main file."""
    place: str
    """The folder in the package."""


@dataclass(frozen=True, kw_only=True, slots=True)
class EvidenceRegister:
    """A volume of the register of an evidence package (реестр пакета доказательств)."""

    organization: str
    title: str
    number: str
    volume: int
    volumes: int
    kind: str
    subject: str
    purpose: str
    basis: str
    recipient: str
    made_at: str
    documents: int
    uses: int
    lacks: int
    checkpoint: str
    """The size of the log under which events are proved; empty without a log."""
    lines: tuple[RegisterLine, ...]
