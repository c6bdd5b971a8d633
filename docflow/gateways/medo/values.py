"""Single values out of a message's XML: read as they are meant, with a warning where odd."""

import datetime as dt
import re

from core import clock
from core.sandbox.trees import Node
from docflow.gateways.medo.findings import Notes

GUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_BARE_GUID = re.compile(r"[0-9a-f]{32}")
_NIL = "00000000-0000-0000-0000-000000000000"
_DAY = re.compile(r"(\d{4})-(\d\d)-(\d\d)")
_RUSSIAN_DAY = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})")
_FILLERS = ("-", "—", "–", "_")
_YES, _NO = ("true", "1", "yes", "да", "истина"), ("false", "0", "no", "нет", "ложь")


def value(node: Node | None, *names: str) -> str:
    """The first of these that is there, be it an attribute or an element of that name."""
    if node is None:
        return ""
    for name in names:
        if found := node.get(name):
            return found
        child = node.first(name)
        if child is not None and child.text:
            return child.text
    return ""


def text(node: Node | None, name: str, notes: Notes, where: str) -> str:
    """A child element's words; a filler counts as nothing."""
    child = node.first(name) if node is not None else None
    if child is None:
        return node.get(name) if node is not None else ""
    return _words(child, name, notes, where)


def _words(child: Node, name: str, notes: Notes, where: str) -> str:
    found = child.text
    if found in _FILLERS or (not found and not child.children and not child.attributes):
        notes.warn("empty_part", f"{where}/{name}")
        return ""
    return found


def texts(node: Node | None, names: tuple[str, ...], notes: Notes, where: str) -> dict[str, str]:
    """The words of several children by name, in one pass over them; each as `text` has it."""
    if node is None:
        return dict.fromkeys(names, "")
    present: dict[str, Node] = {}
    for child in node.children:
        present.setdefault(child.name, child)
    return {
        name: _words(present[name], name, notes, where) if name in present else node.get(name)
        for name in names
    }


def needed(node: Node | None, name: str, notes: Notes, where: str) -> str:
    """As `text`, with a warning when nothing is there."""
    found = text(node, name, notes, where)
    if not found and (node is None or node.first(name) is None):
        notes.warn("missing_part", f"{where}/{name}")
    return found


def guid(found: str, notes: Notes, where: str) -> str:
    """A GUID in lower case with its hyphens; nil is nothing, anything else is kept as it came."""
    plain = found.strip("{} \t\r\n").lower()
    if _BARE_GUID.fullmatch(plain):
        plain = "-".join((plain[:8], plain[8:12], plain[12:16], plain[16:20], plain[20:]))
    if plain == _NIL:
        notes.warn("uid_nil", where)
        return ""
    if plain and not GUID.fullmatch(plain):
        notes.warn("uid_malformed", where, uid=found)
        return found
    return plain


def moment(found: str, notes: Notes, where: str) -> dt.datetime | None:
    """A time; without a zone it is Moscow's."""
    if not found:
        return None
    read: dt.datetime | None
    try:
        read = dt.datetime.fromisoformat(found)
    except ValueError:
        read = _russian_moment(found, notes, where)
    if read is None:
        return None
    try:
        aware = read if read.tzinfo else read.replace(tzinfo=clock.MOSCOW)
        aware.astimezone(dt.UTC)
    except (ValueError, OverflowError):
        notes.warn("time_unreadable", where, value=found)
        return None
    return aware


def _russian_moment(found: str, notes: Notes, where: str) -> dt.datetime | None:
    for pattern in ("%d.%m.%Y %H:%M:%S", "%d.%m.%Y %H:%M", "%d.%m.%Y"):
        try:
            read = dt.datetime.strptime(found, pattern).replace(tzinfo=clock.MOSCOW)
        except ValueError:
            continue
        notes.warn("date_spelling", where, value=found)
        return read
    notes.warn("time_unreadable", where, value=found)
    return None


def day(found: str, notes: Notes, where: str) -> dt.date | None:
    """A date; one with a time or in Russian order costs a warning."""
    if not found:
        return None
    parts: tuple[str, ...] = ()
    if is_iso := _DAY.match(found):
        parts = is_iso.groups()
    elif is_russian := _RUSSIAN_DAY.match(found):
        parts = is_russian.groups()[::-1]
    try:
        read = dt.date(*(int(part) for part in parts))
    except (ValueError, TypeError):
        notes.warn("date_unreadable", where, value=found)
        return None
    if len(found) != 10 or not is_iso:
        notes.warn("date_spelling", where, value=found)
    return read


def whole(found: str, notes: Notes, where: str) -> int | None:
    """A whole number up to a million; millimetres come with a fraction now and then."""
    if not found:
        return None
    try:
        read = float(found.replace(",", "."))
        if abs(read) <= 1_000_000:
            return round(read)
    except ValueError:
        pass
    notes.warn("number_unreadable", where, value=found)
    return None


def flag(found: str, notes: Notes, where: str) -> bool | None:
    """Yes or no in any letter case."""
    if found.lower() in _YES:
        return True
    if found.lower() in _NO:
        return False
    notes.warn("flag_unreadable", where, value=found)
    return None
