"""Which time-stamp authority is asked; none until the process that starts names one."""

from core.errors import Unavailable
from docflow.documents.longevity.stamping import StampClient

_clients: list[StampClient] = []


def use(client: StampClient | None) -> None:
    """Ask this authority from now on, or none."""
    _clients[:] = [] if client is None else [client]


def is_configured() -> bool:
    """Can stamps be asked for at all? Without an authority what is due stays due, in sight."""
    return bool(_clients)


async def stamp(digest: bytes, *, algorithm: str) -> bytes:
    """The token over a digest; raises `Unavailable` (`no_timestamp_authority`)."""
    for client in _clients:
        return await client(digest, algorithm=algorithm)
    raise Unavailable(
        "Служба отметок времени не настроена. Укажите её в настройках сервиса.",
        "No time-stamp authority is set up. Name one in the service's settings.",
        code="no_timestamp_authority",
    )
