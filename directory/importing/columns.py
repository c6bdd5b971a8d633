"""What the columns of an import are called and what a row must hold; pure."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime

from core.errors import InvalidInput
from directory.cards import Card, checked
from directory.dataset.vocabulary import regions
from directory.importing.sheets import SheetRow
from directory.states import DISTRICTS, KIND_NAMES, Line, OrganizationKind

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "code": ("code", "код"),
    "kind": ("kind", "вид"),
    "name": ("name", "наименование", "название"),
    "short_name": ("short_name", "краткое наименование"),
    "branch_code": ("branch", "отрасль"),
    "region_code": ("region", "регион"),
    "district_code": ("district", "округ"),
    "inn": ("inn", "инн"),
    "ogrn": ("ogrn", "огрн"),
    "kpp": ("kpp", "кпп"),
    "address": ("address", "адрес"),
    "phone": ("phone", "телефон"),
    "email": ("email", "эл. почта", "электронная почта"),
    "time_zone": ("time_zone", "часовой пояс"),
    "channels": ("channels", "каналы"),
    "opened_on": ("opened_on", "дата создания"),
    "parent_branch": ("parent", "parent_branch", "вышестоящая", "вышестоящая (отрасль)"),
    "parent_territorial": ("parent_territorial", "вышестоящая (территория)"),
    "chairman": ("chairman", "председатель"),
    "chairman_email": ("chairman_email", "эл. почта председателя"),
    "chairman_phone": ("chairman_phone", "телефон председателя"),
}
"""Our field and the headings it goes by, English and Russian."""

_FIELDS = {heading: field for field, headings in COLUMNS.items() for heading in headings}
_KINDS = {name.lower(): kind for kind, (name, _) in KIND_NAMES.items()} | {
    kind.value: kind for kind in OrganizationKind
}
_DISTRICTS = {title.lower(): code for code, (title, _) in DISTRICTS.items()}
_CONTACTS = ("short_name", "branch_code", "inn", "ogrn", "kpp", "address", "phone", "email")


class BadRow(Exception):
    """A row cannot be taken: which field, which code, why (in Russian)."""

    def __init__(self, field: str, code: str, reason: str) -> None:
        self.field = field
        self.code = code
        self.reason = reason
        super().__init__(code)


@dataclass(frozen=True, slots=True)
class Entry:
    """A row that holds by itself; whether it fits the others and the registry is asked later."""

    number: int
    card: Card
    given: frozenset[str]
    """Fields of the card the file gave; the others are left as they are."""
    parents: Mapping[Line, str]
    chairman: tuple[str, str, str] | None
    chairman_email: str
    chairman_phone: str


def check_headings(row: SheetRow) -> None:
    """Refuse a table without the three columns nothing can do without (`column_missing`)."""
    present = {_FIELDS.get(heading) for heading in row.cells}
    missing = [COLUMNS[field][1] for field in ("code", "kind", "name") if field not in present]
    if missing:
        raise InvalidInput(
            f"Нет столбцов: {', '.join(missing)}.",
            f"Columns are missing: {', '.join(missing)}.",
            code="column_missing", columns=missing,
        )  # fmt: skip


def entry(row: SheetRow) -> Entry:
    """The row as an entry; raises `BadRow`."""
    values = {_FIELDS[head]: cell for head, cell in row.cells.items() if head in _FIELDS and cell}
    for field, cell in values.items():
        is_phone = field in {"phone", "chairman_phone"}
        if cell[0] in "=@\t" or (cell[0] in "+-" and not is_phone):
            raise BadRow(field, "formula", "Ячейка начинается со знака формулы.")
    for field in ("code", "kind", "name"):
        if field not in values:
            raise BadRow(field, f"{field}_empty", f"Не заполнено поле «{COLUMNS[field][1]}».")
    kind = _KINDS.get(values["kind"].lower())
    if kind is None:
        raise BadRow("kind", "kind_unknown", f"Неизвестный вид организации: {values['kind']}.")
    texts = {name: values[name] for name in _CONTACTS if name in values}
    card = Card(
        code=values["code"], kind=kind, name=values["name"],
        **texts,  # type: ignore[arg-type]  # reason: `_CONTACTS` are text fields
    )  # fmt: skip
    card = _with_place(card, values)
    try:
        card = checked(card)
    except InvalidInput as problem:
        field = str(problem.details.get("field", ""))
        raise BadRow(field, problem.error_code, problem.message_ru) from problem
    chairman = values.get("chairman", "").split()
    return Entry(
        number=row.number,
        card=card,
        given=frozenset(values) | ({"district_code", "time_zone"} & _derived(values)),
        parents={line: values[f"parent_{line}"] for line in Line if f"parent_{line}" in values},
        chairman=_full_name(chairman) if chairman else None,
        chairman_email=values.get("chairman_email", ""),
        chairman_phone=values.get("chairman_phone", ""),
    )


def _derived(values: Mapping[str, str]) -> frozenset[str]:
    return frozenset({"district_code", "time_zone"}) if "region_code" in values else frozenset()


def _full_name(parts: list[str]) -> tuple[str, str, str]:
    return parts[0], parts[1] if len(parts) > 1 else "", " ".join(parts[2:])


def _with_place(card: Card, values: Mapping[str, str]) -> Card:
    """Region, district, time zone, channels and first day; the region implies the next two."""
    if "region_code" in values:
        code = values["region_code"].zfill(2)
        region = next((each for each in regions() if each.code == code), None)
        if region is None:
            raise BadRow("region_code", "region_unknown", f"Неизвестный код региона: {code}.")
        card = replace(
            card, region_code=code, district_code=region.district, time_zone=region.time_zone
        )
    if given := values.get("district_code"):
        card = replace(card, district_code=_DISTRICTS.get(given.lower(), given))
    if given := values.get("time_zone"):
        card = replace(card, time_zone=given)
    if given := values.get("channels"):
        card = replace(card, channels=tuple(given.replace(",", " ").replace("|", " ").split()))
    if given := values.get("opened_on"):
        card = replace(card, opened_on=_day(given))
    return card


def _day(text: str) -> date:
    for form in ("%Y-%m-%d", "%d.%m.%Y", "%Y-%m-%d %H:%M:%S"):
        try:
            return datetime.strptime(text, form).date()  # noqa: DTZ007 - a date without a clock
        except ValueError:
            continue
    raise BadRow("opened_on", "date_invalid", f"Дата не распознана: {text}. Пример: 31.12.2020.")
