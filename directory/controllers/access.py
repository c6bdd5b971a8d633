"""Access over HTTP: log-in, one's own account, tokens, invitations, roles."""

import uuid
from collections.abc import Mapping
from typing import Any, TypeAlias, TypeVar

import msgspec
from litestar import Controller, Request, Response, delete, get, post, put
from litestar.params import FromPath, JSONBody

from directory import access_schemas as wire
from directory import accounts, grants, invitations, second_factor, sessions, tokens
from directory.controllers.addresses import client_of
from directory.controllers.authentication import (
    CALLER,
    Caller,
    CallerAccess,
    any_token,
    cookies_of,
    no_cookies,
    public,
    requires,
    signed_in,
)

T = TypeVar("T")
Id: TypeAlias = FromPath[uuid.UUID]


def _request_id(request: Request[Any, Any, Any]) -> uuid.UUID | None:
    found = request.scope["state"].get("request_id")
    return found if isinstance(found, uuid.UUID) else None


def _as(kind: type[T], found: Mapping[str, Any], **more: Any) -> T:
    return msgspec.convert({**found, **more}, kind)


class SessionController(Controller):
    """Log in and out."""

    path = "/api/v1/sessions"
    tags = ("access",)
    dependencies = CALLER

    @post(guards=[public], opt={"csrf_exempt": True}, summary="Log in")
    async def begin(
        self, data: JSONBody[wire.LogIn], request: Request[Any, Any, Any]
    ) -> Response[wire.SessionOpened]:
        """Open a session; 401 `code_required` asks for all again with the authenticator's code."""
        opened = await sessions.begin(
            login=data.login, password=data.password, code=data.code,
            organization_id=data.organization_id, request_id=_request_id(request),
            address=client_of(request),
        )  # fmt: skip
        answer = wire.SessionOpened(
            id=opened.id, csrf_token=opened.csrf, expires_at=opened.expires_at,
            account_id=opened.actor.account_id, organization_id=opened.actor.organization_id,
            roles=sorted(opened.actor.roles), second_factor=opened.actor.second_factor,
            second_factor_due=opened.is_second_factor_due,
        )  # fmt: skip
        return Response(answer, cookies=cookies_of(opened))

    @delete("/current", guards=[signed_in], status_code=200, summary="Log out")
    async def end(self, actor: Caller, access: CallerAccess) -> Response[None]:
        """End this session."""
        await sessions.end(actor, session_id=access.id)
        return Response(None, cookies=no_cookies(), status_code=204)

    @put("/current/organization", guards=[signed_in], status_code=204, summary="Act for another")
    async def choose(
        self, data: JSONBody[wire.ChooseOrganization], actor: Caller, access: CallerAccess
    ) -> None:
        """Act for another of one's organizations from the next request on."""
        await sessions.choose_organization(
            actor, session_id=access.id, organization_id=data.organization_id
        )


class MeController(Controller):
    """One's own account."""

    path = "/api/v1/me"
    tags = ("access",)
    dependencies = CALLER

    @get(guards=[any_token], summary="Who am I")
    async def me(self, actor: Caller, access: CallerAccess) -> wire.Me:
        """The signed-in account, its organizations and present roles."""
        found = await accounts.me(actor)
        return _as(
            wire.Me, found, account_id=found["id"], organization_id=actor.organization_id,
            roles=sorted(actor.roles), second_factor=actor.second_factor,
            scopes=None if actor.scopes is None else sorted(actor.scopes),
        )  # fmt: skip

    @post("/password", guards=[signed_in], status_code=204, summary="Change the password")
    async def password(
        self, data: JSONBody[wire.ChangePassword], actor: Caller, access: CallerAccess
    ) -> None:
        """Take a new password; all other sessions end."""
        await accounts.change_password(
            actor, current=data.current, new=data.new, session_id=access.id
        )

    @post("/second-factor", guards=[signed_in], summary="Set up an authenticator")
    async def begin_second_factor(
        self, data: JSONBody[wire.BeginSecondFactor], actor: Caller
    ) -> wire.SecondFactorBegun:
        """Begin; the secret is shown once and counts after its first code."""
        begun = await second_factor.begin(actor, password=data.password, code=data.code)
        return wire.SecondFactorBegun(secret=begun.secret, uri=begun.uri)

    @post("/second-factor/confirm", guards=[signed_in], status_code=204, summary="First code")
    async def confirm_second_factor(
        self, data: JSONBody[wire.ConfirmSecondFactor], actor: Caller, access: CallerAccess
    ) -> None:
        """Take the authenticator into use; this session has the second factor at once."""
        await second_factor.confirm(actor, code=data.code, session_id=access.id)


class TokenController(Controller):
    """Tokens of programs; only people make and end them."""

    path = "/api/v1/tokens"
    tags = ("access",)
    guards = (signed_in,)
    dependencies = CALLER

    # No Idempotency-Key: a repetition could not show the secret again. Who lost the answer makes
    # another token and ends the first.
    @post(summary="Make a token")
    async def create(self, data: JSONBody[wire.CreateToken], actor: Caller) -> wire.TokenCreated:
        """Give a program one's roles within scopes; the secret is shown this once."""
        made = await tokens.create(
            actor, name=data.name, scopes=frozenset(data.scopes), days=data.days
        )
        return wire.TokenCreated(id=made.id, token=made.token, expires_at=made.expires_at)

    @get(summary="My tokens")
    async def mine(self, actor: Caller) -> list[wire.Token]:
        """One's own tokens that hold."""
        return [_as(wire.Token, one) for one in await tokens.mine(actor)]

    @delete("/{token_id:uuid}", summary="End a token")
    async def revoke(self, token_id: Id, actor: Caller) -> None:
        """End a token of one's own, or of the organization one administers."""
        await tokens.revoke(actor, token_id=token_id)


class InvitationController(Controller):
    """Invitations to an organization."""

    path = "/api/v1/invitations"
    tags = ("access",)
    dependencies = CALLER

    # No Idempotency-Key, for the same reason as tokens: withdraw the one whose secret was lost.
    @post(guards=[requires("administrator")], summary="Invite")
    async def invite(self, data: JSONBody[wire.Invite], actor: Caller) -> wire.Invited:
        """Invite somebody to a role in one's own organization; holds 7 days, once."""
        made = await invitations.invite(
            actor, organization_id=data.organization_id, role=data.role, email=data.email,
            person_id=data.person_id,
        )  # fmt: skip
        return wire.Invited(id=made.id, token=made.token, expires_at=made.expires_at)

    @delete("/{invitation_id:uuid}", guards=[requires("administrator")], summary="Withdraw")
    async def withdraw(self, invitation_id: Id, actor: Caller) -> None:
        """Take back an invitation nobody has used."""
        await invitations.withdraw(actor, invitation_id=invitation_id)

    @post("/accept", guards=[public], opt={"csrf_exempt": True}, summary="Accept")
    async def accept(
        self, data: JSONBody[wire.AcceptInvitation], request: Request[Any, Any, Any]
    ) -> wire.InvitationAccepted:
        """Make an account by an invitation."""
        made = await invitations.accept(
            token=data.token,
            person=invitations.NewPerson(data.last_name, data.first_name, data.middle_name),
            login=data.login, password=data.password, language=data.language,
            request_id=_request_id(request),
        )  # fmt: skip
        return msgspec.convert(made, wire.InvitationAccepted, from_attributes=True)

    @post("/join", guards=[signed_in], summary="Accept with one's account")
    async def join(
        self, data: JSONBody[wire.JoinOrganization], actor: Caller
    ) -> wire.InvitationAccepted:
        """Accept an invitation with the account one has."""
        made = await invitations.join(actor, token=data.token)
        return msgspec.convert(made, wire.InvitationAccepted, from_attributes=True)


class RoleController(Controller):
    """Roles in an organization, for its own administrators."""

    path = "/api/v1/organizations/{organization_id:uuid}"
    tags = ("access",)
    guards = (requires("administrator"),)
    dependencies = CALLER

    @get("/roles", summary="Roles held")
    async def held(self, organization_id: Id, actor: Caller) -> list[wire.RoleHeld]:
        """Who holds which role; the read is logged."""
        found = await grants.of_organization(actor, organization_id=organization_id)
        return [_as(wire.RoleHeld, one) for one in found]

    @post("/roles", summary="Give a role")
    async def give(
        self, organization_id: Id, data: JSONBody[wire.GiveRole], actor: Caller
    ) -> wire.RoleGiven:
        """Give a role to an account that works, or worked, here; others are invited."""
        return wire.RoleGiven(
            await grants.grant(
                actor, account_id=data.account_id, organization_id=organization_id, role=data.role
            )
        )

    @delete("/roles/{grant_id:uuid}", summary="Take a role away")
    async def take(self, organization_id: Id, grant_id: Id, actor: Caller) -> None:
        """Take a role away; the account's next request goes without it."""
        await grants.revoke(actor, organization_id=organization_id, grant_id=grant_id)

    @get("/invitations", summary="Invitations that wait")
    async def waiting(self, organization_id: Id, actor: Caller) -> list[wire.Invitation]:
        """Invitations nobody has used yet."""
        found = await invitations.of_organization(actor, organization_id=organization_id)
        return [_as(wire.Invitation, one) for one in found]


class AccountController(Controller):
    """Accounts, for administrators of every organization they work in."""

    path = "/api/v1/accounts/{account_id:uuid}"
    tags = ("access",)
    guards = (requires("administrator"),)
    dependencies = CALLER

    @post("/disable", status_code=204, summary="Close an account")
    async def disable(self, account_id: Id, actor: Caller) -> None:
        """Close an account; its sessions and tokens end now."""
        await accounts.disable(actor, account_id=account_id)

    @post("/enable", status_code=204, summary="Open a closed account")
    async def enable(self, account_id: Id, actor: Caller) -> None:
        """Open a closed account again."""
        await accounts.enable(actor, account_id=account_id)

    @delete("/second-factor", summary="Forget a lost authenticator")
    async def reset_second_factor(self, account_id: Id, actor: Caller) -> None:
        """Forget the authenticator of somebody who lost it; their sessions end."""
        await accounts.reset_second_factor(actor, account_id=account_id)


CONTROLLERS = (
    SessionController,
    MeController,
    TokenController,
    InvitationController,
    RoleController,
    AccountController,
)
"""For the list of controllers in `litestar_app`."""
