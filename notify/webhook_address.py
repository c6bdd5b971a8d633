"""Which addresses a webhook may have: the check of `core.outbound`, in a webhook's words."""

import httpx

from core import outbound
from core.errors import InvalidInput
from core.outbound import Target, is_public

__all__ = ["ForbiddenUrl", "Target", "UnknownHost", "is_public", "parsed", "resolve"]


class ForbiddenUrl(InvalidInput):
    """The service does not send to this address."""

    code = "webhook_url_forbidden"
    ru = (
        "На этот адрес сообщения не отправляются. Нужен общедоступный адрес https:// без имени и"
        " пароля, порт 443, 8443, 80 или 8080."
    )
    en = (
        "Messages are not sent to this address. Give a public https:// address without user and"
        " password, port 443, 8443, 80 or 8080."
    )


class UnknownHost(InvalidInput):
    """The name of the host has no address."""

    code = "webhook_host_unknown"
    ru = "Имя узла не найдено в DNS. Проверьте адрес вебхука."
    en = "The host's name has no address in DNS. Check the webhook's address."


def parsed(url: str, *, allow_private: bool) -> httpx.URL:
    """The address in its parts, if its form is allowed; touches no network."""
    try:
        return outbound.parsed(url, schemes=_schemes(allow_private), allow_private=allow_private)
    except outbound.ForbiddenAddress as problem:
        raise ForbiddenUrl(**problem.details) from problem


async def resolve(url: str, *, allow_private: bool) -> Target:
    """Resolve the host once and check every address; raises `ForbiddenUrl` or `UnknownHost`."""
    try:
        return await outbound.resolve(
            url, schemes=_schemes(allow_private), allow_private=allow_private
        )
    except outbound.ForbiddenAddress as problem:
        raise ForbiddenUrl(**problem.details) from problem
    except outbound.NoAddress as problem:
        raise UnknownHost from problem


def _schemes(allow_private: bool) -> frozenset[str]:
    return outbound.WEB if allow_private else frozenset({"https"})
