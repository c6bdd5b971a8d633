"""The whole API asked by schemathesis: no 5xx, and no answer that the description does not tell of.

1,000 requests belong to `make test`, 10,000 to `make prove NAME=schemathesis`.
"""

import random
from collections import Counter
from contextlib import AsyncExitStack

import httpx
import pytest

from core import db
from core.actor import Actor
from directory import passwords, sessions
from tests import ground, people
from tests.belongings import Belongings, belongings
from tests.contract import generated_requests as generated
from tests.desks import CHEAP

EVERY_ROLE = ("clerk", "signatory", "editor", "lawyer", "administrator")
ALIASES = {
    "to_id": "document_id", "into_id": "organization_id", "parent_id": "organization_id",
    "subject_id": "document_id", "executor_id": "person_id", "signatory_id": "person_id",
    "subtree_of": "organization_id", "include": "organization_id",
}  # fmt: skip


def known_ids(made: Belongings) -> dict[str, list[str]]:
    """Ids of things that are there, by the names of places they fit."""
    found: dict[str, list[str]] = {}
    for name, one in made.ids.items():
        place = name.rpartition("/")[2]
        if place.endswith("_id") or place in ("code", "public", "role"):
            found.setdefault(place, []).append(one)
    found["organization_id"] += [str(made.line.region), str(made.line.primaries[0])]
    return found | {alias: found[name] for alias, name in ALIASES.items()}


async def callers(made: Belongings, opened: AsyncExitStack) -> list[httpx.AsyncClient]:
    """By token and by session, of the owner, of a recipient, of the center; and nobody."""
    center = await ground.an_organization("center")
    homes: list[Actor] = [
        made.owner,
        await people.clerk_of(made.line.region, *EVERY_ROLE),
        await people.clerk_of(center, *EVERY_ROLE),
    ]
    ways = [way(actor) for actor in homes for way in (ground.api, ground.browser)]
    return [await opened.enter_async_context(way) for way in [*ways, ground.api()]]


async def asked(total: int, number: int) -> tuple[Counter[int], Counter[str]]:
    """Statuses that came, and what was wrong."""
    made = await belongings()
    dice = random.Random(number)  # noqa: S311 - a test that can be repeated
    known, statuses, wrong = known_ids(made), Counter[int](), Counter[str]()
    async with AsyncExitStack() as opened:
        clients = await callers(made, opened)
        described = (await clients[-1].get("/schema/openapi.json")).json()
        for case in generated.made(described, total=total, number=number):
            generated.with_known_ids(case, known, dice)
            request = generated.prepared(case)
            client = dice.choices(clients, [4, 6, 2, 3, 4, 6, 1])[0]
            client.headers["accept"] = "application/json"
            answer = await generated.send(client, request)
            statuses[answer.status_code] += 1
            wrong.update(generated.faults(case, request, answer))
            await _let_in_again()
    return statuses, wrong


async def _let_in_again() -> None:
    """Sessions that a request has ended, accounts it has closed, are there for the next one."""
    await db.execute("UPDATE session SET ended_at = NULL WHERE ended_at IS NOT NULL")
    await db.execute("UPDATE account SET status = 'active' WHERE status = 'disabled'")
    await db.execute("UPDATE role_grant SET revoked_at = NULL WHERE revoked_at IS NOT NULL")
    await db.execute("UPDATE api_token SET revoked_at = NULL WHERE revoked_at IS NOT NULL")


@pytest.fixture
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """Passwords are hashed at no cost."""
    monkeypatch.setattr(passwords, "hasher", CHEAP)
    monkeypatch.setattr(sessions, "refusal_takes", 0.0)


def assert_clean(statuses: Counter[int], wrong: Counter[str]) -> None:
    assert not wrong, "\n".join(f"{count} x {line}" for line, count in wrong.most_common())
    assert not [status for status in statuses if status >= 500], statuses


@pytest.mark.slow
@pytest.mark.usefixtures("database", "_sandbox", "cheap")
async def test_a_thousand_requests() -> None:
    statuses, wrong = await asked(1_000, number=1)
    assert_clean(statuses, wrong)
    assert statuses.total() >= 1_000
    assert sum(statuses[good] for good in (200, 201, 202, 204)) > 100, statuses


@pytest.mark.prove
@pytest.mark.usefixtures("database", "_sandbox", "cheap")
async def test_schemathesis_ten_thousand() -> None:
    # operations without parameters have but one request to be made of them
    statuses, wrong = await asked(10_400, number=2)
    assert_clean(statuses, wrong)
    assert statuses.total() >= 10_000
