"""May this person sign for this organization? Asked of each signature, answered append-only.

A technically valid signature says whose key it was; that the holder may bind the organization is
another question (63-FZ art. 17.2 and 17.3; Civil Code art. 185). The answer is of the moment by
which the signature surely existed; what becomes known later changes no answer given before.
"""

import uuid
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

from audit import events
from core import clock, db
from core.actor import Actor
from core.errors import NotFound
from directory import certificates
from docflow.documents import attorneys
from docflow.documents.authority_words import Basis, described
from docflow.documents.kinds import Authority as Needed
from signatures.mchd.findings import State, rank_of
from signatures.mchd.identity import Identity, agrees, identity_of, same_name
from signatures.mchd.judging import Head, Question, judge

COUNTS: dict[Needed, str] = {
    "none": "true",
    "organization": """((a.state = 'confirmed' AND a.basis <> 'none')
        OR (a.state = 'indeterminate' AND a.basis = 'head' AND a.is_of_organization))""",
    "head_or_mchd": "(a.state = 'confirmed' AND a.basis IN ('head', 'mchd'))",
}
"""SQL over the newest answer `a`: does the signature count where a kind needs that much?"""

NEWEST = """LATERAL (SELECT * FROM signature_authority WHERE signature_id = s.id
    ORDER BY id DESC LIMIT 1) AS a"""


@dataclass(frozen=True, slots=True)
class Answer:
    """What is found; `at` is the moment it speaks of."""

    basis: Basis
    state: State
    reasons: tuple[str, ...] = ()
    is_of_organization: bool = False
    power_id: uuid.UUID | None = None
    person_id: uuid.UUID | None = None
    revocation: str | None = None


@dataclass(frozen=True, slots=True)
class _Case:
    """The signature, its document's organization, and who is known to hold the certificate."""

    row: db.Row
    signer: Identity
    at: datetime
    claimed_at: datetime | None
    heads: list[db.Row] = field(default_factory=list)

    @property
    def same_organization(self) -> bool | None:
        return agrees(
            (self.signer.organization_inn, self.row["inn"] or ""),
            (self.signer.ogrn, self.row["ogrn"] or ""),
        )

    def head_on(self, day: date) -> db.Row | None:
        return next(
            (head for head in self.heads
             if head["valid_from"] <= day and (head["valid_to"] is None or head["valid_to"] > day)),
            None,
        )  # fmt: skip


async def assess(
    actor: Actor,
    signature_id: uuid.UUID,
    *,
    power_id: uuid.UUID | None = None,
    known_at: datetime | None = None,
) -> Answer:
    """Answer for one signature and write the answer down; inside the caller's transaction.

    `power_id` names the power of attorney to go by; else any that names the signer is tried.
    `known_at` is when this same signature was received in an earlier revision of its file.
    """
    case = await _case(signature_id, known_at)
    if await _remember_own(actor, case):
        case = await _case(signature_id, known_at)
    answer = _by_directory(case)
    if case.same_organization is not False and (answer.state != "confirmed" or power_id):
        case = replace(case, heads=await _heads(case.row["organization_id"]))
        answer = _by_certificate(case, answer)
        if answer.state != "confirmed" or power_id:
            answer = await _by_powers(case, answer, power_id)
    await _write(actor, signature_id, case.at, answer)
    return answer


async def reassess(
    actor: Actor, document: db.Row, signature_id: uuid.UUID, *, power_id: uuid.UUID | None = None
) -> Answer:
    """As `assess`, for a signature of this document, asked for by a person. `not_found`."""
    known = await db.value(
        "SELECT true FROM signature WHERE id = $1 AND document_id = $2",
        signature_id, document["id"],
    )  # fmt: skip
    mine = power_id is None or await db.value(
        "SELECT true FROM power_of_attorney WHERE id = $1 AND organization_id = $2",
        power_id, document["organization_id"],
    )  # fmt: skip
    if not known or not mine:
        raise NotFound(signature=str(signature_id))
    answer = await assess(actor, signature_id, power_id=power_id)
    await events.record(
        actor, "document.authority_checked", subject=("signature", signature_id),
        document_id=document["id"],
        data={"basis": answer.basis, "state": answer.state, "reasons": list(answer.reasons),
              "power_id": answer.power_id and str(answer.power_id)},
    )  # fmt: skip
    return answer


async def may_take_step(signature_id: uuid.UUID, step: db.Row) -> bool:
    """Is an uploaded signature the one that this step of a signing order awaits?

    Needs confirmed authority and, where the step names a person or a post, that very holder.
    """
    return bool(
        await db.value(
            f"""SELECT a.state = 'confirmed' AND ($2::uuid IS NULL OR a.person_id = $2)
                AND ($3::text IS NULL OR EXISTS (
                    SELECT 1 FROM post AS t WHERE t.person_id = a.person_id AND t.kind = $3
                    AND t.organization_id = $4
                    AND t.valid_from <= (a.at AT TIME ZONE 'Europe/Moscow')::date
                    AND (t.valid_to IS NULL
                         OR t.valid_to > (a.at AT TIME ZONE 'Europe/Moscow')::date)))
                FROM signature AS s CROSS JOIN {NEWEST} WHERE s.id = $1""",
            signature_id, step["person_id"], step["post"], step["organization_id"],
        )
    )  # fmt: skip


async def answers_of(document_id: uuid.UUID, signature_id: uuid.UUID) -> list[dict[str, Any]]:
    """Every answer given for a signature of this document, oldest first."""
    found = await db.rows(
        """SELECT a.*, p.number AS mchd_number FROM signature_authority AS a
           JOIN signature AS s ON s.id = a.signature_id AND s.document_id = $2
           LEFT JOIN power_of_attorney AS p ON p.id = a.power_id
           WHERE a.signature_id = $1 ORDER BY a.id""",
        signature_id, document_id,
    )  # fmt: skip
    return [described(row) for row in found]


async def moments_of(file_id: uuid.UUID) -> dict[tuple[Any, ...], datetime]:
    """When each signature inside a PDF was received, by what names it in later revisions too."""
    found = await db.rows(
        f"""SELECT s.report, a.at FROM signature AS s CROSS JOIN {NEWEST}
            WHERE s.file_id = $1 AND s.form = 'pades'""",
        file_id,
    )
    return {name_of(row["report"]): row["at"] for row in found}


def name_of(one: dict[str, Any]) -> tuple[Any, ...]:
    """What a signature inside a PDF is known by, as long as revisions are only added to it."""
    return one.get("certificate_sha256"), one.get("field_name"), one.get("signed_bytes")


async def _case(signature_id: uuid.UUID, known_at: datetime | None) -> _Case:
    row = await db.row(_CASE, signature_id, known_at)
    if row is None:
        raise NotFound(signature=str(signature_id))
    report = row["report"]
    claimed = report.get("signing_time")
    return _Case(
        row, identity_of(report.get("subject") or {}, report.get("identifiers")), row["at"],
        datetime.fromisoformat(claimed) if claimed else None,
    )  # fmt: skip


async def _remember_own(actor: Actor, case: _Case) -> bool:
    """Note a certificate whose key the actor has just used in a session of their own.

    Only a signature whose value fits its key proves possession. Answers whether it was new.
    """
    row, report = case.row, case.row["report"]
    if row["person_id"] is not None or row["session_account_id"] != actor.id:
        return False
    if not (report["intact"] and report["valid"]):
        return False
    return await certificates.remember(
        actor, organization_id=row["organization_id"], sha256=bytes(row["certificate_sha256"]),
        numbers=certificates.Numbers(case.signer.snils, case.signer.person_inn),
    )  # fmt: skip


_CASE = """
WITH one AS (
    SELECT s.id, s.document_id, s.certificate_sha256, s.report, d.kind, d.organization_id,
           o.inn, o.ogrn,
           (SELECT x.account_id FROM signing_session AS x WHERE x.document_id = s.document_id
            AND x.status = 'finished' AND sha256(x.certificate) = s.certificate_sha256
            ORDER BY x.id DESC LIMIT 1) AS session_account_id,
           -- what was received by a moment stays received by it, in later revisions and answers
           least($2::timestamptz, s.checked_at,
                 (SELECT min(a.at) FROM signature_authority AS a WHERE a.signature_id = s.id),
                 CASE WHEN s.report #>> '{timestamp,trusted}' = 'true'
                      THEN (s.report #>> '{timestamp,time}')::timestamptz END) AS at
    FROM signature AS s JOIN document AS d ON d.id = s.document_id
    JOIN organization AS o ON o.id = d.organization_id WHERE s.id = $1)
SELECT one.*, holder.*, EXISTS (
        SELECT 1 FROM sealing_key AS k WHERE k.organization_id = one.organization_id
        AND k.certificate_sha256 = one.certificate_sha256
        AND (k.retired_at IS NULL OR k.retired_at > one.at)) AS is_seal
FROM one LEFT JOIN LATERAL (
    SELECT c.person_id, p.last_name,
        EXISTS (SELECT 1 FROM post AS t WHERE t.person_id = c.person_id
            AND t.organization_id = c.organization_id AND t.kind = 'chairman'
            AND t.valid_from <= (one.at AT TIME ZONE 'Europe/Moscow')::date
            AND (t.valid_to IS NULL OR t.valid_to > (one.at AT TIME ZONE 'Europe/Moscow')::date)
        ) AS is_head,
        EXISTS (SELECT 1 FROM account AS u JOIN role_grant AS g ON g.account_id = u.id
            WHERE u.person_id = c.person_id AND g.organization_id = c.organization_id
            AND g.role = 'signatory' AND g.granted_at <= one.at
            AND (g.revoked_at IS NULL OR g.revoked_at > one.at))
        -- a session asked for the role when it began
        OR EXISTS (SELECT 1 FROM account AS u WHERE u.id = one.session_account_id
            AND u.person_id = c.person_id) AS is_signatory
    FROM person_certificate AS c JOIN person AS p ON p.id = c.person_id
    WHERE c.sha256 = one.certificate_sha256 AND c.organization_id = one.organization_id
    AND (c.withdrawn_at IS NULL OR c.withdrawn_at > one.at) LIMIT 1) AS holder ON true
"""


def _by_directory(case: _Case) -> Answer:
    """By what the organization itself has said of this certificate."""
    if case.same_organization is False:
        return Answer("none", "refused", ("organization_differs",))
    if case.row["is_seal"]:
        return Answer("seal", "confirmed", (), True)
    person_id = case.row["person_id"]
    if person_id is None:
        return Answer("none", "refused", ("certificate_unknown",))
    reasons: tuple[str, ...] = ()
    if case.signer.surname and not _same(case.signer.surname, case.row["last_name"]):
        reasons = ("name_differs",)
    if case.row["is_head"]:
        return Answer("head", "confirmed", reasons, True, person_id=person_id)
    if case.row["is_signatory"]:
        return Answer("post", "confirmed", reasons, True, person_id=person_id)
    return Answer("none", "refused", ("no_signatory_role", *reasons), True, person_id=person_id)


def _by_certificate(case: _Case, before: Answer) -> Answer:
    """By the organization's own numbers in a certificate nobody has registered."""
    if before.state == "confirmed" or before.person_id or not case.same_organization:
        return before
    if not case.signer.is_of_person:
        return Answer("seal", "confirmed", (), True)
    head = case.head_on(case.at.astimezone(clock.MOSCOW).date())
    if head is None:
        return Answer("head", "indeterminate", ("head_unknown",), True)
    answers = [
        agrees((case.signer.snils, one["snils"]), (case.signer.person_inn, one["inn"]))
        for one in head["numbers"] or ()
    ]
    if True in answers:
        return Answer("head", "confirmed", (), True, person_id=head["person_id"])
    by_name = same_name(
        case.signer.surname, case.signer.given_names,
        last=head["last_name"], first=head["first_name"], middle=head["middle_name"],
    )  # fmt: skip
    if by_name and False not in answers:
        return Answer("head", "confirmed", ("head_by_name",), True, person_id=head["person_id"])
    return Answer("none", "refused", ("not_the_head",), True)


async def _by_powers(case: _Case, before: Answer, power_id: uuid.UUID | None) -> Answer:
    """By a power of attorney: the best answer of those there are, or the one asked for."""
    numbers = (("snils", case.signer.snils), ("inn", case.signer.person_inn))
    people = [f"{kind}:{number}" for kind, number in numbers if number]
    if not people and power_id is None:
        return before
    organization_id = case.row["organization_id"]
    found = await attorneys.candidates(organization_id, people, power_id=power_id)
    if not found:
        return before
    above = await attorneys.parents(organization_id, [one for _, one in found])
    rules = await attorneys.rules_of(organization_id)
    question = Question(
        case.signer, case.row["inn"] or "", case.row["ogrn"] or "", case.row["kind"], case.at,
        case.claimed_at,
    )  # fmt: skip

    def head_on(day: date) -> Head | None:
        head = case.head_on(day)
        if head is None:
            return None
        return Head(head["last_name"], head["first_name"], head["middle_name"])

    judged = [
        (judge(one, question=question, rules=rules, parent_of=above.get, head_on=head_on), found_id)
        for found_id, one in found
    ]
    best, best_id = min(judged, key=lambda pair: (rank_of(pair[0].state), len(pair[0].reasons)))
    if power_id is None and rank_of(best.state) > rank_of(before.state):
        return before
    return Answer(
        "mchd", best.state, best.reasons, best.state == "confirmed", best_id, before.person_id,
        best.revocation,
    )  # fmt: skip


async def _heads(organization_id: uuid.UUID) -> list[db.Row]:
    """Everybody who has been head, with the numbers their certificates are known by."""
    return await db.rows(
        """SELECT t.person_id, t.valid_from, t.valid_to, p.last_name, p.first_name, p.middle_name,
                  (SELECT jsonb_agg(jsonb_build_object('snils', c.snils, 'inn', c.inn))
                   FROM person_certificate AS c WHERE c.person_id = t.person_id
                   AND c.withdrawn_at IS NULL) AS numbers
           FROM post AS t JOIN person AS p ON p.id = t.person_id
           WHERE t.organization_id = $1 AND t.kind = 'chairman' ORDER BY t.valid_from DESC""",
        organization_id,
    )


async def _write(actor: Actor, signature_id: uuid.UUID, at: datetime, answer: Answer) -> None:
    await db.execute(
        """INSERT INTO signature_authority (id, signature_id, basis, state, reasons,
               is_of_organization, power_id, person_id, revocation, at, checked_by, checked_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)""",
        clock.new_id(), signature_id, answer.basis, answer.state, list(answer.reasons),
        answer.is_of_organization, answer.power_id, answer.person_id, answer.revocation, at,
        actor.id, clock.now(),
    )  # fmt: skip


def _same(one: str, other: str) -> bool:
    return one.casefold().replace("ё", "е").strip() == other.casefold().replace("ё", "е").strip()
