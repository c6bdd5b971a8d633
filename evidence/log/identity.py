"""Who the log is: its name (origin), its signing key and the secret of its salts.

Made once, when the first event is taken. The secrets lie sealed in the database, so that nobody
signs for the log who has the database alone.
"""

import secrets
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit import events
from audit.commitments import SALT_BYTES
from core import clock, db, sealing
from core.actor import RULE
from core.errors import Unavailable
from core.outbound import is_public
from core.settings import settings
from evidence.log import notes
from evidence.log.notes import VerifierKey

STARTED = "log.started"
"""The log's first event; a second one would tell that the log was begun anew."""


@dataclass(frozen=True, slots=True)
class Identity:
    """The log's name and secrets."""

    verifier: VerifierKey
    key: Ed25519PrivateKey = field(repr=False)
    salt_secret: bytes = field(repr=False)

    @property
    def origin(self) -> str:
        """The log's name, the first line of its checkpoints and the name of its key."""
        return self.verifier.name

    def signed(self, text: str) -> str:
        """The text as a note with the log's signature."""
        return notes.Note(text, (notes.sign(text, name=self.origin, key=self.key),)).encoded()


async def verifier() -> VerifierKey:
    """The public half alone; raises `log_not_started` before the first event was taken."""
    row = await db.row("SELECT origin, public_key FROM log_key")
    if row is None:
        raise Unavailable(
            "Доказательный журнал ещё не начат: его ведёт процесс заданий. Повторите позже.",
            "The log has not begun: the job process keeps it. Try again later.",
            code="log_not_started",
        )
    return VerifierKey(row["origin"], row["public_key"])


async def load() -> Identity | None:
    """The log's identity; None before it has one. Raises `seal_broken` under another SECRET_KEY."""
    row = await db.row("SELECT id, origin, public_key, sealed_key, sealed_salt FROM log_key")
    if row is None:
        return None
    place = row["id"].bytes
    return Identity(
        VerifierKey(row["origin"], row["public_key"]),
        Ed25519PrivateKey.from_private_bytes(
            sealing.unseal(row["sealed_key"], purpose="log key", bound_to=place)
        ),
        sealing.unseal(row["sealed_salt"], purpose="log salt", bound_to=place),
    )


async def begin() -> Identity:
    """Give the log its name and keys unless it has them; inside a transaction of its own."""
    known = await load()
    if known is not None:
        return known
    key, salt = Ed25519PrivateKey.generate(), secrets.token_bytes(SALT_BYTES)
    key_id = clock.new_id()
    name = origin_from(settings().public_url)
    async with db.transaction():
        is_new = await db.execute(
            """INSERT INTO log_key (id, origin, public_key, sealed_key, sealed_salt, created_at)
               VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING""",
            key_id, name, key.public_key().public_bytes_raw(),
            sealing.seal(key.private_bytes_raw(), purpose="log key", bound_to=key_id.bytes),
            sealing.seal(salt, purpose="log salt", bound_to=key_id.bytes), clock.now(),
        )  # fmt: skip
        if is_new:
            await events.record(
                RULE, STARTED, subject=("log", key_id),
                data={"origin": name, "key": str(notes.key_of(name, key))},
            )  # fmt: skip
    return await load() or await begin()


def origin_from(public_url: str) -> str:
    """The service's address without its scheme, as C2SP tlog-tiles advises.

    Addresses that many installations have, such as loopback, get a random end: a witness tells
    logs apart by this name.
    """
    parts = urlsplit(public_url)
    host = parts.hostname or "localhost"
    stem = f"{parts.netloc.rpartition('@')[2]}{parts.path.rstrip('/')}/log"
    is_literal = host.replace(".", "").isdigit() or ":" in host
    if host == "localhost" or (is_literal and not is_public(host)):
        return f"{stem}/{secrets.token_hex(6)}"
    return stem
