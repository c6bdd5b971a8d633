"""A detached GOST signature checked as the service does, beside the bare arithmetic of it."""

import asyncio
import tempfile
from collections.abc import Callable
from dataclasses import fields
from itertools import pairwise
from os import urandom
from pathlib import Path
from time import perf_counter
from typing import Any

from asn1crypto import cms, x509

from bench.ground import Ground
from bench.results import Result, against
from core import clock
from core.errors import Unavailable
from demo import gost
from signatures import revocation
from signatures.gost import checking, libgcrypt, selftest
from signatures.trust import TrustStore
from signatures.validation import validate_bytes
from signatures.verifier import VERIFIER

ROUNDS = 21
SIGNERS = 8
SIZE = 300_000

Work = Callable[[int], object]


async def verify(_: Ground) -> Result:
    """Milliseconds for a CAdES-BES over 300 KB: signer and issuer 256 bits, root 512 bits.

    Raises `gost_engine_missing` where test signatures cannot be made.
    """
    return await asyncio.to_thread(_verify)


def _verify() -> Result:
    _require_engine()
    with tempfile.TemporaryDirectory(prefix="docflow-bench-") as folder:
        calls, checks = _made(Path(folder))
    for call in calls:
        if validate_bytes(call)["verdict"] != "valid":
            raise RuntimeError("a good signature was refused")

    works = _works(calls, checks)
    taken: dict[str, list[float]] = {name: [] for name in works}
    for _round in range(ROUNDS):
        for name, work in works.items():
            taken[name].append(_milliseconds(work))
    median = {name: sorted(some)[len(some) // 2] for name, some in taken.items()}
    return against(
        "gost-verify", taken["value"], taken["floor"], unit="ms",
        curve_checks_in_floor=len(checks[0]),
        remembered="a certificate's signature after its first check, and the imported lists'",
        ms_nothing_remembered_of_certificates=median["forgetful"],
        ratio_nothing_remembered_of_certificates=median["forgetful"] / median["floor"],
        ms_lists_checked_too=median["unimported"],
    )  # fmt: skip


def _require_engine() -> None:
    if not gost.is_available() or not selftest.is_passed():
        raise Unavailable(
            "Замер невозможен: нужны openssl с модулем gost (libengine-gost-openssl) и"
            " libgcrypt20.",
            "Cannot measure: openssl with the gost engine (libengine-gost-openssl) and"
            " libgcrypt20 are needed.",
            code="gost_engine_missing",
        )


def _works(calls: list[dict[str, Any]], checks: list[list[Any]]) -> dict[str, Work]:
    def service(place: int) -> object:
        return validate_bytes(calls[place])

    def forgetful(place: int) -> object:
        VERIFIER.forget()
        return validate_bytes(calls[place])

    def unimported(place: int) -> object:
        revocation.forget()
        return forgetful(place)

    def floor(place: int) -> object:
        libgcrypt.Hash("streebog256", calls[place]["data"]).digest()
        return [libgcrypt.verify(*one) for one in checks[place]]

    return {"value": service, "forgetful": forgetful, "unimported": unimported, "floor": floor}


def _milliseconds(work: Work) -> float:
    began = perf_counter()
    for place in range(SIGNERS):
        work(place)
    return (perf_counter() - began) / SIGNERS * 1000


def _made(folder: Path) -> tuple[list[dict[str, Any]], list[list[Any]]]:
    """Calls of the service, and for each the curve checks it cannot do without."""
    authority = gost.create_gost_authority(folder)
    trust = authority.trust()
    common = {
        **{one.name: list(getattr(trust, one.name)) for one in fields(TrustStore)},
        "at": clock.now().isoformat(),
    }
    calls, checks = [], []
    for number in range(SIGNERS):
        signer = authority.issue(gost.Person(f"Подписант {number}"))
        data = urandom(SIZE)
        signature = authority.sign_detached(data, signer)
        calls.append({"data": data, "signature": signature, **common})
        checks.append(_checks(signature, signer.der, authority.der, trust.roots[0]))
    return calls, checks


def _checks(signature: bytes, *line: bytes) -> list[Any]:
    """The document's signature, then each certificate's below the root."""
    certificates = [x509.Certificate.load(der) for der in line]
    info = cms.ContentInfo.load(signature)["content"]["signer_infos"][0]
    signed = info["signed_attrs"].untag().dump()
    found = [_check(certificates[0], signed, info["signature"].native)]
    for one, issuer in pairwise(certificates):
        found.append(_check(issuer, one["tbs_certificate"].dump(), one.signature))
    return found


def _check(by: x509.Certificate, signed: bytes, value: bytes) -> tuple[Any, ...]:
    key = checking.key_of(by.public_key)
    digest = libgcrypt.Hash(checking.HASH_OF[key.kind], signed).digest()
    size = key.curve.size
    s, r = int.from_bytes(value[:size], "big"), int.from_bytes(value[size:], "big")
    return key.curve, key.point, int.from_bytes(digest, "little"), r, s
