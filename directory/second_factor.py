"""The second factor: time-based one-time codes (RFC 6238), each taken once."""

import base64
import hmac
import secrets
import uuid
from dataclasses import dataclass, field

import pyotp

from audit import events
from core import clock, db, sealing
from core.actor import Actor
from core.errors import Conflict, Forbidden, InvalidInput
from directory import lockout

STEP = 30
"""Seconds a code lives; one step before and after is taken too (RFC 6238 section 5.2)."""
PURPOSE = "totp"
OBLIGATORY_FOR = frozenset({"signatory", "administrator"})
ISSUER = "docflow"


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What the person's authenticator needs; shown once."""

    secret: str = field(repr=False)
    """Base32, for typing."""
    uri: str = field(repr=False)
    """otpauth://, for a QR code."""


def demand(actor: Actor) -> None:
    """Refuse (403, `second_factor_required`) who signs or administers without a second factor.

    For a person: a code was given at log-in. For a token: the right to sign was given to it by a
    session that had one. Rules of the service pass.
    """
    if actor.kind != "rule" and not actor.second_factor:
        raise Forbidden(
            "Для этого действия нужен второй фактор. Подключите приложение с кодами в профиле"
            " и войдите заново.",
            "This needs a second factor. Set up an authenticator in your profile,"
            " then sign in again.",
            code="second_factor_required",
        )


def only_a_person(actor: Actor) -> None:
    """Refuse (403, `person_only`) programs with a token: this belongs to a person's session."""
    if actor.kind != "user":
        raise Forbidden(
            "Это действие доступно только человеку в сеансе, не программе.",
            "Only a person in a session may do this, not a program.",
            code="person_only",
        )


async def begin(actor: Actor, *, password: str, code: str | None = None) -> Enrolment:
    """Make a new secret for the actor's account; it counts once `confirm` saw a code of it.

    Until then the account has no second factor, and neither have its open sessions. Asks for the
    password again, and for a code of the present authenticator when there is one, so that an open
    screen is not enough. Belongs outside a transaction (see `lockout.prove`).
    """
    only_a_person(actor)
    attempt = await lockout.prove(account_id=actor.account_id, password=password)
    if attempt is None:
        raise refused()
    if attempt.totp_secret is not None and not await accepts(
        account_id=attempt.account_id, sealed=attempt.totp_secret, code=code or ""
    ):
        await lockout.refuse(attempt)
        raise refused()
    raw = secrets.token_bytes(20)
    sealed = sealing.seal(raw, purpose=PURPOSE, bound_to=attempt.account_id.bytes)
    async with db.transaction():
        await lockout.succeed(attempt)
        await db.execute(
            """UPDATE account SET totp_secret = $2, totp_confirmed_at = NULL, totp_last_step = 0
               WHERE id = $1""",
            attempt.account_id, sealed,
        )  # fmt: skip
        await db.execute(
            "UPDATE session SET second_factor = false WHERE account_id = $1 AND ended_at IS NULL",
            attempt.account_id,
        )
        await events.record(actor, "second_factor.begun", subject=("account", attempt.account_id))
    secret = base64.b32encode(raw).decode()
    uri = pyotp.TOTP(secret).provisioning_uri(name=attempt.login, issuer_name=ISSUER)
    return Enrolment(secret=secret, uri=uri)


async def confirm(actor: Actor, *, code: str, session_id: uuid.UUID | None = None) -> None:
    """Take the new authenticator into use with its first code; the given session has it at once.

    Raises `Conflict` (`no_enrolment`) when none was begun, `InvalidInput` (`code_wrong`).
    """
    only_a_person(actor)
    account_id = actor.account_id
    async with db.transaction():
        found = await db.row(
            """SELECT totp_secret FROM account
               WHERE id = $1 AND totp_secret IS NOT NULL AND totp_confirmed_at IS NULL
               FOR UPDATE""",
            account_id,
        )
        if found is None:
            raise Conflict(
                "Сначала начните подключение приложения с кодами.",
                "Begin the set-up of an authenticator first.",
                code="no_enrolment",
            )
        if not await accepts(account_id=account_id, sealed=found["totp_secret"], code=code):
            raise InvalidInput(
                "Код не подошёл. Проверьте время на телефоне и введите следующий код.",
                "The code does not fit. Check the phone's clock and enter the next code.",
                code="code_wrong",
            )
        await db.execute(
            "UPDATE account SET totp_confirmed_at = $2 WHERE id = $1", account_id, clock.now()
        )
        await db.execute(
            "UPDATE session SET second_factor = true WHERE id = $1 AND account_id = $2",
            session_id, account_id,
        )  # fmt: skip
        await events.record(actor, "second_factor.confirmed", subject=("account", account_id))


async def accepts(*, account_id: uuid.UUID, sealed: bytes, code: str) -> bool:
    """Is this a code of now, not used before? Taking it uses its step up, also for rivals.

    The step is taken by a guarded UPDATE (RFC 6238 section 5.2: a code is accepted once).
    """
    raw = sealing.unseal(sealed, purpose=PURPOSE, bound_to=account_id.bytes)
    step = _step_of(raw, code.strip().replace(" ", ""))
    if step is None:
        return False
    taken = await db.execute(
        "UPDATE account SET totp_last_step = $2 WHERE id = $1 AND totp_last_step < $2",
        account_id, step,
    )  # fmt: skip
    return taken == 1


def _step_of(raw: bytes, code: str) -> int | None:
    one_time = pyotp.TOTP(base64.b32encode(raw).decode(), interval=STEP)
    present = int(clock.now().timestamp()) // STEP
    found = None
    for step in (present - 1, present, present + 1):
        if hmac.compare_digest(one_time.generate_otp(step).encode(), code.encode()):
            found = step
    return found


def refused() -> Forbidden:
    """The refusal of who had to prove again who they are, and did not."""
    return Forbidden(
        "Пароль или код не подошёл. Проверьте и повторите; после нескольких неудач подождите.",
        "The password or the code does not fit. Check and repeat; after several failures wait.",
        code="proof_refused",
    )
