import argon2
import pytest

from core.errors import InvalidInput
from directory import passwords

CHEAP = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("", "password_too_short"),
        ("короткий", "password_too_short"),
        ("a" * 257, "password_too_long"),
        ("aaaaaaaaaaaa", "password_common"),
        ("abcabcabcabc", "password_common"),
        ("Password2026!", "password_common"),
        ("P@ssw0rd123456", "password_common"),
        ("passwordpassword", "password_common"),
        ("qwertyuiop[]asd"[:10] + "12", "password_common"),
        ("123456789012", "password_common"),
        ("йцукенгшщзхъ", "password_common"),
        ("ъхзщшгнекуцй", "password_common"),
        ("1qaz2wsx3edc", "password_common"),
        ("ПрофсоюзОбразования", "password_common"),
        ("ещё одна petrova здесь", "password_contains_login"),
    ],
)
def test_weak_passwords_are_refused_with_a_reason(password: str, code: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        passwords.check_strength(password, login="petrova@example.org")
    assert refused.value.error_code == code
    assert refused.value.message_ru != refused.value.message_en


@pytest.mark.parametrize(
    "password",
    ["синий трактор едет в поле", "correct horse battery", "Vq8#tL2m!xWz", "83920175640281"],
)
def test_phrases_and_random_ones_are_taken(password: str) -> None:
    passwords.check_strength(password, login="petrova")


async def test_what_is_kept_opens_only_for_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "hasher", CHEAP)
    kept = await passwords.hash_password("синий трактор")
    assert kept.startswith("$argon2id$")
    assert await passwords.matches(kept, "синий трактор")
    assert not await passwords.matches(kept, "синий трактор ")
    assert not await passwords.matches(None, "nobody has this password")
    assert not await passwords.matches("broken", "синий трактор")


async def test_composed_and_decomposed_letters_are_one_password(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(passwords, "hasher", CHEAP)
    kept = await passwords.hash_password("ёлка и йод навсегда")
    assert await passwords.matches(kept, "е\u0308лка и и\u0306од навсегда")


async def test_older_parameters_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "hasher", CHEAP)
    kept = await passwords.hash_password("синий трактор")
    assert not passwords.is_outdated(kept)
    monkeypatch.setattr(passwords, "hasher", passwords.STRONG)
    assert passwords.is_outdated(kept)


def test_the_production_profile_is_not_below_the_recommendation() -> None:
    assert passwords.hasher is passwords.STRONG
    assert passwords.STRONG.memory_cost >= 64 * 1024
    assert passwords.STRONG.time_cost >= 3
    assert passwords.STRONG.type is argon2.Type.ID
