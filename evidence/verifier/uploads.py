"""A package somebody uploaded, checked at arm's length; runs in the sandbox."""

import io
from typing import Any

from evidence.verifier import package
from evidence.verifier.own_gost import OwnGost


def answer(data: bytes) -> dict[str, Any]:
    """The stand-alone file's answer on these bytes, as `docflow evidence verify` gives it."""
    return package.verify(io.BytesIO(data), gost=OwnGost()).as_dict()
