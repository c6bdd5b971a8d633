"""The rules of the verdict: numbers, words in Russian and English, and what to do next.

A number never changes its meaning; words may be bettered under a new `VERSION`, and the words of
earlier versions stay, so that a verdict of those days can be made again byte for byte. `{…}` is
filled from the reason's facts.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from compliance.verdicts.case import Outcome, Reason

VERSION = "2026-11.2"


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule; `outcome` is what it asks for, None for a notice that decides nothing."""

    number: str
    code: str
    outcome: Outcome | None
    ru: str
    en: str
    do_ru: str
    do_en: str


_ALL = (
    Rule(
        "101", "claimant_work", "blocked",
        "Это произведение заявителя претензий «{claimant}».",
        "This is a work of {claimant}, who is known to sue.",
        "Не публикуйте. Замените изображение; если есть договор с автором, передайте его юристу.",
        "Do not publish. Choose another picture; hand a contract with the author to the lawyer.",
    ),
    Rule(
        "102", "claimant_named", "needs_review",
        "На изображении или в его данных указан заявитель претензий «{claimant}».",
        "The picture or its metadata names {claimant}, who is known to sue.",
        "Передайте юристу: имя совпало, само произведение в реестре не найдено.",
        "Ask the lawyer: the name is known, the work itself is not in the register.",
    ),
    Rule(
        "103", "claimant_candidate", "needs_review",
        "Изображение похоже на произведение заявителя «{claimant}», но совпадение не подтверждено.",
        "The picture is alike a work of {claimant}, but the match is not verified.",
        "Передайте юристу на сравнение.",
        "Ask the lawyer to compare them.",
    ),
    Rule(
        "104", "claimant_licensed", None,
        "Произведение заявителя «{claimant}» используется по действующей лицензии от него же.",
        "A work of {claimant} is used under a licence of their own that holds.",
        "Сохраните договор и подтверждение оплаты.",
        "Keep the contract and the proof of payment.",
    ),
    Rule(
        "201", "licence_holds", "clear",
        "Лицензия {licence} ({holder}) разрешает это использование.",
        "Licence {licence} ({holder}) allows this use.",
        "Публикуйте с указанной строкой об авторстве.",
        "Publish with the attribution line given.",
    ),
    Rule(
        "202", "licence_ended", "needs_licence",
        "Срок лицензии {licence} истёк {on}.",
        "Licence {licence} ended on {on}.",
        "Продлите лицензию или замените изображение.",
        "Renew the licence or choose another picture.",
    ),
    Rule(
        "203", "licence_not_begun", "needs_licence",
        "Лицензия {licence} начнёт действовать {on}.",
        "Licence {licence} begins on {on}.",
        "Опубликуйте после этой даты.",
        "Publish after that date.",
    ),
    Rule(
        "204", "licence_elsewhere", "needs_licence",
        "Лицензия {licence} выдана другой организации и на вашу не распространяется.",
        "Licence {licence} was given to another organization and does not reach yours.",
        "Получите лицензию на свою организацию или попросите владельца её расширить.",
        "Get a licence of your own or have the holder extend this one.",
    ),
    Rule(
        "205", "licence_channel", "needs_licence",
        "Лицензия {licence} не разрешает использование: {channel}.",
        "Licence {licence} does not allow use in: {channel}.",
        "Расширьте лицензию или опубликуйте там, где она действует.",
        "Extend the licence or publish where it holds.",
    ),
    Rule(
        "206", "licence_seats", "needs_licence",
        "По лицензии {licence} все рабочие места заняты.",
        "All seats of licence {licence} are taken.",
        "Освободите место или докупите его.",
        "Free a seat or buy one more.",
    ),
    Rule(
        "207", "attribution_missing", "needs_licence",
        "В подписи к изображению нет обязательного: {missing}.",
        "The caption lacks what the licence asks for: {missing}.",
        "Вставьте под изображением строку: {line}",
        "Put this line under the picture: {line}",
    ),
    Rule(
        "208", "licence_noncommercial", "needs_licence",
        "Лицензия {licence} запрещает коммерческое использование.",
        "Licence {licence} forbids commercial use.",
        "Получите другую лицензию или уберите изображение из коммерческого материала.",
        "Get another licence or take the picture out of the commercial material.",
    ),
    Rule(
        "209", "licence_no_changes", "needs_licence",
        "Лицензия {licence} запрещает переработку, а изображение изменено.",
        "Licence {licence} forbids changes, and the picture was changed.",
        "Используйте исходное изображение без обрезки и надписей.",
        "Use the original without cropping or lettering.",
    ),
    Rule(
        "210", "licence_territory", "needs_licence",
        "Лицензия {licence} не действует на территории: {territory}.",
        "Licence {licence} does not hold in: {territory}.",
        "Расширьте территорию лицензии.",
        "Extend the territory of the licence.",
    ),
    Rule(
        "211", "licence_unconfirmed", "needs_review",
        "Условия лицензии {licence} внесены, но ещё не подтверждены вторым лицом.",
        "The terms of licence {licence} are entered, but no second person has confirmed them.",
        "Попросите другого сотрудника сверить условия с документом и подтвердить их в карточке.",
        "Have a colleague compare the terms with the document and confirm them on the licence.",
    ),
    Rule(
        "212", "licence_revoked", "needs_licence",
        "Лицензия {licence} отозвана {on}.",
        "Licence {licence} was withdrawn on {on}.",
        "Получите новую лицензию или замените изображение.",
        "Get a new licence or choose another picture.",
    ),
    Rule(
        "213", "licence_partial", "needs_review",
        "Лицензия известна только на часть изображения ({share} %).",
        "Rights are known for a part of the picture only ({share} %).",
        "Укажите источник остальных частей коллажа.",
        "Name the source of the other parts of the collage.",
    ),
    Rule(
        "214", "source_unproved", "needs_review",
        "У изображения в реестре нет снимка страницы источника или одобрения.",
        "The register lacks the snapshot of the source page or the approval.",
        "Приложите снимок страницы источника и попросите второго сотрудника одобрить запись.",
        "Add the snapshot of the source page and have a second person approve the entry.",
    ),
    Rule(
        "215", "licence_unknown_public", "needs_review",
        "Открытая лицензия «{public}» не распознана.",
        "The public licence {public!r} is not known.",
        "Укажите лицензию и её версию, например CC BY 4.0.",
        "Name the licence and its version, such as CC BY 4.0.",
    ),
    Rule(
        "216", "commercial_unknown", "needs_review",
        "Лицензия {licence} только для некоммерческого использования, а характер не указан.",
        "Licence {licence} is for non-commercial use only, and the kind of use is not stated.",
        "Укажите, коммерческая ли это публикация.",
        "Say whether this publication is commercial.",
    ),
    Rule(
        "217", "share_alike", None,
        "Изменённое изображение распространяется на условиях той же лицензии {licence}.",
        "The changed picture is shared under the same licence, {licence}.",
        "Укажите лицензию и изменения в подписи.",
        "Name the licence and the changes in the caption.",
    ),
    Rule(
        "301", "own_work", "clear",
        "Собственное произведение; автор: {author}. Согласие действует.",
        "A work of one's own by {author}, whose consent holds.",
        "Публикуйте с именем автора.",
        "Publish with the author's name.",
    ),
    Rule(
        "302", "consent_ended", "needs_licence",
        "Согласие автора {author} на использование прекращено {on}.",
        "The consent of {author} ended on {on}.",
        "Получите новое согласие автора или замените изображение.",
        "Get a new consent or choose another picture.",
    ),
    Rule(
        "303", "consent_elsewhere", "needs_licence",
        "Согласие автора {author} не распространяется на эту организацию или способ публикации.",
        "The consent of {author} does not reach this organization or channel.",
        "Попросите автора расширить согласие.",
        "Ask the author to extend the consent.",
    ),
    Rule(
        "401", "origin_unknown", "needs_licence",
        "Изображения нет в реестре: на него не найдено ни лицензии, ни согласия автора.",
        "The picture is not in the register: neither licence nor consent was found.",
        "Внесите лицензию или согласие автора. Отсутствие совпадений не даёт права публиковать.",
        "Enter a licence or the author's consent. Finding no match gives no right to publish.",
    ),
    Rule(
        "402", "credit_named", "needs_licence",
        "На изображении указан правообладатель: {credit}.",
        "The picture names a holder: {credit}.",
        "Получите у него лицензию или замените изображение.",
        "Get their licence or choose another picture.",
    ),
    Rule(
        "403", "rights_in_metadata", "needs_licence",
        "В данных файла указаны права: {credit}.",
        "The file's metadata states rights: {credit}.",
        "Свяжитесь с правообладателем или замените изображение.",
        "Turn to the holder or choose another picture.",
    ),
    Rule(
        "404", "stock_mark", "needs_licence",
        "На изображении знак фотобанка {credit}.",
        "The picture bears the mark of the stock {credit}.",
        "Купите лицензию и загрузите изображение без знака.",
        "Buy the licence and send the picture without the mark.",
    ),
    Rule(
        "405", "metadata_conflict", "needs_review",
        "Сведения об авторе в файле противоречат друг другу.",
        "What the file says of its author contradicts itself.",
        "Передайте юристу: нужно установить настоящего автора.",
        "Ask the lawyer to find out the true author.",
    ),
    Rule(
        "406", "rights_stripped", "needs_review",
        "У исходного изображения в данных указан правообладатель, а здесь эти сведения удалены.",
        "The registered original names its holder; here that information was removed.",
        "Верните сведения о правах (статья 1300 ГК РФ) или загрузите исходный файл.",
        "Restore the rights information (Civil Code art. 1300) or send the original file.",
    ),
    Rule(
        "407", "ai_declared", "needs_review",
        "Изображение создано или изменено нейросетью.",
        "The picture says it was made or changed by a machine.",
        "Проверьте условия сервиса и пометьте изображение как созданное нейросетью.",
        "Check the service's terms and label the picture as made by a machine.",
    ),
    Rule(
        "408", "provenance_broken", "needs_review",
        "Сведения о происхождении (C2PA) не соответствуют содержимому файла.",
        "The provenance record (C2PA) does not fit the file.",
        "Запросите исходный файл у автора.",
        "Ask the author for the original file.",
    ),
    Rule(
        "409", "no_features", None,
        "Изображение почти однотонное: поиск совпадений по нему ничего не доказывает.",
        "The picture is nearly blank: looking for matches proves nothing.",
        "Подтвердите происхождение документом.",
        "Prove its origin by a document.",
    ),
    Rule(
        "410", "gps_present", None,
        "В файле записано место съёмки.",
        "The file records where it was taken.",
        "Удалите координаты перед публикацией.",
        "Remove the coordinates before publishing.",
    ),
    Rule(
        "411", "low_quality", None,
        "Изображение мелкое или нерезкое.",
        "The picture is small or blurred.",
        "Возьмите файл большего размера.",
        "Take a larger file.",
    ),
    Rule(
        "412", "type_mismatch", None,
        "Расширение файла не соответствует его настоящему типу.",
        "The file's extension does not fit its true type.",
        "Сохраните файл с правильным расширением.",
        "Save the file with the right extension.",
    ),
    Rule(
        "413", "register_candidate", "needs_review",
        "Изображение похоже на «{title}» из реестра, но совпадение не подтверждено.",
        "The picture is alike {title!r} of the register, but the match is not verified.",
        "Передайте юристу на сравнение.",
        "Ask the lawyer to compare them.",
    ),
)  # fmt: skip

RULES: Mapping[str, Rule] = {rule.code: rule for rule in _ALL}

_EARLIER: Mapping[str, tuple[Rule, ...]] = {
    "2026-11.1": (
        Rule(
            "211", "licence_unconfirmed", "needs_review",
            "Условия лицензии {licence} прочитаны со скана и ещё не подтверждены человеком.",
            "The terms of licence {licence} were read from a scan and nobody has confirmed them.",
            "Откройте карточку лицензии и подтвердите условия.",
            "Open the licence and confirm its terms.",
        ),
    ),
}  # fmt: skip
"""Words as they stood in an earlier version, where they have been bettered since."""

VERSIONS = (*_EARLIER, VERSION)
"""Every version a verdict can be made again in, oldest first."""


def reason(code: str, **facts: Any) -> Reason:
    """The rule's words of today with the facts filled in."""
    return _filled(RULES[code], facts)


def as_worded(spoken: tuple[Reason, ...], version: str) -> tuple[Reason, ...]:
    """The same reasons in the words of that version; KeyError for one that never was."""
    if version not in VERSIONS:
        raise KeyError(version)
    since = VERSIONS[VERSIONS.index(version) : -1]
    words = {rule.code: rule for known in reversed(since) for rule in _EARLIER[known]}
    return tuple(
        _filled(words[one.code], one.facts) if one.code in words else one for one in spoken
    )


def _filled(rule: Rule, facts: dict[str, Any]) -> Reason:
    ru, en, do_ru, do_en = (
        words.format(**facts) for words in (rule.ru, rule.en, rule.do_ru, rule.do_en)
    )
    return Reason(rule.number, rule.code, rule.outcome, ru, en, do_ru, do_en, facts)
