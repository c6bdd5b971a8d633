"""Forms with a file: fields first, then the file as a stream, never whole in memory."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field

from multipart import (  # type: ignore[import-untyped]  # reason: ships no types
    MultipartError,
    MultipartSegment,
    PushMultipartParser,
    parse_options_header,
)

from core.errors import InvalidInput, TooLarge
from web.pages import R

MAX_FIELD = 256 * 1024
MAX_PARTS = 100


@dataclass(slots=True)
class UploadForm:
    """What a form sent; the file, the last of its parts, is still on its way."""

    fields: dict[str, str] = field(default_factory=dict)
    small: dict[str, bytes] = field(default_factory=dict)
    """Files that were to be read whole; one left empty is not here."""
    file_name: str = ""
    stream: AsyncIterator[bytes] | None = None


async def read_upload(request: R, *, small: Mapping[str, int] | None = None) -> UploadForm:
    """Read the fields before the file; `stream` then gives the file's bytes as they come.

    `small` names further files, each with the bytes it may have; they come before the large one.
    Raises InvalidInput (`malformed_form`), TooLarge. The form must have its file in the last place.
    """
    small = small or {}
    kind, options = parse_options_header(request.headers.get("content-type", ""))
    if kind != "multipart/form-data" or not options.get("boundary"):
        raise _malformed()
    parts = _parts(request, options["boundary"])
    form = UploadForm()
    name, collected, limit = "", bytearray(), MAX_FIELD
    async for part in parts:
        if isinstance(part, MultipartSegment):
            if part.name not in small and part.filename:
                form.file_name = part.filename.replace("\\", "/").rpartition("/")[2][:255]
                form.stream = _file(parts)
                return form
            name, collected = part.name, bytearray()
            limit = small.get(name, MAX_FIELD)
        elif part is None:
            _keep(form, name, bytes(collected), is_file=name in small)
        else:
            collected += part
            if len(collected) > limit:
                raise TooLarge if name in small else _malformed()
    return form


def _keep(form: UploadForm, name: str, collected: bytes, *, is_file: bool) -> None:
    if not is_file:
        form.fields[name] = collected.decode("utf-8", "replace")
    elif collected:
        form.small[name] = collected


async def _parts(
    request: R, boundary: str
) -> AsyncIterator[MultipartSegment | bytes | bytearray | None]:
    """What the parser finds: a part's head, its bytes, and None at its end."""
    try:
        with PushMultipartParser(boundary, max_segment_count=MAX_PARTS) as parser:
            async for chunk in request.stream():
                for event in parser.parse(chunk):
                    yield event
    except MultipartError as problem:
        raise _malformed() from problem


async def _file(
    parts: AsyncIterator[MultipartSegment | bytes | bytearray | None],
) -> AsyncIterator[bytes]:
    async for part in parts:
        if part is None:
            return
        if not isinstance(part, MultipartSegment):
            yield bytes(part)


def _malformed() -> InvalidInput:
    return InvalidInput(
        "Форма прислана в неверном виде. Обновите страницу и отправьте ещё раз.",
        "The form could not be read. Reload the page and send it again.",
        code="malformed_form",
    )
