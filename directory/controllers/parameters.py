"""Parameters that routes of several rooms take."""

from typing import Annotated, TypeAlias

from litestar.params import HeaderParameter

IdempotencyKey: TypeAlias = Annotated[
    str | None,
    HeaderParameter(
        name="Idempotency-Key",
        description="Any text of 1 to 200 characters, a UUID as a rule. The same key with the same "
        "request leads to the same resource for ever; with another request it is refused (409, "
        "`idempotency_mismatch`). A failed attempt does not use the key up.",
    ),
]
"""How a route that creates asks for it: ``key: IdempotencyKey = None``."""
