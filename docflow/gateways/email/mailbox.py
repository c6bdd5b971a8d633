"""Where reports come in: a folder of messages (maildir), or a mailbox by IMAP (RFC 9051)."""

import asyncio
import imaplib
import os
import ssl
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from core import clock
from core.errors import Unavailable

MOST_BYTES = 5 * 1024 * 1024
"""A report quotes headers; what is larger is no report and waits for a person."""
AT_ONCE = 200
SECONDS = 20.0
IMAPS_PORT = 993


@dataclass(frozen=True, slots=True)
class Incoming:
    """A message that waits; `place` is what `settled` needs to put it away."""

    place: str
    data: bytes | None
    """None when it is too large to be read."""


@dataclass(frozen=True, slots=True)
class Imap:
    """A mailbox on a server; `port` 993 is TLS from the start, any other only in tests."""

    host: str
    port: int
    username: str
    password: str = field(repr=False)
    folder: str = "INBOX"


def in_folder(home: Path) -> list[Incoming]:
    """The messages that wait in a maildir's ``new`` and ``cur``, or loose ``*.eml``; oldest first.

    Raises Unavailable when the folder is not there.
    """
    places: list[tuple[int, Path]] = []
    try:
        for folder in (home / "new", home / "cur", home):
            if folder.is_dir():
                with os.scandir(folder) as found:
                    places += [
                        (one.stat(follow_symlinks=False).st_mtime_ns, Path(one.path))
                        for one in found
                        if one.is_file(follow_symlinks=False) and not one.name.startswith(".")
                        and (folder != home or one.name.lower().endswith(".eml"))
                    ]  # fmt: skip
        if not home.is_dir():
            raise FileNotFoundError(home)
        return [_incoming(path) for _, path in sorted(places)[:AT_ONCE]]
    except OSError as problem:
        raise Unavailable(
            "Папка входящей почты недоступна. Проверьте MAIL_IN и права на неё.",
            "The folder of incoming mail cannot be read. Check MAIL_IN and its rights.",
            code="mail_folder_unavailable",
        ) from problem


def _incoming(path: Path) -> Incoming:
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with os.fdopen(handle, "rb") as opened:
        data = opened.read(MOST_BYTES + 1)
    return Incoming(str(path), data if len(data) <= MOST_BYTES else None)


def put_away(home: Path, place: str, *, drawer: str) -> None:
    """Move a message that was dealt with beside the mailbox: ``<home>.<drawer>/<day>/``."""
    source = Path(place)
    target = home.with_name(f"{home.name}.{drawer}") / clock.today().isoformat()
    target.mkdir(parents=True, exist_ok=True)
    wanted = target / source.name
    if wanted.exists():
        wanted = target / f"{source.name}.{clock.new_id()}"
    with suppress(FileNotFoundError):
        source.rename(wanted)


async def on_server(box: Imap) -> list[Incoming]:
    """The unseen messages of an IMAP mailbox, unread as they were; raises Unavailable."""
    return await asyncio.to_thread(_fetch, box)


async def mark_seen(box: Imap, places: Sequence[str]) -> None:
    """Mark messages as dealt with; they stay in the mailbox."""
    if places:
        await asyncio.to_thread(_mark, box, list(places))


def _open(box: Imap) -> imaplib.IMAP4:
    try:
        server: imaplib.IMAP4 = (
            imaplib.IMAP4_SSL(box.host, box.port, timeout=SECONDS,
                              ssl_context=ssl.create_default_context())
            if box.port == IMAPS_PORT
            else imaplib.IMAP4(box.host, box.port, timeout=SECONDS)
        )  # fmt: skip
        server.login(box.username, box.password)
        kind, _ = server.select(box.folder)
        if kind != "OK":
            raise imaplib.IMAP4.error(f"no folder {box.folder}")
    except (OSError, imaplib.IMAP4.error) as problem:
        raise _unavailable() from problem
    return server


def _fetch(box: Imap) -> list[Incoming]:
    server = _open(box)
    try:
        _, found = server.uid("SEARCH", "UNSEEN")
        uids = (found[0] or b"").split()[:AT_ONCE] if found else []
        return [_fetched(server, uid.decode()) for uid in uids]
    except (OSError, imaplib.IMAP4.error) as problem:
        raise _unavailable() from problem
    finally:
        with suppress(OSError, imaplib.IMAP4.error):
            server.logout()


def _fetched(server: imaplib.IMAP4, uid: str) -> Incoming:
    # one byte more than allowed tells that there is more
    _, answer = server.uid("FETCH", uid, f"(BODY.PEEK[]<0.{MOST_BYTES + 1}>)")
    data = next((one[1] for one in answer if isinstance(one, tuple)), None)
    return Incoming(uid, data if data is not None and len(data) <= MOST_BYTES else None)


def _mark(box: Imap, places: list[str]) -> None:
    server = _open(box)
    try:
        server.uid("STORE", ",".join(places), "+FLAGS.SILENT", r"(\Seen)")
    except (OSError, imaplib.IMAP4.error) as problem:
        raise _unavailable() from problem
    finally:
        with suppress(OSError, imaplib.IMAP4.error):
            server.logout()


def _unavailable() -> Unavailable:
    return Unavailable(
        "Почтовый ящик отчётов недоступен. Проверьте IMAP_HOST, имя и пароль.",
        "The mailbox of reports cannot be reached. Check IMAP_HOST, user and password.",
        code="mailbox_unavailable",
    )
