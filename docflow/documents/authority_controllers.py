"""Authority to sign over HTTP: powers of attorney, rules, certificates of people."""

import uuid

from litestar import Controller, get, post
from litestar.params import FromPath, JSONBody

from core import db
from core.actor import Actor
from core.sandbox import pool
from directory import certificates
from directory.controllers.authentication import CALLER, Caller, requires, scope
from docflow.documents import attorneys, authority, signed, signing_entry, visibility
from docflow.documents import authority_schemas as wire
from docflow.documents.controllers import convert, convert_all
from docflow.documents.schemas import Created
from signatures.mchd.identity import identity_of

KEEPERS = requires(*attorneys.KEEPERS)
READ = [scope("directory:read"), KEEPERS]
WRITE = [scope("directory:write"), KEEPERS]
GOVERN = [scope("directory:write"), requires("administrator")]


class MchdController(Controller):
    """Powers of attorney (МЧД): they say who may sign, so they are of the directory's scope."""

    path = "/api/v1/powers-of-attorney"
    tags = ("directory",)
    dependencies = CALLER

    @get("/", guards=READ, summary="Powers of attorney")
    async def list_powers(self, actor: Caller) -> list[wire.MchdLine]:
        """Those the organization keeps, newest first."""
        return convert_all(wire.MchdLine, await attorneys.listed(actor))

    # No Idempotency-Key: the same pair of files always answers the same id.
    @post("/", guards=WRITE, summary="Upload a power of attorney")
    async def keep(self, data: JSONBody[wire.MchdInput], actor: Caller) -> Created:
        """Kept as it is and checked; the same pair again is checked anew."""
        return Created(await attorneys.keep(actor, xml=data.xml, signature=data.signature))

    @get("/{power_id:uuid}", guards=READ, summary="Show a power of attorney")
    async def show(self, power_id: FromPath[uuid.UUID], actor: Caller) -> wire.MchdView:
        """All its content; the look is logged."""
        return convert(wire.MchdView, await attorneys.shown(actor, power_id))

    @post(
        "/{power_id:uuid}/revocations",
        guards=GOVERN,
        status_code=204,
        summary="Enter a revocation",
    )
    async def revoke(
        self, power_id: FromPath[uuid.UUID], data: JSONBody[wire.RevocationInput], actor: Caller
    ) -> None:
        """By hand, where no registry answers; what was judged before stays."""
        await attorneys.revoke(actor, power_id, effective_at=data.effective_at, ground=data.ground)


class SignatureAuthorityController(Controller):
    """What is found of a signer's authority."""

    path = "/api/v1/documents/{document_id:uuid}/signatures/{signature_id:uuid}/authority"
    tags = ("documents",)
    dependencies = CALLER

    @get("/", guards=[scope("documents:read")], summary="Answers on authority")
    async def list_answers(
        self, document_id: FromPath[uuid.UUID], signature_id: FromPath[uuid.UUID], actor: Caller
    ) -> list[wire.AuthorityView]:
        """Every answer given for the signature, oldest first; none is ever changed."""
        await visibility.visible_document(actor, document_id)
        return convert_all(
            wire.AuthorityView, await authority.answers_of(document_id, signature_id)
        )

    @post(
        "/",
        guards=[scope("documents:write"), requires("clerk", "signatory")],
        summary="Check authority anew",
    )
    async def check(
        self,
        document_id: FromPath[uuid.UUID],
        signature_id: FromPath[uuid.UUID],
        data: JSONBody[wire.AuthorityInput],
        actor: Caller,
    ) -> wire.AuthorityView:
        """By what is known now, as of the moment of signing; may make the document signed."""
        return await _checked(actor, document_id, signature_id, data.mchd_id)


async def _checked(
    actor: Actor, document_id: uuid.UUID, signature_id: uuid.UUID, mchd_id: uuid.UUID | None
) -> wire.AuthorityView:
    async with db.transaction():
        document = await visibility.own_document(actor, document_id)
        await authority.reassess(actor, document, signature_id, power_id=mchd_id)
        await signing_entry.take_awaited_step(actor, document, signature_id)
        await signed.settle(actor, document)
        answers = await authority.answers_of(document_id, signature_id)
    return convert(wire.AuthorityView, answers[-1])


class PowerRuleController(Controller):
    """Which kinds of documents a power lets one sign."""

    path = "/api/v1/power-rules"
    tags = ("documents",)
    dependencies = CALLER

    @get("/", guards=READ, summary="Rules on powers")
    async def list_rules(self, actor: Caller) -> list[wire.RuleView]:
        """The installation's rules and one's own."""
        return convert_all(wire.RuleView, await attorneys.rules_shown(actor))

    # No Idempotency-Key: a rule twice says nothing else than once.
    @post("/", guards=GOVERN, summary="Add a rule")
    async def add(self, data: JSONBody[wire.RuleInput], actor: Caller) -> Created:
        """For one's own organization."""
        return Created(
            await attorneys.add_rule(
                actor, matched_by=data.matched_by, pattern=data.pattern, kinds=data.kinds
            )
        )

    @post("/{rule_id:uuid}/retire", guards=GOVERN, status_code=204, summary="End a rule")
    async def retire(self, rule_id: FromPath[uuid.UUID], actor: Caller) -> None:
        """What was judged by it stays."""
        await attorneys.retire_rule(actor, rule_id)


class PersonCertificateController(Controller):
    """Whose certificates are known."""

    path = "/api/v1/person-certificates"
    tags = ("directory",)
    dependencies = CALLER

    @get(
        "/",
        guards=[scope("directory:read"), requires("administrator", "clerk")],
        summary="Certificates of people",
    )
    async def list_certificates(self, actor: Caller) -> list[wire.PersonCertificateView]:
        """The bindings of one's organization, ended ones too."""
        found = await certificates.of_organization(organization_id=actor.home_id)
        return convert_all(wire.PersonCertificateView, found)

    # No Idempotency-Key: the same binding again answers the same id.
    @post("/", guards=GOVERN, summary="Register a certificate")
    async def register(self, data: JSONBody[wire.PersonCertificateInput], actor: Caller) -> Created:
        """Vouch that a certificate is a person's, for an organization."""
        found = await pool().run("signatures.mchd.holder:look", data.certificate)
        identity = identity_of(found["subject"], found["identifiers"])
        return Created(
            await certificates.register(
                actor, person_id=data.person_id,
                organization_id=data.organization_id or actor.home_id, sha256=found["sha256"],
                numbers=certificates.Numbers(identity.snils, identity.person_inn),
            )
        )  # fmt: skip

    @post(
        "/{certificate_id:uuid}/withdraw", guards=GOVERN, status_code=204,
        summary="End a certificate's binding",
    )  # fmt: skip
    async def withdraw(self, certificate_id: FromPath[uuid.UUID], actor: Caller) -> None:
        """From now on; signatures judged before keep their answer."""
        await certificates.withdraw(actor, certificate_id=certificate_id)
