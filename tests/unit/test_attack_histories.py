"""A later signature or time stamp hides no earlier damage, and a later mark hides no words."""

from io import BytesIO

import pytest
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import signers

from core.clock import frozen
from core.errors import ServiceError
from signatures import pdf
from signatures.validation import validate_pdf
from tests import genuine as made
from tests.attacks import applied
from tests.genuine import AT, START, by_hand, by_library, genuine, world

# Between two revisions a line end or a short remark shows nothing to anybody.
HARMLESS = {"appended: a line end", "appended: a remark"}


def _data(name: str) -> bytes:
    return next(one.data for one in genuine() if one.name == name)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["by hand", "form", "long-term", "certified 2", "streams"])
def test_signing_again_hides_no_damage(name: str) -> None:
    passed, count = [], 0
    for attack, changed in applied(_data(name)):
        try:
            with frozen(START):
                again = pdf.sign_pdf(changed, key=world().colleague.key())
        except ServiceError:
            continue
        count += 1
        report = validate_pdf(again, trust=world().trust, at=AT)
        if report.verdict == "valid" and attack not in HARMLESS:
            passed.append(attack)
    assert not passed
    assert count > 30


@pytest.mark.slow
def test_time_stamp_hides_no_damage() -> None:
    passed, count = [], 0
    for attack, changed in applied(_data("by hand")):
        try:
            out = BytesIO()
            with frozen(START):
                signers.PdfTimeStamper(made.stamper()).timestamp_pdf(
                    IncrementalPdfFileWriter(BytesIO(changed), strict=False), "sha256", output=out
                )
        except Exception:  # noqa: S112 - the library cannot stamp what it cannot read
            continue
        count += 1
        report = validate_pdf(out.getvalue(), trust=world().trust, at=AT)
        if report.verdict == "valid" and attack not in HARMLESS:
            passed.append(attack)
    assert not passed
    assert count > 30


def _forgetful(monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that signs whatever the author forbade; ours and the library refuse to."""
    monkeypatch.setattr("pyhanko.sign.validation.read_certification_data", lambda _: None)


def test_certified_against_changes_allows_no_further_signature(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _forgetful(monkeypatch)
    again = by_library(_data("certified 1"), name="More", who=world().colleague)
    report = validate_pdf(again, trust=world().trust, at=AT)
    assert (report.verdict, report.reasons) == ("invalid", ("changed_after_signing",))


@pytest.mark.parametrize("permission", [1, 2, 3])
def test_marks_after_certification_are_not_valid(
    permission: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    _forgetful(monkeypatch)
    data = _data(f"certified {permission}")
    again = by_library(data, name="Evil", who=world().colleague, box=(40, 690, 400, 720))
    assert validate_pdf(again, trust=world().trust, at=AT).verdict != "valid"


def test_mark_over_words_is_not_valid() -> None:
    once = by_library(by_hand(), name="V", box=(50, 100, 250, 150))
    over_words = by_library(once, name="W", who=world().colleague, box=(40, 690, 400, 720))
    report = validate_pdf(over_words, trust=world().trust, at=AT)
    assert (report.verdict, report.reasons) == ("indeterminate", ("mark_over_content",))
    over_mark = by_library(once, name="W", who=world().colleague, box=(60, 110, 240, 140))
    assert validate_pdf(over_mark, trust=world().trust, at=AT).verdict != "valid"
