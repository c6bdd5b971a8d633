"""Powers of attorney (МЧД) an organization keeps: uploaded as they are, checked, never changed."""

import uuid
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any, Literal

import msgspec

from audit import events, reads
from core import clock, db
from core.actor import RULE, Actor
from core.errors import InvalidInput, NotFound
from core.sandbox import pool
from docflow.documents import checking
from docflow.documents.kinds import DOCUMENT_KINDS
from signatures.mchd import parsing
from signatures.mchd.identity import identity_of
from signatures.mchd.judging import MAX_CHAIN, Signed
from signatures.mchd.model import PowerOfAttorney, Representative
from signatures.mchd.powers import EVERYTHING, PowerRule
from signatures.mchd.registry import REGISTRIES
from signatures.mchd.xml import MAX_BYTES
from storage import blobs

MAX_SIGNATURE = 1 << 20
KEEPERS = ("clerk", "signatory", "administrator")

_LINE = """p.id, p.number, p.content, p.uploaded_at, encode(p.sha256, 'hex') AS sha256, c.verdict,
    c.report, c.checked_at, r.revoked_at, r.asked_at"""
_JOINED = """power_of_attorney AS p
    CROSS JOIN LATERAL (SELECT verdict, report, checked_at FROM power_of_attorney_check
        WHERE power_id = p.id ORDER BY id DESC LIMIT 1) AS c
    CROSS JOIN LATERAL (SELECT
        min(effective_at) FILTER (WHERE status = 'revoked') AS revoked_at,
        max(recorded_at) FILTER (WHERE status = 'in_force' AND source = 'registry') AS asked_at
        FROM power_of_attorney_status WHERE power_id = p.id) AS r"""


async def keep(actor: Actor, *, xml: bytes, signature: bytes) -> uuid.UUID:
    """Store a power of attorney with its detached signature, for the actor's organization.

    The signature is checked over these very bytes; also one that does not hold is kept and shown,
    it authorizes nobody. The same pair again is checked anew and answers the same id. Raises
    `mchd_not_recognized`, `mchd_incomplete`, `signature_unreadable`, `signature_attached`,
    `mchd_too_large`, and what reading hostile XML raises.
    """
    actor.require(*KEEPERS)
    if not 0 < len(xml) <= MAX_BYTES or not 0 < len(signature) <= MAX_SIGNATURE:
        raise InvalidInput(
            "Файл доверенности — до 2 МБ, подпись — до 1 МБ, пустыми они не бывают.",
            "A power of attorney has at most 2 MB, its signature 1 MB, and neither is empty.",
            code="mchd_too_large",
        )
    content = await parsing.parse(xml)
    await pool().run("signatures.answers:normalized", signature)
    check = await checking.validate(xml, signature=signature)
    kept = await blobs.store(_once(xml), limit=MAX_BYTES)
    kept_signature = await blobs.store(_once(signature), limit=MAX_SIGNATURE)
    async with db.transaction():
        power_id, made = await _enter(actor, content, kept, kept_signature)
        await db.execute(
            """INSERT INTO power_of_attorney_check (id, power_id, verdict, report, checked_at)
               VALUES ($1, $2, $3, $4, $5)""",
            clock.new_id(), power_id, check.verdict, check.raw, clock.now(),
        )  # fmt: skip
        await events.record(
            actor, "power_of_attorney.kept" if made else "power_of_attorney.checked",
            subject=("power_of_attorney", power_id),
            data={"number": content.number, "sha256": kept.sha256, "verdict": check.verdict,
                  "reasons": list(check.reasons), "is_parsed": content.is_parsed},
        )  # fmt: skip
    return power_id


async def _enter(
    actor: Actor, content: PowerOfAttorney, xml: blobs.StoredBlob, signature: blobs.StoredBlob
) -> tuple[uuid.UUID, bool]:
    """Write the row of a new pair of files, or find that of a known one; is it new?"""
    made = await db.value(
        """INSERT INTO power_of_attorney (id, organization_id, number, xml_blob_id,
               signature_blob_id, sha256, content, people, uploaded_by, uploaded_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING RETURNING id""",
        clock.new_id(), actor.home_id, content.number, xml.id, signature.id,
        bytes.fromhex(xml.sha256), msgspec.to_builtins(content), _people(content),
        actor.account_id, clock.now(),
    )  # fmt: skip
    if made:
        return made, True
    known = await db.value(
        """SELECT id FROM power_of_attorney WHERE organization_id = $1 AND sha256 = $2
           AND signature_blob_id = $3""",
        actor.home_id, bytes.fromhex(xml.sha256), signature.id,
    )  # fmt: skip
    return uuid.UUID(str(known)), False


async def listed(actor: Actor) -> list[db.Row]:
    """What the actor's organization keeps, newest first, without people's numbers."""
    actor.require(*KEEPERS)
    found = await db.rows(
        f"SELECT {_LINE} FROM {_JOINED} WHERE p.organization_id = $1 ORDER BY p.id DESC LIMIT 500",
        actor.home_id,
    )
    return [_shown(row) for row in found]


async def shown(actor: Actor, power_id: uuid.UUID) -> db.Row:
    """One with everything in it; a look at personal data, and logged as one."""
    actor.require(*KEEPERS)
    found = await _own(actor, power_id)
    await reads.log(actor, subject=("power_of_attorney", power_id), purpose="power_of_attorney")
    statuses = await db.rows(
        """SELECT status, source, effective_at, ground, recorded_at FROM power_of_attorney_status
           WHERE power_id = $1 ORDER BY id""",
        power_id,
    )
    return {**_shown(found), "content": found["content"], "report": found["report"],
            "statuses": statuses}  # fmt: skip


async def revoke(actor: Actor, power_id: uuid.UUID, *, effective_at: datetime, ground: str) -> None:
    """Enter by hand that it is revoked from `effective_at`; what was judged before stays.

    For administrators, where no registry answers. Raises `ground_length`.
    """
    actor.require("administrator")
    if not 3 <= len(ground.strip()) <= 1000 or "\x00" in ground:
        raise InvalidInput(
            "Укажите основание отзыва, от 3 до 1000 знаков.",
            "Give the ground of the revocation, 3 to 1000 characters.",
            code="ground_length", field="ground",
        )  # fmt: skip
    async with db.transaction():
        await _own(actor, power_id)
        await _enter_status(
            power_id, "revoked", "administrator", effective_at, ground.strip(), actor.id
        )
        await events.record(
            actor, "power_of_attorney.revoked", subject=("power_of_attorney", power_id),
            data={"effective_at": effective_at.isoformat(), "source": "administrator"},
            detail={"ground": ground.strip()},
        )  # fmt: skip


async def ask_registry(power_id: uuid.UUID, *, registry: str = "none") -> str:
    """Ask a registry and store what it says; answers the status, `not_checked` stores nothing."""
    found = await db.row("SELECT number, content FROM power_of_attorney WHERE id = $1", power_id)
    if found is None:
        raise NotFound(power_of_attorney=str(power_id))
    principals = found["content"]["principals"]
    answer = await REGISTRIES[registry].status_of(
        found["number"], principal_inn=principals[0]["inn"] if principals else ""
    )
    if answer.status != "not_checked":
        async with db.transaction():
            at = answer.effective_at or clock.now()
            await _enter_status(power_id, answer.status, "registry", at, "", RULE.id)
    return answer.status


async def _enter_status(
    power_id: uuid.UUID,
    status: Literal["revoked", "in_force"],
    source: Literal["administrator", "registry"],
    effective_at: datetime,
    ground: str,
    by: uuid.UUID | None,
) -> None:
    await db.execute(
        """INSERT INTO power_of_attorney_status (id, power_id, status, source, effective_at, ground,
               recorded_by, recorded_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)""",
        clock.new_id(), power_id, status, source, effective_at, ground, by, clock.now(),
    )  # fmt: skip


async def candidates(
    organization_id: uuid.UUID, people: list[str], *, power_id: uuid.UUID | None = None
) -> list[tuple[uuid.UUID, Signed]]:
    """Those that name one of `people` (`snils:…`, `inn:…`), or the one that is asked for."""
    found = await db.rows(
        f"""SELECT {_LINE} FROM {_JOINED} WHERE p.organization_id = $1
            AND CASE WHEN $3::uuid IS NULL THEN p.people && $2::text[] ELSE p.id = $3 END
            ORDER BY c.verdict <> 'valid', p.id DESC LIMIT 50""",
        organization_id, people, power_id,
    )  # fmt: skip
    return [(row["id"], _signed(row)) for row in found]


async def parents(organization_id: uuid.UUID, ones: list[Signed]) -> dict[str, Signed]:
    """Everything above these, by number, as far as it is stored here."""
    known: dict[str, Signed] = {}
    wanted = {one.content.parent_number for one in ones if one.content.parent_number}
    for _ in range(MAX_CHAIN):
        wanted -= known.keys()
        if not wanted:
            break
        found = await db.rows(
            f"""SELECT DISTINCT ON (p.number) {_LINE} FROM {_JOINED}
                WHERE p.organization_id = $1 AND p.number = ANY ($2)
                ORDER BY p.number, c.verdict <> 'valid', p.id DESC""",
            organization_id, sorted(wanted),
        )  # fmt: skip
        known.update((row["number"], _signed(row)) for row in found)
        wanted = {known[row["number"]].content.parent_number for row in found} - {""}
    return known


async def rules_of(organization_id: uuid.UUID) -> tuple[PowerRule, ...]:
    """The rules that hold for an organization: the installation's and its own."""
    found = await db.rows(
        """SELECT matched_by, pattern, kinds FROM power_rule
           WHERE retired_at IS NULL AND (organization_id IS NULL OR organization_id = $1)""",
        organization_id,
    )
    return tuple(PowerRule(row["matched_by"], row["pattern"], tuple(row["kinds"])) for row in found)


async def rules_shown(actor: Actor) -> list[db.Row]:
    """The rules in force, the installation's first."""
    return await db.rows(
        """SELECT id, organization_id, matched_by, pattern, kinds, added_at FROM power_rule
           WHERE retired_at IS NULL AND (organization_id IS NULL OR organization_id = $1)
           ORDER BY organization_id NULLS FIRST, id""",
        actor.home_id,
    )


async def add_rule(
    actor: Actor, *, matched_by: Literal["code", "text"], pattern: str, kinds: list[str]
) -> uuid.UUID:
    """Say, for the actor's organization, which kinds a power lets one sign.

    Raises `power_rule` for an unknown kind or a pattern of less than 3 characters.
    """
    actor.require("administrator")
    words = pattern.strip()
    wrong = sorted(set(kinds) - DOCUMENT_KINDS.keys() - {EVERYTHING})
    if not kinds or wrong or not 3 <= len(words) <= 255 or "\x00" in words:
        raise InvalidInput(
            "Правило: код или слова от 3 до 255 знаков и виды документов из списка (или *).",
            "A rule: a code or words of 3 to 255 characters, and known kinds of documents (or *).",
            code="power_rule", unknown=wrong,
        )  # fmt: skip
    rule_id = clock.new_id()
    async with db.transaction():
        await db.execute(
            """INSERT INTO power_rule (id, organization_id, matched_by, pattern, kinds, added_by,
                   added_at) VALUES ($1, $2, $3, $4, $5, $6, $7)""",
            rule_id, actor.home_id, matched_by, words, sorted(set(kinds)), actor.id, clock.now(),
        )  # fmt: skip
        await events.record(
            actor, "power_rule.added", subject=("power_rule", rule_id),
            data={"matched_by": matched_by, "pattern": words, "kinds": sorted(set(kinds))},
        )  # fmt: skip
    return rule_id


async def retire_rule(actor: Actor, rule_id: uuid.UUID) -> None:
    """End a rule of the actor's organization; what was judged by it stays."""
    actor.require("administrator")
    async with db.transaction():
        ended = await db.execute(
            """UPDATE power_rule SET retired_at = $3
               WHERE id = $1 AND organization_id = $2 AND retired_at IS NULL""",
            rule_id, actor.home_id, clock.now(),
        )  # fmt: skip
        if not ended:
            raise NotFound(power_rule=str(rule_id))
        await events.record(actor, "power_rule.retired", subject=("power_rule", rule_id))


async def _own(actor: Actor, power_id: uuid.UUID) -> db.Row:
    found = await db.row(
        f"SELECT {_LINE} FROM {_JOINED} WHERE p.id = $1 AND p.organization_id = $2",
        power_id, actor.home_id,
    )  # fmt: skip
    if found is None:
        raise NotFound(power_of_attorney=str(power_id))
    return found


def _shown(row: db.Row) -> db.Row:
    content = _content(row)
    reasons = row["report"].get("reasons", [])
    return {
        "id": row["id"], "number": content.number, "version": content.version,
        "is_parsed": content.is_parsed, "issued_on": content.issued_on,
        "expires_on": content.expires_on, "is_delegated": content.is_delegated,
        "is_irrevocable": content.is_irrevocable, "delegation": content.delegation,
        "principals": [one.name for one in content.principals],
        "representatives": [_named(one) for one in content.representatives],
        "verdict": row["verdict"], "reasons": reasons, "revoked_at": row["revoked_at"],
        "revocation": "revoked" if row["revoked_at"] else
        "not_revoked" if row["asked_at"] else "not_checked",
        "warnings": list(content.warnings), "sha256": row["sha256"],
        "uploaded_at": row["uploaded_at"], "checked_at": row["checked_at"],
    }  # fmt: skip


def _named(one: Representative) -> str:
    person = one.person
    if person is None:
        return one.name
    return " ".join(part for part in (person.surname, person.given_name, person.patronymic) if part)


def _content(row: db.Row) -> PowerOfAttorney:
    return msgspec.convert(row["content"], PowerOfAttorney, strict=False)


def _signed(row: db.Row) -> Signed:
    signers: list[dict[str, Any]] = row["report"].get("signatures", [])
    first = signers[0] if signers else {}
    return Signed(
        _content(row), row["verdict"],
        identity_of(first.get("subject") or {}, first.get("identifiers")),
        row["revoked_at"], row["asked_at"],
    )  # fmt: skip


def _people(content: PowerOfAttorney) -> list[str]:
    people = [one.person for one in content.representatives if one.person is not None]
    return sorted(
        {f"snils:{one.snils}" for one in people if one.snils}
        | {f"inn:{one.inn}" for one in people if one.inn}
    )


async def _once(content: bytes) -> AsyncIterator[bytes]:
    yield content
