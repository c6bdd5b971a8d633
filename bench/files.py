"""Signed PDFs of two pages and about 300 KB, each with bytes of its own."""

import random
import struct
import tempfile
import zlib
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import typst

from core import clock
from signatures.authority import Authority, Issued, Subject
from signatures.pdf import Words, sign_pdf

_SIDE = 302
"""Pixels a side of a picture of noise, which nothing makes smaller: 274 KB."""

_SOURCE = """
#set page(paper: "a4", margin: 2cm)
#set text(lang: "ru", size: 11pt)
= О сроках представления отчётности № {number}
#for i in range(14) [
  Просим довести до сведения первичных профсоюзных организаций, что отчёт о работе за полугодие
  представляется до десятого числа; раздел #(i + 1), охрана труда и коллективные договоры.
  #parbreak()
]
#pagebreak()
#image("noise.png", width: 12cm)
Председатель П. И. Смирнов
"""


def unsigned(count: int, *, seed: int = 1) -> list[bytes]:
    """Different PDFs of two pages, about 300 KB each; the same for the same seed."""
    chance = random.Random(seed)  # noqa: S311 - noise, no secret
    made = []
    with tempfile.TemporaryDirectory(prefix="docflow-bench-") as folder:
        for number in range(count):
            (Path(folder) / "noise.png").write_bytes(_noise(chance))
            source = Path(folder) / "letter.typ"
            source.write_text(_SOURCE.replace("{number}", str(number)), encoding="utf-8")
            made.append(typst.compile(source, root=Path(folder), format="pdf"))
    return made


def signed(
    count: int, authority: Authority, *, subject: Subject | None = None, bases: int = 12
) -> Iterator[bytes]:
    """`count` files, no two alike, signed with RSA-2048 by several keys."""
    papers = unsigned(bases)
    signers = [signer(authority, number, subject) for number in range(4)]
    keys = [issued.key() for issued in signers]
    at = clock.now() - timedelta(hours=1)
    for number in range(count):
        yield sign_pdf(
            papers[number % bases],
            key=keys[number % len(keys)],
            words=Words(reason=f"№ {number}"),
            signing_time=at + timedelta(seconds=number),
        )


def signer(authority: Authority, number: int = 0, subject: Subject | None = None) -> Issued:
    """A chairman with an RSA-2048 key, as the field has them."""
    named = subject or Subject(f"Смирнов Пётр Ильич {number}", title="Председатель")
    return authority.issue(named, kind="rsa", not_before=clock.now() - timedelta(days=1))


def _noise(chance: random.Random) -> bytes:
    """An uncompressible PNG (RGB, 8 bits)."""
    lines = b"".join(b"\x00" + chance.randbytes(_SIDE * 3) for _ in range(_SIDE))
    head = struct.pack(">IIBBBBB", _SIDE, _SIDE, 8, 2, 0, 0, 0)
    parts = ((b"IHDR", head), (b"IDAT", zlib.compress(lines, 1)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in parts)


def _chunk(kind: bytes, data: bytes) -> bytes:
    check = zlib.crc32(kind + data)
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", check)
