"""What an evidence record proves: verification after RFC 4998 sections 4.3 and 5.3."""

import hashlib
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from asn1crypto import cms, x509

from signatures import digests, hash_tree
from signatures.certificates import certificate, certificates_of
from signatures.chains import Evidence, check_chain
from signatures.evidence_record import (
    Chains,
    Material,
    Record,
    Stamp,
    info_of,
    read,
    rehash_leaf,
    renewal_leaf,
)
from signatures.reasons import REASONS, Verdict, verdict_of
from signatures.report import StampReport, unique
from signatures.signers import Moment, check_token
from signatures.trust import NOBODY, TrustStore, of_request

log = logging.getLogger(__name__)

DigestOf = Callable[[str], bytes]
Ends = Mapping[str, datetime]
"""When algorithms cease to be relied on, by name; a name that is missing has no end."""


@dataclass(frozen=True, slots=True)
class Proof:
    """The outcome for one object: it existed at `proven_at`, or why that is not proved."""

    verdict: Verdict
    reasons: tuple[str, ...]
    proven_at: datetime | None
    stamps: tuple[StampReport, ...] = ()

    @property
    def is_overdue(self) -> bool:
        """Was a renewal missed? Then the record fits and is no longer a proof by itself."""
        return "evidence_renewal_missed" in self.reasons


def check(
    der: bytes,
    *,
    digest_of: DigestOf,
    trust: TrustStore,
    at: datetime,
    ends: Ends | None = None,
) -> Proof:
    """Verify a record for the object whose digests `digest_of` answers by algorithm.

    Each stamp must have been good when the next one was made, the last one at `at`. Answers
    `invalid` where the record does not lead to the object, `indeterminate` where a stamp is not
    trusted, or a renewal came too late. Nothing is fetched.
    """
    try:
        record = read(der)
        return _check(record, digest_of, trust, at, ends or {})
    except Exception as problem:
        # Hostile bytes: the parser's exception, whichever it is, must not become ours.
        log.info("evidence record gave up: %s", type(problem).__name__)
        return Proof("indeterminate", ("not_parseable",), None)


@dataclass(frozen=True, slots=True)
class Proven:
    """When some bytes are proved to have existed; `missed` says that a record came to an end."""

    moments: tuple[datetime, ...] = ()
    missed: bool = False


def proven(
    records: Iterable[bytes],
    data: bytes,
    *,
    trust: TrustStore,
    at: datetime,
    ends: Ends | None = None,
) -> Proven:
    """What records prove of these bytes; records of other bytes prove nothing and do no harm."""
    proofs = [
        check(der, digest_of=lambda name: digests.digest(name, data), trust=trust, at=at, ends=ends)
        for der in records
    ]
    return Proven(
        tuple(one.proven_at for one in proofs if one.proven_at is not None),
        any(one.is_overdue and one.verdict == "indeterminate" for one in proofs),
    )


@dataclass(frozen=True, slots=True)
class Facts:
    """What a token says of itself."""

    time: datetime
    ends_at: datetime
    """The end of its own certificate, or of an earlier ending one above it."""
    algorithms: tuple[str, ...]
    """The signature's, as the table of algorithm lives names them."""


def facts_of(token: bytes, *, trust: TrustStore) -> Facts:
    """Time, end and algorithms of a token; raises `ValueError` when it cannot be read."""
    signed = _signed(token)
    info = signed["signer_infos"][0]
    every = list(certificates_of(signed["certificates"]))
    own = next((one for one in every if _is_signer(one, info["sid"])), None)
    if own is None:
        raise ValueError("the token does not carry its certificate")
    line = line_of(own, every, trust)
    key = own.public_key
    kind = str(key.algorithm)
    if kind in ("rsa", "rsassa_pss"):
        kind = f"rsa-{key.bit_size}"
    elif kind == "ec":
        kind = key.curve[1]
    return Facts(
        time=info_of(token)["gen_time"].native,
        ends_at=min(one.not_valid_after for one in line),
        algorithms=(str(info["digest_algorithm"]["algorithm"].native), kind),
    )


def _is_signer(one: x509.Certificate, sid: cms.SignerIdentifier) -> bool:
    if sid.name != "issuer_and_serial_number":
        return bool(one.key_identifier == sid.chosen.native)
    named = sid.chosen
    return bool(
        one.serial_number == named["serial_number"].native and one.issuer == named["issuer"]
    )


def line_of(
    leaf: x509.Certificate, brought: list[x509.Certificate], trust: TrustStore
) -> list[x509.Certificate]:
    """The certificate and those above it, by name, as far as they are known."""
    known = [*brought, *(certificate(der) for der in (*trust.others, *trust.roots))]
    line = [leaf]
    while line[-1].subject != line[-1].issuer and len(line) < 10:
        above = next((one for one in known if one.subject == line[-1].issuer), None)
        if above is None:
            break
        line.append(above)
    return line


def _signed(token: bytes) -> Any:
    try:
        info = cms.ContentInfo.load(token)
        if info["content_type"].native != "signed_data":
            raise ValueError("not a time-stamp token")
        return info["content"]
    except (TypeError, KeyError) as problem:
        raise ValueError("not a time-stamp token") from problem


def _check(
    record: Record, digest_of: DigestOf, trust: TrustStore, at: datetime, ends: Ends
) -> Proof:
    line = [(c, s) for c, chain in enumerate(record.chains) for s, _ in enumerate(chain)]
    times = [info_of(record.chains[c][s].token)["gen_time"].native for c, s in line]
    codes: list[str] = []
    stamps: list[StampReport] = []
    for place, (c, s) in enumerate(line):
        until = times[place + 1] if place + 1 < len(line) else at
        covered = _covered(record.chains, c, s, digest_of)
        found = _one(record.chains[c][s], covered, trust, until, record.material)
        stamps.append(found)
        if until < found.time:
            codes.append("evidence_mismatch")
        codes += _of(found, is_first_digest_gone=_is_over(record.chains, c, s, until, ends))
    verdict = verdict_of(unique(codes))
    return Proof(
        verdict, unique(codes), times[0] if verdict == "valid" else None, tuple(stamps)
    )  # fmt: skip


def _covered(chains: Chains, c: int, s: int, digest_of: DigestOf) -> bytes | None:
    """What this stamp must cover; None where the chain changes its digest on the way."""
    algorithm = chains[c][s].algorithm
    if s:
        before = chains[c][s - 1]
        fits = before.algorithm == algorithm
        return renewal_leaf(before.token, algorithm=algorithm) if fits else None
    digest = digest_of(algorithm)
    return rehash_leaf(digest, chains[:c], algorithm=algorithm) if c else digest


def _one(
    stamp: Stamp, covered: bytes | None, trust: TrustStore, at: datetime, material: Material
) -> StampReport:
    root = None
    if covered is not None:
        root = hash_tree.root_of(covered, stamp.path, algorithm=stamp.algorithm)
    evidence = Evidence(tuple(map(certificate, material.certificates)), material.crls)
    moment = Moment(trust, at, evidence)
    imprint = info_of(stamp.token)["message_imprint"]
    if root is None or imprint["hashed_message"].native != root:
        time = info_of(stamp.token)["gen_time"].native
        return StampReport(time, "", False, False, ("evidence_mismatch",))
    found, _ = check_token(_signed(stamp.token), imprint_of=lambda _: root, moment=moment)
    return found


def _of(found: StampReport, *, is_first_digest_gone: bool) -> list[str]:
    codes = list(found.reasons)
    if "certificate_expired" in codes or is_first_digest_gone:
        codes.append("evidence_renewal_missed")
    return codes


def _is_over(chains: Chains, c: int, s: int, until: datetime, ends: Ends) -> bool:
    """Had an algorithm of this stamp ended when its successor came?

    The tree's digest must last until the next chain begins, the token's signature until the
    next stamp.
    """
    stamp = chains[c][s]
    names = facts_of(stamp.token, trust=NOBODY).algorithms
    if c + 1 >= len(chains) or s + 1 == len(chains[c]):
        names = (*names, stamp.algorithm)
    return any(name in ends and ends[name] <= until for name in names)


def check_bytes(request: dict[str, Any]) -> dict[str, Any]:
    """The door for worker processes: a dictionary in, the proof as a dictionary out.

    `record` is DER, `digests` names to bytes, `ends` names to ISO 8601, `at` ISO 8601; trust stands
    beside them as `trust.of_request` reads it.
    """
    known: dict[str, bytes] = request["digests"]
    proof = check(
        request["record"],
        digest_of=lambda name: known.get(name, b""),
        trust=of_request(request),
        at=datetime.fromisoformat(request["at"]),
        ends={name: datetime.fromisoformat(end) for name, end in request["ends"].items()},
    )
    return {
        "verdict": proof.verdict,
        "reasons": [REASONS[code].as_dict() for code in proof.reasons],
        "proven_at": proof.proven_at and proof.proven_at.isoformat(),
        "stamps": [
            {"time": one.time.isoformat(), "authority": one.authority, "trusted": one.trusted}
            for one in proof.stamps
        ],
    }


def material_of(token: bytes, *, trust: TrustStore, at: datetime) -> Material:
    """The certificates above a token's own and the lists that clear them at this moment.

    What is kept so that the token can be checked when trust and lists have changed. Lists too big
    to travel are left to the installation's own store.
    """
    signed = _signed(token)
    every = certificates_of(signed["certificates"])
    own = next(one for one in every if _is_signer(one, signed["signer_infos"][0]["sid"]))
    chain = check_chain(own, trust=trust, at=at, evidence=Evidence(certificates=every))
    named = {digest for kind, digest in chain.used if kind == "crl"}
    return Material(
        certificates=chain.path[1:-1],
        crls=tuple(der for der in trust.crls if hashlib.sha256(der).hexdigest() in named),
    )
