"""An empty installation gets its first administrator, once."""

import pytest

from core.errors import Conflict
from directory import founding, sessions
from directory.states import OrganizationKind


async def test_founded_once_and_can_log_in(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "refusal_takes", 0)
    made = await founding.found(
        name="Профсоюз", kind=OrganizationKind.UNION, login="petrova", last_name="Петрова"
    )
    opened = await sessions.begin(
        login="petrova", password=made.password, code=None, organization_id=None, request_id=None
    )
    assert opened.actor.roles == {"administrator"}
    with pytest.raises(Conflict, match="already_founded"):
        await founding.found(
            name="Другой", kind=OrganizationKind.UNION, login="other", last_name="Иная"
        )
