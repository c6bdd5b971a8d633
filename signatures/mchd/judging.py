"""Did this power of attorney authorize this signature at that moment? Pure: facts in, codes out."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from itertools import pairwise
from typing import Literal

from core import clock
from signatures.mchd.findings import FINDINGS, State, worst_of
from signatures.mchd.identity import Identity, agrees, same_name
from signatures.mchd.model import Individual, PowerOfAttorney, Principal
from signatures.mchd.powers import PowerRule, covering

MAX_CHAIN = 6

Revocation = Literal["not_checked", "not_revoked"]


@dataclass(frozen=True, slots=True)
class Signed:
    """A power of attorney with what is known of its own signature and of its revocation."""

    content: PowerOfAttorney
    verdict: Literal["valid", "invalid", "indeterminate"]
    signer: Identity
    revoked_at: datetime | None = None
    registry_asked_at: datetime | None = None
    """When a registry last said that it is not revoked; None when none was asked."""


@dataclass(frozen=True, slots=True)
class Head:
    """Whom the directory knows as head on the day of issue."""

    last_name: str
    first_name: str
    middle_name: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """The signature that is to be authorized."""

    signer: Identity
    inn: str
    ogrn: str
    act: str
    """The kind of document, in the words of the rules."""
    proven_at: datetime
    """A moment by which the signature surely existed: a trusted time stamp, else receipt."""
    claimed_at: datetime | None = None
    """When the signer says it was made; believed only against the signer."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """The answer; `reasons` are codes of `FINDINGS`, remarks included."""

    state: State
    reasons: tuple[str, ...]
    revocation: Revocation = "not_checked"


def judge(
    one: Signed,
    *,
    question: Question,
    rules: tuple[PowerRule, ...],
    parent_of: Callable[[str], Signed | None],
    head_on: Callable[[date], Head | None] = lambda _: None,
) -> Judgement:
    """All that speaks for or against.

    `parent_of` finds a stored power of attorney by number, `head_on` whom the directory knows as
    the organization's head on a day.
    """
    if not one.content.is_parsed:
        return Judgement("indeterminate", ("mchd_not_parsed",))
    codes = [
        *_representative_codes(one.content, question.signer),
        *_time_codes(one, question),
        *_powers_codes(one.content, question.act, rules),
    ]
    links = [one]
    trouble = _climb(links, parent_of)
    if trouble:
        codes.append(trouble)
    for child, parent in pairwise(links):
        codes.extend(_link_codes(child, parent, question, rules, depth=links.index(parent)))
    root = links[-1]
    for link in links:
        codes.extend(_signature_codes(link))
    if not root.content.is_delegated:
        head = head_on(root.content.issued_on) if root.content.issued_on else None
        codes.extend(_principal_codes(root, question, head))
    # A registry's word from before the signing says nothing of the time between.
    asked = all(
        link.registry_asked_at is not None and link.registry_asked_at >= question.proven_at
        for link in links
    )
    if not asked and "mchd_revoked" not in codes:
        codes.append("revocation_not_checked")
    found = tuple(dict.fromkeys(codes))
    state = worst_of(FINDINGS[code].state for code in found)
    return Judgement(state, found, "not_revoked" if asked else "not_checked")


def _representative_codes(content: PowerOfAttorney, signer: Identity) -> Iterator[str]:
    people = [one.person for one in content.representatives if one.person is not None]
    answers = [agrees((one.snils, signer.snils), (one.inn, signer.person_inn)) for one in people]
    if True not in answers:
        if not signer.snils and not signer.person_inn:
            yield "signer_unidentified"
        elif any(
            agrees((one.inn, signer.organization_inn), (one.ogrn, signer.ogrn))
            for one in content.representatives
            if one.person is None
        ):
            yield "mchd_organization_representative"
        elif None in answers:
            yield "signer_unidentified"
        else:
            yield "mchd_other_person"
    if content.is_joint and len(content.representatives) > 1:
        yield "mchd_joint"


def _in_force(content: PowerOfAttorney, at: datetime) -> str | None:
    """By civil dates in Moscow, the last day included (МЧД dates are Moscow dates)."""
    day: date = at.astimezone(clock.MOSCOW).date()
    if content.issued_on is None or day < content.issued_on:
        return "mchd_not_yet"
    if content.expires_on is None or day > content.expires_on:
        return "mchd_expired"
    return None


def _time_codes(one: Signed, question: Question) -> Iterator[str]:
    """A claim of the signer's own clock may spoil, never save: at best it leaves doubt."""
    for trouble in (_in_force(one.content, question.proven_at), _revoked(one, question.proven_at)):
        if trouble is None:
            continue
        claimed = question.claimed_at
        earlier = claimed is not None and claimed <= question.proven_at
        if earlier and claimed is not None and trouble != "mchd_not_yet":
            saved = _in_force(one.content, claimed) is None and _revoked(one, claimed) is None
            yield "moment_unproven" if saved else trouble
        else:
            yield trouble
    claimed = question.claimed_at
    if claimed is not None and _in_force(one.content, claimed) == "mchd_not_yet":
        yield "mchd_not_yet"


def _revoked(one: Signed, at: datetime) -> str | None:
    return "mchd_revoked" if one.revoked_at is not None and one.revoked_at <= at else None


def _powers_codes(
    content: PowerOfAttorney, act: str, rules: tuple[PowerRule, ...]
) -> Iterator[str]:
    trouble = covering(content.powers, act=act, rules=rules)
    if trouble:
        yield trouble


def _signature_codes(one: Signed) -> Iterator[str]:
    if one.verdict == "invalid":
        yield "mchd_signature_invalid"
    elif one.verdict != "valid":
        yield "mchd_signature_unclear"
    yield from _signer_codes(one)


def _signer_codes(one: Signed) -> Iterator[str]:
    """Is the signer of the file the head of one of those who give the power in it?"""
    answers = [_gives(principal, one.signer) for principal in one.content.principals]
    best = min(answers, key=_order, default=("mchd_signer_unidentified",))
    yield from best


def _order(codes: tuple[str, ...]) -> tuple[int, int]:
    worst = worst_of(FINDINGS[code].state for code in codes)
    return (("confirmed", "indeterminate", "refused").index(worst), len(codes))


def _gives(principal: Principal, signer: Identity) -> tuple[str, ...]:
    codes: list[str] = []
    if principal.kind in ("organization", "branch"):
        same = agrees((principal.inn, signer.organization_inn), (principal.ogrn, signer.ogrn))
        if same is False:
            return ("mchd_signer_other_organization",)
        if same is None:
            codes.append("mchd_signer_unidentified")
    answers = [_is_person(one, signer) for one in principal.heads]
    if "" in answers:
        return tuple(codes)
    if "mchd_head_by_name" in answers:
        return (*codes, "mchd_head_by_name")
    return (*codes, answers[0] if answers else "mchd_signer_unidentified")


def _is_person(person: Individual, signer: Identity) -> str:
    same = agrees((person.snils, signer.snils), (person.inn, signer.person_inn))
    if same is not None:
        return "" if same else "mchd_signer_not_head"
    if not signer.surname or not person.surname:
        return "mchd_signer_unidentified"
    by_name = same_name(
        signer.surname, signer.given_names,
        last=person.surname, first=person.given_name, middle=person.patronymic,
    )  # fmt: skip
    return "mchd_head_by_name" if by_name else "mchd_signer_not_head"


def _principal_codes(root: Signed, question: Question, head: Head | None) -> Iterator[str]:
    if not question.inn and not question.ogrn:
        yield "organization_unidentified"
        return
    answers = [
        agrees((one.inn, question.inn), (one.ogrn, question.ogrn))
        for one in root.content.principals
        if one.kind == "organization"
    ]
    if True not in answers:
        yield "organization_unidentified" if None in answers else "mchd_other_principal"
        return
    heads = [person for one in root.content.principals for person in one.heads]
    if head is not None and heads and not any(
        same_name(one.surname, f"{one.given_name} {one.patronymic}", last=head.last_name,
                  first=head.first_name, middle=head.middle_name)
        for one in heads
    ):  # fmt: skip
        yield "mchd_head_differs"


def _climb(links: list[Signed], parent_of: Callable[[str], Signed | None]) -> str | None:
    """Follow the parents to the first power of attorney; says what breaks the chain."""
    seen = {links[0].content.number}
    while links[-1].content.is_delegated:
        number = links[-1].content.parent_number
        if number in seen or len(links) >= MAX_CHAIN:
            return "mchd_chain_loop"
        parent = parent_of(number) if number else None
        if parent is None or not parent.content.is_parsed:
            return "mchd_parent_missing"
        seen.add(number)
        links.append(parent)
    return None


def _link_codes(
    child: Signed, parent: Signed, question: Question, rules: tuple[PowerRule, ...], *, depth: int
) -> Iterator[str]:
    allowed = parent.content.delegation
    if allowed == "forbidden" or (allowed == "once" and depth > 1):
        yield "mchd_delegation_forbidden"
    elif allowed == "unknown":
        yield "mchd_delegation_unclear"
    if not _passes_on(child.content, parent.content):
        yield "mchd_delegator_differs"
    if _in_force(parent.content, question.proven_at) or _begins_outside(child, parent):
        yield "mchd_parent_expired"
    if _revoked(parent, question.proven_at):
        yield "mchd_parent_revoked"
    yield from _powers_codes(parent.content, question.act, rules)


def _begins_outside(child: Signed, parent: Signed) -> bool:
    since, until = parent.content.issued_on, parent.content.expires_on
    begins = child.content.issued_on
    return since is None or until is None or begins is None or not since <= begins <= until


def _passes_on(child: PowerOfAttorney, parent: PowerOfAttorney) -> bool:
    """Did one of those who pass the power on receive it before? By numbers only."""
    for giver in child.principals:
        for receiver in parent.representatives:
            if agrees((giver.inn, receiver.inn), (giver.ogrn, receiver.ogrn)):
                return True
            person = receiver.person
            if person is not None and any(
                agrees((one.snils, person.snils), (one.inn, person.inn)) for one in giver.heads
            ):
                return True
    return False
