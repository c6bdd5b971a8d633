"""The folder in which packages are brought (OFFLINE_IN): each is taken, then put aside."""

import asyncio
import os
from contextlib import suppress
from pathlib import Path

from core import clock
from core.errors import ServiceError, Unavailable
from core.settings import settings
from docflow.gateways.offline.packing import SUFFIX
from docflow.routing.offline import incoming

QUIET = 5.0
"""Seconds without a change after which a file is taken for whole: sticks are slow."""


async def poll() -> dict[str, int]:
    """Take every package that waits; answers how many ended how.

    A refused one lies in ``<folder>.refused`` beside a text that says why, both tongues.
    """
    home, counts = settings().ways.offline_in, dict[str, int]()
    if home is None:
        return counts
    for path in await asyncio.to_thread(_waiting, home):
        try:
            taken = await incoming.take(path)
            effect, words = ("repeat" if taken.is_repeat else "taken"), ""
        except Unavailable:
            raise
        except ServiceError as problem:
            effect = "refused"
            words = f"{problem.error_code}\n{problem.message_ru}\n{problem.message_en}\n"
        await asyncio.to_thread(_put_aside, home, path, effect, words)
        counts[effect] = counts.get(effect, 0) + 1
    return counts


def _waiting(home: Path) -> list[Path]:
    try:
        with os.scandir(home) as found:
            now = clock.now().timestamp()
            return sorted(
                Path(one.path) for one in found
                if one.name.endswith(SUFFIX) and one.is_file(follow_symlinks=False)
                and not one.name.startswith(".")
                and now - one.stat(follow_symlinks=False).st_mtime >= QUIET
            )  # fmt: skip
    except OSError as problem:
        raise Unavailable(
            "Папка принесённых пакетов недоступна. Проверьте OFFLINE_IN и права на неё.",
            "The folder of packages brought in cannot be read. Check OFFLINE_IN and its rights.",
            code="offline_folder_unavailable",
        ) from problem


def _put_aside(home: Path, path: Path, effect: str, words: str) -> None:
    drawer = "refused" if effect == "refused" else "taken"
    target = home.with_name(f"{home.name}.{drawer}") / clock.today().isoformat()
    target.mkdir(parents=True, exist_ok=True)
    wanted = target / path.name
    if wanted.exists():
        wanted = target / f"{clock.new_id()} {path.name}"
    with suppress(FileNotFoundError):
        path.rename(wanted)
        if words:
            wanted.with_name(f"{wanted.name}.txt").write_text(words, encoding="utf-8")
