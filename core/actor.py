"""Who acts: a person with an account, a program with a token, or a rule of the service."""

import uuid
from dataclasses import dataclass, replace
from typing import Literal

from core.errors import Forbidden


@dataclass(frozen=True, slots=True)
class Actor:
    """The first argument of every verb that changes or shows something."""

    kind: Literal["user", "rule", "integration"]
    id: uuid.UUID | None
    """The account; None for rules of the service."""
    organization_id: uuid.UUID | None
    """The organization on whose behalf this is done; it decides what is visible."""
    roles: frozenset[str] = frozenset()
    """Roles in that organization: clerk, signatory, editor, lawyer, administrator."""
    person_id: uuid.UUID | None = None
    scopes: frozenset[str] | None = None
    """What a token was limited to; None for a person's session."""
    second_factor: bool = False
    request_id: uuid.UUID | None = None
    language: Literal["ru", "en"] = "ru"

    def require(self, *roles: str) -> None:
        """Raise Forbidden unless the actor holds one of `roles`; rules may do what they do."""
        if self.kind != "rule" and not self.roles & set(roles):
            raise Forbidden(needs=sorted(roles))

    @property
    def account_id(self) -> uuid.UUID:
        """The account, for rows that need one."""
        if self.id is None:
            raise Forbidden(needs=["account"])
        return self.id

    @property
    def home_id(self) -> uuid.UUID:
        """The organization, for verbs that cannot do without one."""
        if self.organization_id is None:
            raise Forbidden(
                "Выберите организацию, от имени которой работаете.",
                "Choose the organization you act for.",
                code="no_organization",
            )
        return self.organization_id

    def acting_for(self, organization_id: uuid.UUID) -> "Actor":
        """The same rule of the service, on behalf of an organization."""
        if self.kind != "rule":
            raise Forbidden
        return replace(self, organization_id=organization_id)


RULE = Actor(kind="rule", id=uuid.UUID(int=0), organization_id=None)
"""The service itself: sweeps, reminders, deadlines."""
