"""Whom a certificate names: the subject's fields, and the state's numbers in one spelling.

Fields as in the order of the FSB no. 795 of 27.12.2011. Nobody is ever authorized by a name: the
numbers decide.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from asn1crypto import core, x509

_FIELDS = {
    "2.5.4.3": "common_name",
    "2.5.4.4": "surname",
    "2.5.4.42": "given_name",
    "2.5.4.10": "organization",
    "2.5.4.12": "title",
    "2.5.4.6": "country",
    "1.2.840.113549.1.9.1": "email",
    "1.2.643.3.131.1.1": "inn",
    "1.2.643.100.4": "inn_le",
    "1.2.643.100.1": "ogrn",
    "1.2.643.100.5": "ogrnip",
    "1.2.643.100.3": "snils",
}
_NUMBERS = {"inn": (10, 12), "inn_le": (10, 12), "ogrn": (13,), "ogrnip": (15,), "snils": (11,)}


@dataclass(frozen=True, slots=True)
class Identifiers:
    """Digits only; empty where the certificate does not say, or says two different things.

    `inn` is the person's (12 digits), `inn_le` the organization's (10).
    """

    inn: str = ""
    inn_le: str = ""
    ogrn: str = ""
    ogrnip: str = ""
    snils: str = ""


@lru_cache(maxsize=4096)
def _pairs(der: bytes) -> tuple[tuple[str, str], ...]:
    found = []
    for rdn in x509.Name.load(der).chosen:
        for pair in rdn:
            name = _FIELDS.get(pair["type"].dotted)
            if name is not None:
                found.append((name, str(pair["value"].native)))
    return tuple(found)


def subject_of(certificate: x509.Certificate) -> dict[str, str]:
    """The named fields of the subject as the certificate spells them."""
    return dict(_pairs(certificate.subject.dump()))


def identifiers_of(certificate: x509.Certificate) -> Identifiers:
    """The numbers to match people and organizations by, without blanks, dashes and padding.

    An organization's INN padded to twelve digits with zeros, as authorities wrote it before the
    field of its own, is read as the organization's.
    """
    return identifiers_in(_pairs(certificate.subject.dump()))


def identifiers_in(fields: Iterable[tuple[str, str]]) -> Identifiers:
    """The same from fields by name as `subject_of` has them, of which some may stand twice."""
    stated: dict[str, set[str]] = {name: set() for name in _NUMBERS}
    for name, value in fields:
        if name not in _NUMBERS:
            continue
        digits = "".join(value.replace("-", " ").split())
        if not (digits.isascii() and digits.isdigit() and len(digits) in _NUMBERS[name]):
            continue
        if name in ("inn", "inn_le"):
            is_padded = len(digits) == 12 and digits.startswith("00")
            digits = digits[2:] if is_padded else digits
            name = "inn_le" if len(digits) == 10 else "inn"
        stated[name].add(digits)
    return Identifiers(
        **{name: next(iter(values)) for name, values in stated.items() if len(values) == 1}
    )


def extras_of(certificate: x509.Certificate) -> dict[str, Any]:
    """The signing tool (1.2.643.100.111) and the certificate policies, if the certificate says."""
    tool, policies = "", ()
    for extension in certificate["tbs_certificate"]["extensions"]:
        name = extension["extn_id"].native
        if name == "subject_sign_tool":
            tool = _text(extension["extn_value"])
        elif name == "certificate_policies":
            parsed = extension["extn_value"].parsed
            policies = tuple(one["policy_identifier"].dotted for one in parsed)
    return {"sign_tool": tool, "policies": policies}


def _text(value: Any) -> str:
    """A string of any kind: some authorities do not use the one that is due."""
    try:
        return str(core.load(value.contents).native)
    except (ValueError, TypeError):
        return ""
