"""A message on its way in, and what was decided about it."""

import uuid
from dataclasses import dataclass, field

from docflow.documents import external
from docflow.gateways.medo.messages import Message
from docflow.routing.medo import contents
from docflow.routing.medo.folders import Part
from docflow.routing.medo.partners import Partner
from docflow.routing.medo.states import MessageStatus

S = MessageStatus


@dataclass(slots=True)
class Arrival:
    """One message that came (поступившее сообщение)."""

    id: uuid.UUID
    folder: str
    message: Message
    parts: list[Part]
    payload: bytes
    partner: Partner | None = None
    ours: list[Partner] = field(default_factory=list)
    status: MessageStatus = S.TAKEN
    reason: str | None = None
    stored: contents.Stored | None = None
    outside: tuple[external.OutsideFile, ...] = ()

    def hold(self, reason: str, *, status: MessageStatus = S.QUARANTINED) -> None:
        """Keep the message for a person."""
        self.status, self.reason = status, reason

    @property
    def place(self) -> str:
        """Where its folder goes."""
        return {S.RESTRICTED: "restricted", S.QUARANTINED: "quarantine"}.get(self.status, "taken")
