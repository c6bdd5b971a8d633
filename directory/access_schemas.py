"""The wire of access: what is sent to log in, invite, give roles, and what comes back."""

import uuid
from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

Short = Annotated[str, Meta(max_length=200)]
Secret = Annotated[str, Meta(max_length=1024)]
Code = Annotated[
    str, Meta(max_length=16, description="Six digits of the authenticator", examples=["492039"])
]
Role = Annotated[
    str,
    Meta(
        max_length=20,
        description="clerk, signatory, editor, lawyer or administrator",
        examples=["clerk"],
    ),
]
Login = Annotated[str, Meta(max_length=64, examples=["petrova"])]
Email = Annotated[str, Meta(max_length=254, examples=["profkom@example.org"])]


class LogIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Login and password, with the code where an authenticator is in use."""

    login: Annotated[str, Meta(max_length=200, examples=["petrova"])]
    password: Secret
    code: Code | None = None
    organization_id: uuid.UUID | None = None


class Me(msgspec.Struct, frozen=True):
    """Who is signed in, and on whose behalf."""

    account_id: uuid.UUID
    person_id: uuid.UUID
    login: str
    last_name: str
    first_name: str
    middle_name: str
    language: str
    organization_id: uuid.UUID | None
    roles: list[str]
    organizations: "list[Membership]"
    second_factor: bool
    """Given in this session."""
    has_second_factor: bool
    """An authenticator is in use."""
    scopes: list[str] | None
    """Only for tokens."""


class Membership(msgspec.Struct, frozen=True):
    """An organization one works in, and as what."""

    id: uuid.UUID
    name: str
    short_name: str
    roles: list[str]


class SessionOpened(msgspec.Struct, frozen=True):
    """A new session; its token travels in a cookie only."""

    id: uuid.UUID
    csrf_token: str
    """Send it as X-CSRF-Token with everything that changes something."""
    expires_at: datetime
    account_id: uuid.UUID
    organization_id: uuid.UUID | None
    roles: list[str]
    second_factor: bool
    second_factor_due: bool
    """The roles ask for an authenticator that is not set up yet."""


class ChooseOrganization(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Act for another organization."""

    organization_id: uuid.UUID


class ChangePassword(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The present password and the new one (at least 12 characters)."""

    current: Secret
    new: Secret


class BeginSecondFactor(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The password again, and a code of the present authenticator if there is one."""

    password: Secret
    code: Code | None = None


class SecondFactorBegun(msgspec.Struct, frozen=True):
    """For the authenticator; shown once."""

    secret: str
    uri: str


class ConfirmSecondFactor(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The first code of the new authenticator."""

    code: Code


class CreateToken(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A program's name, what it may do, and for how many days (at most 365)."""

    name: Annotated[str, Meta(max_length=100, examples=["Выгрузка в 1С"])]
    scopes: Annotated[list[Short], Meta(examples=[["documents:read"]])]
    days: Annotated[int, Meta(ge=1, le=365, examples=[90])] = 90


class TokenCreated(msgspec.Struct, frozen=True):
    """The secret, shown this once."""

    id: uuid.UUID
    token: str
    expires_at: datetime


class Token(msgspec.Struct, frozen=True):
    """A token as it is remembered."""

    id: uuid.UUID
    name: str
    organization_id: uuid.UUID
    scopes: list[str]
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None


class Invite(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whom to invite to which role; `person_id` if they hold a post in the directory already."""

    organization_id: uuid.UUID
    role: Role
    email: Email
    person_id: uuid.UUID | None = None


class Invited(msgspec.Struct, frozen=True):
    """The secret for the invited person, shown this once."""

    id: uuid.UUID
    token: str
    expires_at: datetime


class Invitation(msgspec.Struct, frozen=True):
    """An invitation that waits."""

    id: uuid.UUID
    role: str
    email: str
    created_at: datetime
    expires_at: datetime


class AcceptInvitation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The invitation's secret and what the person chooses."""

    token: Secret
    last_name: Annotated[str, Meta(max_length=100, examples=["Петрова"])]
    first_name: Annotated[str, Meta(max_length=100, examples=["Анна"])]
    login: Login
    password: Secret
    middle_name: Annotated[str, Meta(max_length=100)] = ""
    language: Annotated[str, Meta(max_length=2, examples=["ru"])] = "ru"


class JoinOrganization(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The invitation's secret, for somebody who has an account."""

    token: Secret


class InvitationAccepted(msgspec.Struct, frozen=True):
    """What came of an invitation."""

    account_id: uuid.UUID
    person_id: uuid.UUID
    organization_id: uuid.UUID
    role: str


class GiveRole(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A role for an account that works, or worked, in the organization."""

    account_id: uuid.UUID
    role: Role


class RoleGiven(msgspec.Struct, frozen=True):
    """The grant, by which it is taken away again."""

    id: uuid.UUID


class RoleHeld(msgspec.Struct, frozen=True):
    """Who holds which role."""

    id: uuid.UUID
    account_id: uuid.UUID
    role: str
    granted_at: datetime
    login: str
    status: str
    has_second_factor: bool
    last_name: str
    first_name: str
    middle_name: str
