"""People and their posts (люди и должности); who is shown personal data is logged."""

import uuid
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import msgspec

from audit import events, reads
from core import clock, db, idempotency
from core.actor import Actor
from core.errors import Conflict, InvalidInput, NotFound
from directory import links, masking, selection
from directory.states import POST_NAMES, PostKind

READERS = ("clerk", "signatory", "editor", "lawyer", "administrator")
"""Any role will do: officers of the federation may look each other up, and it is logged."""

LONGEST = 200
"""Characters of a name, an address or a phone."""
_CORRECTABLE = frozenset({"last_name", "first_name", "middle_name", "email", "phone"})

_HOLDER = """p.id AS person_id, p.last_name, p.first_name, p.middle_name, p.email, p.phone,
    t.id AS post_id, t.kind AS post, t.title, t.valid_from, t.valid_to,
    o.id AS organization_id, o.code AS organization_code, o.name AS organization_name,
    o.kind AS organization_kind"""

_IN_POST = "t.valid_from <= {on} AND (t.valid_to IS NULL OR t.valid_to > {on})"


class Holders(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """People by post and place: "chairmen of the regional organizations of Siberia"."""

    organizations: selection.Selector
    posts: tuple[PostKind, ...] = (PostKind.CHAIRMAN,)


async def create(
    actor: Actor,
    *,
    last_name: str,
    first_name: str = "",
    middle_name: str = "",
    email: str = "",
    phone: str = "",
) -> uuid.UUID:
    """Enter a person; names and contacts go into the event's payload only. `name_empty`."""
    actor.require("administrator", "clerk")
    if not last_name.strip():
        raise InvalidInput(
            "Укажите фамилию.", "Give the last name.", code="name_empty", field="last_name"
        )
    person_id = clock.new_id()
    values = [part.strip() for part in (last_name, first_name, middle_name, email, phone)]
    _require_sound(values)
    async with db.transaction():
        await db.execute(
            """INSERT INTO person (id, last_name, first_name, middle_name, email, phone, created_at)
               VALUES ($1, $2, $3, $4, $5, $6, $7)""",
            person_id, *values, clock.now(),
        )  # fmt: skip
        await events.record(
            actor, "person.create", subject=("person", person_id),
            detail={"last_name": values[0], "first_name": values[1], "middle_name": values[2]},
        )  # fmt: skip
    return person_id


class Newcomer(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who comes into a post and was not known before."""

    last_name: str
    first_name: str = ""
    middle_name: str = ""
    email: str = ""
    phone: str = ""
    kind: PostKind = PostKind.CHAIRMAN
    title: str = ""
    since: date | None = None
    """Today where it is not said."""


async def enter(
    actor: Actor, *, organization_id: uuid.UUID, newcomer: Newcomer, key: str | None = None
) -> tuple[uuid.UUID, uuid.UUID]:
    """Enter a person and their post in one go; answers the ids of both.

    The same `key` leads to the same person. Raises as `create` and `appoint` do.
    """

    async def both() -> uuid.UUID:
        person_id = await create(
            actor, last_name=newcomer.last_name, first_name=newcomer.first_name,
            middle_name=newcomer.middle_name, email=newcomer.email, phone=newcomer.phone,
        )  # fmt: skip
        return await appoint(
            actor, person_id=person_id, organization_id=organization_id, kind=newcomer.kind,
            title=newcomer.title, since=newcomer.since or clock.today(),
        )  # fmt: skip

    said = msgspec.json.encode([organization_id, newcomer], order="sorted")
    post_id, _ = await idempotency.once(
        scope=actor.home_id, key=key, request=idempotency.request_hash("person", said), create=both
    )
    person_id: uuid.UUID = await db.value("SELECT person_id FROM post WHERE id = $1", post_id)
    return person_id, post_id


def _require_sound(texts: list[str]) -> None:
    if any("\0" in text or len(text) > LONGEST for text in texts):
        raise InvalidInput(
            f"Имя, почта или телефон: до {LONGEST} знаков и без нулевого знака.",
            f"A name, address or phone: up to {LONGEST} characters, none of them NUL.",
            code="too_long",
        )


async def change_contacts(
    actor: Actor, *, person_id: uuid.UUID, email: str | None = None, phone: str | None = None
) -> bool:
    """Set what is given; answers whether anything differed. Needs authority over a post's place."""
    async with db.transaction():
        row = await db.row("SELECT email, phone FROM person WHERE id = $1 FOR UPDATE", person_id)
        if row is None:
            raise _unknown_person(person_id)
        await _require_over(actor, person_id)
        new = {"email": email, "phone": phone}
        differing = {k: v for k, v in new.items() if v is not None and v != row[k]}
        if not differing:
            return False
        await db.execute(
            "UPDATE person SET email = $2, phone = $3 WHERE id = $1",
            person_id, differing.get("email", row["email"]), differing.get("phone", row["phone"]),
        )  # fmt: skip
        await events.record(
            actor, "person.change_contacts", subject=("person", person_id),
            data={"fields": sorted(differing)},
            detail={"before": {name: row[name] for name in differing}, "after": differing},
        )  # fmt: skip
    return True


async def correct(actor: Actor, *, person_id: uuid.UUID, values: Mapping[str, str]) -> None:
    """Set names and contacts to what is right, asked for by the person (152-ФЗ ст. 20 ч. 3).

    Old beside new stands in the event's detail. Raises `unknown_field`, `name_empty`.
    """
    given = {name: text.strip() for name, text in values.items()}
    if wrong := given.keys() - _CORRECTABLE:
        raise InvalidInput(code="unknown_field", fields=sorted(wrong))
    _require_sound(list(given.values()))
    if not given.get("last_name", "-"):
        raise InvalidInput(
            "Укажите фамилию.", "Give the last name.", code="name_empty", field="last_name"
        )
    async with db.transaction():
        row = await db.row("SELECT * FROM person WHERE id = $1 FOR UPDATE", person_id)
        if row is None:
            raise _unknown_person(person_id)
        await _require_over(actor, person_id, roles=("administrator", "clerk", "lawyer"))
        changed = {name: text for name, text in given.items() if row[name] != text}
        if not changed:
            return
        setters = ", ".join(f"{name} = ${place}" for place, name in enumerate(changed, start=2))
        await db.execute(f"UPDATE person SET {setters} WHERE id = $1", person_id, *changed.values())
        await events.record(
            actor, "person.corrected", subject=("person", person_id),
            data={"fields": sorted(changed)},
            detail={"before": {name: row[name] for name in changed}, "after": changed},
        )  # fmt: skip


async def appoint(
    actor: Actor,
    *,
    person_id: uuid.UUID,
    organization_id: uuid.UUID,
    kind: PostKind,
    since: date,
    title: str = "",
) -> uuid.UUID:
    """Give a person a post from `since` on; a new chairman ends the old one's term that day.

    Needs an administrator of the organization or above. Raises `organization_closed` when it does
    not exist that day, `chairman_later` when the present chairman came on or after `since`.
    """
    await links.require_authority(actor, organization_id)
    async with db.transaction():
        place = await db.row(
            "SELECT opened_on, closed_on FROM organization WHERE id = $1 FOR UPDATE",
            organization_id,
        )
        if place is None:
            raise NotFound(code="organization_unknown", organization=str(organization_id))
        closed: date | None = place["closed_on"]
        if place["opened_on"] > since or (closed is not None and closed <= since):
            raise Conflict(
                "Организация на эту дату не действует.",
                "The organization does not exist on that date.",
                code="organization_closed",
            )
        if not await db.value("SELECT true FROM person WHERE id = $1", person_id):
            raise _unknown_person(person_id)
        if kind is PostKind.CHAIRMAN:
            await _end_chairman(actor, organization_id, since)
        post_id = clock.new_id()
        await db.execute(
            """INSERT INTO post (id, person_id, organization_id, kind, title, valid_from, valid_to)
               VALUES ($1, $2, $3, $4, $5, $6, $7)""",
            post_id, person_id, organization_id, kind, title.strip() or _title(kind), since, closed,
        )  # fmt: skip
        await events.record(
            actor, "post.appoint", subject=("post", post_id),
            data={"person_id": str(person_id), "organization_id": str(organization_id),
                  "kind": kind, "since": since.isoformat()},
        )  # fmt: skip
    return post_id


async def end_post(actor: Actor, *, post_id: uuid.UUID, as_of: date) -> None:
    """End a post: from `as_of` the person does not hold it. `post_unknown`, `post_ended`."""
    async with db.transaction():
        post = await db.row("SELECT * FROM post WHERE id = $1 FOR UPDATE", post_id)
        if post is None:
            raise NotFound(code="post_unknown", post=str(post_id))
        await links.require_authority(actor, post["organization_id"])
        if post["valid_to"] is not None and post["valid_to"] <= as_of:
            raise Conflict(
                "Полномочия уже прекращены.", "The post has ended already.", code="post_ended"
            )
        await _end(actor, post, max(as_of, post["valid_from"] + timedelta(days=1)))


async def get(actor: Actor, *, person_id: uuid.UUID, purpose: str) -> db.Row:
    """A person with contacts; the look is logged under `purpose`."""
    actor.require(*READERS)
    row = await db.row(
        "SELECT id, last_name, first_name, middle_name, email, phone FROM person WHERE id = $1",
        person_id,
    )
    if row is None:
        raise _unknown_person(person_id)
    await reads.log(actor, subject=("person", person_id), purpose=purpose)
    places = await db.rows("SELECT organization_id FROM post WHERE person_id = $1", person_id)
    homes = {place["organization_id"] for place in places}
    if not homes or await masking.related(actor, homes) or actor.person_id == person_id:
        return row
    return row | {"email": masking.email(row["email"]), "phone": masking.phone(row["phone"])}


async def chairman(
    actor: Actor, *, organization_id: uuid.UUID, purpose: str, on: date | None = None
) -> db.Row | None:
    """The chairman on `on` (today), None where there is none; logged."""
    found = await of_organization(
        actor, organization_id=organization_id, purpose=purpose, on=on, posts=(PostKind.CHAIRMAN,)
    )
    return found[0] if found else None


async def of_organization(
    actor: Actor,
    *,
    organization_id: uuid.UUID,
    purpose: str,
    on: date | None = None,
    posts: tuple[PostKind, ...] = (),
) -> list[db.Row]:
    """Who holds posts in an organization on `on` (today), with contacts; logged with the count."""
    actor.require(*READERS)
    found = await db.rows(
        f"""SELECT {_HOLDER} FROM post t JOIN person p ON p.id = t.person_id
            JOIN organization o ON o.id = t.organization_id
            WHERE t.organization_id = $1 AND {_IN_POST.format(on="$2")}
              AND (cardinality($3::text[]) = 0 OR t.kind = ANY ($3))
            ORDER BY t.kind <> 'chairman', p.last_name, p.first_name, p.id""",
        organization_id, on or clock.today(), list(posts),
    )  # fmt: skip
    if found:
        await reads.log(
            actor, subject=("organization", organization_id), purpose=purpose, count=len(found)
        )
    return await masking.masked(actor, found)


async def holders(
    actor: Actor,
    *,
    selector: Holders,
    purpose: str,
    on: date | None = None,
    after: uuid.UUID | None = None,
    limit: int = 100,
) -> list[db.Row]:
    """People by post and organizations, a page at a time (`after`: last `post_id` seen); logged."""
    actor.require(*READERS)
    selection.check(selector.organizations)
    day = on or clock.today()
    sql, values = selection.ids_sql(selector.organizations, on=day, first=5)
    found = await db.rows(
        f"""SELECT {_HOLDER} FROM post t JOIN person p ON p.id = t.person_id
            JOIN organization o ON o.id = t.organization_id
            WHERE t.organization_id IN ({sql}) AND {_IN_POST.format(on="$1::date")}
              AND t.kind = ANY ($2::text[]) AND ($3::uuid IS NULL OR t.id > $3)
            ORDER BY t.id LIMIT $4""",
        day, list(selector.posts), after, max(1, min(limit, 1000)), *values,
    )  # fmt: skip
    if found:
        await reads.log(
            actor, subject=("organization", found[0]["organization_id"]), purpose=purpose,
            count=len(found),
        )  # fmt: skip
    return await masking.masked(actor, found)


async def _end_chairman(actor: Actor, organization_id: uuid.UUID, since: date) -> None:
    present = await db.row(
        """SELECT * FROM post WHERE organization_id = $1 AND kind = 'chairman'
           AND (valid_to IS NULL OR valid_to > $2) ORDER BY valid_from DESC LIMIT 1""",
        organization_id, since,
    )  # fmt: skip
    if present is None:
        return
    if present["valid_from"] >= since:
        raise Conflict(
            "Действующий председатель избран в этот день или позже. Проверьте дату.",
            "The present chairman took office on that day or later. Check the date.",
            code="chairman_later",
        )
    await _end(actor, present, since)


async def _end(actor: Actor, post: dict[str, Any], as_of: date) -> None:
    await db.execute("UPDATE post SET valid_to = $2 WHERE id = $1", post["id"], as_of)
    await events.record(
        actor, "post.end", subject=("post", post["id"]),
        data={"person_id": str(post["person_id"]), "as_of": as_of.isoformat(),
              "organization_id": str(post["organization_id"]), "kind": post["kind"]},
    )  # fmt: skip


async def _require_over(
    actor: Actor, person_id: uuid.UUID, *, roles: tuple[str, ...] = ("administrator", "clerk")
) -> None:
    place = await db.value(
        "SELECT organization_id FROM post WHERE person_id = $1 ORDER BY valid_from DESC LIMIT 1",
        person_id,
    )
    if place is not None:
        await links.require_authority(actor, place, roles=roles)
    else:
        actor.require(*roles)


def _title(kind: PostKind) -> str:
    return POST_NAMES[kind][0].capitalize()


def _unknown_person(person_id: uuid.UUID) -> NotFound:
    return NotFound(code="person_unknown", person=str(person_id))
