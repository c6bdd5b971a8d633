"""`docflow validate`: the signatures of one file, without database and network."""

from collections.abc import Iterable
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from core.errors import InvalidInput
from signatures import trust as stores
from signatures.trust import NOBODY, TrustStore
from signatures.validation import validate

VALID, INVALID, UNCLEAR, USAGE = 0, 1, 2, 64
_CODES = {"valid": VALID, "invalid": INVALID, "indeterminate": UNCLEAR}

Answer = tuple[dict[str, Any], int]


def _usage(code: str, ru: str, en: str) -> Answer:
    return {"error": {"code": code, "ru": ru, "en": en}}, USAGE


def _missing(path: Path) -> Answer:
    return _usage(
        "no_such_file",
        f"Файл не найден или не читается: {path}. Проверьте путь.",
        f"No such file, or it cannot be read: {path}. Check the path.",
    )


def moment(text: str) -> datetime:
    """A point of time like 2024-01-31T12:00:00Z; without a zone it is UTC. Raises ValueError."""
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def load(
    *,
    file: Path,
    signature: Path | None = None,
    trust: Iterable[Path] = (),
    crls: Iterable[Path] = (),
    at: str | None = None,
) -> dict[str, Any] | Answer:
    """The request for `validation.validate_bytes`, or the answer when the usage is wrong.

    For a caller that runs the check itself elsewhere, in a sandboxed process.
    """
    named = [file, *([signature] if signature else []), *trust, *crls]
    try:
        when = moment(at) if at else None
    except ValueError:
        return _usage(
            "wrong_time",
            "Время не понято. Пример: --at 2024-01-31T12:00:00Z",
            "The time cannot be read. Example: --at 2024-01-31T12:00:00Z",
        )
    for path in named:
        if not path.exists():
            return _missing(path)
    try:
        store = stores.from_paths(trust=trust, crls=crls) if (trust or crls) else NOBODY
        data = file.read_bytes()
        signed = signature.read_bytes() if signature else None
    except InvalidInput as problem:
        return _usage(problem.error_code, problem.message_ru, problem.message_en)
    except OSError as problem:
        return _missing(Path(problem.filename or file))
    return _request(data, signed, store, when)


def _request(
    data: bytes, signature: bytes | None, store: TrustStore, at: datetime | None
) -> dict[str, Any]:
    return {
        "data": data,
        "signature": signature,
        **{one.name: getattr(store, one.name) for one in fields(TrustStore)},
        "at": at.isoformat() if at else None,
    }


def run(
    *,
    file: Path,
    signature: Path | None = None,
    trust: Iterable[Path] = (),
    crls: Iterable[Path] = (),
    at: str | None = None,
) -> Answer:
    """The report and the exit code: 0 valid, 1 invalid, 2 cannot tell, 64 wrong usage."""
    loaded = load(file=file, signature=signature, trust=tuple(trust), crls=tuple(crls), at=at)
    if isinstance(loaded, tuple):
        return loaded
    report = validate(
        loaded["data"],
        signature=loaded["signature"],
        trust=stores.of_request(loaded),
        at=datetime.fromisoformat(loaded["at"]) if loaded["at"] else None,
    ).as_dict()
    return report, exit_code(report)


def exit_code(report: dict[str, Any]) -> int:
    """The exit code that goes with a report of `validate_bytes`."""
    return _CODES[report["verdict"]]
