"""How an answer on authority is told: bases, states and reasons, in Russian and English."""

from typing import Any, Literal

from core import db
from signatures.mchd.findings import FINDINGS, Finding, State, note

Basis = Literal["head", "mchd", "seal", "post", "none"]

_ALL = (
    Finding(
        "certificate_unknown", "refused",
        "Сертификат ничем не связан с организацией документа. Зарегистрируйте сертификат "
        "сотрудника или приложите МЧД.",
        "Nothing ties the certificate to the document's organization. Register the employee's "
        "certificate or attach a power of attorney.",
    ),
    Finding(
        "organization_differs", "refused",
        "Сертификат выдан другой организации: ИНН или ОГРН не совпадает с карточкой.",
        "The certificate is another organization's: its INN or OGRN differs from the card.",
    ),
    Finding(
        "not_the_head", "refused",
        "Сертификат организации, но подписал не руководитель. Приложите МЧД или зарегистрируйте "
        "сертификат сотрудника.",
        "The organization's certificate, but not its head's. Attach a power of attorney or "
        "register the employee's certificate.",
    ),
    Finding(
        "head_unknown", "indeterminate",
        "Сертификат организации; кто руководитель на эту дату, в справочнике нет.",
        "The organization's certificate; who was head on that day the directory does not say.",
    ),
    Finding(
        "no_signatory_role", "refused",
        "Сертификат сотрудника известен, но права подписи у него нет. Приложите МЧД или выдайте "
        "роль подписанта.",
        "The employee's certificate is known, but gives no right to sign. Attach a power of "
        "attorney or grant the role of signatory.",
    ),
    note(
        "head_by_name",
        "Руководитель опознан по фамилии и имени: номеров для сверки нет.",
        "The head is known by name only: there are no numbers to compare.",
    ),
    note(
        "name_differs",
        "Фамилия в сертификате не та, что в справочнике.",
        "The certificate's surname is not the one in the directory.",
    ),
)  # fmt: skip

WORDS: dict[str, Finding] = {**FINDINGS, **{one.code: one for one in _ALL}}
"""Every reason an answer may carry, with its words."""

BASES: dict[Basis, tuple[str, str]] = {
    "head": ("руководитель организации", "head of the organization"),
    "mchd": ("машиночитаемая доверенность", "machine-readable power of attorney"),
    "seal": ("ключ организации", "key of the organization"),
    "post": ("подписант организации", "signatory of the organization"),
    "none": ("основание не найдено", "no basis found"),
}
STATES: dict[State, tuple[str, str]] = {
    "confirmed": ("полномочия подтверждены", "authority confirmed"),
    "refused": ("полномочия не подтверждены", "authority refused"),
    "indeterminate": ("полномочия не установлены", "authority undetermined"),
    "not_checked": ("полномочия не проверялись", "authority not checked"),
}


def described(row: db.Row) -> dict[str, Any]:
    """An answer's row as it is shown: codes with their words, and the whole in one sentence.

    A row of nulls, of a signature that was never asked about, is shown as not checked.
    """
    if row["state"] is None:
        row = {**row, "state": "not_checked", "basis": "none", "reasons": ()}
    ru = f"{STATES[row['state']][0]}: {BASES[row['basis']][0]}"
    en = f"{STATES[row['state']][1]}: {BASES[row['basis']][1]}"
    if row["mchd_number"]:
        ru, en = f"{ru} № {row['mchd_number']}", f"{en} no. {row['mchd_number']}"
    if row["state"] == "not_checked":
        ru, en = STATES["not_checked"]
    return {
        "basis": row["basis"], "state": row["state"],
        "reasons": [WORDS[code].as_dict() for code in row["reasons"] if code in WORDS],
        "mchd_id": row["power_id"], "mchd_number": row["mchd_number"] or None,
        "revocation": row["revocation"], "at": row["at"], "checked_at": row["checked_at"],
        "ru": ru, "en": en,
    }  # fmt: skip
