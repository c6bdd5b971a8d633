"""RFC 8785: one form of JSON for one content."""

import json

import pytest

from core import canonical


def test_one_form_whatever_the_order() -> None:
    value = {"b": [1, True, None, "ё"], "a": {"y": 1, "x": "\u2028"}}
    same = json.loads(json.dumps(value, sort_keys=True))
    assert canonical.dumps(value) == canonical.dumps(same)
    assert canonical.dumps(value) == '{"a":{"x":"\u2028","y":1},"b":[1,true,null,"ё"]}'.encode()


def test_keys_sort_by_utf16() -> None:
    assert canonical.dumps({"\ufb01": 1, "\U0001f600": 2}) == '{"\U0001f600":2,"\ufb01":1}'.encode()


@pytest.mark.parametrize("value", [1.5, {"a": [2**60]}, {1: 2}])
def test_what_has_no_exact_form_is_refused(value: object) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the only error there is
        canonical.dumps(value)
