"""The demo registry: one seed, the same bytes each time.

Every organization carries the mark `demo`; nobody and no number in it is real: INN and OGRN are
of a tax office that does not exist, telephones of exchanges that do not, addresses of
example.org.
"""

import hashlib
import json
import random
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from directory.dataset import staff
from directory.dataset.sizes import (
    EDUCATION,
    HEALTH,
    IRKUTSK,
    SIZES,
    Size,
    SizeName,
    split,
)
from directory.dataset.vocabulary import (
    Region,
    Union,
    fixed_id,
    inn,
    ogrn,
    own_code,
    phone,
    regions,
    unions,
)
from directory.states import DISTRICTS

DEFAULT_SEED = 2026

COLUMNS: dict[str, tuple[str, ...]] = {
    "organization": (
        "id", "code", "kind", "name", "short_name", "branch_code", "region_code", "district_code",
        "inn", "ogrn", "kpp", "address", "phone", "email", "time_zone", "channels", "status",
        "opened_on", "closed_on", "merged_into_id", "demo", "confirmed_at", "created_at",
        "updated_at",
    ),
    "organization_link": ("id", "parent_id", "child_id", "line", "valid_from", "valid_to"),
    "person": (
        "id", "last_name", "first_name", "middle_name", "email", "phone", "demo", "created_at",
    ),
    "post": ("id", "person_id", "organization_id", "kind", "title", "valid_from", "valid_to"),
}  # fmt: skip
"""Tables in the order they are loaded, and their columns in the order of the rows."""

CREATED = datetime(2026, 1, 1, tzinfo=UTC)
_HISTORY = date(2021, 1, 1)
_STREETS = ("Ленина", "Советская", "Карла Маркса", "Мира", "Гагарина", "Кирова", "Пушкина")


@dataclass(frozen=True, slots=True)
class Dataset:
    """A generated registry in memory, with the ids that tests and the demo go by."""

    size: SizeName
    seed: int
    tables: dict[str, list[tuple[Any, ...]]] = field(repr=False)
    center_id: uuid.UUID
    health_union_id: uuid.UUID
    irkutsk_id: uuid.UUID
    """The territorial association of Irkutsk."""
    relay_regional_id: uuid.UUID
    """A regional organization of the health union with locals and with primaries of its own."""
    relay_local_id: uuid.UUID
    """One of its local organizations, with primaries: two relays from the union."""

    def rows(self, table: str) -> Iterator[tuple[Any, ...]]:
        """The rows of a table in the order of `COLUMNS[table]`."""
        return iter(self.tables[table])

    def lines(self) -> Iterator[str]:
        """The whole registry as JSONL: one object a row, `table` first."""
        for table, columns in COLUMNS.items():
            for row in self.tables[table]:
                named = dict(zip(columns, row, strict=True))
                yield json.dumps({"table": table, **named}, ensure_ascii=False, default=str)

    def sha256(self) -> str:
        """The digest of `lines`, each ended by a line feed."""
        digest = hashlib.sha256()
        for line in self.lines():
            digest.update(line.encode() + b"\n")
        return digest.hexdigest()


@dataclass(frozen=True, slots=True)
class Node:
    """An organization as far as the generator has to remember it."""

    id: uuid.UUID
    kind: str
    region: Region
    branch: str | None
    opened_on: date
    closed_on: date | None
    email: str
    phone: str


def generate(size: SizeName, *, seed: int = DEFAULT_SEED) -> Dataset:
    """Make the registry of a size; the same size and seed give the same bytes, everywhere."""
    maker = _Maker(SIZES[size], seed)
    maker.make()
    staff.appoint(maker.nodes, maker.tables, seed=seed, new_id=maker.new_id)
    return Dataset(
        size=size, seed=seed, tables=maker.tables, center_id=maker.center.id,
        health_union_id=maker.union_nodes[HEALTH].id, irkutsk_id=maker.territories[IRKUTSK].id,
        relay_regional_id=maker.relay[0], relay_local_id=maker.relay[1],
    )  # fmt: skip


class _Maker:
    """The state of one generation: tables so far, counters of numbers and ids."""

    def __init__(self, size: Size, seed: int) -> None:
        self.size = size
        self.seed = seed
        self.rng = random.Random(f"{seed}:registry")  # noqa: S311 - repeatable, protects nothing
        self.regions = {region.code: region for region in regions()}
        self.unions = {union.code: union for union in unions()}
        self.tables: dict[str, list[tuple[Any, ...]]] = {table: [] for table in COLUMNS}
        self.nodes: list[Node] = []
        self.union_nodes: dict[str, Node] = {}
        self.territories: dict[str, Node] = {}
        self.numbers: dict[str, int] = {}
        self.count = 0
        self.center: Node
        self.relay: tuple[uuid.UUID, uuid.UUID]

    def new_id(self) -> uuid.UUID:
        self.count += 1
        return fixed_id(self.seed, self.count)

    def next(self, key: str) -> int:
        self.numbers[key] = self.numbers.get(key, 0) + 1
        return self.numbers[key]

    def make(self) -> None:
        self._tops()
        plan = self._regionals()
        for branch in self.size.unions:
            self._below(branch, plan[branch])
        self._history()

    def _tops(self) -> None:
        capital = self.regions["77"]
        self.center = self.organization(
            own_code("00", "00", 0, 0), "center", capital,
            "Федерация независимых профсоюзов (демонстрационный реестр)", "Федеральный центр",
        )  # fmt: skip
        covered = {self.regions[code].district for code in self.size.regions}
        offices = {}
        for number, (code, (title, _)) in enumerate(DISTRICTS.items(), start=1):
            if code in covered:
                home = next(r for r in self.regions.values() if r.district == code)
                offices[code] = self.organization(
                    own_code("00", "00", number, 0), "district", home,
                    f"Представительство в федеральном округе «{title}»", f"{title} ФО",
                )  # fmt: skip
                self.link(self.center, offices[code], "territorial")
        for code in self.size.regions:
            region = self.regions[code]
            self.territories[code] = self.organization(
                own_code("00", code, 0, 0), "territorial", region,
                f"Союз «Объединение организаций профсоюзов» — {region.name}",
                f"Объединение профсоюзов: {region.name}",
            )  # fmt: skip
            self.link(offices[region.district], self.territories[code], "territorial")
        for code in self.size.unions:
            union = self.unions[code]
            self.union_nodes[code] = self.organization(
                own_code(code, "00", 0, 0), "union", capital,
                f"Профессиональный союз {union.title} Российской Федерации",
                f"Профсоюз {union.title} РФ", branch=code,
            )  # fmt: skip
            self.link(self.center, self.union_nodes[code], "branch")
        self._councils()
        self._outside()

    def _councils(self) -> None:
        small = self.size.councils < 3
        wanted = self.size.regions[: self.size.councils] if small else self.size.regions
        for code in wanted:
            region = self.regions[code]
            for number in range(1, 2 if small else self.size.councils + 1):
                town = region.towns[(number - 1) % len(region.towns)]
                area = "" if number <= len(region.towns) else f", район № {number}"
                council = self.organization(
                    own_code("00", code, number, 0), "council", region,
                    f"Координационный совет организаций профсоюзов — {town}{area}",
                    f"КС: {town}{area}",
                )  # fmt: skip
                self.link(self.territories[code], council, "territorial")

    def _outside(self) -> None:
        federal = (
            "Министерство здравоохранения Российской Федерации",
            "Министерство труда и социальной защиты Российской Федерации",
            "Министерство просвещения Российской Федерации",
            "Правительство Российской Федерации",
            "Федеральная служба по труду и занятости",
            "Министерство науки и высшего образования Российской Федерации",
            "Министерство транспорта Российской Федерации",
            "Министерство энергетики Российской Федерации",
            "Министерство финансов Российской Федерации",
            "Министерство культуры Российской Федерации",
            "Министерство спорта Российской Федерации",
        )
        names = [(name, self.regions["77"]) for name in federal]
        names += [(f"Орган исполнительной власти — {r.name}", r) for r in self.regions.values()]
        for number, (name, region) in enumerate(names[: self.size.outside], start=1):
            self.organization(own_code("99", "00", number, 0), "outside", region, name, name)

    def _regionals(self) -> dict[str, list[Node]]:
        """For each union, its regional organizations, Irkutsk first where it has one."""
        elsewhere = [code for code in self.size.regions if code != IRKUTSK]
        others = self.size.unions[2:]
        counts = [self.size.others.regionals // len(others)] * len(others)
        for index in range(self.size.others.regionals - sum(counts)):
            counts[index] += 1
        wanted = dict(zip(others, counts, strict=True))
        wanted |= {
            HEALTH: self.size.health.regionals,
            EDUCATION: self.size.education.regionals,
        }
        present = {HEALTH, EDUCATION, *others[: self.size.irkutsk_others]}
        plan = {}
        for branch in self.size.unions:
            chosen = [IRKUTSK] if branch in present else []
            chosen += sorted(self.rng.sample(elsewhere, wanted[branch] - len(chosen)))
            plan[branch] = [self._regional(self.unions[branch], code) for code in chosen]
        self._plan_small(plan)
        return plan

    def _regional(self, union: Union, code: str) -> Node:
        region = self.regions[code]
        node = self.organization(
            own_code(union.code, code, 0, 0), "regional", region,
            f"{region.adjective} {region.kind} организация Профсоюза {union.title} РФ",
            f"{region.adjective} {region.kind} организация", branch=union.code,
        )  # fmt: skip
        self.link(self.union_nodes[union.code], node, "branch")
        self.link(self.territories[code], node, "territorial")
        return node

    def _plan_small(self, plan: dict[str, list[Node]]) -> None:
        """How many locals and primaries each regional organization gets."""
        self.plan: dict[uuid.UUID, tuple[int, int]] = {}
        others = [node for branch in self.size.unions[2:] for node in plan[branch]]
        for nodes, share in ((plan[HEALTH], self.size.health),
                             (plan[EDUCATION], self.size.education),
                             (others, self.size.others)):  # fmt: skip
            home = [node for node in nodes if node.region.code == IRKUTSK]
            away = [node for node in nodes if node.region.code != IRKUTSK]
            self._divide(home, share.irkutsk_locals, share.irkutsk_primaries)
            self._divide(
                away,
                share.locals - share.irkutsk_locals,
                share.primaries - share.irkutsk_primaries,
            )

    def _divide(self, nodes: list[Node], local_count: int, primary_count: int) -> None:
        with_locals = max(1, min(len(nodes), local_count // 2)) if nodes else 0
        locals_each = split(local_count, with_locals, self.rng, least=1)
        locals_each += [0] * (len(nodes) - with_locals)
        self.rng.shuffle(locals_each)
        primaries_each = split(primary_count, len(nodes), self.rng, least=3)
        for node, some, many in zip(nodes, locals_each, primaries_each, strict=True):
            self.plan[node.id] = (some, many)

    def _below(self, branch: str, nodes: list[Node]) -> None:
        for regional in nodes:
            local_count, primary_count = self.plan[regional.id]
            bodies = [self._local(branch, regional, n + 1) for n in range(local_count)]
            direct = primary_count if not bodies else max(1, primary_count * 3 // 10)
            direct = min(direct, primary_count)
            shares = split(primary_count - direct, len(bodies), self.rng, least=1)
            for body, number, count in [(regional, 0, direct), *(
                (body, n, share) for n, (body, share) in enumerate(
                    zip(bodies, shares, strict=True), start=1)
            )]:  # fmt: skip
                for _ in range(count):
                    self._primary(branch, body, number)
            if branch == HEALTH and bodies and not hasattr(self, "relay"):
                self.relay = (regional.id, bodies[0].id)

    def _local(self, branch: str, regional: Node, number: int) -> Node:
        region, union = regional.region, self.unions[branch]
        town = region.towns[(number - 1) % len(region.towns)]
        what = "городская" if number <= len(region.towns) else f"районная № {number}"
        node = self.organization(
            own_code(branch, region.code, number, 0), "local", region,
            f"Местная ({what}) организация Профсоюза {union.title} РФ — {town}",
            f"Местная организация: {town}", branch=branch,
        )  # fmt: skip
        self.link(regional, node, "branch")
        return node

    def _primary(
        self, branch: str, above: Node, local: int, *, closed: date | None = None,
        into: Node | None = None,
    ) -> Node:  # fmt: skip
        region, union = above.region, self.unions[branch]
        number = self.next(f"primary:{branch}:{region.code}")
        place = self.rng.choice(union.institutions)
        numbered = f"{place[:-1]} № {number}»" if place.endswith("»") else f"{place} № {number}"
        town = self.rng.choice(region.towns)
        node = self.organization(
            own_code(branch, region.code, local, number), "primary", region,
            f"Первичная профсоюзная организация {numbered}, {town}", f"ППО {numbered}",
            branch=branch, closed=closed, into=into,
        )  # fmt: skip
        self.link(above, node, "branch")
        self.placed = getattr(self, "placed", [])
        self.placed.append((node, above, local))
        return node

    def _history(self) -> None:
        """Five years before today: mergers, closures and moves, on top of what is in force."""
        standing = list(self.placed)
        for node, above, local in self.rng.sample(standing, len(standing) * 3 // 100):
            day = self._past_day()
            into = node if self.rng.random() < 0.67 else None
            self._primary(node.branch or "", above, local, closed=day, into=into)
        siblings: dict[tuple[str | None, str], list[Node]] = {}
        for node in self.nodes:
            if node.kind == "local":
                siblings.setdefault((node.branch, node.region.code), []).append(node)
        movable = {node.id: above for node, above, _ in standing if above.kind == "local"}
        links = self.tables["organization_link"]
        for index, link in enumerate(list(links)):
            above = movable.get(link[2])
            if above is None or self.rng.random() >= 0.02:
                continue
            choice = [n for n in siblings[above.branch, above.region.code] if n.id != above.id]
            if choice:
                day = self._past_day()
                former = self.rng.choice(choice)
                links[index] = (*link[:4], day, None)
                links.append((self.new_id(), former.id, *link[2:4], link[4], day))

    def _past_day(self) -> date:
        return _HISTORY + timedelta(days=self.rng.randrange(5 * 365))

    def organization(
        self, code: str, kind: str, region: Region, name: str, short_name: str, *,
        branch: str | None = None, closed: date | None = None, into: Node | None = None,
    ) -> Node:  # fmt: skip
        """Write one organization with its contacts and numbers."""
        number, ids = self.next(f"phone:{region.code}"), self.new_id()
        channels, email, dialed = self._reach(kind, code, phone(region, number))
        is_legal = kind not in {"primary", "council"} or (
            kind == "primary" and self.rng.random() < 0.3
        )
        year = self.rng.randrange(1992, 2020) if kind == "primary" else 1991
        opened = date(year, 1, 1) + timedelta(days=self.rng.randrange(365))
        serial = self.next(f"inn:{region.code}") if is_legal else 0
        town = region.towns[number % len(region.towns)]
        address = f"г. {town}, ул. {_STREETS[number % 7]}, д. {1 + number % 120}"
        status = "active" if closed is None else ("closed" if into is None else "merged")
        self.tables["organization"].append((
            ids, code, kind, name, short_name, branch, region.code, region.district,
            inn(region.code, serial) if is_legal else None,
            ogrn(region.code, max(2002, year), serial) if is_legal else None,
            f"{region.code}9901001" if is_legal else None,
            address, dialed, email, region.time_zone, channels, status, opened, closed,
            None if into is None else into.id, True, None, CREATED, CREATED,
        ))  # fmt: skip
        node = Node(ids, kind, region, branch, opened, closed, email, dialed)
        self.nodes.append(node)
        return node

    def _reach(self, kind: str, code: str, dialed: str) -> tuple[list[str], str, str]:
        """Channels, e-mail, telephone: 12 % of primaries have no e-mail, 3 % nothing at all."""
        chance = self.rng.random() if kind == "primary" else 1.0
        if chance < 0.03:
            return ["paper"], "", ""
        if chance < 0.15:
            return ["voice", "paper"], "", dialed
        channels = ["medo", "paper"] if kind == "outside" else ["internal", "email"]
        return channels, f"org-{code}@example.org", dialed

    def link(self, above: Node, below: Node, line: str) -> None:
        since = max(above.opened_on, below.opened_on)
        self.tables["organization_link"].append(
            (self.new_id(), above.id, below.id, line, since, below.closed_on)
        )
