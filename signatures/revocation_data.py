"""Certificates and revocation data that go into a file, and whether they are enough.

A cheap look at the shape: every certificate below the root has a current CRL of its issuer or an
OCSP answer, and none of them names it as revoked. Signatures on the data are the validator's.
"""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

from asn1crypto import cms, crl, ocsp, x509
from cryptography.x509 import load_der_x509_crl

from core.errors import InvalidInput, Unavailable
from signatures import digests

_SKEW = timedelta(minutes=5)
_DEPTH = 10


@dataclass(frozen=True, slots=True)
class ValidationData:
    """DER only, so that it travels to other processes; OCSP answers are whole OCSPResponses."""

    certificates: tuple[bytes, ...] = ()
    crls: tuple[bytes, ...] = ()
    ocsps: tuple[bytes, ...] = ()

    def __add__(self, more: "ValidationData") -> "ValidationData":
        """Both together, nothing twice."""
        return ValidationData(
            tuple(dict.fromkeys(self.certificates + more.certificates)),
            tuple(dict.fromkeys(self.crls + more.crls)),
            tuple(dict.fromkeys(self.ocsps + more.ocsps)),
        )


Revocation = Callable[[tuple[bytes, ...]], ValidationData]
"""What proves a chain not revoked; the chain in DER, the leaf first, without its root."""


@dataclass(frozen=True, slots=True)
class _Facts:
    subject: bytes
    issuer: bytes
    serial: int


@dataclass(frozen=True, slots=True)
class _List:
    issuer: bytes
    since: datetime
    until: datetime | None


@lru_cache(maxsize=1024)
def _facts(der: bytes) -> _Facts:
    found = x509.Certificate.load(der)
    return _Facts(found.subject.dump(), found.issuer.dump(), found.serial_number)


@lru_cache(maxsize=64)
def _list(der: bytes) -> _List:
    body = crl.CertificateList.load(der)["tbs_cert_list"]
    return _List(body["issuer"].dump(), body["this_update"].native, body["next_update"].native)


@lru_cache(maxsize=8192)
def _is_listed(der: bytes, serial: int) -> bool:
    return load_der_x509_crl(der).get_revoked_certificate_by_serial_number(serial) is not None


def token_line(token: bytes) -> tuple[bytes, ...]:
    """The certificate that signed a time-stamp token, and those above it that came along."""
    return line_of(cms.ContentInfo.load(token)["content"])


def line_of(signed: cms.SignedData) -> tuple[bytes, ...]:
    """The signer's certificate of a CMS and those above it that came along."""
    every = [one.chosen for one in signed["certificates"] if one.name == "certificate"]
    sid = signed["signer_infos"][0]["sid"]
    for one in every:
        if sid.name == "issuer_and_serial_number":
            named = sid.chosen
            is_it = (
                one.serial_number == named["serial_number"].native
                and one.issuer.dump() == named["issuer"].dump()
            )
        else:
            is_it = one.key_identifier == sid.chosen.native
        if is_it:
            return _upwards(one.dump(), (other.dump() for other in every))
    return ()


def _upwards(leaf: bytes, known: Iterable[bytes]) -> tuple[bytes, ...]:
    """From the leaf to the last known issuer, a root excluded."""
    by_subject = {_facts(der).subject: der for der in known}
    line = [leaf]
    while len(line) < _DEPTH:
        above = by_subject.get(_facts(line[-1]).issuer)
        if above is None or above in line or _facts(above).issuer == _facts(above).subject:
            break
        line.append(above)
    return tuple(line)


def require_covered(chain: tuple[bytes, ...], data: ValidationData, *, at: datetime) -> None:
    """Raise `revocation_unavailable` unless `data` speaks for every certificate of the chain.

    Raises `certificate_revoked` when it says that one is revoked. A self-issued certificate is a
    root and needs nothing.
    """
    for der in _upwards(chain[0], (*chain, *data.certificates)):
        facts = _facts(der)
        if facts.subject == facts.issuer:
            continue
        lists = [one for one in data.crls if _is_current(one, facts, at)]
        answers = [answer for one in data.ocsps for answer in _answers(one, facts, at)]
        if "revoked" in answers or any(_is_listed(one, facts.serial) for one in lists):
            raise _revoked(der)
        if not lists and "good" not in answers:
            raise no_revocation_data(der)


def _is_current(der: bytes, facts: _Facts, at: datetime) -> bool:
    found = _list(der)
    return (
        found.issuer == facts.issuer
        and found.since <= at + _SKEW
        and (found.until is None or found.until >= at)
    )


def _answers(der: bytes, facts: _Facts, at: datetime) -> list[str]:
    """What an OCSP response says of this very certificate, as long as it is current."""
    response = ocsp.OCSPResponse.load(der)
    if response["response_status"].native != "successful":
        return []
    found = []
    for one in response.response_data["responses"]:
        named = one["cert_id"]
        hashed = digests.digest(named["hash_algorithm"]["algorithm"].native, facts.issuer)
        until = one["next_update"].native
        if (
            named["serial_number"].native == facts.serial
            and named["issuer_name_hash"].native == hashed
            and one["this_update"].native <= at + _SKEW
            and (until is None or until >= at)
        ):
            found.append(str(one["cert_status"].name))
    return found


def no_revocation_data(der: bytes) -> Unavailable:
    """The error for a certificate of which nothing current tells whether it was revoked."""
    return Unavailable(
        "Нет действующих сведений об отзыве сертификата, без них долговременная подпись не "
        "ставится. Загрузите список отзыва (CRL) издателя и повторите.",
        "There is no current revocation data for a certificate, and no long-term signature "
        "without it. Load the issuer's revocation list (CRL) and try again.",
        code="revocation_unavailable",
        certificate_sha256=hashlib.sha256(der).hexdigest(),
        issuer=str(x509.Certificate.load(der).issuer.human_friendly),
    )


def _revoked(der: bytes) -> InvalidInput:
    return InvalidInput(
        "Сертификат отозван, подписывать им нельзя. Выберите другой или получите новый.",
        "The certificate is revoked and cannot be used to sign. Choose another one.",
        code="certificate_revoked",
        certificate_sha256=hashlib.sha256(der).hexdigest(),
    )
