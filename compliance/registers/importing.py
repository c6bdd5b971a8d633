"""Import of a folder: a ZIP of pictures and a table that says of each what it is.

Each row is one transaction: picture, source page and licence together or not at all; the report
names every row. What the table leaves out is taken from the file's own metadata, as a proposal.
"""

import contextlib
import hashlib
import io
import uuid
import zipfile
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from typing import Any

from compliance.registers import licences, register
from compliance.registers.licences import Terms
from compliance.registers.register import Entered, PictureCard
from compliance.verdicts.attribution import read_public
from core import db, sandbox
from core.actor import Actor
from core.errors import Conflict, InvalidInput, NotFound, ServiceError, TooLarge
from core.sandbox.archives import inspect_zip
from directory.importing.sheets import SheetRow
from directory.importing.sheets import read as read_sheet
from storage import blobs

MAX_ARCHIVE = 256 << 20
MAX_ROWS = 2_000
_SECONDS = 60.0

COLUMNS: dict[str, tuple[str, ...]] = {
    "file": ("file", "файл"),
    "title": ("title", "название"),
    "author": ("author", "автор"),
    "source": ("source", "источник"),
    "kind": ("kind", "вид"),
    "snapshot": ("snapshot", "снимок страницы"),
    "licence": ("licence", "license", "лицензия"),
    "holder": ("holder", "правообладатель"),
    "number": ("number", "номер договора", "номер"),
    "reach": ("reach", "охват"),
    "channels": ("channels", "каналы"),
    "since": ("since", "с"),
    "until": ("until", "по"),
    "attribution": ("attribution", "подпись"),
    "seats": ("seats", "рабочих мест"),
    "document": ("document", "документ"),
}
"""Our field and the headings it goes by."""

_FIELDS = {heading: name for name, headings in COLUMNS.items() for heading in headings}
_KINDS = {"": "register", "register": "register", "реестр": "register", "own": "own",
          "собственное": "own"}  # fmt: skip
_LICENCES = {"contract": "contract", "договор": "contract", "stock": "stock", "фотобанк": "stock"}
_REACHES = {"": "organization", "organization": "organization", "организация": "organization",
            "subtree": "subtree", "с подчинёнными": "subtree"}  # fmt: skip
_CHANNELS = {"сайт": "site", "газета": "newspaper", "соцсети": "social", "печать": "print",
             "мессенджер": "messenger", "презентация": "presentation"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class RowReport:
    """What became of one row; `row` counts from 1 with the heading."""

    row: int
    file: str
    status: str
    """created, known (the picture is there already), refused."""
    code: str = ""
    reason: str = ""
    """In Russian, for the person who prepared the table."""
    picture_id: uuid.UUID | None = None
    licence_id: uuid.UUID | None = None
    proposals: list[dict[str, Any]] = field(default_factory=list)
    """What the file's metadata says of its rights, for the person who confirms."""


@dataclass(slots=True)
class Report:
    """The whole import, row by row."""

    rows: list[RowReport] = field(default_factory=list)
    created: int = 0
    known: int = 0
    refused: int = 0
    dry_run: bool = False
    unused: list[str] = field(default_factory=list)
    """Files of the archive that no row names."""


class _DryRun(Exception):
    """Rolls the transaction of a row back."""


async def import_archive(actor: Actor, *, data: bytes, dry_run: bool = False) -> Report:
    """Enter the pictures of a ZIP by its table (CSV or XLSX in the archive).

    Needs an editor or a lawyer. Licences wait for a second person, as all do. The same archive
    again changes nothing. Raises for the archive as a whole: zip_bomb and the other codes of
    archives, `table_missing`, `column_missing`, `too_many_rows`; a row's problem is in the report.
    """
    actor.require("editor", "lawyer")
    if len(data) > MAX_ARCHIVE:
        raise TooLarge(code="archive_too_large", limit=MAX_ARCHIVE)
    found = await sandbox.pool().run(inspect_zip, data, timeout=_SECONDS)
    members = {one["name"]: one for one in found["members"]}
    tables = [name for name in members if name.lower().endswith((".csv", ".xlsx"))]
    if len(tables) != 1:
        raise InvalidInput(
            "В архиве должна быть одна таблица CSV или XLSX.",
            "The archive must hold one table, CSV or XLSX.",
            code="table_missing", found=len(tables),
        )  # fmt: skip
    table = await _member(data, members, tables[0])
    rows: list[SheetRow] = await sandbox.pool().run(
        read_sheet, table, timeout=_SECONDS, into=list[SheetRow]
    )
    _check_table(rows)
    report = Report(dry_run=dry_run)
    for row in rows:
        one = await _row(actor, data, members, row, dry_run=dry_run)
        report.rows.append(one)
        setattr(report, one.status, getattr(report, one.status) + 1)
    named = {cell for row in rows for cell in row.cells.values()} | set(tables)
    report.unused = sorted(name for name in members if name not in named)[:200]
    return report


def member(data: bytes, sha256: str, name: str) -> bytes:
    """One file of an archive that `inspect_zip` has passed; runs in the sandbox."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for info in archive.infolist():
            if info.is_dir():
                continue
            if info.filename == name or not info.filename.isascii():
                content = archive.read(info)
                if hashlib.sha256(content).hexdigest() == sha256:
                    return content
    return b""


async def _member(data: bytes, members: dict[str, Any], name: str) -> bytes:
    if name not in members:
        raise NotFound(
            f"В архиве нет файла «{name}».", f"The archive has no file {name!r}.",
            code="file_missing", file=name[:200],
        )  # fmt: skip
    found: bytes = await sandbox.pool().run(
        member, data, members[name]["sha256"], name, timeout=_SECONDS
    )
    return bytes(found)


def _check_table(rows: list[SheetRow]) -> None:
    if not any(_FIELDS.get(heading) == "file" for heading in rows[0].cells):
        raise InvalidInput(
            "В таблице нет столбца «файл».", "The table has no column `file`.",
            code="column_missing", columns=["файл"],
        )  # fmt: skip
    if len(rows) > MAX_ROWS:
        raise TooLarge(
            f"В таблице больше {MAX_ROWS} строк. Разделите архив.",
            f"The table has more than {MAX_ROWS} rows. Split the archive.",
            code="too_many_rows", limit=MAX_ROWS,
        )  # fmt: skip


async def _row(
    actor: Actor, data: bytes, members: dict[str, Any], row: SheetRow, *, dry_run: bool
) -> RowReport:
    values = {_FIELDS[head]: cell for head, cell in row.cells.items() if head in _FIELDS and cell}
    name = values.get("file", "")
    try:
        entered, snapshot, document = await _prepared(actor, data, members, values)
        terms = _terms(actor, values, entered)
        proposals = proposed(entered.read.rights)
        picture_id, licence_id = await _written(
            actor, entered, snapshot, document, terms, proposals, dry_run=dry_run
        )
    except Conflict as problem:
        if problem.error_code == "picture_known":
            known = uuid.UUID(problem.details["picture_id"])
            return RowReport(row.number, name, "known", picture_id=known)
        return _refused(row, name, problem)
    except ServiceError as problem:
        return _refused(row, name, problem)
    return RowReport(
        row.number, name, "created", picture_id=picture_id, licence_id=licence_id,
        proposals=proposals,
    )  # fmt: skip


def _refused(row: SheetRow, name: str, problem: ServiceError) -> RowReport:
    return RowReport(row.number, name, "refused", problem.error_code, problem.message_ru)


async def _prepared(
    actor: Actor, data: bytes, members: dict[str, Any], values: dict[str, str]
) -> tuple[Entered, blobs.StoredBlob | None, blobs.StoredBlob | None]:
    """The row's files, read and stored; outside a transaction."""
    if "file" not in values:
        raise _bad("file", "Не указан файл.", "No file is named.")
    require_no_formulas(values)
    kind = _KINDS.get(values.get("kind", "").lower())
    if kind is None:
        raise _bad("kind", "Вид: реестр или собственное.", "Kind: register or own.")
    picture = await _member(data, members, values["file"])
    card = PictureCard(
        kind=kind, title=values.get("title", ""), author=values.get("author", ""),  # type: ignore[arg-type]  # reason: from `_KINDS`
        source=values.get("source", ""),
    )  # fmt: skip
    entered = await register.prepare(actor, data=picture, card=card)
    files: dict[str, blobs.StoredBlob | None] = {"snapshot": None, "document": None}
    for name, types in (("snapshot", register.SNAPSHOTS), ("document", register.DOCUMENTS)):
        if name in values:
            content = await _member(data, members, values[name])
            files[name] = await register.keep(content, limit=register.MAX_DOCUMENT, types=types)
    return _from_metadata(entered), files["snapshot"], files["document"]


def _from_metadata(entered: Entered) -> Entered:
    """Author and title as the file itself states them, where the table says nothing."""
    rights, card = entered.read.rights, entered.card
    author = card.author or rights.get("creator", "")[:500]
    title = card.title or rights.get("event", "")[:500]
    source = card.source or rights.get("web_statement", "")[:2000]
    return Entered(entered.blob, entered.read, PictureCard(card.kind, title, author, source))


def _terms(actor: Actor, values: dict[str, str], entered: Entered) -> Terms | None:
    """The row's licence, else the one the file's metadata states, else None."""
    said = values.get("licence", "")
    public = read_public(said) if said else None
    if public is not None:
        return licences.checked(
            actor, Terms("public", public=said, attribution=values.get("attribution", ""))
        )
    if said:
        kind = _LICENCES.get(said.lower())
        reach = _REACHES.get(values.get("reach", "").lower())
        if kind is None or reach is None:
            raise _bad("licence", "Лицензия: договор, фотобанк или открытая, например CC BY 4.0.",
                       "Licence: contract, stock or a public one, such as CC BY 4.0.")  # fmt: skip
        seats = values.get("seats", "")
        if seats and not (seats.isascii() and seats.isdigit() and len(seats) < 7):
            raise _bad("seats", "Рабочих мест: целое число.", "Seats: a whole number.")
        terms = Terms(
            kind, holder=values.get("holder", ""), number=values.get("number", ""),  # type: ignore[arg-type]  # reason: from the tables above
            reach=reach, channels=_channels(values.get("channels", "")),  # type: ignore[arg-type]  # reason: as above
            since=day_in(values, "since"), until=day_in(values, "until"),
            attribution=values.get("attribution", ""), max_seats=int(seats) if seats else None,
        )  # fmt: skip
        return licences.checked(actor, terms)
    return _terms_of_metadata(actor, entered.read.rights)


def _terms_of_metadata(actor: Actor, rights: dict[str, str]) -> Terms | None:
    for name in ("public_licence", "web_statement", "usage_terms", "copyright"):
        public = read_public(rights.get(name, ""))
        if public is not None:
            return licences.checked(actor, Terms("public", public=public.name))
    if "licensor" not in rights:
        return None
    since, until = (
        _metadata_day(rights.get(name, "")) for name in ("licence_start", "licence_end")
    )
    if since and until and since > until:
        since = until = None
    return licences.checked(
        actor,
        Terms("stock", holder=rights["licensor"][:500], since=since, until=until,
              attribution=rights.get("credit", "")[:500]),
    )  # fmt: skip


def proposed(rights: dict[str, str]) -> list[dict[str, Any]]:
    """What the file's metadata says of holders and terms, as proposals to confirm."""
    wanted = {
        "licensor": "holder", "copyright_owner": "holder", "usage_terms": "terms",
        "terms_summary": "terms", "licence_start": "since", "licence_end": "until",
        "public_licence": "public", "web_statement": "public", "credit": "attribution",
        "registry_entry": "number", "image_supplier_image_id": "work",
    }  # fmt: skip
    return [
        {"field": name, "value": rights[said], "place": f"metadata:{said}"}
        for said, name in wanted.items()
        if said in rights
    ]


async def _written(
    actor: Actor,
    entered: Entered,
    snapshot: blobs.StoredBlob | None,
    document: blobs.StoredBlob | None,
    terms: Terms | None,
    proposals: list[dict[str, Any]],
    *,
    dry_run: bool,
) -> tuple[uuid.UUID | None, uuid.UUID | None]:
    """Picture, source page and licence in one transaction; a dry run rolls it back."""
    picture_id = licence_id = None
    with contextlib.suppress(_DryRun):
        async with db.transaction():
            picture_id = await register.enter(actor, entered)
            if snapshot is not None:
                await register.put_snapshot(actor, picture_id, snapshot)
            if terms is not None:
                licence_id = await licences.enter(actor, picture_id, terms, document, proposals)
            if dry_run:
                picture_id = licence_id = None
                raise _DryRun
    return picture_id, licence_id


def _channels(text: str) -> tuple[Any, ...]:
    found = []
    for word in text.replace("|", ",").replace(";", ",").split(","):
        name = word.strip().lower()
        if name:
            channel = _CHANNELS.get(name, name)
            if channel not in _CHANNELS.values():
                raise _bad("channels", f"Неизвестный канал: {name}.", f"Unknown channel: {name}.")
            found.append(channel)
    return tuple(found)


def day_in(values: dict[str, str], name: str) -> date | None:
    """The day in a cell, None for an empty one; raises `row_invalid`."""
    text = values.get(name, "")
    if not text:
        return None
    for form in ("%Y-%m-%d", "%d.%m.%Y", "%Y-%m-%d %H:%M:%S"):
        try:
            return datetime.strptime(text, form).date()  # noqa: DTZ007 - a date without a clock
        except ValueError:
            continue
    raise _bad(name, f"Дата не распознана: {text}. Пример: 31.12.2026.",
               f"Not a date: {text}. Example: 31.12.2026.")  # fmt: skip


def _metadata_day(text: str) -> date | None:
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        return None


def require_no_formulas(values: dict[str, str]) -> None:
    """Raise `row_invalid` for a cell a spreadsheet would carry out."""
    for name, cell in values.items():
        if cell[0] in "=@\t+":
            raise _bad(name, "Ячейка начинается со знака формулы.", "A cell begins a formula.")


def _bad(name: str, ru: str, en: str) -> InvalidInput:
    return InvalidInput(ru, en, code="row_invalid", field=name)


def as_dict(report: Report) -> dict[str, Any]:
    """The report as plain data."""
    return asdict(report)
