"""Participants of МЭДО (участники): uid, transport address, and what they ask of a message."""

import uuid
from dataclasses import dataclass, field
from typing import Literal

import asyncpg
import msgspec

from audit import events
from core import clock, db, sandbox
from core.actor import Actor
from core.errors import Conflict, InvalidInput, NotFound, ServiceError
from directory import links, organizations
from directory.cards import Card
from directory.importing.sheets import SheetRow, read
from directory.importing.verbs import READING_SECONDS, Report, RowProblem
from directory.states import OrganizationKind
from docflow.gateways.medo import lists
from docflow.routing.medo.states import CHANNEL

Demand = Literal["any", "qualified", "gost", "qualified_gost"]

COLUMNS: dict[str, tuple[str, ...]] = {
    "code": ("code", "код"),
    "name": ("name", "наименование", "организация"),
    "participant_uid": ("guid", "uid", "идентификатор", "гуид"),
    "address": ("address", "адрес", "адрес мэдо", "транспортный адрес"),
    "version": ("version", "версия", "версия формата"),
    "signatures": ("signatures", "подписи"),
    "is_own": ("own", "свой", "своя"),
}
"""Our field and the headings it goes by, English and Russian."""

_FIELDS = {heading: name for name, headings in COLUMNS.items() for heading in headings}
_YES = frozenset({"1", "yes", "true", "да", "+"})


class PartnerInput(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A participant as an administrator enters it."""

    participant_uid: uuid.UUID
    address: str
    is_own: bool = False
    version: Literal["2.6", "2.7", "2.7.1"] = "2.7.1"
    signatures: Demand = "qualified_gost"
    """What a signature must be before a document goes there."""
    signs_annexes: bool = True
    """Each annex needs a signature of its own (order 667/233, items 15 and 16)."""
    pdfa: Literal["none", "any", "1"] = "any"
    """Which PDF/A the main file must declare itself to be."""
    max_bytes: int = 100 * 1024 * 1024
    receipt_hours: int = msgspec.field(default_factory=lambda: lists.load().limits.delivery_hours)
    is_active: bool = True


@dataclass(frozen=True, slots=True)
class Partner:
    """A participant as messages need it."""

    id: uuid.UUID
    organization_id: uuid.UUID
    name: str
    participant_uid: uuid.UUID
    address: str
    is_own: bool
    version: str
    signatures: Demand
    signs_annexes: bool
    pdfa: str
    max_bytes: int
    receipt_hours: int
    is_active: bool


@dataclass(slots=True)
class _Counts:
    created: int = 0
    changed: int = 0
    unchanged: int = 0
    problems: list[RowProblem] = field(default_factory=list)


class _DryRun(Exception):
    """Rolls a dry run back."""


class _BadRow(Exception):
    def __init__(self, name: str, code: str, reason: str) -> None:
        self.field, self.code, self.reason = name, code, reason
        super().__init__(code)


_SELECT = """SELECT p.id, p.organization_id, o.name, p.participant_uid, p.address, p.is_own,
    p.version, p.signatures, p.signs_annexes, p.pdfa, p.max_bytes, p.receipt_hours, p.is_active
    FROM medo_partner AS p JOIN organization AS o ON o.id = p.organization_id"""


async def of_organization(organization_id: uuid.UUID) -> Partner | None:
    """The participant an organization is, or None."""
    found = await db.row(f"{_SELECT} WHERE p.organization_id = $1", organization_id)
    return Partner(**found) if found else None


async def of_message(source_uid: str) -> tuple[Partner | None, list[Partner]]:
    """Who sends under this GUID (None also for what is no GUID), and our own participants."""
    try:
        wanted = uuid.UUID(source_uid)
    except ValueError:
        wanted = None
    found = [
        Partner(**row)
        for row in await db.rows(
            f"{_SELECT} WHERE p.is_own OR p.participant_uid = $1 ORDER BY p.id", wanted
        )
    ]
    sender = next((one for one in found if one.participant_uid == wanted), None)
    return sender, [one for one in found if one.is_own]


async def own() -> list[Partner]:
    """Our own participants: whom messages may be addressed to here."""
    return [Partner(**row) for row in await db.rows(f"{_SELECT} WHERE p.is_own ORDER BY p.id")]


async def listed(*, after: uuid.UUID | None = None, limit: int = 100) -> list[Partner]:
    """All participants known here, a page at a time."""
    found = await db.rows(
        f"{_SELECT} WHERE $1::uuid IS NULL OR p.id > $1 ORDER BY p.id LIMIT $2",
        after, max(1, min(limit, 200)),
    )  # fmt: skip
    return [Partner(**row) for row in found]


async def enter(actor: Actor, organization_id: uuid.UUID, *, wanted: PartnerInput) -> Partner:
    """Enter or correct a participant; an outside body is written to by МЭДО from then on.

    Needs an administrator with authority over the organization. Raises NotFound,
    `address_missing`, `participant_uid_taken`.
    """
    await links.require_authority(actor, organization_id)
    _check(wanted)
    organization = await organizations.get(organization_id=organization_id)
    async with db.transaction():
        await _write(actor, organization_id, wanted)
        if organization["kind"] == OrganizationKind.OUTSIDE and not wanted.is_own:
            await _reach_by_medo(actor, organization)
    made = await of_organization(organization_id)
    if made is None:
        raise NotFound(organization_id=str(organization_id))
    return made


def _check(wanted: PartnerInput) -> None:
    address = wanted.address.strip()
    if not 1 <= len(address) <= 255 or any(sign < " " for sign in address):
        raise InvalidInput(
            "Укажите транспортный адрес участника, например MINTRUD~MEDOGU.",
            "Give the participant's transport address, such as MINTRUD~MEDOGU.",
            code="address_missing", field="address",
        )  # fmt: skip
    if not wanted.participant_uid.int:
        raise InvalidInput(
            "Нулевой идентификатор участника не принимается.",
            "A participant cannot have the nil GUID.",
            code="participant_uid_nil", field="participant_uid",
        )  # fmt: skip
    if not 0 < wanted.max_bytes <= 1 << 40 or not 0 < wanted.receipt_hours <= 10_000:
        raise InvalidInput(
            "Предельный объём и срок квитанции — положительные числа.",
            "Size limit and receipt hours are positive numbers.",
            code="limit_invalid", field="max_bytes",
        )  # fmt: skip


async def _write(actor: Actor, organization_id: uuid.UUID, wanted: PartnerInput) -> None:
    values = msgspec.structs.asdict(wanted) | {
        "address": wanted.address.strip(), "updated_at": clock.now(),
    }  # fmt: skip
    names = list(values)
    places = ", ".join(f"${place}" for place in range(4, len(names) + 4))
    setters = ", ".join(f"{name} = excluded.{name}" for name in names)
    try:
        async with _savepoint():
            partner_id = await db.value(
                f"""INSERT INTO medo_partner (id, organization_id, created_at, {", ".join(names)})
                    VALUES ($1, $2, $3, {places})
                    ON CONFLICT (organization_id) DO UPDATE SET {setters} RETURNING id""",
                clock.new_id(), organization_id, clock.now(), *values.values(),
            )  # fmt: skip
    except asyncpg.UniqueViolationError as problem:
        raise Conflict(
            "Этот идентификатор МЭДО уже принадлежит другой организации.",
            "This МЭДО identifier belongs to another organization already.",
            code="participant_uid_taken", field="participant_uid",
        ) from problem  # fmt: skip
    await events.record(
        actor, "medo.partner_entered", subject=("medo_partner", partner_id),
        data={"organization_id": str(organization_id), "version": wanted.version,
              "is_own": wanted.is_own},
    )  # fmt: skip


def _savepoint() -> "asyncpg.transaction.Transaction":
    current = db.DB.current_transaction.get()
    if current is None:
        raise RuntimeError("a savepoint stands inside a transaction")
    return current.connection.transaction()


async def _reach_by_medo(actor: Actor, organization: db.Row) -> None:
    """МЭДО becomes the first way to reach the body; its other ways stay."""
    others = [one for one in organization["channels"] if one not in (CHANNEL, "internal")]
    if organization["channels"][:1] != [CHANNEL]:
        await organizations.update(
            actor, organization_id=organization["id"], changes={"channels": [CHANNEL, *others]}
        )


async def import_list(actor: Actor, *, data: bytes, dry_run: bool = False) -> Report:
    """Enter participants from a CSV or XLSX list; each row by itself, the report names the bad.

    Columns: code, name, guid, address; version, signatures, own where given (English or Russian
    headings). A body that is not in the directory yet is entered as an outside one. Run again it
    changes nothing. Needs an administrator of the center.
    """
    actor.require("administrator")
    rows: list[SheetRow] = await sandbox.pool().run(
        read, data, timeout=READING_SECONDS, into=list[SheetRow]
    )
    _check_headings(rows[0])
    counts = _Counts()
    try:
        async with db.transaction():
            for row in rows:
                await _take_row(actor, row, counts)
            await events.record(
                actor, "medo.partners_imported", subject=("organization", actor.home_id),
                data={"rows": len(rows), "created": counts.created, "changed": counts.changed,
                      "problems": len(counts.problems)},
            )  # fmt: skip
            if dry_run:
                raise _DryRun
    except _DryRun:
        pass
    return Report(
        rows=len(rows), created=counts.created, changed=counts.changed,
        unchanged=counts.unchanged, dry_run=dry_run, problems=counts.problems,
    )  # fmt: skip


def _check_headings(row: SheetRow) -> None:
    present = {_FIELDS.get(heading) for heading in row.cells}
    missing = [COLUMNS[name][1] for name in ("code", "name", "participant_uid", "address")
               if name not in present]  # fmt: skip
    if missing:
        raise InvalidInput(
            f"Нет столбцов: {', '.join(missing)}.",
            f"Columns are missing: {', '.join(missing)}.",
            code="column_missing", columns=missing,
        )  # fmt: skip


async def _take_row(actor: Actor, row: SheetRow, counts: _Counts) -> None:
    try:
        async with _savepoint():
            outcome = await _taken(actor, row)
    except _BadRow as bad:
        counts.problems.append(RowProblem(row.number, bad.field, bad.code, bad.reason))
    except ServiceError as problem:
        name = str(problem.details.get("field", "code"))
        counts.problems.append(RowProblem(row.number, name, problem.error_code, problem.message_ru))
    else:
        setattr(counts, outcome, getattr(counts, outcome) + 1)


async def _taken(actor: Actor, row: SheetRow) -> str:
    values = _cells(row)
    wanted = _wanted(values)
    found = await db.row("SELECT id FROM organization WHERE code = $1", values["code"])
    if found is None:
        if "name" not in values:
            raise _BadRow("name", "field_missing", "Организации с таким кодом нет: укажите имя.")
        card = Card(code=values["code"], kind=OrganizationKind.OUTSIDE, name=values["name"],
                    channels=(CHANNEL,))  # fmt: skip
        found = await organizations.create(actor, card=card)
    before = await of_organization(found["id"])
    if before is not None:
        # what the list does not say stays as an administrator set it
        given = {name: getattr(before, name)
                 for name in PartnerInput.__struct_fields__ if name not in values}  # fmt: skip
        wanted = msgspec.structs.replace(wanted, **given)
        if all(getattr(before, name) == value
               for name, value in msgspec.structs.asdict(wanted).items()):  # fmt: skip
            return "unchanged"
    await enter(actor, found["id"], wanted=wanted)
    return "created" if before is None else "changed"


def _cells(row: SheetRow) -> dict[str, str]:
    values = {_FIELDS[head]: cell for head, cell in row.cells.items() if head in _FIELDS and cell}
    for name in ("code", "participant_uid", "address"):
        if name not in values:
            raise _BadRow(name, "field_missing", f"Не заполнен столбец «{COLUMNS[name][1]}».")
    for name, cell in values.items():
        if cell[0] in "=@\t+-":
            raise _BadRow(name, "formula", "Ячейка начинается со знака формулы.")
    return values


def _wanted(values: dict[str, str]) -> PartnerInput:
    plain = {
        "participant_uid": values["participant_uid"].strip("{} "),
        "address": values["address"].strip(),
        "is_own": values.get("is_own", "").strip().lower() in _YES,
    }
    plain |= {name: values[name].strip() for name in ("version", "signatures") if name in values}
    try:
        return msgspec.convert(plain, PartnerInput)
    except msgspec.ValidationError as problem:
        name = str(problem).rpartition("$.")[2].strip("`") if "$." in str(problem) else "guid"
        raise _BadRow(name, "value_invalid", f"Значение не подходит: {name}.") from problem
