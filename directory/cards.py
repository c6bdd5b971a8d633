"""The card of an organization (карточка организации): its fields and what they may hold; pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import date
from functools import lru_cache
from types import MappingProxyType
from typing import Any
from zoneinfo import available_timezones

from core.errors import InvalidInput
from directory.requisites import checked_inn, checked_kpp, checked_ogrn
from directory.states import CHANNELS, DISTRICTS, OrganizationKind


@dataclass(frozen=True, slots=True)
class Card:
    """What is known of an organization (карточка организации)."""

    code: str
    kind: OrganizationKind
    name: str
    short_name: str = ""
    branch_code: str | None = None
    region_code: str | None = None
    district_code: str | None = None
    inn: str | None = None
    ogrn: str | None = None
    kpp: str | None = None
    address: str = ""
    phone: str = ""
    email: str = ""
    time_zone: str = "Europe/Moscow"
    channels: tuple[str, ...] = ("internal",)
    opened_on: date | None = None
    """The first day; today when not given."""
    external_ids: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


def checked(card: Card) -> Card:
    """The card with its texts trimmed and its numbers checked; pure.

    Raises `InvalidInput` with `field` and one of the codes `name_empty`, `code_empty`,
    `inn_invalid`, `ogrn_invalid`, `kpp_invalid`, `email_invalid`, `channel_unknown`,
    `district_unknown`, `time_zone_unknown`.
    """
    for name in ("code", "name"):
        if not getattr(card, name).strip():
            raise InvalidInput(
                "Заполните код и наименование организации.",
                "Give the organization a code and a name.",
                code=f"{name}_empty", field=name,
            )  # fmt: skip
    _check_contacts(card)
    return replace(
        card,
        code=card.code.strip(),
        name=" ".join(card.name.split()),
        short_name=" ".join(card.short_name.split()),
        inn=checked_inn(card.inn),
        ogrn=checked_ogrn(card.ogrn),
        kpp=checked_kpp(card.kpp),
        email=card.email.strip(),
        phone=card.phone.strip(),
    )


def _check_contacts(card: Card) -> None:
    local, at, domain = card.email.strip().partition("@")
    wrong: dict[str, bool] = {
        "email": (bool(card.email.strip()) and not (local and at and "." in domain))
        or any(sign in card.email.strip() for sign in " \r\n,;<>"),
        "channels": not card.channels or not set(card.channels) <= set(CHANNELS),
        "district_code": card.district_code is not None and card.district_code not in DISTRICTS,
        "time_zone": card.time_zone not in _zones(),
    }
    codes = {"email": "email_invalid", "channels": "channel_unknown",
             "district_code": "district_unknown", "time_zone": "time_zone_unknown"}  # fmt: skip
    for name, is_wrong in wrong.items():
        if is_wrong:
            raise InvalidInput(
                "Проверьте поле: адрес электронной почты, канал связи, округ или часовой пояс.",
                "Check the field: e-mail address, channel, federal district or time zone.",
                code=codes[name], field=name,
            )  # fmt: skip


def card_of(row: Mapping[str, Any]) -> Card:
    """The card in a row of the table."""
    values = {each.name: row[each.name] for each in fields(Card)}
    return Card(**as_card(values) | {"kind": OrganizationKind(row["kind"])})


def as_card(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values of the wire or the table as the card's fields want them."""
    return {name: tuple(value) if name == "channels" else value for name, value in values.items()}


def plain(value: Any) -> Any:
    """A field of the card as the table wants it."""
    return list(value) if isinstance(value, tuple) else value


def like_pattern(word: str) -> str:
    """A LIKE pattern for any text that holds `word` as it stands."""
    for sign in ("\\", "%", "_"):
        word = word.replace(sign, "\\" + sign)
    return f"%{word}%"


@lru_cache(maxsize=1)
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())
