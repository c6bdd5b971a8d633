"""What comes from outside for the trust store, read in the sandbox: plain data both ways."""

from typing import Any

from asn1crypto import x509

from core.errors import InvalidInput
from signatures import ocsp_answers, revocation, trust
from signatures.chains import certificate
from signatures.revocation import Question
from signatures.revocation_lists import RevocationList, integer


def read_certificates(data: bytes) -> list[dict[str, Any]]:
    """The certificates in PEM or DER. Raises `trust_unreadable`."""
    found = []
    for der in trust.certificates(data):
        one = x509.Certificate.load(der)
        limits = one.basic_constraints_value
        found.append({
            "der": der,
            "is_root": one.subject == one.issuer,
            "is_authority": limits is not None and bool(limits["ca"].native),
            "points": _points(one),
        })  # fmt: skip
    return found


def _points(one: x509.Certificate) -> list[str]:
    """HTTP addresses of the CRL distribution points, the first of each point."""
    found = (point.url for point in one.crl_distribution_points)
    return [url for url in found if url and url.lower().startswith(("http://", "https://"))]


def read_list(data: bytes, known: list[bytes]) -> dict[str, Any]:
    """A revocation list whose signature one of the `known` certificates made, with its entries.

    Raises `crl_unreadable`, `crl_delta`, `crl_indirect`, `crl_without_end`,
    `crl_unknown_extension`, `crl_unknown_issuer`, `crl_signature`.
    """
    one = _one_list(data)
    issuers = [certificate(der) for der in known]
    named = [issuer for issuer in issuers if issuer.subject.hashable == one.issuer_key]
    if not named:
        raise _refused(
            "crl_unknown_issuer",
            "Издатель списка отзыва не входит в число доверенных. Сначала добавьте его сертификат.",
            "The list's issuer is not in the trust store. Add its certificate first.",
            issuer=str(one.issuer.human_friendly),
        )
    signer = next((issuer for issuer in named if revocation.signs(one, issuer)), None)
    if signer is None:
        raise _refused(
            "crl_signature",
            "Подпись списка отзыва не сходится с ключом издателя. Скачайте список заново.",
            "The list's signature does not fit its issuer's key. Download the list again.",
        )
    try:
        entries = list(one.entries())
    except (ValueError, IndexError) as problem:
        raise _unreadable() from problem
    return {
        "sha256": one.sha256,
        "issuer": str(one.issuer.human_friendly),
        "issuer_key": one.issuer_key,
        "issuer_sha256": signer.sha256,
        "key_sha256": revocation.key_name(signer),
        "scope": "" if one.point is None else one.point.dump().hex(),
        "number": None if one.number is None else str(one.number),
        "this_update": one.this_update,
        "next_update": one.next_update,
        "serials": [integer(entry.serial) for entry in entries],
        "moments": [int(entry.revoked_at.timestamp()) for entry in entries],
        "reasons": [entry.reason for entry in entries],
    }


def _one_list(data: bytes) -> RevocationList:
    try:
        ders = trust.revocation_lists(data)
        one = RevocationList(ders[0])
    except (ValueError, InvalidInput) as problem:
        raise _unreadable() from problem
    if len(ders) != 1:
        raise _unreadable()
    if one.is_delta:
        raise _refused(
            "crl_delta",
            "Это список изменений (delta CRL). Загрузите полный список.",
            "This is a delta CRL. Import the complete list.",
        )
    if one.is_indirect:
        raise _refused(
            "crl_indirect",
            "Это непрямой список отзыва: он не подходит. Загрузите список самого издателя.",
            "This is an indirect CRL and not supported. Import the issuer's own list.",
        )
    if one.next_update is None:
        raise _refused(
            "crl_without_end",
            "В списке отзыва нет срока следующего выпуска. Запросите у издателя обычный список.",
            "The list says no time of the next issue. Ask the issuer for a usual list.",
        )
    if one.has_unknown_critical or not one.is_consistent:
        raise _refused(
            "crl_unknown_extension",
            "В списке отзыва есть обязательное расширение, которое не поддерживается.",
            "The list has a critical extension that is not supported.",
        )
    return one


def read_answer(data: bytes, known: list[bytes]) -> dict[str, Any]:
    """An OCSP answer by a responder whom one of the `known` authorities entitles.

    Raises `ocsp_unreadable` and `ocsp_untrusted`. What it says is judged when it is used.
    """
    try:
        answer = ocsp_answers.load(data)
        first = answer.singles[0]
    except (ValueError, IndexError) as problem:
        raise _refused(
            "ocsp_unreadable",
            "Файл не является ответом OCSP. Загрузите ответ службы в формате DER.",
            "The file is no OCSP answer. Upload the responder's answer in DER.",
        ) from problem
    for der in known:
        issuer = certificate(der)
        question = Question(issuer, issuer, answer.produced_at, is_unrevoked=lambda _: True)
        if revocation.is_authorized(answer, question):
            return {
                "sha256": answer.sha256,
                "serial": integer(first.serial),
                "status": first.status,
                "this_update": first.this_update,
                "next_update": max(one.next_update for one in answer.singles),
            }
    raise _refused(
        "ocsp_untrusted",
        "Ответ OCSP подписан не издателем из числа доверенных. Сначала добавьте его сертификат.",
        "The OCSP answer is not signed for a known issuer. Add the issuer's certificate first.",
    )


def _unreadable() -> InvalidInput:
    return _refused(
        "crl_unreadable",
        "Файл не является списком отзыва (CRL). Загрузите один список в DER или PEM.",
        "The file is no revocation list (CRL). Upload one list in DER or PEM.",
    )


def _refused(code: str, ru: str, en: str, **details: Any) -> InvalidInput:
    return InvalidInput(ru, en, code=code, **details)


def der_of_list(data: bytes) -> bytes:
    """The list of a PEM file; raises `trust_unreadable`."""
    return trust.revocation_lists(data)[0]
