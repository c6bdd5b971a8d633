"""The certificate somebody is about to sign with: checked before the key is touched.

What forbids signing is refused; what would only leave the signature unproved is a warning, shown
before the person signs.
"""

import re
from base64 import b64decode
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from core import clock, db
from core.actor import Actor
from core.errors import Forbidden, InvalidInput
from core.sandbox import pool
from docflow.documents import checking

_PEM = re.compile(r"-----BEGIN CERTIFICATE-----(.*?)-----END CERTIFICATE-----", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Warning:
    """What the person should know before signing; the code is stable."""

    code: str
    ru: str
    en: str

    def as_dict(self) -> dict[str, str]:
        """The warning as it travels."""
        return {"code": self.code, "ru": self.ru, "en": self.en}


@dataclass(frozen=True, slots=True)
class Checked:
    """A certificate that may sign, and what to say of it."""

    der: bytes = field(repr=False)
    owner: str
    issuer: str
    not_after: datetime
    sha256: str
    warnings: tuple[Warning, ...]


_UNPROVED = (
    "Подписать можно, но документ не станет подписанным, пока это не исправлено.",
    "You can sign, but the document will not count as signed until this is mended.",
)


def _warning(code: str, ru: str, en: str) -> Warning:
    return Warning(code, f"{ru} {_UNPROVED[0]}", f"{en} {_UNPROVED[1]}")


_CHAIN: dict[str, Warning] = {
    "untrusted": _warning(
        "certificate_untrusted",
        "Удостоверяющий центр, выдавший сертификат, здесь не в числе доверенных.",
        "The authority that issued the certificate is not trusted here.",
    ),
    "revocation_missing": _warning(
        "certificate_revocation_unknown",
        "Нет сведений, не отозван ли сертификат: список отзыва не загружен.",
        "It is not known whether the certificate was revoked: no revocation list is loaded.",
    ),
    "revocation_stale": _warning(
        "certificate_revocation_stale",
        "Сведения об отзыве сертификатов устарели.",
        "The revocation list is out of date.",
    ),
}
_OTHERWISE = _warning(
    "certificate_chain_unclear",
    "Цепочку доверия сертификата построить не удалось.",
    "The certificate's chain of trust could not be built.",
)
_NAME_DIFFERS = Warning(
    "certificate_name_differs",
    "Фамилия в сертификате не совпадает с вашей в справочнике. Убедитесь, что выбран ваш"
    " сертификат.",
    "The surname in the certificate is not yours in the directory. Make sure it is your own.",
)


async def check(actor: Actor, certificate: bytes, *, chain: tuple[bytes, ...] = ()) -> Checked:
    """Look at the certificate as of now; belongs outside a transaction.

    Raises `certificate_unreadable`, `certificate_expired`, `certificate_not_yet_valid`,
    `certificate_usage`, `unsupported_algorithm`, `certificate_revoked`,
    `certificate_of_other_organization`, `certificate_of_other_person`.
    """
    found: dict[str, Any] = await pool().run(
        "signatures.preflight:look", certificate, chain=list(chain),
        at=clock.now().isoformat(), trust=await checking.trust(),
    )  # fmt: skip
    if found["chain_code"] == "revoked":
        raise InvalidInput(
            "Сертификат отозван, подписывать им нельзя. Выберите другой или получите новый.",
            "The certificate is revoked and must not sign. Choose another or get a new one.",
            code="certificate_revoked",
            revoked_at=found["revoked_at"],
        )
    await _require_own_organization(actor, found["subject"])
    warnings = []
    if found["chain_code"] is not None:
        warnings.append(_CHAIN.get(found["chain_code"], _OTHERWISE))
    if not await _is_own_person(actor, found["subject"]):
        warnings.append(_NAME_DIFFERS)
    return Checked(
        certificate, found["owner"], found["issuer"], datetime.fromisoformat(found["not_after"]),
        found["sha256"], tuple(warnings),
    )  # fmt: skip


async def _require_own_organization(actor: Actor, subject: dict[str, str]) -> None:
    """ИНН and ОГРН of a legal entity against the directory's, where both are known.

    A certificate of a private person names no organization: whether its owner may sign for one is
    a matter of the power of attorney.
    """
    home = await db.row("SELECT inn, ogrn FROM organization WHERE id = $1", actor.home_id)
    if home is None:
        return
    stated = {"inn": inn_of_entity(subject), "ogrn": digits(subject.get("ogrn", ""))}
    differing = [
        name for name, value in stated.items() if value and home[name] and home[name] != value
    ]
    if differing:
        raise Forbidden(
            "Сертификат выдан другой организации: ИНН или ОГРН не совпадают. Выберите сертификат"
            " своей организации.",
            "The certificate belongs to another organization: INN or OGRN differ. Choose one of"
            " your own organization.",
            code="certificate_of_other_organization",
            fields=differing,
        )


async def _is_own_person(actor: Actor, subject: dict[str, str]) -> bool:
    """СНИЛС against the directory where both are known (refused), else the surname (a doubt)."""
    found = await db.row("SELECT p.* FROM person AS p WHERE p.id = $1", actor.person_id)
    if found is None:
        return True
    known, stated = digits(str(found.get("snils") or "")), digits(subject.get("snils", ""))
    if known and stated:
        if known != stated:
            raise Forbidden(
                "Сертификат выдан другому человеку: СНИЛС не совпадает. Выберите свой сертификат.",
                "The certificate belongs to somebody else: SNILS differs. Choose your own.",
                code="certificate_of_other_person",
            )
        return True
    surname = subject.get("surname", "").strip().casefold().replace("ё", "е")
    own = str(found["last_name"]).strip().casefold().replace("ё", "е")
    return not surname or not own or surname == own


def from_text(text: str) -> bytes:
    """A certificate in PEM or base64, with line breaks or without, as DER.

    Raises `certificate_missing`, `certificate_unreadable`.
    """
    if not text.strip():
        raise InvalidInput(
            "Выберите сертификат, которым будете подписывать.",
            "Choose the certificate you will sign with.",
            code="certificate_missing",
        )
    armored = _PEM.search(text)
    body = "".join((armored[1] if armored else text).split())
    try:
        return b64decode(body, validate=True)
    except ValueError:
        raise InvalidInput(
            "Сертификат не читается. Выберите его заново.",
            "The certificate cannot be read. Choose it again.",
            code="certificate_unreadable",
        ) from None


def inn_of_entity(subject: dict[str, str]) -> str:
    """The legal entity's ИНН: its own field, or the older one padded with two zeros.

    The field «ИННЮЛ» came with the order of the FSB of 29.01.2021 no. 31.
    """
    own = digits(subject.get("inn_le", ""))
    if own:
        return own
    older = digits(subject.get("inn", ""))
    return older[2:] if len(older) == 12 and older.startswith("00") else ""


def digits(text: str) -> str:
    """The digits of a number however it is punctuated."""
    return "".join(sign for sign in text if sign.isascii() and sign.isdigit())
