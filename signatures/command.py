"""`docflow validate`: the signatures of one file, without database and network."""

from collections.abc import Iterable
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from core import clock
from core.errors import InvalidInput
from signatures.cms import MAX_CMS, digest_stream
from signatures.report import Report
from signatures.trust import NOBODY, TrustStore
from signatures.trust_files import from_paths, require_regular

VALID, INVALID, UNCLEAR, USAGE = 0, 1, 2, 64
_FIRST_YEAR, _LAST_YEAR = 1950, 9998  # RFC 5280 section 4.1.2.5, with room for a day more
LARGEST: Final = 256 << 20
"""Bytes of a file that is read whole; beyond, a detached signature is checked by digests alone."""
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
    if not _FIRST_YEAR <= at.year <= _LAST_YEAR:
        raise ValueError("beyond every certificate")
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
    try:
        when = moment(at) if at is not None else None
    except ValueError:
        return _usage(
            "wrong_time",
            "Время не понято. Пример: --at 2024-01-31T12:00:00Z",
            "The time cannot be read. Example: --at 2024-01-31T12:00:00Z",
        )
    try:
        require_regular(file)
        if signature is not None:
            require_regular(signature)
        store = from_paths(trust=trust, crls=crls) if (trust or crls) else NOBODY
        signed = _beginning(signature, MAX_CMS * 4 + 1) if signature else None
        data = _content(file, signed)
    except InvalidInput as problem:
        return _usage(problem.error_code, problem.message_ru, problem.message_en)
    except (OSError, ValueError) as problem:
        return _missing(Path(getattr(problem, "filename", None) or file))
    return _request(data, signed, store, when)


def _beginning(path: Path, size: int) -> bytes:
    with path.open("rb") as file:
        return file.read(size)


def _content(file: Path, signature: bytes | None) -> bytes | None:
    """The file's bytes; of one too big for memory, what is enough to tell what it is.

    None where a detached signature needs digests only: `digests_of` makes them.
    """
    if file.stat().st_size <= LARGEST:
        return file.read_bytes()
    return _beginning(file, 4096) if signature is None else None


def is_outsized(file: Path, request: dict[str, Any]) -> bool:
    """Is there a file whose signature, if it has one, would be inside and is not looked for?"""
    data = request["data"]
    if data is None or file.stat().st_size <= LARGEST:
        return False
    return bool(b"%PDF-" in data[:1024] or data[:1] == b"\x30")


def outsized() -> dict[str, Any]:
    """The report on a file that `is_outsized`."""
    return Report((), clock.now(), ("file_too_large",)).as_dict()


def digests_of(file: Path, names: Iterable[str]) -> dict[str, bytes]:
    """Digests of a file that does not fit into memory."""
    found = {}
    for name in names:
        with file.open("rb") as stream:
            found[name] = digest_stream(stream.read, algorithm=name)
    return found


def _request(
    data: bytes | None, signature: bytes | None, store: TrustStore, at: datetime | None
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
    from signatures import validation  # noqa: PLC0415 - pulls in pyHanko

    loaded = load(file=file, signature=signature, trust=tuple(trust), crls=tuple(crls), at=at)
    if isinstance(loaded, tuple):
        return loaded
    report = outsized() if is_outsized(file, loaded) else validation.validate_bytes(loaded)
    return report, exit_code(report)


def exit_code(report: dict[str, Any]) -> int:
    """The exit code that goes with a report of `validate_bytes`."""
    return _CODES[report["verdict"]]
