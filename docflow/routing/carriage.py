"""What a channel gets and answers: the message to carry, how it went, and the channel's rules.

A new channel is a module with a `send` coroutine and one `Channel`, and one line in
``docflow.routing.channels``. That module must not import ``consignments``, ``carrying`` or
``settling`` (they import it); what a later receipt says is handed to `settling.settle` by a module
of its own.
"""

import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from core.jobs import RetryPolicy

URGENT = 10
"""Priority of what was dispatched as urgent (срочно): overtakes everything, knows no night."""


PATIENT = RetryPolicy(attempts=1000, first=timedelta(minutes=1), longest=timedelta(hours=2))
"""1, 2, 4 … 64 minutes, then every two hours, until the patience of the channel ends."""


@dataclass(frozen=True, slots=True)
class Carried:
    """A delivery that goes by a message."""

    delivery_id: uuid.UUID
    recipient_id: uuid.UUID


@dataclass(frozen=True, slots=True)
class Consignment:
    """A message to be handed over now (отправление); `id` is its uid over every try, for ever."""

    id: uuid.UUID
    channel: str
    target: str
    """Whom the channel speaks to, as its `target_sql` has it."""
    document_id: uuid.UUID
    sender_id: uuid.UUID
    """The organization that dispatched the document."""
    priority: int
    attempt: int
    """Which try this is, from 1; after a killed process a try may have got through unrecorded."""
    created_at: datetime
    limit_at: datetime
    """By then a receipt has to be there, or the next channel is taken."""
    deliveries: tuple[Carried, ...]
    """Those still wanted; never empty."""


class Kind(StrEnum):
    """How a try went."""

    DELIVERED = "delivered"
    ACCEPTED = "accepted"
    RETRY = "retry"
    REFUSED = "refused"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a try went, or what a receipt says; made by the functions below.

    `code` is stable and short, `text` is for people and names nobody. `apart` holds what went
    otherwise for single deliveries of the same message.
    """

    kind: Kind
    code: str | None = None
    text: str | None = None
    after: timedelta | None = None
    is_target_down: bool = False
    receipt: Mapping[str, Any] | None = None
    apart: Mapping[uuid.UUID, "Outcome"] = field(default_factory=dict)


def delivered(
    receipt: Mapping[str, Any] | None = None, *, apart: Mapping[uuid.UUID, Outcome] | None = None
) -> Outcome:
    """A system there says it has committed it. `receipt` is kept with the try (ids, no names)."""
    return Outcome(Kind.DELIVERED, receipt=receipt, apart=apart or {})


def accepted(receipt: Mapping[str, Any] | None = None) -> Outcome:
    """Handed over; the receipt comes later, through `settling.settle`."""
    return Outcome(Kind.ACCEPTED, receipt=receipt)


def retry(
    code: str, text: str | None = None, *, after: timedelta | None = None,
    is_target_down: bool = False,
) -> Outcome:  # fmt: skip
    """Did not get through now. Without `after` the channel's table says when to try again.

    `is_target_down`: nobody answers there, so everything else for this target waits as well and
    one message at a time looks whether it is back.
    """
    return Outcome(Kind.RETRY, code, text, after=after, is_target_down=is_target_down)


def refused(code: str, text: str | None = None) -> Outcome:
    """The recipient does not take it, and says so: final, no other channel is tried."""
    return Outcome(Kind.REFUSED, code, text)


def broken(code: str, text: str | None = None) -> Outcome:
    """This channel will never get it there: the recipient's next channel, or a person."""
    return Outcome(Kind.BROKEN, code, text)


Send = Callable[[Consignment], Awaitable[Outcome]]


@dataclass(frozen=True, slots=True)
class Channel:
    """An outside channel (канал доставки) and its rules."""

    name: str
    """As in an organization's list of channels and in `delivery.channel`."""
    send: Send
    """Hands a message over. Called outside any transaction, by any process, perhaps again after
    one that got through (same id). What it raises counts as a retry with the code of the error."""
    target_sql: str = "v.recipient_id::text"
    """SQL over the delivery `v`: whom to speak to. Deliveries with one target share a message;
    NULL: this recipient is not to be reached by this channel, so the next one is taken."""
    parallel: int = 16
    """Messages a process has under way at once; a quarter of it is kept for urgent ones."""
    per_target: int = 2
    """Messages under way to one target, over all processes."""
    timeout: timedelta = timedelta(seconds=60)
    """For one `send`; a longer one is cut off and tried again."""
    patience: timedelta = timedelta(days=3)
    """From its making until a receipt has to be there; then `broken("no_receipt")`."""
    resend_after: timedelta | None = None
    """Without a receipt for so long the same message is sent again, under the same id."""
    is_quiet_at_night: bool = False
    """What is not urgent waits for morning in the recipient's own zone."""
    retry: RetryPolicy = PATIENT
    """Pauses between tries: doubled up to the longest, a fifth of each random."""
