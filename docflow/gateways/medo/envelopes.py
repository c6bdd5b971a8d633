"""The transport's file, `envelope.ini` or `.ltr`: read by its sense, written by the pattern."""

import datetime as dt
import re
from contextlib import suppress

from core import clock
from docflow.gateways.medo.findings import Notes
from docflow.gateways.medo.messages import Envelope
from docflow.gateways.medo.texts import decode_envelope

MAIN, ADDRESSES, FILES, TEXT = "ПИСЬМО КП ПС СЗИ", "АДРЕСАТЫ", "ФАЙЛЫ", "ТЕКСТ"
ADDRESS = re.compile(r"[A-Za-z0-9_.\-]{1,64}~[A-Za-z0-9_.\-]{1,64}")
_SECTION = re.compile(r"^\[([^\]]{1,100})\]?\s*$")
_DRESSED = re.compile(r"""(["']?)(?:\.[\\/])?([^"'\\/]+)\1""")
_DATE = re.compile(r"(\d\d)\.(\d\d)\.(\d{4}) (\d\d):(\d\d):(\d\d)")
_DATES = ("%d.%m.%Y %H:%M", "%d.%m.%Y", "%Y-%m-%d %H:%M:%S")

Section = list[tuple[str, str]]


def read_envelope(data: bytes, name: str, notes: Notes, *, most: int) -> Envelope:
    """What the envelope says; a misspelled section or a broken line costs a warning."""
    decoded = decode_envelope(data)
    if not decoded.text.isascii() and not decoded.is_as_declared:
        notes.warn("envelope_encoding", name, encoding=decoded.actual)
    if not decoded.is_whole:
        notes.warn("undecodable", name)
    sections = _sections(decoded.text, name, notes)
    if not sections:
        notes.warn("broken_envelope", name)
        notes.lack("envelope_files")
        return Envelope(name=name)
    main = {key.upper(): value for key, value in sections.get(MAIN, [])}
    return Envelope(
        name=name,
        subject=main.get("ТЕМА", ""),
        addresses=_numbered(sections, ADDRESSES, name, notes, most=most),
        files=_numbered(sections, FILES, name, notes, most=most),
        date=_date(main.get("ДАТА", ""), name, notes),
        is_signed=_is_signed(main, name, notes),
        wants_delivered=main.get("ДОСТАВЛЕНО", "0") == "1",
        wants_read=main.get("ПРОЧТЕНО", "0") == "1",
        text_file=next((one for key, one in sections.get(TEXT, []) if key.upper() == "ФАЙЛ"), ""),
    )


def _is_signed(main: dict[str, str], name: str, notes: Notes) -> bool:
    """ЭЦП=0 is written by some senders as a matter of course; others take it for an incident."""
    if main.get("ЭЦП", "1") != "0":
        return True
    notes.warn("envelope_unsigned", name)
    return False


def _sections(text: str, name: str, notes: Notes) -> dict[str, Section]:
    found: dict[str, Section] = {}
    current: Section | None = None
    for line in text.lstrip("\ufeff").splitlines():
        line = line.strip().rstrip("\x1a\x00")
        if not line or line.startswith((";", "#")):
            continue
        if heading := _SECTION.match(line):
            current = found.setdefault(_meant(heading.group(1), name, notes), [])
            continue
        key, equals, value = line.partition("=")
        if not equals or current is None:
            notes.warn("envelope_line", name, line=line)
            continue
        current.append((key.strip(), value.strip()))
    return found


def _meant(heading: str, name: str, notes: Notes) -> str:
    """Headings come misspelled («ПСИЬМО») and in any letter case."""
    upper = heading.strip().upper()
    for start, section in (("АДРЕС", ADDRESSES), ("ФАЙЛ", FILES), ("ТЕКСТ", TEXT)):
        if upper.startswith(start):
            return section
    if "КП ПС" in upper or upper.startswith(("ПИСЬМ", "ПСИЬМ")):
        return MAIN
    notes.warn("envelope_section", name, name=heading)
    return upper


def _numbered(
    sections: dict[str, Section], section: str, name: str, notes: Notes, *, most: int
) -> tuple[str, ...]:
    """The values of a numbered section; gaps are no fault to the transport, nor here."""
    lines = [(key, value) for key, value in sections.get(section, []) if value]
    if not lines:
        notes.warn("envelope_addresses" if section == ADDRESSES else "envelope_files", name)
        notes.lack("envelope_files")
    if len(lines) > most:
        notes.refuse("too_many_files", name, limit=most)
    keys = [key for key, _ in lines]
    if keys != [str(place) for place in range(len(lines))]:
        notes.warn("envelope_numbering", name)
    return tuple(_bare(value, name, notes) for _, value in lines[:most])


def _bare(value: str, name: str, notes: Notes) -> str:
    """A name without the quotes, or the «.\\» before it, that some senders write."""
    found = _DRESSED.fullmatch(value)
    bare = found.group(2) if found else value
    if bare != value:
        notes.warn("envelope_dressed", name, value=value)
    return bare


def _date(text: str, name: str, notes: Notes) -> dt.datetime | None:
    if not text:
        return None
    if (found := _DATE.fullmatch(text)) is not None:
        day, month, year, hour, minute, second = map(int, found.groups())
        with suppress(ValueError):
            return dt.datetime(year, month, day, hour, minute, second, tzinfo=clock.MOSCOW)
    for pattern in _DATES:
        try:
            return dt.datetime.strptime(text, pattern).replace(tzinfo=clock.MOSCOW)
        except ValueError:
            continue
    notes.warn("time_unreadable", name, value=text)
    return None


def envelope_bytes(envelope: Envelope) -> bytes:
    """The file, in windows-1251 with CRLF; a letter it does not know becomes a question mark."""
    lines = [
        f"[{MAIN}]",
        *([f"ТЕМА={_line(envelope.subject)}"] if envelope.subject else []),
        "ШИФРОВАНИЕ=0",
        "АВТООТПРАВКА=1",
        f"ЭЦП={int(envelope.is_signed)}",
        f"ДОСТАВЛЕНО={int(envelope.wants_delivered)}",
        f"ПРОЧТЕНО={int(envelope.wants_read)}",
    ]
    if envelope.date is not None:
        lines.append(f"ДАТА={envelope.date.astimezone(clock.MOSCOW):%d.%m.%Y %H:%M:%S}")
    for section, values in ((ADDRESSES, envelope.addresses), (FILES, envelope.files)):
        lines += ["", f"[{section}]"]
        lines += [f"{place}={_line(value)}" for place, value in enumerate(values)]
    if envelope.text_file:
        lines += ["", f"[{TEXT}]", f"ФАЙЛ={_line(envelope.text_file)}"]
    return ("\r\n".join(lines) + "\r\n").encode("windows-1251", "replace")


def _line(value: str) -> str:
    """One line of an INI file: whoever could write a line break could write a section."""
    return " ".join(value.split())
