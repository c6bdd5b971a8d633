"""Whether one licence or consent covers one use on its day; pure."""

from datetime import date, timedelta

from compliance.verdicts.attribution import PublicLicence, check_public, check_wording, read_public
from compliance.verdicts.case import Attribution, Licence, Match, OwnWork, Picture, Reason, Use
from compliance.verdicts.rules import reason


def licence_reasons(
    licence: Licence, use: Use, *, match: Match, picture: Picture
) -> tuple[tuple[Reason, ...], Attribution | None]:
    """What speaks against (or, being a notice, beside) the licence, and the line it asks for."""
    name = licence.name
    found = [*_times(licence, use, name), *_reach(licence, use, name), *_seats(licence, use, name)]
    if not licence.is_confirmed:
        found.append(reason("licence_unconfirmed", licence=name))
    changed = use.is_changed or match.is_altered
    public = read_public(licence.public or "")
    if licence.kind == "public" and public is None:
        found.append(reason("licence_unknown_public", public=licence.public or "?"))
        return tuple(found), None
    found.extend(_terms(licence, public, use, name, changed=changed))
    line = _line(licence, public, use, picture, changed=changed)
    if line.missing:
        found.append(reason("attribution_missing", missing=", ".join(line.missing), line=line.line))
    return tuple(found), line


def _line(
    licence: Licence, public: PublicLicence | None, use: Use, picture: Picture, *, changed: bool
) -> Attribution:
    if public is not None:
        return check_public(public, picture, use.caption, is_changed=changed)
    return check_wording(licence.attribution, use.caption)


def _times(licence: Licence, use: Use, name: str) -> list[Reason]:
    if licence.revoked_on is not None and licence.revoked_on <= use.on:
        return [reason("licence_revoked", licence=name, on=_day(licence.revoked_on))]
    if licence.until is not None and licence.until < use.on:
        return [reason("licence_ended", licence=name, on=_day(licence.until))]
    if licence.since is not None and licence.since > use.on:
        return [reason("licence_not_begun", licence=name, on=_day(licence.since))]
    return []


def _day(day: date) -> str:
    return f"{day:%d.%m.%Y}"


def _reach(licence: Licence, use: Use, name: str) -> list[Reason]:
    found = []
    if not _reaches(licence, use):
        found.append(reason("licence_elsewhere", licence=name))
    if licence.channels and use.channel not in licence.channels:
        found.append(reason("licence_channel", licence=name, channel=CHANNEL_NAMES[use.channel]))
    if licence.territories and use.territory not in licence.territories:
        found.append(reason("licence_territory", licence=name, territory=use.territory))
    return found


CHANNEL_NAMES = {
    "site": "сайт",
    "newspaper": "газета",
    "social": "социальные сети",
    "print": "печатная продукция",
    "messenger": "рассылка в мессенджере",
    "presentation": "презентация",
}


def _reaches(licence: Licence, use: Use) -> bool:
    if licence.kind == "public" or licence.grantee == use.organization:
        return True
    if licence.grantee is None or licence.reach == "organization":
        return False
    lines = (
        use.superiors.values()
        if licence.reach == "subtree"
        else (use.superiors.get(licence.line or "", ()),)
    )
    return any(licence.grantee in line for line in lines)


def _seats(licence: Licence, use: Use, name: str) -> list[Reason]:
    if licence.max_seats is None:
        return []
    taken = set(licence.seats)
    is_seated = use.seat in taken if use.seat is not None else False
    if is_seated or (use.seat is not None and len(taken) < licence.max_seats):
        return []
    return [reason("licence_seats", licence=name)]


def _terms(
    licence: Licence, public: PublicLicence | None, use: Use, name: str, *, changed: bool
) -> list[Reason]:
    found = []
    commercial = public.allows_commercial if public else licence.allows_commercial
    if not commercial and use.is_commercial is None:
        found.append(reason("commercial_unknown", licence=name))
    elif not commercial and use.is_commercial:
        found.append(reason("licence_noncommercial", licence=name))
    if changed and not (public.allows_changes if public else licence.allows_changes):
        found.append(reason("licence_no_changes", licence=name))
    if changed and public is not None and public.is_share_alike:
        found.append(reason("share_alike", licence=name))
    return found


def consent_reasons(work: OwnWork, use: Use) -> tuple[tuple[Reason, ...], Attribution]:
    """What speaks against relying on an author's consent, and the line with the author's name."""
    ends = [day for day in (work.withdrawn_on, _after(work)) if day is not None]
    found = []
    if ends and min(ends) <= use.on:
        found.append(reason("consent_ended", author=work.author, on=_day(min(ends))))
    within = work.organization == use.organization or (
        work.reach == "subtree"
        and any(work.organization in line for line in use.superiors.values())
    )
    if (
        not within
        or (work.channels and use.channel not in work.channels)
        or (work.since is not None and work.since > use.on)
    ):
        found.append(reason("consent_elsewhere", author=work.author))
    line = check_wording(work.attribution, use.caption)
    if line.missing:
        found.append(reason("attribution_missing", missing=", ".join(line.missing), line=line.line))
    return tuple(found), line


def _after(work: OwnWork) -> date | None:
    return work.until and work.until + timedelta(days=1)
