"""A thousand files to validate, of every sort that comes in, made once a run."""

import hashlib
from dataclasses import dataclass
from itertools import cycle, islice

from bench import files
from core import clock
from signatures import cms
from signatures.authority import Authority, create_authority, trust_of
from signatures.pdf import sign_pdf
from signatures.proofs import from_trust
from signatures.stamping import StampAuthority
from signatures.trust import TrustStore

Call = tuple[bytes, bytes | None]
"""The file and its detached signature."""


@dataclass(frozen=True, slots=True)
class Mixed:
    """What to validate, and by whose trust; sorts alternate."""

    calls: tuple[Call, ...]
    trust: TrustStore


def made(count: int) -> Mixed:
    """Signed, stamped, changed, unsigned PDFs and detached signatures in turn, no two alike."""
    root = create_authority("Bench root", kind="rsa")
    issuing = create_authority("Bench authority", kind="rsa", parent=root)
    sorts = [_signed(issuing), _stamped(issuing), _detached(issuing), _changed(issuing), _plain()]
    found = islice((one for turn in zip(*(cycle(s) for s in sorts), strict=True) for one in turn),
                   count)  # fmt: skip
    calls = tuple(
        # A remark after the end would make a signed file another case, so only plain ones differ.
        (data + (b"%% %d\n" % number if signature is None and b"/ByteRange" not in data else b""),
         signature)
        for number, (data, signature) in enumerate(found)
    )  # fmt: skip
    return Mixed(calls, trust_of(issuing))


def _signed(issuing: Authority) -> list[Call]:
    return [(data, None) for data in files.signed(60, issuing)]


def _stamped(issuing: Authority) -> list[Call]:
    key, stamp = files.signer(issuing).key(), StampAuthority(issuing.stamping_key(kind="rsa"))
    revocation = from_trust(trust_of(issuing))
    return [
        (sign_pdf(data, key=key, level="B-LTA", tsa=stamp, revocation=revocation), None)
        for data in files.unsigned(30, seed=2)
    ]


def _changed(issuing: Authority) -> list[Call]:
    found: list[Call] = []
    for data, _ in _signed(issuing)[:30]:
        bad = bytearray(data)
        bad[len(bad) // 3] ^= 1
        found.append((bytes(bad), None))
    return found


def _detached(issuing: Authority) -> list[Call]:
    key = files.signer(issuing).key()
    at = clock.now()
    return [
        (data, cms.sign_detached(
            digest=hashlib.sha256(data).digest(), key=key, signing_time=at))
        for data in files.unsigned(30, seed=3)
    ]  # fmt: skip


def _plain() -> list[Call]:
    return [(data, None) for data in files.unsigned(30, seed=4)]
