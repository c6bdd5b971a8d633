"""Agencies, stocks and words that stand around a name in a credit line; data, and how it is found.

Words are compared folded: look-alike letters of the two scripts are one, case does not count, and
a longer word may differ in a letter or two, since recognition of small print errs that much.
"""

import re
from collections.abc import Iterable
from functools import lru_cache

from compliance.verdicts.attribution import folded

AGENCIES = {
    "ТАСС": ("тасс", "итар-тасс", "tass", "гасс"),
    "РИА Новости": ("риа новости", "ria novosti", "риановости"),
    "Россия сегодня": ("россия сегодня", "миа россия сегодня"),
    "Sputnik": ("sputnik", "спутник новости"),
    "Интерфакс": ("интерфакс", "interfax"),
    "Коммерсантъ": ("коммерсантъ", "коммерсант", "kommersant"),
    "Известия": ("известия", "миц известия"),
    "RT": ("russia today",),
    "REGNUM": ("regnum", "иа регнум"),
    "Росбалт": ("росбалт",),
    "АГН Москва": ("агн москва", "агентство москва", "москва агентство"),
    "Фотобанк Лори": ("фотобанк лори", "лори", "lori.ru"),
    "Reuters": ("reuters", "рейтер", "рейтерс"),
    "AP": ("associated press", "ap photo", "ap"),
    "AFP": ("agence france-presse", "afp"),
    "EPA": ("epa-efe", "european pressphoto agency"),
    "Global Look Press": ("global look press", "globallookpress"),
    "Комсомольская правда": ("комсомольская правда", "кп"),
    "Российская газета": ("российская газета",),
    "Аргументы и факты": ("аргументы и факты", "аиф"),
    "Парламентская газета": ("парламентская газета",),
    "Солидарность": ("газета солидарность", "солидарность"),
    "URA.RU": ("ura.ru", "ура.ру"),
    "Lenta.ru": ("lenta.ru", "лента.ру"),
    "Фонтанка": ("фонтанка.ру", "fontanka.ru"),
    "Legion-Media": ("legion-media", "легион-медиа"),
    "East News": ("east news",),
    "Xinhua": ("xinhua", "синьхуа"),
    "BELTA": ("белта", "belta"),
    "PhotoXPress": ("photoxpress", "фотоэкспресс"),
    "Wikimedia Commons": ("wikimedia commons", "викисклад", "commons.wikimedia.org"),
}

STOCKS = {
    "Shutterstock": ("shutterstock",),
    "Getty Images": ("getty images", "gettyimages"),
    "iStock": ("istock", "istockphoto"),
    "Depositphotos": ("depositphotos", "депозитфотос"),
    "Adobe Stock": ("adobe stock", "fotolia", "adobestock"),
    "Dreamstime": ("dreamstime",),
    "123RF": ("123rf",),
    "Alamy": ("alamy", "alamy stock photo"),
    "Freepik": ("freepik",),
    "Vecteezy": ("vecteezy",),
    "Pixabay": ("pixabay",),
    "Unsplash": ("unsplash",),
    "Pexels": ("pexels",),
    "Flickr": ("flickr",),
    "Bigstock": ("bigstock", "bigstockphoto"),
    "PantherMedia": ("panthermedia",),
    "Pond5": ("pond5",),
    "Corbis": ("corbis",),
}

_SIGN_WORDS = """на для с со в во и из от до по за под над без о об при не ни или а но к ко у
    документы документ услуги услуга студия салон магазин печать день дня неделя год года город
    года лет срочно быстро недорого цифровое бесплатно свадебное свадьба школа сад центр фото
    видео съемка съёмка район улица дом рубль руб архив автора редакции интернет открытых
    источников сайта соцсетей пресс служба пресс-служба пресс-службы предоставлено семейного
    личного альбома альбом отчет отчёт конкурс выставка галерея новости все права защищены
    запрещено the of by and for all rights reserved from courtesy photo image images press service
    copyright"""
_STOP = frozenset(_SIGN_WORDS.split())
_WORD = re.compile(r"[^\W_][\w.'’-]*")


def folded_words(text: str) -> str:
    """The text as compared: one script, one case, single spaces, with one around it."""
    return f" {folded(text.replace('-', ' '))} "


@lru_cache(maxsize=1)
def _tables() -> tuple[tuple[str, str, str], ...]:
    return tuple(
        (kind, name, folded_words(spelling).strip())
        for kind, table in (("stock", STOCKS), ("agency", AGENCIES))
        for name, spellings in table.items()
        for spelling in spellings
    )


def named(text: str, *, loose: bool = True) -> tuple[tuple[str, str], ...]:
    """The (kind, name) pairs a text speaks of; `loose` allows recognition errors in long words."""
    words = folded_words(text).split()
    found: dict[tuple[str, str], None] = {}
    for kind, name, spelling in _tables():
        parts = spelling.split()
        if len(spelling) <= 3 and not re.search(rf"\b{name.upper()}\b", text):
            continue
        for start in range(len(words) - len(parts) + 1):
            if _are_alike(words[start : start + len(parts)], parts, loose=loose):
                found[kind, name] = None
    return tuple(found)


def _are_alike(words: list[str], parts: list[str], *, loose: bool) -> bool:
    return all(
        word == part or (loose and len(part) >= 6 and distance(word, part) <= len(part) // 6)
        for word, part in zip(words, parts, strict=True)
    )


def distance(one: str, other: str) -> int:
    """Edits (Levenshtein) that turn one word into the other."""
    if abs(len(one) - len(other)) > 3:
        return 9
    row = list(range(len(other) + 1))
    for place, letter in enumerate(one, 1):
        diagonal, row[0] = row[0], place
        for at, wanted in enumerate(other, 1):
            diagonal, row[at] = (
                row[at],
                min(row[at] + 1, row[at - 1] + 1, diagonal + (letter != wanted)),
            )
    return row[-1]


_CYRILLIC = str.maketrans("ABCEHKMOPTXYacekopxyu", "АВСЕНКМОРТХУасекорхуи")
_LATIN = str.maketrans("АВСЕНКМОРТХУасеорху", "ABCEHKMOPTXYaceopxy")


def in_one_script(text: str) -> str:
    """Words that mix Latin and Cyrillic, each in the script most of its clear letters are in."""
    return _WORD.sub(lambda match: _unmixed(match[0]), text)


def _unmixed(word: str) -> str:
    cyrillic = sum("а" <= letter.lower() <= "я" or letter in "ёЁ" for letter in word)
    latin = sum("a" <= letter.lower() <= "z" for letter in word)
    if not cyrillic or not latin:
        return word
    clear_latin = sum(letter in "bdfghijlmnqrstvwzDFGIJLNQRSUVWZ" for letter in word)
    return word.translate(_LATIN if clear_latin > cyrillic / 2 else _CYRILLIC)


def in_script(word: str, *, is_russian: bool) -> str:
    """The word with its look-alike letters in Cyrillic, or in Latin."""
    return word.translate(_CYRILLIC if is_russian else _LATIN)


def is_name_word(word: str) -> bool:
    """Whether a word can be a part of somebody's name: capital first, no word of shop signs."""
    bare = word.strip(".,;:'’\"«»()")
    return (
        bool(re.fullmatch(r"[A-ZА-ЯЁ][\w'’-]*\.?", bare))
        and (bare.casefold() not in _STOP or (len(bare) == 1 and word.rstrip(",").endswith(".")))
        and not any(letter.isdigit() for letter in bare)
    )


def is_part_of_known(name: str) -> bool:
    """Whether these words are a part of some agency's or stock's name."""
    words = folded_words(name).strip()
    return any(f" {words} " in f" {spelling} " for _, _, spelling in _tables())


def is_stop(words: Iterable[str]) -> bool:
    """Whether all of these are words of signs and phrases, none of them a name."""
    return all(word.casefold().strip(".,") in _STOP for word in words)
