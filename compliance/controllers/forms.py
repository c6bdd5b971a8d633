"""Forms of a picture and its use, as outside sites and browsers send them."""

from typing import Any, TypeVar

import msgspec
from litestar import Request
from litestar.datastructures import UploadFile

from core.errors import InvalidInput

T = TypeVar("T")
LARGEST = 66 << 20
"""Bytes of a form: a picture of the largest size and its fields."""

PICTURE_FORM: dict[str, Any] = {
    "type": "object",
    "required": ["picture", "use"],
    "properties": {
        "picture": {"type": "string", "contentMediaType": "application/octet-stream"},
        "use": {"type": "string", "contentMediaType": "application/json"},
    },
}
"""For the description of the API: a file, and JSON beside it."""


async def picture_and_use(request: Request[Any, Any, Any], kind: type[T]) -> tuple[bytes, str, T]:
    """The picture's bytes, its file name and the use; `malformed_request`, `picture_missing`."""
    if request.content_type[0] != "multipart/form-data":
        raise _missing()
    form = await request.form()
    file, said = form.get("picture"), form.get("use")
    if not isinstance(file, UploadFile):
        raise _missing()
    try:
        use = msgspec.json.decode(said if isinstance(said, str) else b"", type=kind)
    except msgspec.MsgspecError as problem:
        raise InvalidInput(code="malformed_request", fields=[f"use: {problem}"]) from problem
    return await file.read(), file.filename, use


def _missing() -> InvalidInput:
    return InvalidInput(
        "Отправьте форму multipart/form-data: файл picture и JSON в поле use.",
        "Send a form, multipart/form-data: the file `picture` and JSON in the field `use`.",
        code="picture_missing",
        field="picture",
    )
