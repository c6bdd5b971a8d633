"""What is honest stays valid: several writers, signers and levels."""

import pytest

from signatures.validation import validate_pdf
from tests.genuine import AT, genuine, world

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("name", [one.name for one in genuine()])
def test_honest_files_are_valid(name: str) -> None:
    data = next(one.data for one in genuine() if one.name == name)
    report = validate_pdf(data, trust=world().trust, at=AT)
    assert (report.verdict, report.reasons) == ("valid", ()), report
