"""The register of erasures: outside the database, so that a restored one learns what it missed.

Each act is an object in the store before its first row is touched; where ERASURE_REGISTER names a
folder, a file there too, for the day the store is restored as well. An entry holds ids, what the
commission decided, and the sealed values by which the person is looked for: without SECRET_KEY it
tells nobody anything. When the last backup that could bring the person back has expired, the
sealed part goes (`forget_values`).
"""

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from core import clock, db, sealing
from core.errors import ServiceError
from core.settings import settings
from evidence.privacy.needles import Known
from storage import s3


class RegisterBroken(ServiceError):
    """What lies in the register is no entry: nobody knows what to erase, so nothing opens."""

    code = "erasure_register_broken"
    ru = (
        "Запись реестра стираний не читается. Верните её из копии хранилища; без неё сервис закрыт."
    )
    en = (
        "An entry of the register of erasures cannot be read. Restore it; nothing opens without it."
    )


PREFIX = "e/"
SEALED_FOR = "erasure"


@dataclass(frozen=True, slots=True)
class Entry:
    """An act as the register has it."""

    id: uuid.UUID
    person_id: uuid.UUID
    organization_id: uuid.UUID
    ground: str
    basis: str
    due_on: date
    proposed_by: uuid.UUID
    members: Sequence[uuid.UUID]
    documents: Sequence[tuple[uuid.UUID, str, str]]
    """Id, decision, ground."""
    sealed: bytes
    """What `known` opens; empty once no backup can bring the person back."""
    at: datetime

    def known(self) -> Known:
        """By what the person is looked for."""
        if not self.sealed:
            return Known()
        plain = sealing.unseal(self.sealed, purpose=SEALED_FOR, bound_to=self.id.bytes)
        return Known.of(json.loads(plain))

    def written(self) -> bytes:
        """As it lies in the store."""
        told: dict[str, Any] = {
            "form": "docflow-erasure-1", "id": str(self.id), "person_id": str(self.person_id),
            "organization_id": str(self.organization_id), "ground": self.ground,
            "basis": self.basis, "due_on": self.due_on.isoformat(),
            "proposed_by": str(self.proposed_by), "members": [str(one) for one in self.members],
            "documents": [[str(one), decision, why] for one, decision, why in self.documents],
            "sealed": self.sealed.hex(), "at": self.at.isoformat(),
        }  # fmt: skip
        return json.dumps(told, ensure_ascii=False, sort_keys=True).encode()


def seal(known: Known, *, act_id: uuid.UUID) -> bytes:
    """The values as they lie in the act and in the register."""
    plain = json.dumps(known.plain(), ensure_ascii=False).encode()
    return sealing.seal(plain, purpose=SEALED_FOR, bound_to=act_id.bytes)


def read(content: bytes, *, place: str) -> Entry:
    """An entry from its bytes; raises `RegisterBroken`, naming the place, for what is none."""
    try:
        return _read(json.loads(content))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as problem:
        raise RegisterBroken(place=place) from problem


def _read(told: Any) -> Entry:
    ids = {name: uuid.UUID(told[name])
           for name in ("id", "person_id", "organization_id", "proposed_by")}  # fmt: skip
    return Entry(
        **ids, ground=told["ground"], basis=told["basis"],
        due_on=date.fromisoformat(told["due_on"]),
        members=[uuid.UUID(one) for one in told["members"]],
        documents=[(uuid.UUID(one), decision, why) for one, decision, why in told["documents"]],
        sealed=bytes.fromhex(told["sealed"]), at=datetime.fromisoformat(told["at"]),
    )  # fmt: skip


async def write(entry: Entry) -> None:
    """Put an entry into the register; outside a transaction. Raises `Unavailable`."""
    if db.in_transaction():
        raise RuntimeError("the store is not to be used inside a transaction")
    await s3.call(s3.put, f"{PREFIX}{entry.id}", entry.written())
    if (folder := settings().erasure_register) is not None:
        await s3.off_loop(_write_file, folder, entry)


def _write_file(folder: Path, entry: Entry) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    beside = folder / f".{entry.id}"
    beside.write_bytes(entry.written())
    beside.replace(folder / f"{entry.id}.json")


async def entries() -> list[Entry]:
    """Every entry of the store and the folder, oldest first. Raises `Unavailable`."""
    found: dict[uuid.UUID, Entry] = {}
    listing = await s3.off_loop(s3.Listing, PREFIX)
    while page := await s3.call(listing.page):
        for one in page:
            content, _ = await s3.call(s3.get_whole, one.key, await s3.call(s3.size_of, one.key))
            entry = read(content, place=one.key)
            found[entry.id] = entry
    if (folder := settings().erasure_register) is not None:
        for entry in await s3.off_loop(_read_folder, folder):
            found.setdefault(entry.id, entry)
    return sorted(found.values(), key=lambda one: one.id)


def _read_folder(folder: Path) -> list[Entry]:
    return [read(path.read_bytes(), place=path.name) for path in sorted(folder.glob("*.json"))]


async def missing() -> list[Entry]:
    """Acts of the register that this database has not carried out to the end."""
    known = await entries()
    done = await db.rows(
        "SELECT id FROM erasure WHERE status = 'done' AND id = ANY($1::uuid[])",
        [entry.id for entry in known],
    )
    finished = {row["id"] for row in done}
    return [entry for entry in known if entry.id not in finished]


async def forget_values(*, older_than: datetime) -> int:
    """Drop the sealed values of acts no backup reaches any more; answers of how many."""
    count = 0
    for entry in await entries():
        if entry.sealed and entry.at < older_than:
            emptied = Entry(**{name: getattr(entry, name) for name in entry.__slots__}
                            | {"sealed": b""})  # fmt: skip
            await write(emptied)
            await db.execute("UPDATE erasure SET sealed = '' WHERE id = $1", entry.id)
            count += 1
    return count


def expired_before() -> datetime:
    """Backups made before this moment must not exist any more (BACKUP_DAYS)."""
    return clock.now() - settings().backups_kept
