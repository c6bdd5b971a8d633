"""Where it can be asked whether a power of attorney is revoked; so far nowhere.

The registry of the tax service has no public interface this service is connected to, so the only
entry answers that nothing was asked. A real one is one more entry here; it is asked by a job,
never inside a transaction, and what it says is stored beside what an administrator enters.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol


@dataclass(frozen=True, slots=True)
class RegistryAnswer:
    """What a registry said of one number; `effective_at` is given with `revoked`."""

    status: Literal["in_force", "revoked", "not_checked"]
    effective_at: datetime | None = None


class Registry(Protocol):
    """A register of powers of attorney."""

    async def status_of(self, number: str, *, principal_inn: str) -> RegistryAnswer:
        """Ask for one number; `not_checked` when no answer came."""


class NoRegistry:
    """The honest answer of an installation without a connection."""

    async def status_of(self, number: str, *, principal_inn: str) -> RegistryAnswer:
        """Nothing was asked."""
        return RegistryAnswer("not_checked")


REGISTRIES: Mapping[str, Registry] = {"none": NoRegistry()}
"""By name in the settings; one line each."""
