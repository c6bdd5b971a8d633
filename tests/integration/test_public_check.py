"""What anyone, or a hostile program, may send to the public check over HTTP."""

import os

import httpx
import pytest

from core import db
from docflow.documents import checking
from tests import ground
from web import public_check

PATH = "/api/v1/check"
MULTIPART = {"content-type": "multipart/form-data; boundary=b"}
WHOLE = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nabc\r\n--b--\r\n'


async def _sent(program: httpx.AsyncClient, content: bytes, **headers: str) -> httpx.Response:
    return await program.post(PATH, content=content, headers=MULTIPART | headers)


@pytest.mark.parametrize(
    "content",
    [b"", b"--b", WHOLE[:60], WHOLE[:-9], b"\x00" * 5000, WHOLE.replace(b"--b", b"--c"),
     WHOLE.replace(b'"file"', b'"'), b"--b\r\n" * 5000, WHOLE.replace(b"\r\n", b"\n")],
    ids=["empty", "begun", "cut in its head", "cut at its end", "zeros", "another boundary",
         "no name", "only boundaries", "bare line feeds"],
)  # fmt: skip
async def test_broken_forms_are_refused_or_read(database: str, content: bytes) -> None:
    async with ground.api() as program:
        answer = await _sent(program, content)
        assert answer.status_code in (200, 413, 422), answer.text
        if answer.status_code != 200:
            assert answer.json()["code"]
            assert answer.json()["detail"]


async def test_forms_without_boundary_and_with_too_many_parts(database: str) -> None:
    async with ground.api() as program:
        bare = await _sent(program, WHOLE, **{"content-type": "multipart/form-data"})
        many = await _sent(program, WHOLE[: -len(b"--b--\r\n")] * 3000 + b"--b--\r\n")
        for answer in (bare, many):
            assert answer.status_code == 422, answer.text
            assert answer.json()["code"]


async def test_too_large_a_file_is_refused_with_what_to_do(database: str) -> None:
    async with ground.api() as program:
        for size in (public_check.MAX_FILE + 1, public_check.MAX_FILE + (8 << 20)):
            answer = await program.post(PATH, files={"file": ("a.pdf", bytes(size))})
            assert (answer.status_code, answer.json()["code"]) == (413, "too_large"), answer.text


async def test_one_signature_and_one_file_are_checked_and_never_guessed(database: str) -> None:
    letter = ("a.txt", os.urandom(100))
    async with ground.api() as program:
        twice = await program.post(PATH, files=[("file", letter), ("file", letter)])
        assert (twice.status_code, twice.json()["code"]) == (422, "file_missing")
        hollow = await program.post(PATH, files={"file": letter, "signature": ("a.sig", b"")})
        assert (hollow.status_code, hollow.json()["details"]["field"]) == (422, "signature")
        large = {"file": letter, "signature": ("a.sig", bytes(checking.MAX_SIGNATURE + 1))}
        assert (await program.post(PATH, files=large)).status_code == 413
        zipped = {"file": ("a.zip", b"PK\x03\x04" + bytes(50)), "signature": ("a.sig", b"x")}
        told = (await program.post(PATH, files=zipped)).json()
        assert (told["kind"], told["verdict"] == "valid") == ("signatures", False)
    assert await db.value("SELECT count(*) FROM blob") == 0
