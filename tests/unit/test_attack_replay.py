"""Verdict replay: ten years later, no network, the same verdict byte for byte."""

import hashlib
import socket
from dataclasses import replace
from datetime import date, timedelta

import pytest

from core import canonical
from core.clock import frozen
from core.errors import InvalidInput
from signatures import cms
from signatures.authority import create_authority, trust_of
from signatures.frozen import COPIED_UP_TO, OtherRules, freeze, is_same, replay
from signatures.report import Report
from signatures.trust import Accredited, TrustStore
from signatures.validation import validate
from tests.attacks import applied
from tests.genuine import AT, START, genuine, world

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket.socket, "connect", refuse)


def _again(report: Report, trust: TrustStore, data: bytes, **more: bytes) -> None:
    bundle = freeze(report, trust=trust, **more)  # type: ignore[arg-type]  # only a signature
    with frozen(AT + timedelta(days=3650)):
        made = replay(bundle, data)
    assert canonical.dumps(made.as_dict()) == canonical.dumps(report.as_dict())
    assert is_same(bundle, made)


def _crowded() -> TrustStore:
    """The authority among strangers, none of whom belongs into a bundle."""
    strangers = [create_authority(f"Stranger {number}") for number in range(3)]
    return world().trust + trust_of(*strangers)


@pytest.mark.parametrize("name", [one.name for one in genuine()])
def test_same_verdict_ten_years_later(name: str) -> None:
    data = next(one.data for one in genuine() if one.name == name)
    trust = _crowded()
    report = validate(data, trust=trust, at=AT)
    assert report.verdict == "valid"
    _again(report, trust, data)
    bundle = freeze(report, trust=trust)
    assert len(bundle) < 40_000 * len(report.signatures)
    roots = [one for one in report.inputs if one.source == "root"]
    assert [one.sha256 for one in roots] == [hashlib.sha256(world().trust.roots[0]).hexdigest()]


@pytest.mark.slow
def test_same_verdict_on_attacks_and_in_lack_of_data() -> None:
    data = next(one.data for one in genuine() if one.name == "two")
    for _, made in applied(data):
        _again(validate(made, trust=world().trust, at=AT), world().trust, made)
    for store in (
        replace(world().trust, crls=()),
        replace(world().trust, roots=()),
        TrustStore(),
        replace(world().trust, crls=world().trust.crls[:1]),
    ):
        _again(validate(data, trust=store, at=AT), store, data)


def test_same_verdict_on_a_detached_signature() -> None:
    data = b"letter"
    with frozen(START):
        made = cms.sign_detached(digest=hashlib.sha256(data).digest(), key=world().person.key())
    report = validate(data, signature=made, trust=world().trust, at=AT)
    assert report.verdict == "valid"
    _again(report, world().trust, data, signature=made)
    _again(validate(b"other", signature=made, trust=world().trust, at=AT),
           world().trust, b"other", signature=made)  # fmt: skip


def test_revoked_later_changes_no_past_verdict() -> None:
    data = next(one.data for one in genuine() if one.name == "by hand")
    before = validate(data, trust=world().trust, at=AT)
    bundle = freeze(before, trust=world().trust)
    w = world()
    assert w.issuing.parent is not None
    revoked = w.issuing.crl(
        revoked=[(w.person.certificate, AT)], this_update=AT + timedelta(hours=1)
    )
    later = replace(w.trust, crls=(revoked, w.issuing.parent.crl(this_update=AT)))
    assert validate(data, trust=later, at=AT + timedelta(hours=2)).verdict == "invalid"
    assert replay(bundle, data).verdict == "valid"
    assert is_same(bundle, replay(bundle, data))


def test_long_list_is_named_not_copied() -> None:
    w = world()
    data = next(one.data for one in genuine() if one.name == "by hand")
    many = [(w.colleague.certificate, START)] * 2500
    long = w.issuing.crl(revoked=many, this_update=START)
    assert len(long) > COPIED_UP_TO
    assert w.issuing.parent is not None
    trust = replace(w.trust, crls=(long, w.issuing.parent.crl(this_update=START)))
    report = validate(data, trust=trust, at=AT)
    bundle = freeze(report, trust=trust)
    assert len(bundle) < COPIED_UP_TO
    with pytest.raises(InvalidInput, match=hashlib.sha256(long).hexdigest()):
        replay(bundle, data)
    assert is_same(bundle, replay(bundle, data, fetch=lambda _: long))


def test_other_rules_and_no_bundle_are_refused() -> None:
    data = next(one.data for one in genuine() if one.name == "by hand")
    bundle = freeze(validate(data, trust=world().trust, at=AT), trust=world().trust)
    with pytest.raises(OtherRules):
        replay(bundle.replace(b"docflow-2026.11", b"docflow-1926.11"), data)
    with pytest.raises(InvalidInput):
        replay(b"{}", data)
    assert not is_same(bundle, replay(bundle, data + b"\n"))


def test_qualified_by_accreditation_on_the_day_of_issue() -> None:
    data = next(one.data for one in genuine() if one.name == "two")
    key = hashlib.sha256(world().issuing.der).hexdigest()
    since = date(2020, 1, 1)
    cases: list[tuple[tuple[Accredited, ...], bool | None]] = [
        ((), None),
        ((Accredited("certificate", key, since),), True),
        ((Accredited("certificate", key, since, date(2021, 1, 1)),), False),
        ((Accredited("certificate", "00", since),), False),
    ]
    for periods, expected in cases:
        trust = replace(world().trust, accredited=periods)
        report = validate(data, trust=trust, at=AT)
        plain = report.as_dict()
        assert plain["qualified"] is expected
        assert plain["technically_valid"] is True
        assert plain["checked_by_certified_means"] is False
        assert {one["authority"] for one in plain["signatures"]} == {"not_checked"}
        _again(report, trust, data)
