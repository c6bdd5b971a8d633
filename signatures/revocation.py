"""Is a certificate revoked? Lists and answers judged as RFC 5280 section 6.3 and RFC 6960 say.

Of all usable words the freshest counts. Signatures are verified once a process: what was verified
is a pure function of the bytes and the key.
"""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from asn1crypto import x509
from cryptography.exceptions import InvalidSignature

from signatures import digests
from signatures.ocsp_answers import Answer, Single
from signatures.revocation_lists import REMOVED, RevocationList
from signatures.verifier import VERIFIER

TOLERANCE = timedelta(seconds=1)

# What is said when nothing usable was found: the nearest miss first.
_NEAREST = (
    "revocation_stale",
    "ocsp_stale",
    "ocsp_unknown",
    "ocsp_untrusted",
    "ocsp_mismatch",
    "crl_untrusted",
    "revocation_missing",
)


@dataclass(frozen=True, slots=True)
class Status:
    """`code` is None for a certificate that is not revoked; `source` made the difference."""

    code: str | None
    revoked_at: datetime | None = None
    source: RevocationList | Answer | None = None
    produced: datetime | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """One certificate and the certificate of its issuer, at one moment.

    `is_issuer` says whether another certificate of the issuer's name is the issuer's too
    (RFC 5280 section 6.3.3 step f): authorities change keys. `is_unrevoked` says whether a
    responder's certificate is on no list of the issuer's. `retrospective` as for a chain.
    """

    certificate: x509.Certificate
    issuer: x509.Certificate
    at: datetime
    retrospective: bool = False
    others: tuple[x509.Certificate, ...] = ()
    is_issuer: Callable[[x509.Certificate], bool] = lambda _: False
    is_unrevoked: Callable[[x509.Certificate], bool] = lambda _: False


def status_of(
    question: Question, *, lists: Iterable[RevocationList], answers: Iterable[Answer] = ()
) -> Status:
    """The freshest usable word on the certificate; among equally fresh ones `revoked` wins.

    `lists` are those in the issuer's name.
    """
    words: list[tuple[datetime, Callable[[], Status | str | None]]] = []
    for one in lists:
        words.append((one.this_update, _later(_by_list, question, one)))
    for answer in answers:
        for single in answer.singles:
            if single.serial == question.certificate.serial_number:
                words.append((single.this_update, _later(_by_answer, question, answer, single)))
    words.sort(key=lambda word: word[0], reverse=True)
    best: Status | None = None
    missed: set[str] = {"revocation_missing"}
    for moment, ask in words:
        if best is not None and best.produced is not None and moment < best.produced:
            break
        found = ask()
        if isinstance(found, Status):
            best = found if best is None or found.code is not None else best
        elif found is not None:
            missed.add(found)
    return best or Status(next(code for code in _NEAREST if code in missed))


def _later(function: Any, *arguments: Any) -> Callable[[], Status | str | None]:
    return lambda: function(*arguments)


def _freshness(question: Question, this_update: datetime, next_update: datetime) -> bool | None:
    """True for now usable, False for out of date, None for made too late to count."""
    if this_update > question.at + TOLERANCE and not question.retrospective:
        return None
    if question.retrospective and this_update > question.certificate.not_valid_after:
        # Entries of expired certificates may be dropped (RFC 5280 section 3.3).
        return None
    return question.at - TOLERANCE <= next_update


def _counts(question: Question, revoked_at: datetime) -> bool:
    """Looking back, what was revoked later was not revoked then."""
    return not question.retrospective or revoked_at <= question.at


def _by_list(question: Question, one: RevocationList) -> Status | str | None:
    if one.is_delta or one.is_indirect or one.has_unknown_critical or one.next_update is None:
        return None
    covers = _covers(question, one)
    if not covers:
        return None
    fresh = _freshness(question, one.this_update, one.next_update)
    if not fresh:
        return None if fresh is None else "revocation_stale"
    if not _is_authentic(question, one):
        return "crl_untrusted"
    try:
        entry = one.find(question.certificate.serial_number)
    except ValueError:
        return "crl_untrusted"
    if entry is None or entry.reason == REMOVED or not _counts(question, entry.revoked_at):
        # A list of some reasons only cannot say that there is no other (section 6.3.3 step d).
        return Status(None, None, one, one.this_update) if covers == "all" else None
    return Status("revoked", entry.revoked_at, one, one.this_update)


def _covers(question: Question, one: RevocationList) -> str:
    """ "all", "some" reasons, or "" where the certificate is outside (section 6.3.3 step b)."""
    point = one.point
    if point is None:
        return "all"
    constraints = question.certificate.basic_constraints_value
    is_authority = constraints is not None and bool(constraints["ca"].native)
    if (
        point["only_contains_attribute_certs"].native
        or (point["only_contains_user_certs"].native and is_authority)
        or (point["only_contains_ca_certs"].native and not is_authority)
        or not _is_at_point(question.certificate, one)
    ):
        return ""
    return "all" if point["only_some_reasons"].native is None else "some"


def _is_at_point(certificate: x509.Certificate, one: RevocationList) -> bool:
    """Do the list and the certificate name one distribution point?"""
    named = one.point["distribution_point"]
    if named.native is None:
        return True
    here = _names(named, one.issuer)
    points = certificate.crl_distribution_points_value
    if points is None:
        # The point of a certificate that names none is its issuer (section 6.3.3, last words).
        return ("directory_name", one.issuer.hashable) in here
    for point in points:
        if point["distribution_point"].native is not None:
            there = _names(point["distribution_point"], one.issuer)
        elif point["crl_issuer"].native is not None:
            there = {_general(name) for name in point["crl_issuer"]}
        else:
            return True
        if here & there:
            return True
    return False


def _names(point: Any, issuer: x509.Name) -> set[tuple[str, str]]:
    if point.name == "full_name":
        return {_general(name) for name in point.chosen}
    whole = x509.Name.load(issuer.dump()).copy()
    whole.chosen.append(point.chosen.untag())
    return {("directory_name", whole.hashable)}


def _general(name: Any) -> tuple[str, str]:
    if name.name == "directory_name":
        return name.name, name.chosen.hashable
    return name.name, str(name.native)


_verified: dict[tuple[bytes, bytes], bool] = {}


def is_signed_by(
    key: tuple[bytes, bytes], certificate: x509.Certificate, *, signed: bytes, signature: bytes,
    algorithm: Any,
) -> bool:  # fmt: skip
    """Whether the certificate's key made the signature; remembered under `key` if it did.

    `key`: the hashes of the signed thing and of the certificate's key.
    """
    if key in _verified:
        return True
    try:
        if algorithm.hash_algo in digests.WEAK:
            return False
    except ValueError:
        pass  # an algorithm that names no hash of its own, which the verifier knows or refuses
    try:
        VERIFIER.validate_signature(signature, signed, certificate.public_key, algorithm)
    except (InvalidSignature, ValueError, TypeError, KeyError):
        return False
    if len(_verified) > 20_000:
        _verified.clear()
    _verified[key] = True
    return True


def forget() -> None:
    """Remember no checked list or answer any more."""
    _verified.clear()


def key_name(certificate: x509.Certificate) -> bytes:
    """The SHA-256 of a certificate's key: what several certificates of one key have in common."""
    return hashlib.sha256(certificate.public_key.dump()).digest()


def signs(one: RevocationList, issuer: x509.Certificate) -> bool:
    """Did this issuer sign the list, being allowed to (sections 4.2.1.3 and 6.3.3 steps f, g)?"""
    usage = issuer.key_usage_value
    if issuer.subject.hashable != one.issuer_key or not one.is_consistent:
        return False
    if usage is not None and "crl_sign" not in usage.native:
        return False
    if one.key_id and issuer.key_identifier and one.key_id != issuer.key_identifier:
        return False
    key = (one.sha256, key_name(issuer))
    if key in _verified:
        return True
    return is_signed_by(
        key, issuer, signed=one.signed, signature=one.signature, algorithm=one.signature_algorithm
    )


def _is_authentic(question: Question, one: RevocationList) -> bool:
    if signs(one, question.issuer):
        return True
    return any(
        signs(one, other) and question.is_issuer(other)
        for other in question.others
        if other.subject.hashable == one.issuer_key
    )


def _by_answer(question: Question, answer: Answer, single: Single) -> Status | str | None:
    if not _is_about(single, question):
        return "ocsp_mismatch"
    fresh = _freshness(question, single.this_update, single.next_update)
    if not fresh:
        return None if fresh is None else "ocsp_stale"
    if not is_authorized(answer, question):
        return "ocsp_untrusted"
    if single.status == "unknown":
        return "ocsp_unknown"
    if single.revoked_at is not None and _counts(question, single.revoked_at):
        return Status("revoked", single.revoked_at, answer, single.this_update)
    return Status(None, None, answer, single.this_update)


def _is_about(single: Single, question: Question) -> bool:
    """Does the answer mean a certificate of this issuer (RFC 6960 section 4.1.1)?"""
    # A name for a key, not a proof: SHA-1 will do, and is what nearly all responders answer with.
    if not digests.is_known(single.algorithm):
        return False
    # The bits of the key without tag, length and count of unused bits.
    bits = question.issuer.public_key["public_key"].contents[1:]
    names = (question.certificate.issuer.dump(), question.issuer.subject.dump())
    return digests.digest(single.algorithm, bits) == single.key_hash and any(
        digests.digest(single.algorithm, name) == single.name_hash for name in names
    )


def is_authorized(answer: Answer, question: Question) -> bool:
    """May this responder speak for the issuer (RFC 6960 section 4.2.2.2)?

    The issuer itself, or whom it certified for this purpose; such a responder is either exempt
    from revocation (id-pkix-ocsp-nocheck) or on no list of the issuer's.
    """
    issuer = question.issuer
    for one in (issuer, *answer.certificates, *question.others):
        if not answer.names(one):
            continue
        is_issuer = one.public_key.dump() == issuer.public_key.dump()
        if not is_issuer and not _is_delegated(one, question, answer):
            continue
        key = (answer.sha256, key_name(one))
        if is_signed_by(
            key, one, signed=answer.signed, signature=answer.signature,
            algorithm=answer.signature_algorithm,
        ):  # fmt: skip
            return True
    return False


def _is_delegated(one: x509.Certificate, question: Question, answer: Answer) -> bool:
    purposes = one.extended_key_usage_value
    moments = [answer.produced_at] + ([] if question.retrospective else [question.at])
    if (
        purposes is None
        or "ocsp_signing" not in purposes.native
        or one.issuer != question.issuer.subject
        or any(not one.not_valid_before <= at <= one.not_valid_after for at in moments)
    ):
        return False
    key = (one.sha256, key_name(question.issuer))
    is_certified = is_signed_by(
        key, question.issuer, signed=one["tbs_certificate"].dump(),
        signature=bytes(one["signature_value"].native), algorithm=one["signature_algorithm"],
    )  # fmt: skip
    return is_certified and (one.ocsp_no_check_value is not None or question.is_unrevoked(one))
