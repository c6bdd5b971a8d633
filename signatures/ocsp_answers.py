"""OCSP answers (RFC 6960) read into plain facts. Nothing here judges: `revocation` does."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Literal

from asn1crypto import cms, core, ocsp, x509

Status = Literal["good", "revoked", "unknown"]

LARGEST = 256 * 1024
WITHOUT_NEXT = timedelta(minutes=30)
"""How long an answer without nextUpdate counts: its author promises nothing (section 4.2.2.1)."""
_RESPONSE_IN_CMS = "1.3.6.1.5.5.7.16.2"  # RFC 5940 section 2
_KNOWN = {"nonce", "archive_cutoff", "extended_revoke", "preferred_signature_algorithms"}


@dataclass(frozen=True, slots=True)
class Single:
    """What is said of one certificate."""

    algorithm: str
    name_hash: bytes
    key_hash: bytes
    serial: int
    status: Status
    revoked_at: datetime | None
    this_update: datetime
    next_update: datetime


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """One signed answer; `signed` are the bytes under `signature`."""

    der: bytes
    sha256: bytes
    singles: tuple[Single, ...]
    responder_name: x509.Name | None
    responder_key: bytes | None
    produced_at: datetime
    certificates: tuple[x509.Certificate, ...]
    signed: bytes
    signature: bytes
    signature_algorithm: Any

    def names(self, certificate: x509.Certificate) -> bool:
        """Is this certificate the responder the answer names (section 4.2.1)?"""
        if self.responder_name is not None:
            return bool(certificate.subject == self.responder_name)
        return bool(certificate.public_key.sha1 == self.responder_key)


def load(der: bytes) -> Answer:
    """The answer in these bytes; raises ValueError for a refusal of the responder or other data."""
    if len(der) > LARGEST:
        raise ValueError("outsized")
    return _load(der)


@lru_cache(maxsize=512)
def _load(der: bytes) -> Answer:
    try:
        response = ocsp.OCSPResponse.load(der, strict=True)
        if response["response_status"].native != "successful":
            raise ValueError(f"the responder says {response['response_status'].native}")
        basic = response["response_bytes"]["response"].parsed
        if not isinstance(basic, ocsp.BasicOCSPResponse):
            raise ValueError("not a basic response")
        return _read(der, basic)
    except (TypeError, KeyError, AttributeError, IndexError, RecursionError) as problem:
        raise ValueError("not an OCSP answer") from problem


def _read(der: bytes, basic: ocsp.BasicOCSPResponse) -> Answer:
    told = basic["tbs_response_data"]
    if _has_unknown_critical(told["response_extensions"]):
        raise ValueError("an unknown critical extension")
    responder = told["responder_id"]
    by_name = responder.name == "by_name"
    return Answer(
        der=der,
        sha256=hashlib.sha256(der).digest(),
        singles=tuple(_single(one) for one in told["responses"]),
        responder_name=responder.chosen if by_name else None,
        responder_key=None if by_name else responder.native,
        produced_at=told["produced_at"].native,
        certificates=tuple(basic["certs"]) if isinstance(basic["certs"], core.SequenceOf) else (),
        signed=told.dump(),
        signature=bytes(basic["signature"].native),
        signature_algorithm=basic["signature_algorithm"],
    )


def _single(one: ocsp.SingleResponse) -> Single:
    if _has_unknown_critical(one["single_extensions"]):
        raise ValueError("an unknown critical extension")
    named, said = one["cert_id"], one["cert_status"]
    this_update = one["this_update"].native
    return Single(
        algorithm=named["hash_algorithm"]["algorithm"].native,
        name_hash=named["issuer_name_hash"].native,
        key_hash=named["issuer_key_hash"].native,
        serial=named["serial_number"].native,
        status=said.name,
        revoked_at=said.chosen["revocation_time"].native if said.name == "revoked" else None,
        this_update=this_update,
        next_update=one["next_update"].native or this_update + WITHOUT_NEXT,
    )


def _has_unknown_critical(extensions: Any) -> bool:
    found = extensions if isinstance(extensions, core.SequenceOf) else ()
    return any(one["critical"].native and one["extn_id"].native not in _KNOWN for one in found)


def loaded(ders: Iterable[Any]) -> tuple[Answer, ...]:
    """The readable ones among answers as bytes or asn1crypto objects; others help nobody."""
    found = []
    for one in ders:
        try:
            found.append(load(one if isinstance(one, bytes) else one.dump()))
        except ValueError:
            continue
    return tuple(found)


def stapled(choices: Any) -> tuple[bytes, ...]:
    """The OCSP answers among the revocation data of a CMS (RFC 5940)."""
    if not isinstance(choices, cms.RevocationInfoChoices):
        return ()
    return tuple(
        choice.chosen["other_rev_info"].dump()
        for choice in choices
        if choice.name == "other"
        and choice.chosen["other_rev_info_format"].dotted == _RESPONSE_IN_CMS
    )
