"""Passwords: which ones are taken, and how they are kept (argon2id, RFC 9106)."""

import asyncio
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import TypeVar

import argon2

from core.errors import InvalidInput, TooManyRequests

T = TypeVar("T")

SHORTEST = 12
LONGEST = 256

STRONG = argon2.PasswordHasher(time_cost=3, memory_cost=64 * 1024, parallelism=1)
"""RFC 9106 section 4, second recommended option, with one lane: two cores also serve others."""

hasher = STRONG
"""What this process hashes with; only tests put a cheaper one here."""

_THREADS = ThreadPoolExecutor(max_workers=2, thread_name_prefix="argon2")
"""Bounds memory (64 MiB a hash) and leaves the event loop free."""
_QUEUE = 100
_waiting = 0

_ROOT_WORDS = """
password passwort passw parol parool admin administrator administrators welcome welcometo
qwerty qwertyuiop qwertyuiopasdfghjkl qwertyqwerty asdfghjkl zxcvbnm qazwsx qazwsxedc
qazwsxedcrfv qwerasdf qwerasdfzxcv letmein iloveyou iloveyouforever monkey dragon sunshine
princess football baseball superman batman starwars trustno master shadow michael jordan
secret secretpassword mypassword yourpassword newpassword changeme changemenow default guest
user username login root test testtest testing demo docflow profsoyuz profsouz eseur obrnadzor
russia rossiya moscow moskva spartak zenit natasha marina svetlana tatyana aleksandr alexander
пароль парольпароль мойпароль новыйпароль админ администратор йцукен йцукенг йцукенгшщзхъ
йцукенйцукен фывапролджэ ячсмитьбю привет приветпривет любовь люблютебя солнышко россия москва
спартак зенит профсоюз профсоюзобразования председатель бухгалтер документооборот секрет тест
gfhjkm ghbdtn ghjacj.p ghjatcc ghtlctlfntkm yfnfif vfhbyf cjkysirj
"""
_ROOTS = frozenset(_ROOT_WORDS.split())
"""What the commonest passwords are made of once digits and signs are taken away."""

_LOOKALIKES = str.maketrans("013457@$!", "oieastasi")

_ROWS = (
    "01234567890123456789",
    "qwertyuiopasdfghjklzxcvbnm",
    "abcdefghijklmnopqrstuvwxyz",
    "йцукенгшщзхъфывапролджэячсмитьбю",
    "абвгдежзийклмнопрстуфхцчшщъыьэюя",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm",
    "1q2w3e4r5t6y7u8i9o0p",
)


def check_strength(password: str, *, login: str) -> None:
    """Refuse a password that others would guess; no rules about capitals and signs.

    After NIST SP 800-63B section 5.1.1.2: length, the commonest ones, and the login inside.
    Raises `InvalidInput` with `password_too_short`, `password_too_long`, `password_common` or
    `password_contains_login`.
    """
    text = _normal(password)
    if len(text) < SHORTEST:
        raise InvalidInput(
            f"Пароль короче {SHORTEST} знаков. Возьмите фразу из нескольких слов.",
            f"The password has fewer than {SHORTEST} characters. Take a phrase of several words.",
            code="password_too_short",
            shortest=SHORTEST,
        )
    if len(text) > LONGEST:
        raise InvalidInput(
            f"Пароль длиннее {LONGEST} знаков. Возьмите более короткий.",
            f"The password has more than {LONGEST} characters. Take a shorter one.",
            code="password_too_long",
            longest=LONGEST,
        )
    folded = text.casefold()
    if _is_common(folded):
        raise InvalidInput(
            "Такой пароль часто встречается и легко подбирается."
            " Возьмите фразу из нескольких слов.",
            "This password is common and easily guessed. Take a phrase of several words.",
            code="password_common",
        )
    name = login.casefold().partition("@")[0]
    if len(name) >= 3 and name in folded:
        raise InvalidInput(
            "Пароль содержит ваш логин. Возьмите фразу без него.",
            "The password contains your login. Take a phrase without it.",
            code="password_contains_login",
        )


async def hash_password(password: str) -> str:
    """The string to keep: algorithm, parameters, salt and hash in one."""
    return await _in_thread(hasher.hash, _normal(password))


async def matches(kept: str | None, password: str) -> bool:
    """Is this the password? With nothing kept it takes as long and the answer is no."""
    text = _normal(password)[:LONGEST]
    found = await _in_thread(_verified, kept or _nobody(hasher), text)
    return found and kept is not None


def is_outdated(kept: str) -> bool:
    """Was this hashed with other parameters than today's? Then hash again at log-in."""
    return hasher.check_needs_rehash(kept)


def _verified(kept: str, text: str) -> bool:
    try:
        return hasher.verify(kept, text)
    except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError):
        return False


@lru_cache(maxsize=4)
def _nobody(with_hasher: argon2.PasswordHasher) -> str:
    """A hash of nobody's password, so that an unknown login costs what a known one costs."""
    return with_hasher.hash("nobody has this password")


async def _in_thread(work: Callable[..., T], *values: str) -> T:
    """Run in the hashing threads; refuse (429) rather than let a flood of log-ins pile up."""
    global _waiting
    if _waiting >= _QUEUE:
        raise TooManyRequests
    _waiting += 1
    try:
        return await asyncio.get_running_loop().run_in_executor(_THREADS, work, *values)
    finally:
        _waiting -= 1


def _normal(password: str) -> str:
    """One form for what different keyboards send as the same text (NIST SP 800-63B: NFKC)."""
    return unicodedata.normalize("NFKC", password)


def _is_common(folded: str) -> bool:
    if len(set(folded)) < 5 or _period(folded) <= 6:
        return True
    if any(folded in row * 3 or folded[::-1] in row * 3 for row in _ROWS):
        return True
    core = folded.strip("0123456789!@#$%^&*()-_=+.,? ")
    for text in (folded, core.translate(_LOOKALIKES)):
        letters = "".join(sign for sign in text if sign.isalpha())
        if letters in _ROOTS or letters[: _period(letters)] in _ROOTS:
            return True
    return folded in _ROOTS


def _period(text: str) -> int:
    """The length of the shortest piece that, repeated, gives `text`."""
    return (text + text).find(text, 1) if text else 0
