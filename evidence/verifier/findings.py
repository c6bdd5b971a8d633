"""What can be said of a package, in Russian and English, and the report that gathers it."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import Any

MALFORMED = (ValueError, KeyError, IndexError, TypeError, AttributeError, struct.error,
             RecursionError, OverflowError)  # fmt: skip
"""What parsing rubbish raises; it always means that the package is not good."""

WORDS = {
    "not_a_package": (
        "Это не пакет доказательств docflow, или он обрезан",
        "Not an evidence package of docflow, or cut short",
    ),
    "archive_form": ("Служебные данные архива изменены", "The archive's own structure was changed"),
    "commitment": (
        "Завершающая часть архива изменена",
        "The closing part of the archive was changed",
    ),
    "member_changed": ("Файл изменён", "The member was changed"),
    "members_differ": (
        "Состав пакета не совпадает с описью",
        "The members are not those of the manifest",
    ),
    "statement": (
        "Заявление о составе пакета не совпадает с ним",
        "The statement on the package does not fit it",
    ),
    "package_signature": ("Подпись пакета неверна", "The signature of the package is wrong"),
    "signer_differs": ("Пакет подписан не тем ключом", "The package was signed with another key"),
    "signer_untrusted": (
        "Сертификат подписи пакета не ведёт к заданному корню",
        "The package's certificate leads to none of the given roots",
    ),
    "document_signature": (
        "Подпись под документом не соответствует файлу",
        "A signature does not fit its document",
    ),
    "facts_unreadable": ("Сведения не читаются", "The facts cannot be read"),
    "event_not_in_log": ("Событие не входит в журнал", "An event is not in the log"),
    "checkpoint": (
        "Контрольная точка журнала подписана неверно",
        "The log's checkpoint is not signed rightly",
    ),
    "time_stamp": ("Отметка времени не соответствует", "A time stamp does not fit"),
    "streebog_unchecked": (
        "ГОСТ Р 34.11-2012 не вычислялся: нет ни libgcrypt, ни openssl с gost",
        "GOST R 34.11-2012 was not computed: neither libgcrypt nor openssl with gost",
    ),
    "signature_unchecked": (
        "Подпись под документом здесь проверить нечем",
        "A document's signature cannot be checked here",
    ),
    "verdict_differs": ("Вердикт, сделанный заново, другой", "The verdict made again is another"),
    "verdict_not_made": ("Вердикт не сделан заново", "The verdict was not made again"),
    "signer_not_compared": (
        "Сверьте отпечаток ключа с опубликованным (--signer)",
        "Compare the key's fingerprint with the published one (--signer)",
    ),
    "declared_gap": (
        "Служба сама указала, чего в пакете нет",
        "The service itself names what is lacking",
    ),
}
"""Every finding in Russian and English."""


class Bad(Exception):
    """The answer is no; `code` is a key of WORDS."""

    def __init__(self, code: str, where: str = "") -> None:
        self.code, self.where = code, where
        super().__init__(code)


class Unknown(Exception):
    """It cannot be told here."""


@dataclass
class Report:
    """What was found, in the order it was found."""

    facts: dict[str, Any] = field(default_factory=dict)
    problems: list[dict[str, str]] = field(default_factory=list)
    not_checked: list[dict[str, str]] = field(default_factory=list)
    notes: list[dict[str, str]] = field(default_factory=list)

    def add(self, findings: list[dict[str, str]], code: str, where: str = "") -> None:
        """Note a finding once."""
        ru, en = WORDS[code]
        found = {"code": code, "where": where, "ru": ru, "en": en}
        if found not in findings[-200:]:
            findings.append(found)

    @property
    def exit_code(self) -> int:
        """0, 1 or 2."""
        return 1 if self.problems else 2 if self.not_checked else 0

    def as_dict(self) -> dict[str, Any]:
        """The answer as it is printed with --json."""
        verdict = ("whole", "broken", "unclear")[self.exit_code]
        return {"verdict": verdict, **self.facts, "problems": self.problems,
                "not_checked": self.not_checked, "notes": self.notes}  # fmt: skip
