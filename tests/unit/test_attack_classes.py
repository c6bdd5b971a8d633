"""No known attack on a trusted, valid file comes out valid, and each is told why."""

import logging

import pytest

from signatures.validation import validate_pdf
from tests.attacks import ATTACKS, applied
from tests.genuine import AT, genuine, world

QUICK = {"by hand", "form", "certified 2", "streams"}


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(one.name, marks=() if one.name in QUICK else pytest.mark.slow)
        for one in genuine()
    ],
)
def test_no_attack_is_valid(name: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL)
    data = next(one.data for one in genuine() if one.name == name)
    passed, count = [], 0
    for attack, made in applied(data):
        count += 1
        report = validate_pdf(made, trust=world().trust, at=AT)
        if report.verdict == "valid" or not report.reasons:
            passed.append(attack)
    assert not passed
    assert count > len(ATTACKS) * 0.8
