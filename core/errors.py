"""The errors of the service: a small tree, each leaf with a code that never changes.

An error says in Russian and in English what happened and what to do next. HTTP knows the
status of each class in one place (``litestar_app``); nothing here knows of HTTP.
"""

from typing import Any, ClassVar


class ServiceError(Exception):
    """Something the caller can be told about; everything else is a defect of ours.

    `code` is stable for ever. `details` are facts for programs (ids, limits, field names),
    never secrets and never personal data.
    """

    code: ClassVar[str] = "service_error"
    ru: ClassVar[str] = "Сервис не смог выполнить запрос."
    en: ClassVar[str] = "The service could not do this."

    def __init__(
        self,
        ru: str | None = None,
        en: str | None = None,
        *,
        code: str | None = None,
        **details: Any,
    ) -> None:
        """Take the class's own words where none are given; `code` refines the class's code."""
        self.message_ru = ru or self.ru
        self.message_en = en or (self.en if ru is None else ru)
        self.error_code = code or self.code
        self.details = details
        super().__init__(f"{self.error_code}: {self.message_en}")


class InvalidInput(ServiceError):
    """What was sent cannot be taken as it is (422)."""

    code = "invalid_input"
    ru = "Данные заполнены неверно. Исправьте отмеченные поля и отправьте ещё раз."
    en = "The data is not valid. Correct the named fields and send again."


class NotFound(ServiceError):
    """No such thing, or none this actor may know of (404)."""

    code = "not_found"
    ru = "Не найдено, или у вас нет доступа. Проверьте адрес и выбранную организацию."
    en = "Not found, or not visible to you. Check the address and the chosen organization."


class Conflict(ServiceError):
    """The present state forbids it (409)."""

    code = "conflict"
    ru = "Действие противоречит текущему состоянию. Обновите страницу."
    en = "This contradicts the current state. Reload and look again."


class IllegalTransition(Conflict):
    """The object is not, or no longer, in a state from which this is allowed."""

    code = "illegal_transition"
    ru = "В текущем состоянии это действие недоступно. Обновите страницу."
    en = "Not possible in the current state. Reload and look again."


class IdempotencyMismatch(Conflict):
    """The same Idempotency-Key came with another request."""

    code = "idempotency_mismatch"
    ru = "Этот ключ идемпотентности уже использован для другого запроса. Возьмите новый ключ."
    en = "This idempotency key was used for another request. Use a new key."


class NotAuthenticated(ServiceError):
    """Nobody is signed in, or the token does not hold (401)."""

    code = "not_authenticated"
    ru = "Войдите в систему."
    en = "Sign in first."


class Forbidden(ServiceError):
    """The actor is known and may not do this (403)."""

    code = "forbidden"
    ru = "У вашей роли нет права на это действие. Обратитесь к администратору организации."
    en = "Your role does not allow this. Ask your organization's administrator."


class TooLarge(ServiceError):
    """More bytes than the rules allow (413)."""

    code = "too_large"
    ru = "Файл больше допустимого размера."
    en = "The file is larger than allowed."


class UnsupportedType(ServiceError):
    """The bytes are not of a type that is accepted here (415)."""

    code = "unsupported_type"
    ru = "Файлы этого типа здесь не принимаются."
    en = "Files of this type are not accepted here."


class TooManyRequests(ServiceError):
    """Slow down (429)."""

    code = "too_many_requests"
    ru = "Слишком много попыток. Подождите и повторите."
    en = "Too many attempts. Wait and try again."


class Unavailable(ServiceError):
    """A part we depend on does not answer; trying again later is right (503)."""

    code = "unavailable"
    ru = "Часть сервиса временно недоступна. Повторите через минуту."
    en = "A part of the service is unavailable. Try again in a minute."
