"""The rows of an import that raise no question, written or passed over many at a time.

`Known` holds what the registry says of everything a file names, asked in a few queries. A row
that is certain by it goes a bulk way; one in doubt goes through the verbs, which answer why not.
"""

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import date

from audit import commitments, reads
from core import clock, db
from core.actor import Actor
from directory import links, organizations
from directory.cards import Card, plain
from directory.importing.columns import Entry
from directory.states import POST_NAMES, SUPERIORS, Line, OrganizationKind, PostKind

_CARD = tuple(each.name for each in fields(Card))
_Event = tuple[str, str, uuid.UUID, str | None, dict[str, object] | None, dict[str, str] | None]
_TITLE = POST_NAMES[PostKind.CHAIRMAN][0].capitalize()


@dataclass(slots=True)
class Known:
    """The registry as the import found it and as it has changed it since, by code."""

    organizations: dict[str, db.Row]
    superiors: Mapping[uuid.UUID, Mapping[str, uuid.UUID]]
    chairmen: Mapping[uuid.UUID, db.Row]
    inns: set[str]
    reach: set[uuid.UUID] | None
    """Whose data the actor may keep; None for everybody's."""

    def may_keep(self, organization_id: uuid.UUID) -> bool:
        """Is this in the actor's own subtree?"""
        return self.reach is None or organization_id in self.reach


async def load(actor: Actor, entries: Mapping[str, Entry]) -> Known:
    """Ask the registry about every code and INN of the file; the look at chairmen is logged."""
    codes = {code for e in entries.values() for code in (e.card.code, *e.parents.values())}
    found = await db.rows(
        f"SELECT id, status, closed_on, {', '.join(_CARD)} FROM organization"
        " WHERE code = ANY ($1::text[])",
        list(codes),
    )
    inns = await db.rows(
        "SELECT inn FROM organization WHERE status = 'active' AND inn = ANY ($1::text[])",
        [e.card.inn for e in entries.values() if e.card.inn],
    )
    named = [row["id"] for row in found if row["code"] in entries]
    chairmen = await _chairmen(actor, named) if any(e.chairman for e in entries.values()) else {}
    return Known(
        organizations={row["code"]: row for row in found},
        superiors=await _superiors(named),
        chairmen=chairmen,
        inns={row["inn"] for row in inns},
        reach=await _reach(actor),
    )


async def _reach(actor: Actor) -> set[uuid.UUID] | None:
    """As `links.require_authority` decides, for all at once."""
    if actor.kind == "rule":
        return None
    kind = await db.value("SELECT kind FROM organization WHERE id = $1", actor.home_id)
    if kind == OrganizationKind.CENTER:
        return None
    below = await links.subtree(organization_id=actor.home_id, on=clock.today())
    return {actor.home_id, *below}


async def _superiors(ids: list[uuid.UUID]) -> dict[uuid.UUID, dict[str, uuid.UUID]]:
    above: dict[uuid.UUID, dict[str, uuid.UUID]] = {}
    for row in await db.rows(
        """SELECT child_id, line, parent_id FROM organization_link WHERE child_id = ANY ($1)
           AND valid_from <= $2 AND (valid_to IS NULL OR valid_to > $2)""",
        ids, clock.today(),
    ):  # fmt: skip
        above.setdefault(row["child_id"], {})[row["line"]] = row["parent_id"]
    return above


async def _chairmen(actor: Actor, ids: list[uuid.UUID]) -> dict[uuid.UUID, db.Row]:
    """Two lookups by key and no join: right after an import PostgreSQL may still take both tables
    for empty, and would compare every post with every person."""
    posts = await db.rows(
        """SELECT organization_id, person_id FROM post
           WHERE organization_id = ANY ($1) AND kind = 'chairman' AND valid_from <= $2
             AND (valid_to IS NULL OR valid_to > $2)""",
        ids, clock.today(),
    )  # fmt: skip
    people = await db.rows(
        "SELECT id, last_name, first_name, middle_name, email, phone FROM person"
        " WHERE id = ANY ($1)",
        [row["person_id"] for row in posts],
    )
    if posts:
        await reads.log(
            actor, subject=("organization", posts[0]["organization_id"]), purpose="import",
            count=len(posts),
        )  # fmt: skip
    by_id = {row["id"]: row for row in people}
    return {row["organization_id"]: by_id[row["person_id"]] for row in posts}


def is_same(known: Known, each: Entry) -> bool:
    """Does the registry hold everything this row says already?"""
    row = known.organizations.get(each.card.code)
    if row is None or row["status"] != "active" or not known.may_keep(row["id"]):
        return False
    above = known.superiors.get(row["id"], {})
    return (
        row["kind"] == each.card.kind
        and all(
            row[name] == plain(getattr(each.card, name))
            for name in each.given & organizations.CONTACT_FIELDS
        )
        and all(
            code in known.organizations and above.get(line) == known.organizations[code]["id"]
            for line, code in each.parents.items()
        )
        and (each.chairman is None or _sits(each, known.chairmen.get(row["id"])))
    )


def _sits(each: Entry, chairman: db.Row | None) -> bool:
    if chairman is None:
        return False
    name = (chairman["last_name"], chairman["first_name"], chairman["middle_name"])
    return (
        name == each.chairman
        and each.chairman_email in ("", chairman["email"])
        and each.chairman_phone in ("", chairman["phone"])
    )


def is_certain(known: Known, each: Entry) -> bool:
    """Is this a new organization that no rule of the verbs can refuse?

    A new one has nobody below it, so it closes no circle; what remains is asked here: code and
    INN are free, every superior is of a fitting kind, there on its first day, and in reach.
    """
    since, card = each.card.opened_on or clock.today(), each.card
    return (
        card.code not in known.organizations
        and bool(each.parents)
        and (card.inn is None or card.inn not in known.inns)
        and (each.chairman is None or since <= clock.today())
        and all(
            _may_stand_above(known, known.organizations.get(code), card.kind, line, since)
            for line, code in each.parents.items()
        )
    )


def _may_stand_above(
    known: Known, parent: db.Row | None, kind: OrganizationKind, line: Line, since: date
) -> bool:
    return (
        parent is not None
        and known.may_keep(parent["id"])
        and parent["kind"] in SUPERIORS.get((kind, line), frozenset())
        and parent["opened_on"] <= since
        and (parent["closed_on"] is None or parent["closed_on"] > since)
    )


def note(known: Known, each: Entry, organization_id: uuid.UUID) -> None:
    """Remember a new organization for the rows that name it as superior."""
    card = each.card
    known.organizations[card.code] = {
        **{name: plain(getattr(card, name)) for name in _CARD},
        "id": organization_id, "status": "active", "closed_on": None,
        "opened_on": card.opened_on or clock.today(),
    }  # fmt: skip
    if card.inn is not None:
        known.inns.add(card.inn)
    if known.reach is not None:
        known.reach.add(organization_id)


def forget(known: Known, each: Entry) -> None:
    """Take back what `note` remembered."""
    known.organizations.pop(each.card.code)
    known.inns.discard(each.card.inn or "")


async def create_all(actor: Actor, known: Known, entries: Iterable[Entry]) -> None:
    """Write certain organizations with links, chairmen and the same events as the verbs."""
    now = clock.now()
    cards, subordination, seats = [], [], []
    events: list[_Event] = []
    for each in entries:
        row = known.organizations[each.card.code]
        parents = {line: known.organizations[code]["id"] for line, code in each.parents.items()}
        cards.append(
            (row["id"], now,
             *(dict(row[name]) if name == "external_ids" else row[name] for name in _CARD))
        )  # fmt: skip
        subordination += [
            (clock.new_id(), parent, row["id"], line, row["opened_on"])
            for line, parent in parents.items()
        ]
        data = {"code": row["code"], "kind": row["kind"],
                "superiors": {line: str(parent) for line, parent in parents.items()}}  # fmt: skip
        events.append(("organization.create", "organization", row["id"], "active", data, None))
        if each.chairman is not None:
            seats.append((clock.new_id(), clock.new_id(), row["id"], each))
    places = ", ".join(f"${number}" for number in range(3, len(_CARD) + 3))
    await db.execute_many(
        f"""INSERT INTO organization (id, created_at, updated_at, {", ".join(_CARD)})
            VALUES ($1, $2, $2, {places})""",
        cards,
    )
    await db.execute_many(
        """INSERT INTO organization_link (id, parent_id, child_id, line, valid_from)
           VALUES ($1, $2, $3, $4, $5)""",
        subordination,
    )
    events += await _seat_all(seats)
    await _record_all(actor, events)


async def _seat_all(seats: list[tuple[uuid.UUID, uuid.UUID, uuid.UUID, Entry]]) -> list[_Event]:
    now, today = clock.now(), clock.today()
    names = [
        (person, *(each.chairman or ("", "", "")), each.chairman_email, each.chairman_phone, now)
        for person, _, _, each in seats
    ]
    await db.execute_many(
        """INSERT INTO person (id, last_name, first_name, middle_name, email, phone, created_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7)""",
        names,
    )
    await db.execute_many(
        """INSERT INTO post (id, person_id, organization_id, kind, title, valid_from)
           VALUES ($1, $2, $3, 'chairman', $4, $5)""",
        [(post, person, place, _TITLE, today) for person, post, place, _ in seats],
    )
    told: list[_Event] = []
    for (person, post, place, _), (_, last, first, middle, *_) in zip(seats, names, strict=True):
        detail = {"last_name": last, "first_name": first, "middle_name": middle}
        told.append(("person.create", "person", person, None, None, detail))
        data: dict[str, object] = {
            "person_id": str(person), "organization_id": str(place), "kind": PostKind.CHAIRMAN,
            "since": today.isoformat(),
        }  # fmt: skip
        told.append(("post.appoint", "post", post, None, data, None))
    return told


async def _record_all(actor: Actor, told: list[_Event]) -> None:
    now = clock.now()
    promises = [None if event[-1] is None else commitments.of_detail(event[-1]) for event in told]
    written = [
        (clock.new_id(), *event, promise) for event, promise in zip(told, promises, strict=True)
    ]
    await db.execute_many(
        """INSERT INTO event (id, at, actor_kind, actor_id, organization_id, verb, subject_kind,
               subject_id, to_status, request_id, data, detail_sha256)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)""",
        [(event_id, now, actor.kind, actor.id, actor.organization_id, verb, kind, subject, status,
          actor.request_id, data, promise and promise[1])
         for event_id, verb, kind, subject, status, data, _, promise in written],
    )  # fmt: skip
    await db.execute_many(
        "INSERT INTO event_payload (event_id, salt, detail) VALUES ($1, $2, $3)",
        [(event_id, promise[0], detail)
         for event_id, *_, detail, promise in written if promise is not None],
    )  # fmt: skip
