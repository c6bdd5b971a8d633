"""From the bytes of the file to `PowerOfAttorney`; lenient about branches it does not know."""

import re
from datetime import date
from typing import Literal

from core.errors import InvalidInput
from core.sandbox import pool
from signatures.mchd.model import (
    Delegation,
    Individual,
    Power,
    PowerOfAttorney,
    Principal,
    Representative,
)
from signatures.mchd.xml import Node, read

NAMESPACE = "urn://x-artefacts/EMCHD_1"
VERSION = "EMCHD_1"
ROOT = "Доверенность"

_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_DELEGATION: dict[str, Delegation] = {"1": "forbidden", "2": "once", "3": "repeated"}
_KNOWN = {
    "Довер": {"СвДов", "СвДоверит", "СвУпПред", "СвПолн", "СвНотУд"},
    "Передов": {
        "СвПервДовер", "СвПередов", "СвПереДовер", "СвПередПолн", "СвПолучПолн", "СвПолн",
        "СвНотУд",
    },
    "СвПолн": {"ТекстПолн", "МашПолн"},
    "Документ": {"Довер", "Передов"},
    ROOT: {"Документ"},
}  # fmt: skip

PartyKind = Literal["organization", "entrepreneur", "person", "branch", "foreign"]


async def parse(data: bytes) -> PowerOfAttorney:
    """Read a file in the sandbox.

    Raises HostileInput for what is no XML, `mchd_not_recognized` for XML that is something else,
    `mchd_incomplete` for an EMCHD_1 without number or dates. Another form comes back unparsed.
    """
    found: PowerOfAttorney = await pool().run(
        "signatures.mchd.parsing:content_of", data, into=PowerOfAttorney
    )
    return found


def content_of(data: bytes) -> PowerOfAttorney:
    """As `parse`, here and now; for the sandbox and for tests."""
    root = read(data)
    if root.name != ROOT:
        raise InvalidInput(
            "Это не машиночитаемая доверенность: нет элемента «Доверенность».",
            "This is no machine-readable power of attorney: its root element is another.",
            code="mchd_not_recognized",
        )
    version = root.get("ВерсФорм")[:40]
    if version != VERSION or root.namespace != NAMESPACE:
        return PowerOfAttorney(
            version=version or "?", is_parsed=False, file_id=root.get("ИдФайл")[:300],
            warnings=(f"{ROOT}/@ВерсФорм",),
        )  # fmt: skip
    return _parsed(root)


def _parsed(root: Node) -> PowerOfAttorney:
    warnings: list[str] = list(_strangers(root))
    document = root.first("Документ")
    direct = document.first("Довер") if document else None
    passed = document.first("Передов") if document else None
    body = direct or passed
    if body is None or (direct is not None and passed is not None):
        raise _incomplete("Документ")
    facts = body.first("СвДов" if direct else "СвПереДовер")
    if facts is None:
        raise _incomplete("СвДов")
    warnings.extend(_strangers(body))
    number = facts.get("НомДовер").lower()
    if not _GUID.fullmatch(number):
        raise _incomplete("НомДовер")
    file_id = root.get("ИдФайл")
    if not file_id.lower().endswith(number):
        warnings.append(f"{ROOT}/@ИдФайл")
    parties = "СвДоверит" if direct else "СвПередПолн"
    receivers = "СвУпПред" if direct else "СвПолучПолн"
    powers = body.first("СвПолн")
    parent, first = _origin(passed)
    return PowerOfAttorney(
        version=VERSION,
        is_parsed=True,
        file_id=file_id[:300],
        flags=root.get("ПрЭлФорм")[:20],
        number=number,
        internal_number=facts.get("ВнНомДовер")[:100],
        issued_on=_day(facts, "ДатаВыдДовер"),
        expires_on=_day(facts, "СрокДейст"),
        delegation=_DELEGATION.get(facts.get("ПрПередов"), "unknown"),
        is_irrevocable=facts.get("ВидДовер") == "2",
        system=_text_of(facts, "СведСист")[:1000],
        principals=tuple(_principal(one, warnings) for one in body.all(parties)),
        representatives=tuple(_representative(one, warnings) for one in body.all(receivers)),
        powers=_powers(powers),
        is_joint=powers is not None and powers.get("ПрСовмПолн") == "2",
        is_delegated=passed is not None,
        parent_number=parent,
        root_number=first,
        warnings=tuple(dict.fromkeys(one[:200] for one in warnings))[:50],
    )


def _strangers(node: Node) -> list[str]:
    """Paths of children this reader does not know, two levels of the form deep."""
    found = [
        f"{node.name}/{child.name}"
        for child in node.children
        if child.name not in _KNOWN.get(node.name, ())
    ]
    for name in ("Документ", "СвПолн"):
        inner = node.first(name)
        if inner is not None:
            found.extend(_strangers(inner))
    return found


def _day(facts: Node, name: str) -> date:
    try:
        return date.fromisoformat(facts.get(name)[:10])
    except ValueError:
        raise _incomplete(name) from None


def _text_of(node: Node, name: str) -> str:
    found = node.first(name)
    return found.text if found is not None else ""


def _digits(text: str) -> str:
    return "".join(sign for sign in text if sign.isascii() and sign.isdigit())


def _individual(node: Node | None) -> Individual | None:
    """СвФЛ, СведФизЛ, СведИП: numbers as attributes, the name inside СведФЛ/ФИО."""
    if node is None:
        return None
    facts = node.first("СведФЛ")
    # ФЛПерПолн nests one more level: СведФЛ is itself a person with СведФЛ inside.
    inner = facts.first("СведФЛ") if facts is not None else None
    name = next(
        (one.first("ФИО") for one in (inner, facts, node) if one is not None and one.first("ФИО")),
        None,
    )
    near = facts or node
    return Individual(
        surname=name.get("Фамилия")[:200] if name else "",
        given_name=name.get("Имя")[:200] if name else "",
        patronymic=name.get("Отчество")[:200] if name else "",
        inn=_digits(node.get("ИННФЛ") or near.get("ИННФЛ"))[:12],
        snils=_digits(node.get("СНИЛС") or near.get("СНИЛС"))[:11],
        position=(node.get("Должность") or near.get("Должность"))[:300],
    )


def _people(*nodes: Node | None) -> tuple[Individual, ...]:
    return tuple(one for node in nodes if (one := _individual(node)) is not None)


def _principal(entry: Node, warnings: list[str]) -> Principal:
    inside = entry.first("Доверит", "ПередПолн")
    if inside is not None:
        company = inside.first("РосОргДовер", "РосОргПерПолн")
        if company is not None:
            heads = [
                person
                for one in company.all("ЛицоБезДов")
                for place in (one, one.first("СВЮЛ"))
                if place is not None
                for person in (*place.all("СвФЛ"), *place.all("СвИП"))
            ]
            return _company("organization", company.first("СвРосОрг"), heads)
        trader = inside.first("ИПДовер", "ИППерПолн")
        if trader is not None:
            return Principal(
                "entrepreneur", trader.get("НаимИП")[:1000], _digits(trader.get("ИННФЛ")),
                _digits(trader.get("ОГРНИП")), heads=_people(trader),
            )  # fmt: skip
        person = inside.first("ФЛДовер", "ФЛПерПолн")
        if person is not None:
            return Principal("person", inn=_digits(person.get("ИННФЛ")), heads=_people(person))
        branch = inside.first("ФилПерПолн")
        if branch is not None:
            return _company("branch", branch.first("СвФил"), list(branch.all("СвРукФил")))
    warnings.append(f"{entry.name}/{inside.children[0].name if inside and inside.children else ''}")
    return Principal("foreign")


def _company(kind: PartyKind, facts: Node | None, heads: list[Node]) -> Principal:
    if facts is None:
        return Principal(kind, heads=_people(*heads))
    return Principal(
        kind, facts.get("НаимОрг")[:1000], _digits(facts.get("ИННЮЛ")), _digits(facts.get("ОГРН")),
        facts.get("КПП")[:9], _people(*heads),
    )  # fmt: skip


_RECEIVERS: dict[str, PartyKind] = {
    "СведФизЛ": "person", "СведИП": "entrepreneur", "СведОрг": "organization",
    "СведФилиал": "branch",
}  # fmt: skip


def _representative(entry: Node, warnings: list[str]) -> Representative:
    inside = entry.first("Пред")
    for child in inside.children if inside is not None else ():
        kind = _RECEIVERS.get(child.name)
        if kind in ("person", "entrepreneur"):
            return Representative(
                kind, _individual(child), child.get("НаимИП")[:1000],
                ogrn=_digits(child.get("ОГРНИП")),
            )  # fmt: skip
        if kind is not None:
            return Representative(
                kind, None, child.get("НаимОрг")[:1000], _digits(child.get("ИННЮЛ")),
                _digits(child.get("ОГРН")),
            )  # fmt: skip
    warnings.append(f"{entry.name}/{inside.children[0].name if inside and inside.children else ''}")
    return Representative("foreign")


def _powers(node: Node | None) -> tuple[Power, ...]:
    if node is None:
        return ()
    found = [
        Power(
            one.get("КодПолн")[:255], one.get("НаимПолн")[:1000],
            tuple(limit.get("НаимОгр")[:300] or "?" for limit in one.all("ОгрСвПолн")),
        )
        for one in node.all("МашПолн")
    ]  # fmt: skip
    found.extend(Power("", text.text[:10_000]) for text in node.all("ТекстПолн") if text.text)
    return tuple(found)


def _origin(passed: Node | None) -> tuple[str, str]:
    """Numbers of the direct parent and of the first power of attorney of a delegated one."""
    if passed is None:
        return "", ""
    first = passed.first("СвПервДовер")
    before = passed.first("СвПередов")
    root = first.get("НомДоверПерв").lower() if first is not None else ""
    parent = before.get("НомДоверN").lower() if before is not None else ""
    return (parent or root)[:36], root[:36]


def _incomplete(what: str) -> InvalidInput:
    return InvalidInput(
        f"В доверенности нет обязательных сведений или они записаны неверно: {what}. "
        "Выгрузите её заново из системы, где она выдана.",
        f"The power of attorney lacks what it must say, or says it wrongly: {what}. "
        "Export it again from the system that issued it.",
        code="mchd_incomplete",
        field=what,
    )
