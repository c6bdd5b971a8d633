"""The register of accredited authorities as CSV, JSON, or the official list in XML, row by row.

Read in the sandbox. Rows that cannot be taken are named with their number; the others are taken.
The XML is the ministry's list (TSL). Its element names are those that public programs read; they
were NOT checked against a current official file, so look at the report of a dry run first.
"""

import csv
import io
import json
import re
from base64 import b64decode
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from xml.etree import ElementTree

from asn1crypto import x509

from core.errors import InvalidInput

_MAX_ROWS = 20_000
COLUMNS = (
    "name", "inn", "ogrn", "certificate_sha256", "key_id", "accredited_from", "suspended_on",
    "revoked_on",
)  # fmt: skip

_HEX = re.compile(r"[0-9a-f]*")


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its number from 1, what it says, and the codes of what is wrong with it."""

    number: int
    values: dict[str, Any]
    problems: list[str] = field(default_factory=list)


def read_register(data: bytes) -> list[Row]:
    """The rows of a register in any of the forms. Raises `register_unreadable`."""
    head = data[:512].lstrip(b"\xef\xbb\xbf \r\n\t")
    read: Callable[[bytes], Iterator[dict[str, Any]]] = _read_csv
    if head[:1] in (b"[", b"{"):
        read = _read_json
    elif head[:1] == b"<":
        read = _read_xml
    try:
        found = [_checked(number, one) for number, one in enumerate(read(data), start=1)]
    except (ValueError, KeyError, TypeError, csv.Error, ElementTree.ParseError) as problem:
        raise _unreadable() from problem
    if not 0 < len(found) <= _MAX_ROWS:
        raise _unreadable()
    return found


def _unreadable() -> InvalidInput:
    return InvalidInput(
        "Реестр не удалось прочитать. Нужен CSV или JSON с колонками: " + ", ".join(COLUMNS) + ".",
        "The register cannot be read. Give CSV or JSON with the columns: "
        + ", ".join(COLUMNS) + ".",
        code="register_unreadable",
    )  # fmt: skip


def _read_csv(data: bytes) -> Iterator[dict[str, Any]]:
    text = data.decode("utf-8-sig")
    first = text.partition("\n")[0]
    rows = csv.DictReader(io.StringIO(text), delimiter=";" if ";" in first else ",")
    if not {"name", "accredited_from"} <= set(rows.fieldnames or ()):
        raise ValueError("columns are missing")
    yield from rows


def _read_json(data: bytes) -> Iterator[dict[str, Any]]:
    found = json.loads(data.decode("utf-8-sig"))
    for one in found["authorities"] if isinstance(found, dict) else found:
        yield dict(one)


def _read_xml(data: bytes) -> Iterator[dict[str, Any]]:
    # NUL: UTF-16, in which the next two would not be seen.
    if b"\0" in data or b"<!DOCTYPE" in data or b"<!ENTITY" in data:
        raise ValueError("a register has no document type")
    for center in ElementTree.fromstring(data).iter("УдостоверяющийЦентр"):  # noqa: S314  # no entities
        states = [
            (_text(one, "Статус"), _text(one, "ДействуетС")[:10])
            for one in center.iter("СтатусАккредитации")
        ]
        common = {
            "name": _text(center, "Название"), "inn": _text(center, "ИНН"),
            "ogrn": _text(center, "ОГРН"), "accredited_from": _first(states, "Действует"),
            "suspended_on": _last(states, "Приостановлена"),
            "revoked_on": _last(states, "Прекращена") or _last(states, "Аннулирована"),
        }  # fmt: skip
        for key in center.iter("Ключ"):
            yield {**common, "key_id": _key_of(key)}


def _key_of(key: ElementTree.Element) -> str:
    """The key identifier in hex, out of the certificate itself where the list carries it."""
    for data in key.iter("Данные"):
        try:
            found = x509.Certificate.load(b64decode(data.text or "")).key_identifier
        except (ValueError, TypeError, KeyError):
            continue
        if found:
            return str(found.hex())
    return _text(key, "ИдентификаторКлюча")


def _text(parent: ElementTree.Element, name: str) -> str:
    found = next(parent.iter(name), None)
    return "" if found is None or found.text is None else found.text.strip()


def _first(states: list[tuple[str, str]], name: str) -> str:
    return min((day for status, day in states if status == name), default="")


def _last(states: list[tuple[str, str]], name: str) -> str:
    """The day of that state, if no later one put an end to it."""
    day = max((day for status, day in states if status == name), default="")
    again = max((day for status, day in states if status == "Действует"), default="")
    return day if day > again else ""


def _checked(number: int, told: dict[str, Any]) -> Row:
    values = {name: str(told.get(name) or "").strip() for name in COLUMNS}
    for name in ("certificate_sha256", "key_id"):
        values[name] = re.sub(r"[\s:-]", "", values[name]).lower()
    problems = [
        *(["name_missing"] if not values["name"] else []),
        *_number_problems(values),
        *_name_problems(values),
        *_day_problems(values),
    ]
    return Row(number, values, problems)


def _number_problems(values: dict[str, str]) -> list[str]:
    sizes = {"inn": (10, 12), "ogrn": (13, 15)}
    return [
        f"{name}_wrong"
        for name, allowed in sizes.items()
        if values[name]
        and not (values[name].isascii() and values[name].isdigit() and len(values[name]) in allowed)
    ]


def _name_problems(values: dict[str, str]) -> list[str]:
    key, sha256 = values["key_id"], values["certificate_sha256"]
    if not key and not sha256:
        return ["key_or_certificate_missing"]
    bad = []
    if key and (not _HEX.fullmatch(key) or len(key) % 2 or not 8 <= len(key) <= 128):
        bad.append("key_id_wrong")
    if sha256 and (not _HEX.fullmatch(sha256) or len(sha256) != 64):
        bad.append("certificate_sha256_wrong")
    return bad


def _day_problems(values: dict[str, str]) -> list[str]:
    bad = [] if values["accredited_from"] else ["accredited_from_missing"]
    for name in ("accredited_from", "suspended_on", "revoked_on"):
        day = _day(values[name])
        if day is None:
            bad.append(f"{name}_wrong")
        else:
            values[name] = day
    start = values["accredited_from"]
    for name in ("suspended_on", "revoked_on"):
        if not bad and values[name] and values[name] < start:
            bad.append(f"{name}_before_start")
    return bad


def _day(text: str) -> str | None:
    """ISO or Russian (31.12.2025) as ISO; empty stays empty, None for anything else."""
    if not text:
        return ""
    for form in ("%Y-%m-%d", "%d.%m.%Y"):
        try:
            return datetime.strptime(text, form).date().isoformat()  # noqa: DTZ007  # a civil day
        except ValueError:
            continue
    return None
