"""The name in a certificate as people read it."""

import re

from web.translation import spoken

PARTS = {
    "Common Name": "имя", "Surname": "фамилия", "Given Name": "имя и отчество",
    "Organization": "организация", "Organizational Unit": "подразделение", "Title": "должность",
    "Country": "страна", "State/Province": "регион", "Locality": "населённый пункт",
    "Street Address": "адрес", "Postal Code": "индекс", "Email Address": "эл. почта",
    "Telephone Number": "телефон", "Serial Number": "серийный номер",
    "Organization Identifier": "идентификатор организации",
    "1.2.643.100.1": "ОГРН", "1.2.643.100.3": "СНИЛС", "1.2.643.100.4": "ИНН организации",
    "1.2.643.100.5": "ОГРНИП", "1.2.643.3.131.1.1": "ИНН",
}  # fmt: skip
"""As `signatures` writes them, and the words of order 795 of the FSB of 27.12.2011."""
_PART = re.compile(r"(^|, |; )(" + "|".join(re.escape(one) for one in PARTS) + r"): ")


def holder(name: str) -> str:
    """A distinguished name with its parts called in Russian, in Russian."""
    if spoken() != "ru":
        return name
    return _PART.sub(lambda found: f"{found[1]}{PARTS[found[2]]}: ", name)
