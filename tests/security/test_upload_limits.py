"""No route takes more than it must: bodies that never end are broken off."""

from collections.abc import AsyncIterator

import pytest

from litestar_app import create_app
from tests import ground
from tests.belongings import belongings
from tests.security.test_foreign import walked

CHUNK = bytes(1 << 20)
MOST = 160
"""Chunks; more than any import, picture or package may have."""
LARGE = {
    "PUT /api/v1/documents/{document_id}/files/{role}": "up to 2 GB, by kind; test_bad_files",
    "POST /api/v1/intake": "as a main file; test_bad_files",
    "POST /documents": "as a main file",
    "POST /documents/{document_id}/files": "as above",
    "POST /api/v1/offline/packages/take": "a whole stick, streamed to disk up to MOST_BYTES",
    "POST /api/v1/pictures/import": "an archive of pictures up to MAX_ARCHIVE",
}
"""Routes that may take more, each with what bounds it."""


class Endless:
    """A body that goes on until nobody reads it, at most `MOST` chunks."""

    def __init__(self, head: bytes = b"") -> None:
        self.head, self.sent = head, 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self.head
        while self.sent < MOST:
            self.sent += 1
            yield CHUNK


@pytest.mark.slow
async def test_a_body_without_end_is_broken_off(database: str) -> None:
    made = await belongings()
    whole, asked, wrong = [], 0, []
    async with ground.api(made.owner) as program, ground.browser(made.owner) as person:
        for method, path, handler in walked(create_app()):
            name = f"{method} {path}"
            if method not in ("POST", "PUT") or name in LARGE or path == "/logout":
                continue
            address = path
            for place, one in made.at(path).items():
                address = address.replace(f"{{{place}}}", one)
            is_form = handler.opt.get("csrf_exempt") and not path.startswith("/api/")
            boundary = b'--b\r\nContent-Disposition: form-data; name="_csrf"\r\n\r\n'
            token = person.headers["x-csrf-token"].encode()
            head = boundary + token + b'\r\n--b\r\nContent-Disposition: form-data; name="file"; ' \
                b'filename="a.pdf"\r\n\r\n'  # fmt: skip
            body = Endless(head if is_form else b"")
            kind = "multipart/form-data; boundary=b" if is_form else "application/octet-stream"
            client = program if path.startswith("/api/") else person
            answer = await client.request(
                method, address, content=body, headers={"content-type": kind}
            )
            asked += 1
            if body.sent >= MOST:
                whole.append((name, answer.status_code))
            if answer.status_code >= 500:
                wrong.append((name, answer.status_code))
    assert wrong == []
    assert not whole, whole
    assert asked > 150
