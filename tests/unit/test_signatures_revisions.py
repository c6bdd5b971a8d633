"""What the reader is shown: the bytes the last intact signature speaks for."""

import pytest

from core.errors import NotFound
from signatures.revisions import signed_revision
from signatures.validation import validate_pdf
from tests.attack_files import Victim
from tests.genuine import AT, genuine, world


def test_what_was_added_is_not_shown() -> None:
    for one in genuine():
        changed = Victim(one.data).evil_content()
        assert changed is not None
        found = validate_pdf(changed, trust=world().trust, at=AT).as_dict()["signatures"]
        shown = signed_revision(changed, found)
        assert one.data.startswith(shown)
        assert b"Mallory" not in shown


def test_each_signer_signed_a_revision_of_his_own() -> None:
    data = next(one.data for one in genuine() if one.name == "three")
    found = validate_pdf(data, trust=world().trust, at=AT).as_dict()["signatures"]
    shown = [signed_revision(data, found, field_name=one["field_name"]) for one in found]
    assert [len(one) for one in shown] == sorted(len(one) for one in shown)
    assert shown[-1] == data
    with pytest.raises(NotFound):
        signed_revision(data, [])
