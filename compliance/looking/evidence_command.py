"""`docflow image evidence`: what one file is and says of itself, without database and network."""

import asyncio
import hashlib
from pathlib import Path
from typing import Any

from compliance.looking import evidence
from compliance.pictures import MAX_BYTES
from core.sandbox import HostileInput, Sandbox

READABLE, UNREADABLE, USAGE = 0, 1, 64
PRINT_SECONDS = 60.0
"""Longer than the service gives: here it is one picture, perhaps on a busy machine."""

Answer = tuple[dict[str, Any], int]


def examine(file: Path) -> Answer:
    """The report and the exit code: 0 a readable picture, 1 none, 64 no such file.

    What cannot be read answers with a code and words under `error` and among the findings.
    """
    if not file.is_file():
        return _no_such(file), USAGE
    try:
        if file.stat().st_size > MAX_BYTES:
            return _unreadable(b"", _too_large()), UNREADABLE
        data = file.read_bytes()
    except OSError:
        return _no_such(file), USAGE
    return asyncio.run(_examine(data, file.name))


async def _examine(data: bytes, name: str) -> Answer:
    pool = Sandbox(workers=2, preload=evidence.PRELOAD)
    try:
        report = await evidence.examine(data, name=name, pool=pool, print_seconds=PRINT_SECONDS)
        return report, READABLE
    except HostileInput as problem:
        return _unreadable(data, problem), UNREADABLE
    finally:
        await pool.close()


def _unreadable(data: bytes, problem: HostileInput) -> dict[str, Any]:
    error = {"code": problem.error_code, "ru": problem.message_ru, "en": problem.message_en}
    return {
        "sha256": hashlib.sha256(data).hexdigest() if data else None,
        "media_type": problem.details.get("media_type"),
        "width": problem.details.get("width"),
        "height": problem.details.get("height"),
        "error": error,
        "findings": [error],
    }


def _too_large() -> HostileInput:
    return HostileInput(
        "Файл слишком велик для изображения (предел 64 МБ). Уменьшите его.",
        "The file is too large for a picture (64 MB at most). Make it smaller.",
        code="file_too_large",
    )


def _no_such(file: Path) -> dict[str, Any]:
    error = {
        "code": "no_such_file",
        "ru": f"Файл не найден или не читается: {file}. Проверьте путь и права.",
        "en": f"No such file, or it cannot be read: {file}. Check the path and its permissions.",
    }
    return {"error": error, "findings": []}
