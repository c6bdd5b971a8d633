"""`docflow image match`: which pictures of a folder this one was made from, without a database."""

import asyncio
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from core.errors import ServiceError
from core.sandbox import HostileInput, Sandbox
from core.sandbox.images import inspect_image

NONE, SOME, CANNOT_TELL, USAGE = 0, 1, 2, 64
MAX_BYTES = 64 << 20
_WORKERS = 2
_SECONDS = 30.0

Answer = tuple[dict[str, Any], int]


def match(*, file: Path, register: Path) -> Answer:
    """The answer and the exit code: 0 no match, 1 some, 2 cannot tell, 64 no such file.

    Every file of the folder is decoded and compared in limited processes; nothing is kept. Files
    that are no pictures, or broken ones, are named under `warnings`.
    """
    if not file.is_file():
        return _missing(file)
    if not register.is_dir():
        return _missing(register)
    paths = sorted(path for path in register.rglob("*") if path.is_file())
    return asyncio.run(_match(file, register, paths))


def compare_bytes(data: bytes, reference: bytes) -> dict[str, Any] | None:
    """The match of two files as plain data, None when there is none; runs in the sandbox.

    Raises HostileInput for a reference that cannot be decoded; the asked picture is kept ready
    for the next call.
    """
    from compliance import matching  # noqa: PLC0415 - the command's own process stays light
    from compliance.pictures import decode  # noqa: PLC0415 - as above

    known = matching.known(decode(reference))
    if matching.is_featureless(known):
        raise HostileInput(
            "На изображении слишком мало деталей: его копии не отличить от похожих картинок.",
            "There is too little in this picture to tell its copies from pictures like it.",
            code="featureless",
        )
    found = matching.compare(_asked(data), known)
    return None if found is None else as_dict(found)


def check_bytes(data: bytes) -> dict[str, Any]:
    """Width and height of the asked picture as shown; runs in the sandbox. Raises HostileInput."""
    ready = _asked(data)
    return {"width": ready.width, "height": ready.height, "features": len(ready.features)}


def as_dict(found: Any) -> dict[str, Any]:
    """A `matching.Match` in the words of docs/contract: score, transform, corners."""
    return {
        "score": round(found.score, 4),
        "transform": {
            "mirrored": found.is_mirrored,
            "rotation": round(found.rotation, 2),
            "scale": round(found.scale, 4),
            "cropped": round(found.cropped, 4),
            "area": round(found.area, 4),
            "inliers": found.inliers,
            "hash_distance": found.distance,
            "matrix": [[round(float(value), 6) for value in row] for row in found.matrix],
        },
        "corners": [[round(x, 1), round(y, 1)] for x, y in found.corners],
    }


_ready: dict[str, Any] = {}


def _asked(data: bytes) -> Any:
    """The asked picture, prepared once in each process."""
    import cv2  # noqa: PLC0415 - as above

    from compliance import matching  # noqa: PLC0415 - as above

    digest = hashlib.sha256(data).hexdigest()
    if digest not in _ready:
        cv2.setNumThreads(1)
        _ready.clear()
        _ready[digest] = matching.asked(matching.decode_asked(data))
    return _ready[digest]


async def _match(file: Path, register: Path, paths: list[Path]) -> Answer:
    pool = Sandbox(workers=_WORKERS, preload=("compliance.matching",), patience=3600.0)
    try:
        data = _read(file)
        own = await pool.run("compliance.command:check_bytes", data, timeout=_SECONDS)
        turn = asyncio.Semaphore(2 * _WORKERS)
        tasks = [_one(pool, turn, data, path) for path in paths]
        rows = await asyncio.gather(*tasks)
    except HostileInput as problem:
        return {"matches": [], "warnings": [], "error": _told(problem)}, CANNOT_TELL
    finally:
        await pool.close()
    return _answer(own, {str(path.relative_to(register)): row for path, row in zip(
        paths, rows, strict=True)})  # fmt: skip


async def _one(
    pool: Sandbox, turn: asyncio.Semaphore, data: bytes, path: Path
) -> dict[str, Any] | ServiceError | None:
    async with turn:
        try:
            reference = await asyncio.to_thread(_read, path)
            found: dict[str, Any] | None = await pool.run(
                "compliance.command:compare_bytes", data, reference, timeout=_SECONDS
            )
        except HostileInput as problem:
            return problem
    return found


def _read(path: Path) -> bytes:
    """The file's bytes, checked for size before anything looks into them."""
    try:
        if path.stat().st_size <= MAX_BYTES:
            data = path.read_bytes()
            inspect_image(data)
            return data
    except OSError as problem:
        raise HostileInput(
            "Файл не читается. Проверьте права доступа.",
            "The file cannot be read. Check its permissions.",
            code="unreadable_file",
        ) from problem
    raise HostileInput(
        "Файл слишком велик для изображения. Уменьшите его.",
        "The file is too large for a picture. Make it smaller.",
        code="file_too_large",
    )


def _answer(own: Mapping[str, Any], rows: Mapping[str, Any]) -> Answer:
    matches = [{"reference": name, **row} for name, row in rows.items() if isinstance(row, dict)]
    matches.sort(key=lambda row: (-row["score"], -row["transform"]["inliers"], row["reference"]))
    warnings = [
        {"file": name, **_told(row)} for name, row in rows.items() if isinstance(row, ServiceError)
    ]
    answer = {
        "matches": matches,
        "compared": len(rows) - len(warnings),
        "width": own["width"],
        "height": own["height"],
        "warnings": warnings,
    }
    return answer, SOME if matches else NONE


def _told(problem: ServiceError) -> dict[str, str]:
    return {"code": problem.error_code, "ru": problem.message_ru, "en": problem.message_en}


def _missing(path: Path) -> Answer:
    error = {
        "code": "no_such_file",
        "ru": f"Файл или папка не найдены: {path}. Проверьте путь.",
        "en": f"No such file or folder: {path}. Check the path.",
    }
    return {"error": error}, USAGE
