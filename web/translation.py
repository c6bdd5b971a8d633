"""Words in the reader's language: gettext catalogues read from .po files at start.

Messages in code and templates are English; `locale/ru.po` has them in Russian. There is no build
step: the catalogue is compiled in memory.
"""

import io
from contextvars import ContextVar
from functools import lru_cache
from gettext import NullTranslations
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import Translations

LANGUAGES = ("ru", "en")
LOCALE = Path(__file__).parent / "locale"
_language: ContextVar[str] = ContextVar("page_language", default="ru")


@lru_cache(maxsize=4)
def catalogue(language: str) -> NullTranslations:
    """The translations into a language; the messages themselves are the English ones."""
    path = LOCALE / f"{language}.po"
    if not path.is_file():
        return NullTranslations()
    compiled = io.BytesIO()
    write_mo(compiled, read_po(io.BytesIO(path.read_bytes()), locale=language))
    compiled.seek(0)
    return Translations(compiled)


def speak(language: str) -> None:
    """Make this task speak `language` from here on."""
    _language.set(language if language in LANGUAGES else "ru")


def spoken() -> str:
    """The language of this task."""
    return _language.get()


def gettext(message: str) -> str:
    """The message in the language of this task."""
    return catalogue(spoken()).gettext(message)


def ngettext(one: str, many: str, number: int) -> str:
    """The message in the form that fits a number."""
    return catalogue(spoken()).ngettext(one, many, number)


def N_(message: str) -> str:
    """Mark a message that is translated where it is shown."""
    return message
