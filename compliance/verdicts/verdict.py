"""The verdict: a pure function of the case; no clock, no database, no network.

`clear` needs a licence or an own work that holds, never merely no match. `blocked` needs a verified
match and a claimant valid on that day. Between licences the one with the least against it speaks.
"""

from datetime import date, timedelta

import msgspec

from compliance.verdicts.attribution import folded
from compliance.verdicts.case import (
    Attribution,
    Case,
    Claimant,
    Licence,
    Match,
    Outcome,
    OwnWork,
    Picture,
    Reason,
    Turn,
    Verdict,
)
from compliance.verdicts.covering import consent_reasons, licence_reasons
from compliance.verdicts.rules import VERSION, as_worded, reason

WHOLE = 0.85
"""From this share of the picture on, what is left is border or caption."""
_RANK: dict[Outcome, int] = {"clear": 0, "needs_licence": 1, "needs_review": 2, "blocked": 3}
_MIN_QUALITY = 50


class _Right(msgspec.Struct, frozen=True):
    """What was found for one matched picture."""

    reasons: tuple[Reason, ...]
    line: Attribution | None = None
    licence: str | None = None
    is_good: bool = False


def judge(case: Case, *, rules: str = VERSION) -> Verdict:
    """The answer for the day of use, and the first later day on which it will be another one.

    `rules` is the version whose words are wanted; KeyError for one that never was.
    """
    found = _judge(case, case.use.on)
    return msgspec.structs.replace(
        found, turns=_next_turn(case, found.outcome),
        reasons=as_worded(found.reasons, rules), rules=rules,
    )  # fmt: skip


def _judge(case: Case, on: date) -> Verdict:
    today = msgspec.structs.replace(case, use=msgspec.structs.replace(case.use, on=on))
    sure = [match for match in today.matches if match.level != "candidate"]
    rights = {match.picture: _right(today, match) for match in sure}
    reasons = _claims(today, rights)
    for match in sure:
        right = rights[match.picture]
        reasons.extend(right.reasons)
    good = [match for match in sure if rights[match.picture].is_good]
    reasons.extend(_whole(sure, good))
    reasons.extend(_candidates(today))
    reasons.extend(_signs(today, sure, is_licensed=bool(good)))
    if not good and not any(one.outcome for one in reasons):
        reasons.append(reason("origin_unknown"))
    return _verdict(reasons, [rights[match.picture] for match in sure])


def _verdict(reasons: list[Reason], rights: list[_Right]) -> Verdict:
    every = {(one.rule, one.ru): one for one in reasons}
    asked = [one.outcome for one in every.values() if one.outcome is not None]
    worst = max(asked, key=_RANK.__getitem__)
    ordered = sorted(every.values(), key=lambda one: (-_weight(one), one.rule, one.ru))
    lines = tuple(dict.fromkeys(right.line for right in rights if right.line is not None))
    used = tuple(dict.fromkeys(r.licence for r in rights if r.is_good and r.licence is not None))
    return Verdict(worst, tuple(ordered), lines, used, None, VERSION)


def _weight(one: Reason) -> int:
    return -1 if one.outcome is None else _RANK[one.outcome]


def _right(case: Case, match: Match) -> _Right:
    """The best right there is to a matched picture: one that holds, else the nearest to it."""
    picture = next(
        (one for one in case.pictures if one.id == match.picture), Picture(match.picture)
    )
    found = [
        _by_licence(case, licence, match, picture)
        for licence in case.licences
        if licence.picture == match.picture
    ]
    found += [
        _by_consent(case, work, picture) for work in case.own_works if work.picture == match.picture
    ]
    if not found:
        return _Right((reason("origin_unknown"),))
    return min(found, key=lambda right: (not right.is_good, _badness(right)))


def _badness(right: _Right) -> tuple[int, int, str]:
    asked = [_weight(one) for one in right.reasons]
    return max(asked, default=0), len(asked), right.licence or ""


def _by_licence(case: Case, licence: Licence, match: Match, picture: Picture) -> _Right:
    against, line = licence_reasons(licence, case.use, match=match, picture=picture)
    proof = () if _is_proved(picture) else (reason("source_unproved"),)
    reasons = against + proof
    if any(one.outcome for one in reasons):
        return _Right(reasons, line, licence.id)
    holder = licence.holder or picture.author or "—"
    held = reason("licence_holds", licence=licence.name, holder=holder)
    return _Right((held, *reasons), line, licence.id, is_good=True)


def _is_proved(picture: Picture) -> bool:
    return picture.has_snapshot and picture.approved_by is not None


def _by_consent(case: Case, work: OwnWork, picture: Picture) -> _Right:
    against, line = consent_reasons(work, case.use)
    line_due = line if line.line else None
    if any(one.outcome for one in against):
        return _Right(against, line_due)
    proof = () if picture.approved_by is not None else (reason("source_unproved"),)
    if proof:
        return _Right(proof, line_due)
    return _Right((reason("own_work", author=work.author), *against), line_due, is_good=True)


def _claims(case: Case, rights: dict[str, _Right]) -> list[Reason]:
    found = []
    levels = {match.picture: match.level for match in case.matches}
    for claimant in case.claimants:
        if not _holds(claimant, case.use.on):
            continue
        for work in claimant.works:
            if work in levels:
                found.append(_claim(case, claimant, work, levels[work], rights.get(work)))
        if _is_named(claimant, case) and not any(work in levels for work in claimant.works):
            found.append(reason("claimant_named", claimant=claimant.name))
    return found


def _claim(case: Case, claimant: Claimant, work: str, level: str, right: _Right | None) -> Reason:
    if level == "candidate":
        return reason("claimant_candidate", claimant=claimant.name)
    holder = next((one.holder for one in case.licences if right and one.id == right.licence), "")
    names = {folded(name) for name in (claimant.name, *claimant.aliases)}
    if right is not None and right.is_good and folded(holder) in names:
        return reason("claimant_licensed", claimant=claimant.name)
    return reason("claimant_work", claimant=claimant.name)


def _holds(claimant: Claimant, on: date) -> bool:
    return (claimant.since is None or claimant.since <= on) and (
        claimant.until is None or on <= claimant.until
    )


def _is_named(claimant: Claimant, case: Case) -> bool:
    said = [part for one in case.evidence.credits for part in (one.author, one.agency, one.stock)]
    said += list(case.evidence.rights.values())
    names = [folded(name) for name in (claimant.name, *claimant.aliases) if name]
    texts = [f" {folded(text)} " for text in said if text]
    return any(f" {name} " in text for name in names for text in texts)


def _whole(sure: list[Match], good: list[Match]) -> list[Reason]:
    if not good or len(good) < len(sure):
        return []
    share = sum(match.covered for match in good)
    return [] if share >= WHOLE else [reason("licence_partial", share=round(share * 100))]


def _candidates(case: Case) -> list[Reason]:
    claimed = {work for one in case.claimants if _holds(one, case.use.on) for work in one.works}
    titles = {one.id: one.title for one in case.pictures}
    return [
        reason("register_candidate", title=titles.get(match.picture) or match.picture)
        for match in case.matches
        if match.level == "candidate" and match.picture not in claimed
    ]


_NOTICES = ("gps_present", "low_quality", "type_mismatch")


def _signs(case: Case, sure: list[Match], *, is_licensed: bool) -> list[Reason]:
    evidence = case.evidence
    found = [reason(code) for code in _NOTICES if code in evidence.findings]
    found += [
        reason(code) for code in ("metadata_conflict", "ai_declared") if code in evidence.findings
    ]
    if evidence.c2pa == "broken":
        found.append(reason("provenance_broken"))
    if evidence.quality < _MIN_QUALITY:
        found.append(reason("no_features"))
    marked = {one.id for one in case.pictures if one.carries_rights}
    if not evidence.rights and any(match.picture in marked for match in sure):
        found.append(reason("rights_stripped"))
    return found if is_licensed else found + _named_holders(case)


def _named_holders(case: Case) -> list[Reason]:
    found = []
    for one in case.evidence.credits:
        if one.stock:
            found.append(reason("stock_mark", credit=one.stock))
        elif one.agency or one.author:
            code = "credit_named" if one.origin == "ocr" else "rights_in_metadata"
            name = " / ".join(part for part in (one.author, one.agency) if part)
            found.append(reason(code, credit=name))
    stated = case.evidence.rights.get("copyright") or case.evidence.rights.get("creator")
    if stated and not found:
        found.append(reason("rights_in_metadata", credit=stated))
    return found


def _next_turn(case: Case, outcome: Outcome) -> Turn | None:
    """The first later day with another outcome; only days named in the registers can be one."""
    for day in sorted(day for day in _days(case) if day > case.use.on):
        then = _judge(case, day).outcome
        if then != outcome:
            return Turn(day, then)
    return None


def _days(case: Case) -> set[date]:
    firsts: list[date | None] = []
    lasts: list[date | None] = []
    for licence in case.licences:
        firsts += [licence.since, licence.revoked_on]
        lasts.append(licence.until)
    for work in case.own_works:
        firsts += [work.since, work.withdrawn_on]
        lasts.append(work.until)
    for claimant in case.claimants:
        firsts.append(claimant.since)
        lasts.append(claimant.until)
    ends = {day + timedelta(days=1) for day in lasts if day is not None and day < date.max}
    return {day for day in firsts if day is not None} | ends
