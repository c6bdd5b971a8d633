"""Who a certificate names, by digits; a common name is never an identity."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from signatures.subjects import identifiers_in


@dataclass(frozen=True, slots=True)
class Identity:
    """Numbers and names of a certificate's subject; empty where it has none."""

    person_inn: str = ""
    snils: str = ""
    organization_inn: str = ""
    ogrn: str = ""
    surname: str = ""
    given_names: str = ""
    """First name and patronymic, as the field 2.5.4.42 has them."""
    title: str = ""

    @property
    def is_of_organization(self) -> bool:
        """Does the certificate name an organization by number?"""
        return bool(self.organization_inn or self.ogrn)

    @property
    def is_of_person(self) -> bool:
        """Does the certificate name a natural person by number or by name fields?"""
        return bool(self.snils or self.person_inn or self.surname)


def identity_of(
    subject: Mapping[str, str], identifiers: Mapping[str, str] | None = None
) -> Identity:
    """The identity in a validation report: `identifiers` where the report has them already.

    A report from before it had them is read by the same rules.
    """
    numbers = identifiers or asdict(identifiers_in(subject.items()))
    return Identity(
        person_inn=numbers.get("inn", ""),
        snils=numbers.get("snils", ""),
        organization_inn=numbers.get("inn_le", ""),
        ogrn=numbers.get("ogrn", ""),
        surname=subject.get("surname", "").strip(),
        given_names=subject.get("given_name", "").strip(),
        title=subject.get("title", "").strip(),
    )


def agrees(*pairs: tuple[str, str]) -> bool | None:
    """Do two sets of numbers speak of one subject? None when no number stands on both sides.

    One pair that differs is enough for False, whatever the others say.
    """
    known = [one == other for one, other in pairs if one and other]
    return all(known) if known else None


def same_name(surname: str, given_names: str, *, last: str, first: str, middle: str = "") -> bool:
    """Is it the same name? Weak evidence: namesakes exist. Needs surname and first name in full."""
    one, other = _folded(surname), _folded(last)
    given, full = _folded(given_names).split(), _folded(f"{first} {middle}").split()
    if not one or one != other or not given or not _folded(first):
        return False
    shared = min(len(given), len(full))
    return given[:shared] == full[:shared] and shared > 0


def _folded(text: str) -> str:
    return " ".join(text.casefold().replace("ё", "е").split())
