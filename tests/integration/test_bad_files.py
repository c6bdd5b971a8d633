"""Bad files over HTTP: refused by content with a code, kept in quarantine, the draft untouched."""

import dataclasses
import io
import json
import random
import zipfile
from collections.abc import AsyncIterator
from urllib.parse import quote

import httpx
import pytest
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.pdf_utils.writer import copy_into_new_writer

from core import db
from core.actor import Actor
from docflow.documents import kinds
from docflow.documents.controllers import clean_name
from signatures import pdf
from tests import ground, people

EXE = b"MZ\x90\x00\x03\x00\x00\x00\x04\x00\x00\x00\xff\xff\x00\x00" + b"\x00" * 200


def archive(**members: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members.items():
            file.writestr(name, content)
    return packed.getvalue()


def code_of(answer: httpx.Response) -> str:
    assert 400 <= answer.status_code < 500, (answer.status_code, answer.text[:300])
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"] != answer.json()["detail_en"]
    return str(answer.json()["code"])


@pytest.fixture
async def clerk(database: str) -> Actor:
    return await people.clerk_of(await ground.an_organization("union"))


@pytest.fixture
async def client(clerk: Actor) -> AsyncIterator[httpx.AsyncClient]:
    async with ground.api(clerk) as opened:
        yield opened


@pytest.fixture
async def draft(client: httpx.AsyncClient) -> str:
    made = await client.post("/api/v1/documents", json={"kind": "circular", "title": "О совещании"})
    return f"/api/v1/documents/{made.json()['id']}"


@pytest.fixture
async def letter(database: str) -> bytes:
    return await people.a_letter()


@pytest.fixture
async def signed_letter(letter: bytes, clerk: Actor) -> bytes:
    """Signed well enough to count, so that only what was done to it can spoil it."""
    issued = await people.give_key(clerk.home_id)
    return pdf.sign_pdf(letter, key=issued.key())


async def nothing_entered(draft: str) -> bool:
    found = await db.row(
        """SELECT (SELECT count(*) FROM document_file) AS files,
                  (SELECT count(*) FROM signature) AS signatures,
                  (SELECT status FROM document WHERE id = $1::uuid) AS status,
                  (SELECT count(*) FROM event WHERE verb = 'document.file_added') AS events,
                  (SELECT count(*) FROM idempotency_key) AS keys""",
        draft.rpartition("/")[2],
    )
    return found == {"files": 0, "signatures": 0, "status": "draft", "events": 0, "keys": 0}


async def test_bad_main_files(client: httpx.AsyncClient, draft: str, letter: bytes) -> None:
    locked = copy_into_new_writer(PdfFileReader(io.BytesIO(letter)))
    locked.encrypt("owner", "user")
    encrypted = io.BytesIO()
    locked.write(encrypted)
    cases = [
        (b"", "empty_file"),
        (EXE, "unsupported_type"),
        (archive(a=b"1"), "unsupported_type"),
        (b"plain text", "unsupported_type"),
        (b"\x00" * 1000, "unsupported_type"),
        (b"%PDF-1.7\n" + b"no pdf at all " * 50, "broken_pdf"),
        (letter[: len(letter) // 2], "broken_pdf"),
        (b"%PDF-1.7\n%%EOF", "broken_pdf"),
        (encrypted.getvalue(), "pdf_encrypted"),
    ]
    answered = []
    for content, _ in cases:
        answer = await client.put(
            f"{draft}/files/main?file_name=a.pdf", content=content,
            headers={"idempotency-key": "file"},
        )  # fmt: skip
        answered.append(code_of(answer))
    assert answered == [code for _, code in cases]
    assert await nothing_entered(draft)
    kept = await db.rows("SELECT reason FROM quarantine ORDER BY id")
    assert [row["reason"] for row in kept] == answered[1:], "an empty file has nothing to keep"
    good = await client.put(
        f"{draft}/files/main", content=letter, headers={"idempotency-key": "file"}
    )
    assert good.status_code == 201


async def test_bad_annexes(client: httpx.AsyncClient, draft: str) -> None:
    bomb = archive(a=b"\x00" * (300 << 20))
    cases = [
        (bomb, "zip_bomb"),
        (archive(**{"../../etc/passwd": b"x"}), "zip_path_traversal"),
        (archive(**{"/etc/passwd": b"x"}), "zip_path_traversal"),
        (archive(**{"C:\\windows\\a": b"x"}), "zip_path_traversal"),
        (archive(a=b"1" * 500)[:-30], "broken_zip"),
        (EXE, "unsupported_type"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>", "unsupported_type"),
        (b"<html><script>alert(1)</script></html>", "unsupported_type"),
    ]
    answered = [
        code_of(await client.put(f"{draft}/files/annex?position=1", content=content))
        for content, _ in cases
    ]
    assert answered == [code for _, code in cases]
    assert await nothing_entered(draft)


async def test_too_large_is_refused_while_it_comes(
    client: httpx.AsyncClient, draft: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rule = dataclasses.replace(kinds.MAIN_FILE, max_size=3 << 20)
    small = dataclasses.replace(kinds.DOCUMENT_KINDS["circular"], main=rule)
    monkeypatch.setitem(kinds.DOCUMENT_KINDS, "circular", small)  # type: ignore[arg-type]
    asked = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal asked
        yield b"%PDF-1.7\n"
        while True:
            asked += 1
            yield b"x" * (1 << 20)

    answer = await client.put(f"{draft}/files/main", content=endless())
    assert "content-length" not in answer.request.headers
    assert (answer.status_code, code_of(answer)) == (413, "too_large")
    assert asked < 10
    stated = await client.put(f"{draft}/files/main", content=b"x" * (4 << 20))
    assert code_of(stated) == "too_large"
    body = await client.post("/api/v1/documents", content=b" " * (5 << 20),
                             headers={"content-type": "application/json"})  # fmt: skip
    assert code_of(body) == "too_large"
    assert await nothing_entered(draft)


async def test_bad_places_and_names(client: httpx.AsyncClient, draft: str, letter: bytes) -> None:
    cases = [
        ("files/cover", "unknown_role"),
        ("files/main?position=1", "bad_position"),
        ("files/annex?position=-1", "bad_position"),
        ("files/annex?position=501", "bad_position"),
        ("files/annex?position=99999999999999999999", "bad_position"),
        ("files/annex?position=x", "malformed_request"),
        ("files/annex?title=%00", "bad_character"),
        ("files/annex?title=" + "a" * 2000, "too_long"),
    ]
    answered = [code_of(await client.put(f"{draft}/{at}", content=letter)) for at, _ in cases]
    assert answered == [code for _, code in cases]
    assert await nothing_entered(draft)
    for position, (name, kept) in enumerate(
        [("../../etc/passwd", "passwd"), ("C:\\x\\письмо.pdf", "письмо.pdf"),
         ("a\x00\n.pdf", "a.pdf"), ("..", "document"), ("", "document"), ("я" * 300, "я" * 255)]
    ):  # fmt: skip
        await client.put(
            f"{draft}/files/annex", content=letter,
            params={"position": position, "file_name": name},
        )  # fmt: skip
        files = (await client.get(draft)).json()["files"]
        assert files[-1]["file_name"] == kept == clean_name(name)
        download = await client.get(f"/api/v1/files/{files[-1]['id']}/content")
        assert download.content == letter
        disposition = download.headers["content-disposition"]
        assert disposition == f"attachment; filename*=UTF-8''{quote(kept, safe='')}"
        assert download.headers["x-content-type-options"] == "nosniff"


async def test_a_file_changed_anywhere_is_never_taken_for_signed(
    client: httpx.AsyncClient, draft: str, signed_letter: bytes
) -> None:
    """One byte at 30 places of the signed range: refused with a code and kept aside."""
    rng = random.Random(2026)  # noqa: S311 - places, no secret
    whole = (await client.put(f"{draft}/files/main", content=signed_letter)).status_code
    assert whole == 201
    start = signed_letter.rindex(b"/Contents <")
    codes: dict[str, int] = {}
    for n in range(30):
        near_the_end = rng.randrange(len(signed_letter) - 400, len(signed_letter))
        place = rng.choice([rng.randrange(9, start), near_the_end])
        changed = bytearray(signed_letter)
        changed[place] ^= 1 << rng.randrange(8)
        made = await client.post("/api/v1/documents", json={"kind": "circular", "title": str(n)})
        at = f"/api/v1/documents/{made.json()['id']}"
        answer = await client.put(f"{at}/files/main", content=bytes(changed))
        code = code_of(answer)
        codes[code] = codes.get(code, 0) + 1
        shown = (await client.get(at)).json()
        assert (shown["status"], shown["files"], shown["signatures"]) == ("draft", [], [])
    assert codes.keys() <= {"signature_invalid", "broken_pdf", "unsupported_type"}, codes
    assert codes["signature_invalid"] > 20
    assert await db.value("SELECT count(*) FROM quarantine") == 30


async def test_signed_file_with_more_after_the_signature(
    client: httpx.AsyncClient, draft: str, signed_letter: bytes
) -> None:
    """Bytes after the signed part: whatever they are, the document is not signed by them."""
    for tail in (b"\n% more", b"\n1 0 obj\n<<>>\nendobj\n", b"\x00" * 100):
        answer = await client.put(f"{draft}/files/main", content=signed_letter + tail)
        shown = (await client.get(draft)).json()
        assert answer.status_code == 201 or code_of(answer)
        assert shown["status"] == "draft"


async def test_bad_intake_cards(client: httpx.AsyncClient, letter: bytes) -> None:
    good = json.dumps({"kind": "circular", "title": "О"})
    for card, code in (
        ("{", "malformed_request"), ("[]", "malformed_request"), ("", "malformed_request"),
        ('{"kind": "circular"}', "malformed_request"),
        (good[:-1] + ', "x": 1}', "malformed_request"),
        ('{"kind": "memo", "title": "a"}', "unknown_kind"), ("%FF%FE", "malformed_request"),
        ('{"kind": "circular", "title": "a", "fields": {"a": ' + "[" * 3000, "malformed_request"),
    ):  # fmt: skip
        header = card if card.startswith("%") else quote(card)
        answer = await client.post("/api/v1/intake", content=letter, headers={"x-card": header})
        assert code_of(answer) == code, card[:50]
    assert code_of(await client.post("/api/v1/intake", content=letter)) == "malformed_request"
    assert await db.value("SELECT count(*) FROM document") == 0
    taken = await client.post("/api/v1/intake", content=b"", headers={"x-card": quote(good)})
    assert code_of(taken) == "empty_file"
    assert await db.value("SELECT count(*) FROM document_file") == 0
