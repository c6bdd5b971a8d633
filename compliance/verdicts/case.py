"""What a verdict is made from, and what it says: plain data, the same in Python and on the wire.

Everything the rules look at is in the `Case`; nothing is read from anywhere else, so the same case
gives the same verdict in ten years.
"""

from datetime import date
from typing import Any, Literal

import msgspec

Outcome = Literal["clear", "needs_licence", "needs_review", "blocked"]
Channel = Literal["site", "newspaper", "social", "print", "messenger", "presentation"]
Level = Literal["exact", "verified", "candidate"]


class Use(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Who wants to publish, where, when and with which words under the picture."""

    organization: str
    channel: Channel
    on: date
    caption: str = ""
    superiors: dict[str, tuple[str, ...]] = {}
    """Organizations above it on that day, nearest first, by line of subordination."""
    is_commercial: bool | None = False
    """Whether the publication earns money (advertising, paid newspaper); None: not known."""
    is_changed: bool = False
    """Whether the editor says that the picture was changed beyond format and size."""
    territory: str = "RU"
    seat: str | None = None
    """Who of the licensed users publishes; for licences by seats."""


class Credit(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A credit line, found on the picture or in its metadata."""

    origin: str
    """`ocr`, `exif`, `iptc`, `xmp` or `c2pa`."""
    author: str | None = None
    agency: str | None = None
    stock: str | None = None
    licence: str | None = None
    year: int | None = None
    text: str = ""


class Evidence(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What the bytes themselves say."""

    sha256: str
    quality: int = 100
    """PDQ's figure, 0 to 100; below 50 a hash means nothing."""
    credits: tuple[Credit, ...] = ()
    rights: dict[str, str] = {}
    findings: tuple[str, ...] = ()
    """Codes of `image evidence`, such as `ai_declared`, `metadata_conflict`, `gps_present`."""
    c2pa: str = "absent"


class Match(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A picture of a register that this one was, or may have been, made from."""

    picture: str
    level: Level
    covered: float = 1.0
    """Share of the asked picture that this one fills."""
    is_altered: bool = False
    """Whether geometry shows a crop, a mirror, an overlay: a changed copy."""


class Picture(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What the register knows of one picture."""

    id: str
    title: str = ""
    author: str = ""
    source: str = ""
    has_snapshot: bool = False
    approved_by: str | None = None
    carries_rights: bool = False
    """Whether the registered original names its holder in its own metadata."""


class Licence(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A right to use one picture (лицензия)."""

    id: str
    picture: str
    kind: Literal["contract", "stock", "public"]
    holder: str = ""
    number: str = ""
    """Of the contract or order; cases of before 23 November 2026 have none."""
    public: str | None = None
    """A public licence, e.g. `CC BY-SA 4.0`, `CC0 1.0`, `PDM 1.0`."""
    grantee: str | None = None
    """The organization it was given to; None for a public licence."""
    reach: Literal["organization", "subtree", "line"] = "organization"
    line: str | None = None
    """The line of subordination down which `line` reaches."""
    channels: tuple[Channel, ...] = ()
    """Empty: every channel."""
    territories: tuple[str, ...] = ()
    since: date | None = None
    until: date | None = None
    """The last day on which it holds."""
    attribution: str = ""
    """The wording the contract asks for."""
    seats: tuple[str, ...] = ()
    max_seats: int | None = None
    allows_changes: bool = True
    allows_commercial: bool = True
    is_confirmed: bool = True
    """False while terms read from a scan wait for a person."""
    revoked_on: date | None = None

    @property
    def name(self) -> str:
        """What people call it: the public licence, the number of the contract, else its id."""
        return self.public or (f"№ {self.number}" if self.number else self.id)


class OwnWork(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A picture made by one's own author, with the author's consent (собственное произведение)."""

    picture: str
    organization: str
    author: str
    reach: Literal["organization", "subtree"] = "subtree"
    channels: tuple[Channel, ...] = ()
    since: date | None = None
    until: date | None = None
    withdrawn_on: date | None = None
    attribution: str = ""


class Claimant(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Somebody known to sue, and the works they sue for (заявитель претензий)."""

    id: str
    name: str
    aliases: tuple[str, ...] = ()
    works: tuple[str, ...] = ()
    since: date | None = None
    until: date | None = None


class Case(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One question: may this picture be used so?"""

    use: Use
    evidence: Evidence
    matches: tuple[Match, ...] = ()
    pictures: tuple[Picture, ...] = ()
    licences: tuple[Licence, ...] = ()
    own_works: tuple[OwnWork, ...] = ()
    claimants: tuple[Claimant, ...] = ()
    register: str = ""
    """Digest of the registers the matches were looked up in."""


class Reason(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One rule that spoke, with words for people."""

    rule: str
    code: str
    outcome: Outcome | None
    """The outcome this rule asks for; None for a notice."""
    ru: str
    en: str
    do_ru: str
    do_en: str
    facts: dict[str, Any] = {}


class Attribution(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The line that must stand under the picture, and what of it the caption lacks."""

    line: str
    missing: tuple[str, ...] = ()


class Turn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When the answer will be another one although nobody does anything."""

    on: date
    outcome: Outcome


class Verdict(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The answer to a case (заключение)."""

    outcome: Outcome
    reasons: tuple[Reason, ...]
    attribution: tuple[Attribution, ...]
    licences: tuple[str, ...]
    """Ids of the licences it rests on."""
    turns: Turn | None
    rules: str
    """Version of the rules and their words."""


def encode(value: Case | Verdict) -> bytes:
    """Canonical JSON: the same value gives the same bytes."""
    return msgspec.json.encode(value, order="sorted")


def decode_case(data: bytes) -> Case:
    """A case from JSON; raises `msgspec.ValidationError` for anything else."""
    return msgspec.json.decode(data, type=Case)
