"""Why a signature is not plainly valid: stable codes, and words that say what to do next.

The sub-indications of EN 319 102-1 are named where one fits.
"""

from dataclasses import dataclass
from typing import Literal

Verdict = Literal["valid", "invalid", "indeterminate"]


@dataclass(frozen=True, slots=True)
class Reason:
    """One finding; `verdict` is the best that a signature with this finding can get."""

    code: str
    verdict: Verdict
    ru: str
    en: str
    indication: str = ""

    def as_dict(self) -> dict[str, str]:
        """The finding as it travels to people and programs."""
        return {"code": self.code, "ru": self.ru, "en": self.en}


def _invalid(code: str, ru: str, en: str, indication: str = "") -> Reason:
    return Reason(code, "invalid", ru, en, indication)


def _unclear(code: str, ru: str, en: str, indication: str = "") -> Reason:
    return Reason(code, "indeterminate", ru, en, indication)


def _note(code: str, ru: str, en: str) -> Reason:
    return Reason(code, "valid", ru, en)


_ALL = (
    _unclear(
        "no_signature",
        "В файле нет электронной подписи. Приложите подписанный файл или отдельный файл подписи.",
        "The file carries no signature. Send a signed file or the detached signature with it.",
    ),
    _unclear(
        "not_parseable",
        "Файл или подпись не удалось разобрать. Попросите отправителя подписать файл заново.",
        "The file or signature cannot be read. Ask the sender to sign and send it again.",
        "FORMAT_FAILURE",
    ),
    _unclear(
        "file_too_large",
        "Файл больше 256 МБ, подпись внутри него не проверяется. Запросите отсоединённую подпись.",
        "The file is larger than 256 MB and is not checked from inside. Ask for a detached one.",
    ),
    _unclear(
        "encrypted",
        "Файл зашифрован, проверить подпись нельзя. Запросите файл без пароля.",
        "The file is encrypted and cannot be checked. Ask for it without a password.",
    ),
    _unclear(
        "check_failed",
        "Проверка не завершилась. Файл оставлен в карантине, передайте его администратору.",
        "The check did not come to an end. Keep the file aside and tell the administrator.",
    ),
    _invalid(
        "digest_mismatch",
        "Содержимое изменено после подписания, или подпись от другого файла. Запросите оригинал.",
        "The bytes differ from those signed, or the signature is another file's. Ask again.",
        "HASH_FAILURE",
    ),
    _invalid(
        "signature_broken",
        "Подпись не сходится с ключом из сертификата. Попросите подписать документ заново.",
        "The signature does not fit the certificate's key. Ask for a new signature.",
        "SIG_CRYPTO_FAILURE",
    ),
    _invalid(
        "byte_range_malformed",
        "Подпись охватывает не тот диапазон байтов файла. Не доверяйте файлу, запросите оригинал.",
        "The signature covers an irregular range of the file. Do not rely on it, ask again.",
        "FORMAT_FAILURE",
    ),
    _invalid(
        "coverage_incomplete",
        "Подпись охватывает файл не целиком. Не доверяйте файлу, запросите оригинал.",
        "The signature does not cover its whole revision. Do not rely on it, ask again.",
        "FORMAT_FAILURE",
    ),
    _invalid(
        "changed_after_signing",
        "После подписания в файл внесены изменения. Запросите файл в том виде, как он подписан.",
        "The file was changed after signing. Ask for the file as it was signed.",
        "HASH_FAILURE",
    ),
    _invalid(
        "form_filled_after_signing",
        "После подписания заполнены поля или добавлены пометки. Запросите файл без них.",
        "Fields were filled or marks added after signing. Ask for the file without them.",
        "HASH_FAILURE",
    ),
    _unclear(
        "mark_over_content",
        "Отметка поздней подписи закрывает часть страницы. Смотрите файл, каким он был подписан.",
        "The mark of a later signature hides part of a page. Read the file as it was first signed.",
    ),
    _unclear(
        "signature_hidden",
        "В файле есть подпись, которой нет в его последнем виде. Запросите оригинал.",
        "The file holds a signature that its latest form does not show. Ask for the original.",
    ),
    _unclear(
        "trailing_bytes",
        "За подписанной частью есть байты, назначение которых неясно. Запросите оригинал.",
        "Bytes after the signed part cannot be accounted for. Ask for the original.",
    ),
    _unclear(
        "hybrid_reference",
        "Файл читается по-разному в разных программах. Попросите сохранить и подписать его заново.",
        "Different programs read this file differently. Ask to save and sign it again.",
    ),
    _unclear(
        "unsupported_format",
        "Вид подписи не поддерживается. Попросите подписать в формате PAdES или CAdES.",
        "This kind of signature is not supported. Ask for PAdES or CAdES.",
    ),
    _unclear(
        "unsupported_algorithm",
        "Алгоритм подписи не поддерживается. Проверьте подпись средством удостоверяющего центра.",
        "The signature algorithm is not supported. Check it with the authority's own tool.",
        "CRYPTO_CONSTRAINTS_FAILURE",
    ),
    _unclear(
        "weak_algorithm",
        "Алгоритм или ключ подписи слишком слабый. Попросите подписать современным ключом.",
        "The algorithm or key is too weak. Ask for a signature with a present-day one.",
        "CRYPTO_CONSTRAINTS_FAILURE",
    ),
    _unclear(
        "no_signed_attributes",
        "В подписи нет подписанных атрибутов. Попросите подписать в формате CAdES или PAdES.",
        "The signature has no signed attributes. Ask for CAdES or PAdES.",
        "SIG_CONSTRAINTS_FAILURE",
    ),
    _unclear(
        "attached_instead_of_detached",
        "Ожидалась отсоединённая подпись, а прислана присоединённая. Запросите отсоединённую.",
        "A detached signature is due, an attached one came. Ask for a detached one.",
        "FORMAT_FAILURE",
    ),
    _unclear(
        "signer_certificate_missing",
        "В подписи нет сертификата подписавшего. Попросите подписать с вложенным сертификатом.",
        "The signer's certificate is not in the signature. Ask for it to be included.",
        "NO_SIGNING_CERTIFICATE_FOUND",
    ),
    _unclear(
        "signing_certificate_mismatch",
        "Подпись ссылается на другой сертификат. Попросите подписать документ заново.",
        "The signature names another certificate. Ask for a new signature.",
        "NO_SIGNING_CERTIFICATE_FOUND",
    ),
    _unclear(
        "certificate_usage",
        "Сертификат не предназначен для подписи документов. Попросите подписать другим.",
        "The certificate is not meant for signing documents. Ask for another one.",
        "CHAIN_CONSTRAINTS_FAILURE",
    ),
    _unclear(
        "untrusted",
        "Издатель сертификата не входит в число доверенных. Проверьте список доверенных корней.",
        "The certificate's issuer is not trusted here. Check the list of trusted roots.",
        "NO_CERTIFICATE_CHAIN_FOUND",
    ),
    _unclear(
        "chain_invalid",
        "Цепочка сертификатов построена с нарушениями. Обратитесь в удостоверяющий центр.",
        "The certificate chain breaks the rules. Turn to the certificate authority.",
        "CERTIFICATE_CHAIN_GENERAL_FAILURE",
    ),
    _unclear(
        "certificate_expired",
        "Срок сертификата истёк, а надёжной отметки времени нет. Запросите новую подпись.",
        "The certificate has expired and no trusted time stamp helps. Ask for a new signature.",
        "OUT_OF_BOUNDS_NO_POE",
    ),
    _unclear(
        "certificate_not_yet_valid",
        "Срок действия сертификата ещё не начался. Проверьте дату проверки и сертификат.",
        "The certificate is not valid yet. Check the moment of the check and the certificate.",
        "OUT_OF_BOUNDS_NO_POE",
    ),
    _invalid(
        "revoked",
        "Сертификат отозван. Свяжитесь с подписавшим и запросите новую подпись.",
        "The certificate is revoked. Contact the signer and ask for a new signature.",
        "REVOKED_NO_POE",
    ),
    _unclear(
        "revocation_missing",
        "Нет сведений об отзыве сертификата. Загрузите список отзыва (CRL) и повторите проверку.",
        "No revocation data for the certificate. Import the CRL and check again.",
        "TRY_LATER",
    ),
    _unclear(
        "revocation_stale",
        "Сведения об отзыве устарели. Загрузите свежий список отзыва (CRL) и повторите проверку.",
        "The revocation data is out of date. Import a fresh CRL and check again.",
        "TRY_LATER",
    ),
    _unclear(
        "crl_untrusted",
        "Список отзыва (CRL) подписан не издателем сертификата. Загрузите подлинный список.",
        "The revocation list is not signed by the certificate's issuer. Import the genuine CRL.",
        "TRY_LATER",
    ),
    _unclear(
        "ocsp_stale",
        "Ответ OCSP об отзыве устарел. Загрузите свежий ответ или список отзыва (CRL).",
        "The OCSP answer is out of date. Import a fresh answer or a CRL.",
        "TRY_LATER",
    ),
    _unclear(
        "ocsp_unknown",
        "Служба OCSP не знает этого сертификата. Обратитесь в удостоверяющий центр.",
        "The OCSP responder does not know this certificate. Turn to the certificate authority.",
        "TRY_LATER",
    ),
    _unclear(
        "ocsp_untrusted",
        "Ответ OCSP подписан службой без полномочий издателя. Загрузите список отзыва (CRL).",
        "The OCSP answer comes from a responder without the issuer's mandate. Import the CRL.",
        "TRY_LATER",
    ),
    _unclear(
        "ocsp_mismatch",
        "Ответ OCSP относится к сертификату другого издателя. Загрузите ответ об этом сертификате.",
        "The OCSP answer is about another issuer's certificate. Import the one about this one.",
        "TRY_LATER",
    ),
    _unclear(
        "timestamp_invalid",
        "Отметка времени не относится к этой подписи или повреждена. Запросите новую подпись.",
        "The time stamp is broken or not this signature's. Ask for a new signature.",
        "TIMESTAMP_ORDER_FAILURE",
    ),
    _unclear(
        "timestamp_untrusted",
        "Службе времени нет доверия на момент проверки. Проверьте корни и списки отзыва.",
        "The time-stamp authority is not trusted at this moment. Check roots and CRLs.",
        "NO_POE",
    ),
    _unclear(
        "signed_after_moment",
        "На этот момент документ ещё не был подписан. Укажите более позднее время проверки.",
        "At that moment the document was not signed yet. Choose a later moment.",
    ),
    _invalid(
        "evidence_mismatch",
        "Доказательная запись не относится к этим данным или повреждена. Выгрузите её заново.",
        "The evidence record is not over these bytes, or is damaged. Export it again.",
        "HASH_FAILURE",
    ),
    _unclear(
        "evidence_renewal_missed",
        "Отметка времени не была вовремя продлена; сама по себе она больше не доказательство.",
        "The time stamp was not renewed in time; by itself it is no proof any more.",
        "NO_POE",
    ),
)

_INTEGRITY = (
    _invalid(
        "attributes_as_document",
        "Вместо документа приложены атрибуты чужой подписи. Это подделка: не доверяйте файлу.",
        "The attributes of a signature are passed off as the document. Do not rely on this file.",
        "SIG_CRYPTO_FAILURE",
    ),
    _invalid(
        "key_size_mismatch",
        "Длина ключа не соответствует хэшу подписи. Попросите подписать документ заново.",
        "The key's size does not go with the signature's hash. Ask for a new signature.",
        "SIG_CRYPTO_FAILURE",
    ),
    _invalid(
        "public_key_invalid",
        "Открытый ключ в сертификате недопустим. Обратитесь в удостоверяющий центр.",
        "The certificate's public key is impossible. Turn to the certificate authority.",
        "SIG_CRYPTO_FAILURE",
    ),
    _invalid(
        "signature_value_invalid",
        "Значение подписи недопустимо для этого ключа. Попросите подписать документ заново.",
        "The signature value is impossible for this key. Ask for a new signature.",
        "SIG_CRYPTO_FAILURE",
    ),
    _invalid(
        "algorithm_mismatch",
        "Алгоритм подписи не соответствует ключу или подписанным атрибутам. Запросите новую.",
        "The stated algorithm contradicts the key or the signed attributes. Ask for a new one.",
        "SIG_CRYPTO_FAILURE",
    ),
    _unclear(
        "attributes_malformed",
        "Подписанные атрибуты повторяются или неполны. Попросите подписать документ заново.",
        "Signed attributes are repeated or missing. Ask for a new signature.",
        "FORMAT_FAILURE",
    ),
    _unclear(
        "content_type_mismatch",
        "Подпись относится к содержимому другого вида. Попросите подписать сам документ.",
        "The signature speaks of another kind of content. Ask to sign the document itself.",
        "FORMAT_FAILURE",
    ),
    _unclear(
        "legacy_algorithm",
        "Подпись по ГОСТ Р 34.10-2001 годится только для архива. Запросите подпись по ГОСТ 2012.",
        "GOST R 34.10-2001 is kept for archives only. Ask for a signature by GOST R 34.10-2012.",
        "CRYPTO_CONSTRAINTS_FAILURE",
    ),
    _unclear(
        "too_many_signers",
        "В файле больше 20 подписей, проверены первые. Пришлите подписи отдельными файлами.",
        "The file holds more than 20 signatures; the first were checked. Send them in several.",
        "FORMAT_FAILURE",
    ),
    _unclear(
        "signature_too_large",
        "Файл подписи больше 1 МБ. Запросите отсоединённую подпись без лишних вложений.",
        "The signature file is larger than 1 MB. Ask for a detached one without attachments.",
        "FORMAT_FAILURE",
    ),
)

_NOTES = (
    _note(
        "attributes_unordered",
        "Атрибуты подписи записаны не по порядку DER; подпись от этого не пострадала.",
        "The signed attributes are not in DER order; the signature holds all the same.",
    ),
    _note(
        "key_period_ended",
        "Подписано вне срока действия закрытого ключа. Уточните дату у подписавшего.",
        "Signed outside the private key's usage period. Ask the signer for the date.",
    ),
)

REASONS: dict[str, Reason] = {reason.code: reason for reason in (*_ALL, *_INTEGRITY)}
WARNINGS: dict[str, Reason] = {note.code: note for note in _NOTES}
"""What is worth a word and changes no verdict."""

_RANK: dict[Verdict, int] = {"valid": 0, "indeterminate": 1, "invalid": 2}


def verdict_of(codes: tuple[str, ...]) -> Verdict:
    """The verdict these findings leave: none is valid, the worst one decides otherwise."""
    worst: Verdict = "valid"
    for code in codes:
        if _RANK[REASONS[code].verdict] > _RANK[worst]:
            worst = REASONS[code].verdict
    return worst


def worst_of(verdicts: tuple[Verdict, ...]) -> Verdict:
    """The worst of several verdicts; of none, valid."""
    return max(verdicts, key=_RANK.__getitem__, default="valid")
