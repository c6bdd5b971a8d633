"""How much a message may come to before it is refused unread."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """Bounds of one message; no official size limit was found, so all of it is a setting."""

    folder_entries: int = 20_000
    """Names in the folder; more are not even looked through."""
    listed_files: int = 2_000
    """Files an envelope or a description may name."""
    message_bytes: int = 1 << 30
    """All files of the folder together."""
    unpacked_bytes: int = 1 << 30
    zip_members: int = 2_000
    xml_bytes: int = 8 << 20
    envelope_bytes: int = 1 << 20


LIMITS = Limits()
