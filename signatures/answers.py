"""What came back from the key's holder: is it a CMS, detached, by the certificate that was shown.

Hostile bytes: for worker processes, plain data in and out.
"""

from typing import Any

from asn1crypto import cms, core, x509

from core.errors import InvalidInput, ServiceError, TooLarge
from signatures.cms import check_signature, normalize_cms

MAX_CMS = 1 << 20
"""Bytes of a signature in DER."""
MAX_WRAPPED = 3 * MAX_CMS
"""Bytes of the same in base64 of UTF-16, the widest wrapping there is."""
MAX_SIGNERS = 20


def _der(data: bytes) -> bytes:
    if not data:
        raise _unreadable()
    der = normalize_cms(data) if len(data) <= MAX_WRAPPED else data
    if len(der) > MAX_CMS:
        raise TooLarge(
            "Файл подписи больше 1 МБ. Нужна отсоединённая подпись, без самого документа внутри.",
            "The signature is larger than 1 MB. Send a detached one, without the document in it.",
            code="signature_too_large",
            limit=MAX_CMS,
        )
    return der


def require_cms(
    data: bytes, *, certificate: bytes, digest: bytes, algorithm: str = "sha256"
) -> bytes:
    """The DER of a detached CMS by this certificate alone over this digest; else says why not.

    Raises `signature_unreadable`, `signature_too_large`, `signature_attached`,
    `signature_several`, `signature_without_certificate`, `certificate_changed`,
    `hash_algorithm_differs`, `signature_of_other_bytes`, `signature_does_not_fit`.
    """
    der = _der(data)
    try:
        signed = cms.ContentInfo.load(der)["content"]
        _require_detached(signed)
        info = _only_signer(signed)
        _require_certificate(signed, info, x509.Certificate.load(certificate))
        _require_digest(info, digest, algorithm)
        check_signature(der, digest=digest, algorithm=algorithm)
    except ServiceError:
        raise
    except Exception as problem:
        # asn1crypto answers hostile bytes with any exception it likes.
        raise _unreadable() from problem
    return der


def normalized(data: bytes) -> dict[str, Any]:
    """An uploaded signature as DER with what it holds: signers, digests asked for, attached or not.

    Raises `signature_unreadable`, `signature_too_large`, `signature_attached`.
    """
    der = _der(data)
    try:
        signed = cms.ContentInfo.load(der)["content"]
        infos = list(signed["signer_infos"])
        if not 0 < len(infos) <= MAX_SIGNERS:
            raise _unreadable()
        _require_detached(signed)
        names = [_algorithm(info) for info in infos]
    except ServiceError:
        raise
    except Exception as problem:
        raise _unreadable() from problem
    return {"der": der, "signers": len(infos), "digests": list(dict.fromkeys(names))}


def _require_detached(signed: cms.SignedData) -> None:
    if not isinstance(signed["encap_content_info"]["content"], core.Void):
        raise InvalidInput(
            "Подпись присоединённая: документ лежит внутри неё. Подпишите ещё раз, выбрав"
            " отсоединённую подпись.",
            "The signature holds the document inside. Sign again and choose a detached one.",
            code="signature_attached",
        )


def _only_signer(signed: cms.SignedData) -> cms.SignerInfo:
    infos = list(signed["signer_infos"])
    if len(infos) != 1:
        raise InvalidInput(
            "В ответе должна быть одна подпись, вашим сертификатом. Подпишите ещё раз.",
            "The answer must hold one signature, by your certificate. Sign again.",
            code="signature_several",
            signers=len(infos),
        )
    return infos[0]


def _require_certificate(
    signed: cms.SignedData, info: cms.SignerInfo, shown: x509.Certificate
) -> None:
    choices = signed["certificates"]
    if not isinstance(choices, cms.CertificateSet) or not len(choices):
        raise InvalidInput(
            "В подписи нет сертификата подписавшего. Включите его в подпись и подпишите ещё раз.",
            "The signer's certificate is not in the signature. Have it included and sign again.",
            code="signature_without_certificate",
        )
    sid = info["sid"]
    if sid.name == "issuer_and_serial_number":
        is_named = sid.chosen["serial_number"].native == shown.serial_number
    else:
        is_named = sid.chosen.native == shown.key_identifier
    ders = {choice.chosen.dump() for choice in choices}
    if not is_named or shown.dump() not in ders:
        raise InvalidInput(
            "Подписано не тем сертификатом, который вы выбрали. Начните подписание заново.",
            "Another certificate was used than the one you chose. Start signing again.",
            code="certificate_changed",
        )


def _algorithm(info: cms.SignerInfo) -> str:
    return str(info["digest_algorithm"]["algorithm"].native)


def _require_digest(info: cms.SignerInfo, digest: bytes, algorithm: str) -> None:
    if _algorithm(info) != algorithm:
        raise InvalidInput(
            "Подпись сделана с другим алгоритмом хэша, чем было предложено. Обновите"
            " криптопровайдер и подпишите ещё раз.",
            "Another hash algorithm was used than the one offered. Update the provider and sign"
            " again.",
            code="hash_algorithm_differs",
            expected=algorithm,
        )
    attributes = info["signed_attrs"]
    if isinstance(attributes, core.Void):
        return
    for one in attributes:
        if one["type"].native == "message_digest" and one["values"][0].native != digest:
            raise InvalidInput(
                "Подписан другой файл, не тот, что был показан. Откройте документ и подпишите"
                " ещё раз.",
                "Another file was signed than the one shown. Open the document and sign again.",
                code="signature_of_other_bytes",
            )


def _unreadable() -> InvalidInput:
    return InvalidInput(
        "Файл не похож на подпись. Нужна отсоединённая подпись CMS: DER, PEM или base64"
        " (.sig, .p7s, .sgn, .p7m).",
        "This does not look like a signature. A detached CMS in DER, PEM or base64 is needed.",
        code="signature_unreadable",
    )
