"""`docflow image evidence` on broken files by the hundred, on real ones, and as a command."""

import asyncio
import io
import json
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from compliance.looking import evidence
from core.sandbox import HostileInput, Sandbox

pytestmark = pytest.mark.slow

BROKEN = 330
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
async def pool() -> AsyncIterator[Sandbox]:
    made = Sandbox(workers=2, preload=evidence.PRELOAD, patience=600.0)
    yield made
    await made.close()


def _bases() -> list[tuple[str, bytes]]:
    chance = np.random.default_rng(3)
    rough = Image.fromarray(chance.integers(0, 255, (60, 80, 3), np.uint8)).resize((320, 240))
    made = []
    for kind, options in (
        ("JPEG", {"exif": _exif(rough)}), ("JPEG", {"progressive": True}), ("PNG", {}),
        ("WEBP", {}), ("GIF", {"save_all": True, "append_images": [rough.rotate(90)]}),
        ("TIFF", {"compression": "tiff_lzw"}), ("TIFF", {}), ("BMP", {}), ("AVIF", {}),
    ):  # fmt: skip
        data = io.BytesIO()
        rough.save(data, kind, **options)
        made.append((kind, data.getvalue()))
    return made


def _exif(image: Image.Image) -> Image.Exif:
    exif = image.getexif()
    exif[0x013B], exif[0x8298] = "Ivan Petrov", "(c) Ivan Petrov"
    return exif


def _harmed(data: bytes, chance: random.Random) -> bytes:
    """Cut, bits turned, pieces doubled or taken out, lengths blown up."""
    torn = bytearray(data)
    for _ in range(chance.randrange(1, 4)):
        at = chance.randrange(len(torn))
        way = chance.randrange(5)
        if way == 0:
            del torn[max(at, 8) :]
        elif way == 1:
            for _ in range(chance.randrange(1, 40)):
                torn[chance.randrange(len(torn))] = chance.randrange(256)
        elif way == 2:
            torn[at:at] = torn[at : at + chance.randrange(1, 2000)]
        elif way == 3:
            del torn[at : at + chance.randrange(1, 200)]
            torn = torn or bytearray(b"\xff\xd8")
        else:
            torn[at : at + 4] = chance.choice((b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", bytes(4)))
    return bytes(torn)


async def test_broken_files_by_the_hundred(pool: Sandbox) -> None:
    """Each gives a report or a refusal with a code; the service goes on."""
    chance = random.Random(17)  # noqa: S311 - a fixed seed for a test
    bases = _bases()
    answers: Counter[str] = Counter()
    turn = asyncio.Semaphore(4)

    async def one(number: int) -> None:
        kind, base = bases[number % len(bases)]
        async with turn:
            try:
                report = await evidence.examine(
                    _harmed(base, chance), name=f"a.{kind.lower()}", pool=pool, with_print=False
                )
            except HostileInput as problem:
                answers[problem.error_code] += 1
            else:
                json.dumps(report)
                answers["read"] += 1

    await asyncio.gather(*(one(number) for number in range(BROKEN)))
    assert answers.total() == BROKEN
    assert answers["read"] > 20
    assert answers["broken_picture"] > 50
    assert answers["parse_failure"] == 0, "a reader's own exception has no words for people"
    sound = await evidence.examine(bases[0][1], name="a.jpg", pool=pool, with_print=False)
    assert sound["rights"]["creator"] == "Ivan Petrov"


async def test_every_real_file_is_examined(pool: Sandbox, corpora: Path) -> None:
    """All files of the corpora: a report or a refusal with a code."""
    await _examine_all(pool, corpora, with_print=False)


@pytest.mark.prove
async def test_no_credit_is_read_into_real_photographs(pool: Sandbox, corpora: Path) -> None:
    """The same with print: none of them bears a credit."""
    await _examine_all(pool, corpora, with_print=True)


async def _examine_all(pool: Sandbox, corpora: Path, *, with_print: bool) -> None:
    refused = {}
    for path in sorted(path for path in (corpora / "images").rglob("*") if path.is_file()):
        began = time.perf_counter()
        try:
            report = await evidence.examine(
                path.read_bytes(), name=path.name, pool=pool, with_print=with_print
            )
        except HostileInput as problem:
            refused[path.name] = problem.error_code
            continue
        assert report["width"] > 0
        assert not report["ocr"]["credits"], path
        assert with_print or time.perf_counter() - began < 20, path
    assert set(refused.values()) <= {"broken_picture"}
    assert len(refused) <= 3


def _command(*arguments: str) -> tuple[int, dict[str, Any], str]:
    done = subprocess.run(
        [sys.executable, "cli.py", "image", "evidence", *arguments, "--json"],
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    return done.returncode, json.loads(done.stdout), done.stderr


def test_the_command(tmp_path: Path) -> None:
    for kind, data in _bases()[:1]:
        good = tmp_path / f"снимок.{kind.lower()}"
        good.write_bytes(data)
    code, answer, _ = _command(str(good))
    assert code == 0
    assert {"sha256", "media_type", "width", "height", "hashes", "rights", "c2pa", "ocr",
            "findings"} <= answer.keys()  # fmt: skip
    note = tmp_path / "note.jpg"
    note.write_text("no picture", encoding="utf-8")
    code, answer, told = _command(str(note))
    assert (code, answer["error"]["code"]) == (1, "not_a_picture")
    assert "Traceback" not in told
    code, answer, _ = _command(str(tmp_path / "absent.jpg"))
    assert (code, answer["error"]["code"]) == (64, "no_such_file")
    code, answer, _ = _command(str(tmp_path))
    assert code == 64
