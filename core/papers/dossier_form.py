"""What the paper of a picture's dossier needs to be told."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Fact:
    """One line of a section; `is_code` for digests and ids."""

    label: str
    value: str
    is_code: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Section:
    """A heading and its facts, or the note that there are none."""

    heading: str
    facts: tuple[Fact, ...] = ()
    note: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class RuleSaid:
    """A rule that spoke, with what to do."""

    rule: str
    text: str
    to_do: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Kept:
    """A file of the dossier and its digest."""

    name: str
    what: str
    size: str
    sha256: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Rate:
    """What a measurement of the method found for one kind of copies."""

    copies: str
    missed: str
    bounds: str
    trials: str


@dataclass(frozen=True, kw_only=True, slots=True)
class PictureDossier:
    """Everything known about one use of a picture (досье использования изображения)."""

    organization: str
    title: str
    made_at: str
    verdict: str
    verdict_code: str
    """`clear`, `needs_licence`, `needs_review` or `blocked`; decides the colour of the box."""
    verdict_note: str
    sections: tuple[Section, ...]
    reasons: tuple[RuleSaid, ...]
    files: tuple[Kept, ...]
    rates: tuple[Rate, ...]
    rates_note: str
    json_sha256: str
    preview: tuple[int, ...] = ()
    """A small JPEG, byte by byte: Typst has no base64."""
    preview_note: str = ""
