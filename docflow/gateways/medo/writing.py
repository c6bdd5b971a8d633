"""A message folder written strictly: built aside, moved whole."""

from collections.abc import Callable, Mapping
from pathlib import Path

from docflow.gateways.medo.messages import Message

Source = bytes | Path
"""The content of a file, or where it lies."""


def write_folder(
    message: Message,
    folder: Path,
    *,
    sources: Mapping[str, Source],
    sign_container: Callable[[bytes], bytes] | None = None,
    scratch: Path | None = None,
) -> Message:
    """Write `message` as the new folder `folder` by the rules of `message.version`; all or nothing.

    `sources` holds every file the message names, by name. The folder is built beside its place (or
    in `scratch`, on the same file system) and renamed, so nobody sees half of it. `sign_container`
    gets the bytes of passport and files, in the format's order, and answers a detached CMS.
    Answers the message as written: uids, times and names that were left open are filled in.

    Raises `WriteRefused` with the faults in words, and FileExistsError.
    """
    raise NotADirectoryError(message, folder, sources, sign_container, scratch)
