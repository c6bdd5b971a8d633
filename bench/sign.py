"""Signatures a second: ours beside pyHanko's `SimpleSigner` as its documentation has it."""

import asyncio
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter

from cryptography.hazmat.primitives import serialization

from bench import files, pyhanko_alone
from bench.ground import Ground
from bench.results import Result, against
from signatures.authority import Issued, create_authority, trust_of
from signatures.pdf import sign_pdf
from signatures.proofs import from_trust
from signatures.stamping import StampAuthority
from signatures.trust import TrustStore
from signatures.validation import validate_pdf

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


async def b_lta(_: Ground) -> Result:
    """PAdES B-LTA, two pages, RSA-2048 for signer and time stamps, one core; keys loaded once."""
    return await asyncio.to_thread(_b_lta)


def _b_lta() -> Result:
    authority = create_authority("Bench issuer", kind="rsa", parent=create_authority("Bench root"))
    issued, stamping = files.signer(authority), authority.stamping(kind="rsa")
    key, trust = issued.key(), trust_of(authority)
    known = (trust.roots, trust.others, trust.crls)
    clocked = _Clocked(StampAuthority(stamping.key()))
    revocation = from_trust(trust)
    with tempfile.NamedTemporaryFile(suffix=".p12") as kept:
        Path(kept.name).write_bytes(issued.as_pkcs12(PASSPHRASE))
        simple = pyhanko_alone.simple_signer(kept.name, PASSPHRASE)
    long = pyhanko_alone.long_term((stamping.der, _pkcs8(stamping)), stamping.chain, known)

    def ours(data: bytes) -> bytes:
        return sign_pdf(data, key=key, level="B-LTA", tsa=clocked, revocation=revocation)

    papers = files.unsigned(8)
    roots = TrustStore(roots=trust.roots)
    for made in (ours(papers[0]), pyhanko_alone.signed_for_long(papers[0], simple, long)):
        if validate_pdf(made, trust=roots).signatures[0].level != "B-LTA":
            raise RuntimeError("a signature under measurement is not B-LTA")
    values, floors = [], []
    clocked.spent = spent = 0.0
    for _ in range(ROUNDS + 1):
        began = perf_counter()
        values.append(_rate(ours, papers * 2))
        spent += perf_counter() - began
        floors.append(_rate(lambda data: pyhanko_alone.signed_for_long(data, simple, long), papers))
    return against(
        "sign-blta", values[1:], floors[1:], unit="signatures/s",
        stamp_authority_share=clocked.spent / spent,
        bytes_added=len(ours(papers[0])) - len(papers[0]),
    )  # fmt: skip


def _pkcs8(issued: Issued) -> bytes:
    made: bytes = issued.private.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return made


class _Clocked:
    """A time-stamp authority whose own work is counted apart."""

    def __init__(self, inner: StampAuthority) -> None:
        self._inner = inner
        self.spent = 0.0

    def __call__(self, request: bytes) -> bytes:
        began = perf_counter()
        answer = self._inner(request)
        self.spent += perf_counter() - began
        return answer


def _rate(work: Callable[[bytes], object], papers: list[bytes]) -> float:
    began = perf_counter()
    for paper in papers:
        work(paper)
    return len(papers) / (perf_counter() - began)
