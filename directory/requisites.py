"""State registration numbers: form and control digits; pure."""

import re

from stdnum.exceptions import ValidationError
from stdnum.ru import inn as stdnum_inn
from stdnum.ru import ogrn as stdnum_ogrn

from core.errors import InvalidInput

_KPP = re.compile(r"[0-9]{4}[0-9A-Z]{2}[0-9]{3}")


def checked_inn(text: str | None) -> str | None:
    """The INN of a legal person (10 digits, last one a control digit), None for nothing.

    Raises `InvalidInput` `inn_invalid` (order of the tax service ЕД-7-14/559, 29.06.2012).
    """
    number = (text or "").strip()
    if not number:
        return None
    if len(number) != 10 or not _holds(stdnum_inn.validate, number):
        raise InvalidInput(
            "ИНН организации — 10 цифр, последняя контрольная. Проверьте номер.",
            "An organization's INN has 10 digits, the last one a control digit. Check it.",
            code="inn_invalid", field="inn",
        )  # fmt: skip
    return number


def checked_ogrn(text: str | None) -> str | None:
    """The OGRN of a legal person (13 digits, last one a control digit), None for nothing.

    Raises `InvalidInput` `ogrn_invalid` (order of the Ministry of Finance 165n, 30.10.2017).
    """
    number = (text or "").strip()
    if not number:
        return None
    if len(number) != 13 or not _holds(stdnum_ogrn.validate, number):
        raise InvalidInput(
            "ОГРН — 13 цифр, последняя контрольная. Проверьте номер.",
            "An OGRN has 13 digits, the last one a control digit. Check it.",
            code="ogrn_invalid", field="ogrn",
        )  # fmt: skip
    return number


def checked_kpp(text: str | None) -> str | None:
    """The KPP (9 characters, no control digit), None for nothing; raises `kpp_invalid`."""
    number = (text or "").strip()
    if not number:
        return None
    if not _KPP.fullmatch(number):
        raise InvalidInput(
            "КПП — 9 знаков, например 380801001. Проверьте номер.",
            "A KPP has 9 characters, for example 380801001. Check it.",
            code="kpp_invalid", field="kpp",
        )  # fmt: skip
    return number


def _holds(validate: object, number: str) -> bool:
    if not number.isascii() or not number.isdigit():
        return False
    try:
        validate(number)  # type: ignore[operator]  # reason: stdnum carries no types
    except ValidationError:
        return False
    return True
