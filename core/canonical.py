"""One form of JSON for one content (RFC 8785), so that bytes can be compared and hashed."""

import json
from typing import Any


def dumps(value: Any) -> bytes:
    """UTF-8, keys sorted, no spaces. Raises ValueError for numbers that are not whole.

    Whole numbers beyond 2**53 have no exact form in JSON and are refused too (section 3.2.2.3).
    """
    _require_exact(value)
    text = json.dumps(_sorted(value), ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.encode()


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        # By UTF-16 code units, as ECMAScript sorts (section 3.2.3).
        keys = sorted(value, key=lambda key: key.encode("utf-16-be"))
        return {key: _sorted(value[key]) for key in keys}
    return [_sorted(one) for one in value] if isinstance(value, list | tuple) else value


def _require_exact(value: Any) -> None:
    if isinstance(value, float) or (isinstance(value, int) and abs(value) > 2**53):
        raise ValueError("only whole numbers up to 2**53 have one form")
    if isinstance(value, dict):
        if not all(isinstance(key, str) for key in value):
            raise ValueError("keys must be strings")
        value = list(value.values())
    if isinstance(value, list | tuple):
        for one in value:
            _require_exact(one)
