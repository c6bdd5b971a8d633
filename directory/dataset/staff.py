"""The people of the demo registry: who holds which post, and who held it before."""

import random
import uuid
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, Protocol

from directory.dataset.vocabulary import Region, person_name, phone
from directory.states import POST_NAMES, PostKind

_P = PostKind
_COMMITTEE = (
    _P.CHAIRMAN, _P.DEPUTY, _P.CLERK, _P.ACCOUNTANT, _P.INFORMATION, _P.YOUTH, _P.LEGAL,
    _P.INSPECTOR,
)  # fmt: skip

POSTS: dict[str, tuple[PostKind, ...]] = {
    "center": _COMMITTEE + (_P.SECRETARY,) * 8 + (_P.EDITOR,) * 4 + (_P.MEMBER,) * 60,
    "district": (_P.CHAIRMAN, _P.SECRETARY),
    "territorial": _COMMITTEE,
    "union": (*_COMMITTEE, _P.SECRETARY, _P.EDITOR, *(_P.MEMBER,) * 20),
    "regional": _COMMITTEE,
    "local": (_P.CHAIRMAN, _P.CLERK, _P.ACCOUNTANT),
    "primary": (_P.CHAIRMAN, _P.ACCOUNTANT),
    "council": (_P.CHAIRMAN,),
    "outside": (),
}
"""Posts of each kind of organization; the center and the unions have a secretariat."""

_CREATED = datetime(2026, 1, 1, tzinfo=UTC)
_ELECTED = date(2024, 9, 1)  # the report-and-election campaign of 2024
_FORMER = 0.08


class Place(Protocol):
    """What has to be known of an organization to appoint people in it."""

    @property
    def id(self) -> uuid.UUID: ...  # noqa: D102 - the organization's
    @property
    def kind(self) -> str: ...  # noqa: D102 - `OrganizationKind`
    @property
    def region(self) -> Region: ...  # noqa: D102 - for area codes
    @property
    def opened_on(self) -> date: ...  # noqa: D102 - nobody is appointed before
    @property
    def closed_on(self) -> date | None: ...  # noqa: D102 - posts end with the organization
    @property
    def email(self) -> str: ...  # noqa: D102 - empty: its people have none either
    @property
    def phone(self) -> str: ...  # noqa: D102 - empty: its people have none either


def appoint(
    places: Sequence[Place],
    tables: dict[str, list[tuple[Any, ...]]],
    *,
    seed: int,
    new_id: Callable[[], uuid.UUID],
) -> None:
    """Fill the tables `person` and `post`: a chairman everywhere, others by kind.

    A twelfth of the chairmen came after somebody else at the elections of 2024.
    """
    rng = random.Random(f"{seed}:people")  # noqa: S311 - repeatable, protects nothing
    for place in places:
        for kind in POSTS[place.kind]:
            since = max(place.opened_on, date(2019, 1, 1))
            until = place.closed_on
            if until is None and kind is PostKind.CHAIRMAN and rng.random() < _FORMER:
                day = _ELECTED + timedelta(days=rng.randrange(120))
                if since < day:
                    _hold(tables, rng, new_id, place, kind, since, day)
                    since = day
            _hold(tables, rng, new_id, place, kind, since, until)


def _hold(
    tables: dict[str, list[tuple[Any, ...]]], rng: random.Random,
    new_id: Callable[[], uuid.UUID], place: Place, kind: PostKind, since: date, until: date | None,
) -> None:  # fmt: skip
    person_id, post_id = new_id(), new_id()
    number = len(tables["person"]) + 1
    last_name, first_name, middle_name = person_name(rng)
    tables["person"].append((
        person_id, last_name, first_name, middle_name,
        f"person-{number}@example.org" if place.email else "",
        phone(place.region, number) if place.phone else "", True, _CREATED,
    ))  # fmt: skip
    title = POST_NAMES[kind][0].capitalize()
    tables["post"].append((post_id, person_id, place.id, kind.value, title, since, until))
