"""What is not a document: people, organizations, uses of pictures, the package's own papers."""

import io
import uuid
import zipfile
from importlib import resources

from compliance.dossiers import dossier
from core import db
from core.actor import RULE, Actor
from core.errors import NotFound
from evidence.packages import masking, register, told
from evidence.packages.members import LACKS, Gathered, Source, as_json, as_line

_README = "readme.txt"


async def readme(_: db.Row, __: list[db.Row]) -> list[Gathered]:
    """How to check the package, in Russian and English."""
    text = resources.files("evidence.packages").joinpath(_README).read_bytes()
    return [Gathered([Source(_README, text)])]


async def people(export: db.Row, items: list[db.Row]) -> list[Gathered]:
    """A person's card, posts, roles, certificates and consents, and what the person did."""
    return [await _person(export, item["subject_id"]) for item in items]


async def _person(export: db.Row, person_id: uuid.UUID) -> Gathered:
    gathered, level = Gathered(people=1), export["level"]
    card = await db.row(
        """SELECT id, last_name, first_name, middle_name, email, phone, created_at, blocked_at,
                  erased_at FROM person WHERE id = $1""",
        person_id,
    )
    if card is None:
        raise NotFound(person_id=str(person_id))
    if card["blocked_at"] is not None:
        level = "masked"  # details of events would tell what is closed
    name = masking.name(level, *(card.pop(part) for part in _NAMES))
    contacts = {one: card.pop(one) for one in ("email", "phone")}
    facts = {label: await db.rows(sql, person_id) for label, sql in _ABOUT.items()}
    shown = contacts if masking.shows_details(level) else {}
    content = {**card, **shown, "name": name, **facts}
    gathered.sources.append(Source(f"people/{person_id}/person.json", as_json(content)))
    happened = await db.rows(
        """SELECT e.id FROM event AS e
           WHERE (e.subject_id = $1 OR e.actor_id = ANY($2)) AND (e.organization_id = $3
               OR e.subject_id = $1) ORDER BY e.id""",
        person_id, [row["id"] for row in facts["accounts"]], export["organization_id"],
    )  # fmt: skip
    told.members(
        gathered, f"people/{person_id}", [row["id"] for row in happened],
        size=export["log_size"], level=level,
    )  # fmt: skip
    gathered.line = {"title": name, "number": "физ. лицо", "place": f"people/{person_id}"}
    return gathered


_NAMES = ("last_name", "first_name", "middle_name")

_ABOUT = {
    "accounts": "SELECT id, status, created_at FROM account WHERE person_id = $1 ORDER BY id",
    "posts": """SELECT p.organization_id, o.name AS organization, p.kind, p.title, p.valid_from,
            p.valid_to FROM post AS p JOIN organization AS o ON o.id = p.organization_id
        WHERE p.person_id = $1 ORDER BY p.valid_from, p.id""",
    "roles": """SELECT g.organization_id, g.role, g.granted_at, g.revoked_at FROM role_grant AS g
        JOIN account AS a ON a.id = g.account_id WHERE a.person_id = $1 ORDER BY g.id""",
    "consents": """SELECT purpose, text_version, given_at, withdrawn_at FROM consent
        WHERE person_id = $1 ORDER BY id""",
    "reads": """SELECT at, organization_id, purpose, count FROM read_log WHERE subject_id = $1
        ORDER BY id""",
}


async def organizations(export: db.Row, items: list[db.Row]) -> list[Gathered]:
    """An organization's card, its place in the lines over time, and what happened to it."""
    return [await _organization(export, item["subject_id"]) for item in items]


async def _organization(export: db.Row, organization_id: uuid.UUID) -> Gathered:
    gathered = Gathered()
    card = await db.row("SELECT * FROM organization WHERE id = $1", organization_id)
    if card is None:
        raise NotFound(organization_id=str(organization_id))
    facts = {label: await db.rows(sql, organization_id) for label, sql in _OF_BODY.items()}
    place = f"organizations/{organization_id}"
    gathered.sources.append(Source(f"{place}/organization.json", as_json({**card, **facts})))
    happened = await db.rows(
        "SELECT id FROM event WHERE subject_id = $1 ORDER BY id", organization_id
    )
    told.members(
        gathered, place, [row["id"] for row in happened], size=export["log_size"],
        level=export["level"],
    )  # fmt: skip
    gathered.line = {"title": card["name"], "number": "организация", "place": place}
    return gathered


_OF_BODY = {
    "superiors": """SELECT l.parent_id, o.name, l.line, l.valid_from, l.valid_to
        FROM organization_link AS l JOIN organization AS o ON o.id = l.parent_id
        WHERE l.child_id = $1 ORDER BY l.valid_from""",
    "journals": """SELECT id, code, title, direction, kinds, is_open, created_at FROM journal
        WHERE organization_id = $1 ORDER BY id""",
}


async def uses(export: db.Row, items: list[db.Row]) -> list[Gathered]:
    """Dossiers of uses of pictures, unpacked: picture, case, verdict, licences, signed paper."""
    actor = _lawyer(export)
    return [await _use(actor, item["subject_id"], export) for item in items]


async def _use(actor: Actor, use_id: uuid.UUID, export: db.Row) -> Gathered:
    gathered = Gathered(people=1)
    made = await dossier.make(actor, use_id)
    place = f"uses/{use_id}"
    with zipfile.ZipFile(io.BytesIO(made.data)) as archive:
        for name in archive.namelist():
            member = f"{place}/{name}"
            gathered.sources.append(Source(member, archive.read(name)))
    row = await db.row(
        "SELECT place, published_at, check_id FROM picture_use WHERE id = $1", use_id
    )
    happened = await db.rows(
        "SELECT id FROM event WHERE subject_id = ANY($1) ORDER BY id",
        [use_id, row["check_id"]] if row else [use_id],
    )
    told.members(
        gathered, place, [one["id"] for one in happened], size=export["log_size"],
        level=export["level"],
    )  # fmt: skip
    gathered.line = {"title": row["place"] if row else "", "number": "изображение", "place": place}
    return gathered


def _lawyer(export: db.Row) -> Actor:
    """Who asked, with the right that was checked when the export was asked for."""
    if export["actor_kind"] == "rule":
        return RULE.acting_for(export["organization_id"])
    return Actor(
        kind=export["actor_kind"], id=export["requested_by"],
        organization_id=export["organization_id"], roles=frozenset({"lawyer"}),
        request_id=export["id"],
    )  # fmt: skip


async def registers(export: db.Row, items: list[db.Row]) -> list[Gathered]:
    """The readable register, a volume of some hundred lines at a time."""
    return [await register.volume(export, item["number"]) for item in items]


async def log_papers(export: db.Row, _: list[db.Row]) -> list[Gathered]:
    """The checkpoint under which the events were proved."""
    if export["log_size"] is None:
        gathered = Gathered([Source("log/none.txt", "Журнал не ведётся / no log.\n".encode())])
        gathered.lack("no_log", "log")
        return [gathered]
    return [Gathered(await told.log_members(export["log_size"]))]


async def gaps(export: db.Row, _: list[db.Row]) -> list[Gathered]:
    """What the package lacks, each with its reason; an empty member where nothing does."""
    rows = await db.rows(
        """SELECT kind, subject_id, unnest(lacks) AS lack FROM evidence_item
           WHERE export_id = $1 AND lacks <> '{}' ORDER BY position""",
        export["id"],
    )
    lines = []
    for row in rows:
        code, _, what = row.pop("lack").partition(": ")
        ru, en = LACKS[code]
        lines.append(as_line({**row, "code": code, "what": what, "ru": ru, "en": en}))
    return [Gathered([Source("lacks.jsonl", b"".join(lines))])]
