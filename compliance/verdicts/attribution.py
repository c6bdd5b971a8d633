"""The line an open licence asks for, and whether a caption really carries it.

Terms: Creative Commons legal codes 1.0 to 4.0, section 3(a) of 4.0 and section 4 of the older
ones. All ask for author, licence and source; the versions before 4.0 also for the title, when
there is one; all but the no-derivatives ones ask that changes be named.
"""

import re
from dataclasses import dataclass

from compliance.verdicts.case import Attribution, Picture

_KINDS = ("BY", "BY-SA", "BY-NC", "BY-ND", "BY-NC-SA", "BY-NC-ND")
_VERSIONS = ("1.0", "2.0", "2.5", "3.0", "4.0")
_PUBLIC = re.compile(
    r"\bCC[\s-]*(BY(?:[\s-]*(?:NC|SA|ND))*|0|ZERO)[\s,-]*(?:V\.?\s*)?(\d(?:\.\d)?)?", re.IGNORECASE
)
_ADDRESS = re.compile(
    r"creativecommons\.org/(?:licenses/(by(?:-(?:nc|sa|nd))*)|publicdomain/(zero|mark))/(\d\.\d)",
    re.IGNORECASE,
)
_SPACES = re.compile(r"\s+")
_CHANGES = re.compile(
    r"измен[её]н|обрез|кадрир|отзеркал|перев[её]рн|поверн|переработ|ч[её]рно-бел|монтаж|коллаж"
    r"|modified|cropped|changed|adapted|edited|derivative|mirrored",
    re.IGNORECASE,
)

AUTHOR, TITLE, SOURCE, LICENCE, CHANGES, WORDING = (
    "автор",
    "название",
    "источник",
    "лицензия",
    "указание на изменения",
    "обязательная строка",
)


@dataclass(frozen=True, slots=True)
class PublicLicence:
    """An open licence: its kind (`BY-SA`, `0`, `PDM`) and version."""

    kind: str
    version: str

    @property
    def name(self) -> str:
        """As the commons write it: `CC BY-SA 4.0`."""
        if self.kind == "PDM":
            return f"Public Domain Mark {self.version}"
        return f"CC0 {self.version}" if self.kind == "0" else f"CC {self.kind} {self.version}"

    @property
    def address(self) -> str:
        """Where its text stands."""
        page = {"0": "publicdomain/zero", "PDM": "publicdomain/mark"}.get(
            self.kind, f"licenses/{self.kind.lower()}"
        )
        return f"https://creativecommons.org/{page}/{self.version}/"

    @property
    def asks_attribution(self) -> bool:
        """Whether an author must be named at all."""
        return self.kind not in ("0", "PDM")

    @property
    def allows_commercial(self) -> bool:
        """No NC in it."""
        return "NC" not in self.kind

    @property
    def allows_changes(self) -> bool:
        """No ND in it."""
        return "ND" not in self.kind

    @property
    def is_share_alike(self) -> bool:
        """SA in it."""
        return "SA" in self.kind


def read_public(text: str) -> PublicLicence | None:
    """The open licence a text names, by its short name or address; None for any other."""
    address = _ADDRESS.search(text)
    if address is not None:
        kind = {"zero": "0", "mark": "PDM"}.get((address[2] or "").lower())
        return _known(kind or address[1].upper(), address[3])
    if re.search(r"\bPDM\b|Public Domain Mark", text, re.IGNORECASE):
        return PublicLicence("PDM", "1.0")
    short = _PUBLIC.search(_latin(text))
    if short is None:
        return None
    kind = re.sub(r"[\s-]+", "-", short[1].upper())
    if kind in ("0", "ZERO"):
        return PublicLicence("0", "1.0")
    return _known(kind, short[2] or "")


def _known(kind: str, version: str) -> PublicLicence | None:
    parts = kind.split("-")
    ordered = "-".join(part for part in ("BY", "NC", "ND", "SA") if part in parts)
    full = version if "." in version or not version else f"{version}.0"
    if kind in ("0", "PDM"):
        return PublicLicence(kind, full or "1.0")
    if ordered == "BY-NC-ND" or ordered in _KINDS:
        return PublicLicence(ordered, full) if full in _VERSIONS else None
    return None


def compose(licence: PublicLicence, picture: Picture, *, changes: str = "") -> str:
    """The attribution line in Russian, with everything this licence and version ask for.

    `changes` says what was done to the picture, e.g. «кадрировано»; empty for nothing.
    """
    if not licence.asks_attribution:
        parts = [_quoted(picture.title), picture.author, licence.name]
        return ", ".join(part for part in parts if part)
    named = ", ".join(part for part in (_quoted(picture.title), picture.author) if part)
    parts = [named, picture.source and f"источник: {picture.source}"]
    parts.append(f"лицензия {licence.name} ({licence.address})")
    parts.append(changes)
    return ", ".join(part for part in parts if part)


def _quoted(title: str) -> str:
    return f"«{title}»" if title else ""


def check_public(
    licence: PublicLicence, picture: Picture, caption: str, *, is_changed: bool
) -> Attribution:
    """The line due under the picture and what of it the caption lacks."""
    line = compose(licence, picture, changes="изображение изменено" if is_changed else "")
    if not licence.asks_attribution:
        return Attribution(line)
    missing = []
    if picture.author and not _says(caption, picture.author):
        missing.append(AUTHOR)
    if picture.title and licence.version != "4.0" and not _says(caption, picture.title):
        missing.append(TITLE)
    if picture.source and not _names_source(caption, picture.source):
        missing.append(SOURCE)
    if read_public(caption) != licence:
        missing.append(LICENCE)
    if is_changed and not _CHANGES.search(caption):
        missing.append(CHANGES)
    return Attribution(line, tuple(missing))


def check_wording(wording: str, caption: str) -> Attribution:
    """The wording a contract or an author asks for, and whether the caption carries it."""
    return Attribution(wording, () if not wording or _says(caption, wording) else (WORDING,))


def _names_source(caption: str, source: str) -> bool:
    place = re.sub(r"^https?://(?:www\.)?", "", source.strip(), flags=re.IGNORECASE).rstrip("/")
    return _says(caption, place)


_ALIKE = str.maketrans("АВЕЁКМНОРСТУХавеёкмнорстухi", "ABEEKMHOPCTYXaBeeKMHopcTyxі")


def _latin(text: str) -> str:
    return text.translate(str.maketrans("СсВУУу", "CcBYYy"))


def folded(text: str) -> str:
    """The text for comparing: case, quotes, spaces and look-alike letters do not count."""
    plain = _SPACES.sub(" ", re.sub(r"[«»\"'„“”‘’.,;:()\[\]/©-]", " ", text)).strip().casefold()
    return plain.upper().translate(_ALIKE).casefold()


def _says(caption: str, words: str) -> bool:
    return f" {folded(words)} " in f" {folded(caption)} "
