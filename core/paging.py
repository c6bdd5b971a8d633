"""Pages of a list: by the last id seen, never by counting, and so many at once."""

from core.errors import InvalidInput


def require_limit(limit: int, *, most: int) -> None:
    """Raise InvalidInput `bad_limit` for a page of none or of more than `most` rows."""
    if not 1 <= limit <= most:
        raise InvalidInput(
            f"limit: от 1 до {most}.", f"limit: 1 to {most}.", code="bad_limit", field="limit"
        )
