"""Closing a person's data (блокирование): from one commit on nobody is shown it, anywhere.

What is closed is taken out of the row, sealed for its purpose and put back when it may be used
again. No query can forget to look: names and contacts are not there.
"""

import json
import uuid
from typing import Any

from audit import events
from core import clock, db, sealing
from core.actor import Actor
from core.errors import Conflict, NotFound

CLOSED = "Данные закрыты"
"""What stands for the name of somebody whose data is closed."""
ERASED = "Данные удалены"
"""What stands for the name of somebody whose data was erased."""

_FIELDS = ("last_name", "first_name", "middle_name", "email", "phone")
_PURPOSE = "blocked person"


async def block(actor: Actor, person_id: uuid.UUID, *, why: str) -> bool:
    """Close a person's data for everybody; False when it is closed already. `why`: a code."""
    async with db.transaction():
        row = await _row(person_id)
        if row["blocked_at"] is not None or row["erased_at"] is not None:
            return False
        plain = json.dumps({name: row[name] for name in _FIELDS}).encode()
        await db.execute(
            """UPDATE person SET last_name = $2, first_name = '', middle_name = '', email = '',
                   phone = '', blocked_at = $3, blocked = $4 WHERE id = $1""",
            person_id, CLOSED, clock.now(),
            sealing.seal(plain, purpose=_PURPOSE, bound_to=person_id.bytes),
        )  # fmt: skip
        await events.record(
            actor, "person.blocked", subject=("person", person_id), data={"why": why}
        )
    return True


async def unblock(actor: Actor, person_id: uuid.UUID, *, why: str) -> bool:
    """Open what was closed, word for word; False when nothing is closed. `why`: a code."""
    async with db.transaction():
        row = await _row(person_id)
        if row["blocked_at"] is None:
            return False
        plain = opened(row)
        await db.execute(
            """UPDATE person SET last_name = $2, first_name = $3, middle_name = $4, email = $5,
                   phone = $6, blocked_at = NULL, blocked = NULL WHERE id = $1""",
            person_id, *(plain[name] for name in _FIELDS),
        )  # fmt: skip
        await events.record(
            actor, "person.unblocked", subject=("person", person_id), data={"why": why}
        )
    return True


def opened(row: db.Row) -> dict[str, Any]:
    """Names and contacts of a closed person's row, for who may still work with them."""
    plain = sealing.unseal(bytes(row["blocked"]), purpose=_PURPOSE, bound_to=row["id"].bytes)
    found: dict[str, Any] = json.loads(plain)
    return found


async def erase(actor: Actor, person_id: uuid.UUID, *, act_id: uuid.UUID) -> None:
    """Empty everything the directory holds of a person; ids stay. Done again it changes nothing.

    Their accounts end with sessions, tokens and roles, their posts today. Belongs to an act of
    erasure, which knows whether it is lawful.
    """
    moment, today = clock.now(), clock.today()
    async with db.transaction():
        if (await _row(person_id))["erased_at"] is not None:
            return
        for sql in _EMPTIED:
            await db.execute(sql, person_id)
        await db.execute(
            """UPDATE person SET last_name = $2, first_name = '', middle_name = '', email = '',
                   phone = '', blocked = NULL, blocked_at = NULL, erased_at = $3 WHERE id = $1""",
            person_id, ERASED, moment,
        )  # fmt: skip
        await db.execute(
            """UPDATE post SET valid_to = greatest($2::date, valid_from + 1)
               WHERE person_id = $1 AND (valid_to IS NULL OR valid_to > $2)""",
            person_id, today,
        )  # fmt: skip
        await db.execute(
            """UPDATE role_grant SET revoked_at = $2 WHERE revoked_at IS NULL
               AND account_id IN (SELECT id FROM account WHERE person_id = $1)""",
            person_id, moment,
        )  # fmt: skip
        await db.execute(
            """UPDATE consent SET withdrawn_at = $2
               WHERE person_id = $1 AND withdrawn_at IS NULL""",
            person_id, moment,
        )  # fmt: skip
        await events.record(
            actor, "person.erased", subject=("person", person_id), data={"act_id": str(act_id)}
        )


_OWN = "account_id IN (SELECT id FROM account WHERE person_id = $1)"
_EMPTIED = (
    f"DELETE FROM session WHERE {_OWN}",
    f"DELETE FROM api_token WHERE {_OWN}",
    "DELETE FROM person_certificate WHERE person_id = $1",
    """DELETE FROM invitation WHERE person_id = $1 OR lower(email) IN (
           SELECT lower(email) FROM person WHERE id = $1 AND email <> '')""",
    """UPDATE account SET login = 'erased-' || id, password_hash = 'none', totp_secret = NULL,
           totp_confirmed_at = NULL, status = 'disabled' WHERE person_id = $1""",
)


async def require_open(person_id: uuid.UUID) -> None:
    """Raise `person_blocked` for somebody whose data is closed or gone."""
    row = await db.row("SELECT blocked_at, erased_at FROM person WHERE id = $1", person_id)
    if row is not None and (row["blocked_at"] or row["erased_at"]):
        raise Conflict(
            "Данные этого человека закрыты: согласие отозвано или данные удалены.",
            "This person's data is closed: consent was withdrawn or the data was erased.",
            code="person_blocked",
        )


async def _row(person_id: uuid.UUID) -> db.Row:
    found = await db.row("SELECT * FROM person WHERE id = $1 FOR UPDATE", person_id)
    if found is None:
        raise NotFound(code="person_unknown", person=str(person_id))
    return found
