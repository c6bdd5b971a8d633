"""Licences: who may use a picture, where, from when to when, on which terms.

Terms are relied on from the day a second person has confirmed them against the document; until
then a check that would rest on them asks for a review.
"""

import uuid
from datetime import date
from typing import Any, Literal

import msgspec

from audit import events, transitions
from compliance.registers import changes, register
from compliance.registers.register import MAX_DOCUMENT
from compliance.states import ENTRY_TRANSITIONS, EntryStatus
from compliance.verdicts.attribution import read_public
from compliance.verdicts.case import Channel
from core import clock, db, idempotency
from core.actor import Actor
from core.errors import Conflict, InvalidInput, NotFound
from storage.blobs import StoredBlob

_MAX_SEATS = 100_000
_SEAT = 200


class Terms(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What a licence says; empty channels or territories mean every one."""

    kind: Literal["contract", "stock", "public"]
    holder: str = ""
    number: str = ""
    public: str | None = None
    """For a public licence its name with the version, e.g. `CC BY-SA 4.0`."""
    grantee_id: uuid.UUID | None = None
    """The organization it was given to; by default one's own. None for a public licence."""
    reach: Literal["organization", "subtree", "line"] = "organization"
    line: Literal["branch", "territorial"] | None = None
    channels: tuple[Channel, ...] = ()
    territories: tuple[str, ...] = ()
    since: date | None = None
    until: date | None = None
    attribution: str = ""
    max_seats: int | None = None
    allows_changes: bool = True
    allows_commercial: bool = True


_COLUMNS = tuple(name for name in Terms.__struct_fields__)


async def add(
    actor: Actor,
    picture_id: uuid.UUID,
    *,
    terms: Terms,
    document: bytes | None = None,
    proposals: list[dict[str, Any]] | None = None,
    key: str | None = None,
) -> uuid.UUID:
    """Enter a licence of a picture of one's own register; it waits for the second person.

    `document`: the contract, invoice or page as PDF or picture; a contract or a stock licence
    cannot be confirmed without it. `proposals`: what was read from a scan, with places. Raises
    `licence_terms` with the field, `unsupported_type`, `picture_retired`.
    """
    actor.require("editor", "lawyer")
    await register.own_picture(actor, picture_id, lock=False)
    given = checked(actor, terms)
    blob = None
    if document is not None:
        blob = await register.keep(document, limit=MAX_DOCUMENT, types=register.DOCUMENTS)
    request = idempotency.request_hash(
        "licence", str(picture_id), msgspec.json.encode(given), blob.sha256 if blob else ""
    )
    licence_id, _ = await idempotency.once(
        scope=actor.home_id, key=key, request=request,
        create=lambda: enter(actor, picture_id, given, blob, proposals or []),
    )  # fmt: skip
    return licence_id


async def enter(
    actor: Actor,
    picture_id: uuid.UUID,
    terms: Terms,
    document: StoredBlob | None,
    proposals: list[dict[str, Any]],
) -> uuid.UUID:
    """Write checked terms; in the caller's transaction if any."""
    licence_id, now = clock.new_id(), clock.now()
    async with db.transaction():
        await changes.lock()
        await register.own_picture(actor, picture_id)
        await _require_grantee(terms)
        places = ", ".join(f"${place}" for place in range(8, 8 + len(_COLUMNS)))
        await db.execute(
            f"""INSERT INTO licence (id, organization_id, picture_id, status, created_by,
                    created_at, updated_at, document_blob_id, proposals, {", ".join(_COLUMNS)})
                VALUES ($1, $2, $3, 'active', $4, $5, $5, $6, $7, {places})""",
            licence_id, actor.home_id, picture_id, actor.account_id, now,
            document.id if document else None, proposals, *_values(terms),
        )  # fmt: skip
        await changes.note("licence.added", ("licence", licence_id), picture_id=picture_id)
        await events.record(
            actor, "licence.add", subject=("licence", licence_id), change=(None, "active"),
            data={"picture_id": str(picture_id), "kind": terms.kind},
            detail={"holder": terms.holder, "number": terms.number},
        )  # fmt: skip
    return licence_id


async def confirm(actor: Actor, licence_id: uuid.UUID, *, terms: Terms) -> None:
    """Say that these are the terms of the document; checks rely on them from now on.

    Needs another person than the one who entered it. Raises `licence_document_missing` for a
    contract or a stock licence without its document, `licence_confirmed` the second time.
    """
    actor.require("editor", "lawyer")
    given = checked(actor, terms)
    async with db.transaction():
        await changes.lock()
        found = await own_licence(actor, licence_id)
        await register.require_other(actor, found["created_by"])
        if found["confirmed_by"] is not None:
            raise Conflict(
                "Лицензия уже подтверждена. Новые условия внесите новой лицензией.",
                "The licence is confirmed. Enter new terms as a new licence.",
                code="licence_confirmed",
            )
        if given.kind != "public" and found["document_blob_id"] is None:
            raise Conflict(
                "Приложите документ: договор, счёт или скан лицензии.",
                "Attach the document: contract, invoice or a scan of the licence.",
                code="licence_document_missing",
            )
        await _require_grantee(given)
        setters = ", ".join(f"{name} = ${at}" for at, name in enumerate(_COLUMNS, start=4))
        await db.execute(
            f"""UPDATE licence SET confirmed_by = $2, confirmed_at = $3, updated_at = $3, {setters}
                WHERE id = $1""",
            licence_id, actor.account_id, clock.now(), *_values(given),
        )  # fmt: skip
        await changes.note(
            "licence.confirmed", ("licence", licence_id), picture_id=found["picture_id"]
        )
        await events.record(
            actor, "licence.confirm", subject=("licence", licence_id),
            data={"picture_id": str(found["picture_id"]), "kind": given.kind},
        )  # fmt: skip


async def revoke(actor: Actor, licence_id: uuid.UUID, *, on: date, reason: str) -> None:
    """Note that the holder took it back from `on` (a day in the future is planned)."""
    actor.require("editor", "lawyer")
    words = register.require_reason(reason)
    async with db.transaction():
        await changes.lock()
        found = await own_licence(actor, licence_id)
        if found["revoked_on"] is not None and found["revoked_on"] <= on:
            raise Conflict(
                "Лицензия уже отозвана.", "The licence is withdrawn already.",
                code="licence_revoked",
            )  # fmt: skip
        await db.execute(
            """UPDATE licence SET revoked_on = $2, revoked_reason = $3, updated_at = $4
               WHERE id = $1""",
            licence_id, on, words, clock.now(),
        )  # fmt: skip
        await changes.note(
            "licence.revoked", ("licence", licence_id), picture_id=found["picture_id"]
        )
        await events.record(
            actor, "licence.revoke", subject=("licence", licence_id),
            data={"on": on.isoformat()}, detail={"reason": words},
        )  # fmt: skip


async def retire(actor: Actor, licence_id: uuid.UUID) -> None:
    """Take back a licence that was entered by mistake; a lawyer's word."""
    actor.require("lawyer")
    async with db.transaction():
        await changes.lock()
        found = await own_licence(actor, licence_id)
        await transitions.move(
            actor, "licence", licence_id, graph=ENTRY_TRANSITIONS, source=EntryStatus.ACTIVE,
            target=EntryStatus.RETIRED, verb="licence.retire",
        )  # fmt: skip
        await changes.note(
            "licence.retired", ("licence", licence_id), picture_id=found["picture_id"]
        )


async def release_seat(actor: Actor, licence_id: uuid.UUID, *, seat: str) -> None:
    """Free a seat of a licence; NotFound when nobody sits there."""
    actor.require("editor", "lawyer")
    async with db.transaction():
        await changes.lock()
        found = await own_licence(actor, licence_id)
        seat_id = await db.value(
            """UPDATE licence_seat SET released_at = $3
               WHERE licence_id = $1 AND seat = $2 AND released_at IS NULL RETURNING id""",
            licence_id, seat, clock.now(),
        )  # fmt: skip
        if seat_id is None:
            raise NotFound(code="seat_unknown", licence_id=str(licence_id))
        await changes.note(
            "seat.released", ("licence_seat", seat_id), picture_id=found["picture_id"]
        )
        await events.record(actor, "licence.release_seat", subject=("licence", licence_id))


async def take_seat(actor: Actor, licence_id: uuid.UUID, *, seat: str) -> None:
    """Seat somebody; belongs to a check's transaction that holds `changes.lock`."""
    seat_id = await db.value(
        """INSERT INTO licence_seat (id, licence_id, seat, taken_by, taken_at)
           VALUES ($1, $2, $3, $4, $5)
           ON CONFLICT (licence_id, seat) WHERE released_at IS NULL DO NOTHING RETURNING id""",
        clock.new_id(), licence_id, seat, actor.account_id, clock.now(),
    )  # fmt: skip
    if seat_id is not None:
        picture_id = await db.value("SELECT picture_id FROM licence WHERE id = $1", licence_id)
        await changes.note("seat.taken", ("licence_seat", seat_id), picture_id=picture_id)


async def own_licence(actor: Actor, licence_id: uuid.UUID) -> db.Row:
    """A licence in the actor's own register, locked; NotFound otherwise."""
    found = await db.row(
        "SELECT * FROM licence WHERE id = $1 AND organization_id = $2 FOR NO KEY UPDATE",
        licence_id, actor.home_id,
    )  # fmt: skip
    if found is None:
        raise NotFound(licence_id=str(licence_id))
    if found["status"] != "active":
        raise Conflict(
            "Лицензия исключена из реестра.", "The licence was taken out of the register.",
            code="licence_retired",
        )  # fmt: skip
    return found


def checked(actor: Actor, terms: Terms) -> Terms:
    """Terms that can be: the grantee filled in, contradictions refused (`licence_terms`)."""
    register.require_texts(
        holder=terms.holder, number=terms.number, note=terms.attribution, public=terms.public or ""
    )
    if terms.kind == "public":
        if read_public(terms.public or "") is None:
            raise _bad("public", "Укажите лицензию с версией, например CC BY 4.0.",
                       "Name the licence with its version, such as CC BY 4.0.")  # fmt: skip
        if terms.grantee_id is not None or terms.reach != "organization" or terms.line:
            raise _bad("grantee_id", "Открытая лицензия дана всем: получателя у неё нет.",
                       "A public licence is given to everybody: it has no grantee.")  # fmt: skip
    elif terms.public is not None:
        raise _bad("public", "Открытая лицензия указывается только для вида public.",
                   "Only the kind public names a public licence.")  # fmt: skip
    elif not terms.holder.strip():
        raise _bad("holder", "Укажите правообладателя.", "Name the holder.")
    _check_bounds(terms)
    if terms.kind != "public" and terms.grantee_id is None:
        return msgspec.structs.replace(terms, grantee_id=actor.home_id)
    return terms


def _check_bounds(terms: Terms) -> None:
    if (terms.reach == "line") != (terms.line is not None):
        raise _bad("line", "Линия указывается, когда лицензия действует по линии.",
                   "A line goes with the reach `line`.")  # fmt: skip
    if terms.since and terms.until and terms.since > terms.until:
        raise _bad("until", "Окончание раньше начала.", "It ends before it begins.")
    if terms.max_seats is not None and not 1 <= terms.max_seats <= _MAX_SEATS:
        raise _bad("max_seats", f"Рабочих мест: от 1 до {_MAX_SEATS}.",
                   f"Seats: 1 to {_MAX_SEATS}.")  # fmt: skip
    if any(len(one) != 2 or not one.isascii() or not one.isupper() for one in terms.territories):
        raise _bad("territories", "Территория — код страны из двух букв, например RU.",
                   "A territory is a country code of two letters, such as RU.")  # fmt: skip


def require_seat(seat: str | None) -> None:
    """`seat_name` for a name that is empty, too long or not printable."""
    if seat is not None and not (1 <= len(seat.strip()) <= _SEAT and seat.isprintable()):
        raise InvalidInput(
            f"Имя пользователя лицензии: от 1 до {_SEAT} печатных знаков.",
            f"Name of the licensed user: 1 to {_SEAT} printable characters.",
            code="seat_name", field="seat",
        )  # fmt: skip


async def _require_grantee(terms: Terms) -> None:
    if terms.grantee_id is not None and not await db.value(
        "SELECT true FROM organization WHERE id = $1", terms.grantee_id
    ):
        raise NotFound(code="organization_unknown", organization=str(terms.grantee_id))


def _values(terms: Terms) -> list[Any]:
    return [
        list(value) if isinstance(value := getattr(terms, name), tuple) else value
        for name in _COLUMNS
    ]


def _bad(field: str, ru: str, en: str) -> InvalidInput:
    return InvalidInput(ru, en, code="licence_terms", field=field)
