"""Signatures a second: ours beside pyHanko's `SimpleSigner` as its documentation has it."""

import asyncio
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter

from bench import files, pyhanko_alone
from bench.ground import Ground
from bench.results import Result, against
from signatures.authority import create_authority
from signatures.pdf import sign_pdf

ROUNDS = 7
PASSPHRASE = b"only for this run"


async def b_b(_: Ground) -> Result:
    """PAdES B-B, two pages, RSA-2048, one core; every key is loaded once."""
    return await asyncio.to_thread(_b_b)


def _b_b() -> Result:
    issued = files.signer(create_authority("Bench authority", kind="rsa"))
    key = issued.key()
    with tempfile.NamedTemporaryFile(suffix=".p12") as kept:
        Path(kept.name).write_bytes(issued.as_pkcs12(PASSPHRASE))
        simple = pyhanko_alone.simple_signer(kept.name, PASSPHRASE)
    papers = files.unsigned(8)
    values, floors, raw = [], [], []
    for _ in range(ROUNDS + 1):
        values.append(_rate(lambda data: sign_pdf(data, key=key), papers * 4))
        floors.append(_rate(lambda data: pyhanko_alone.signed(data, simple), papers))
        raw.append(_rate(lambda data: key.sign(data[:200], "sha256"), papers * 20))
    return against(
        "sign-bb", values[1:], floors[1:], unit="signatures/s", raw_rsa_per_second=max(raw)
    )


def _rate(work: Callable[[bytes], object], papers: list[bytes]) -> float:
    began = perf_counter()
    for paper in papers:
        work(paper)
    return len(papers) / (perf_counter() - began)
