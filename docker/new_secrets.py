"""Random secrets for docker compose, into docker/secrets; what is there already stays as it is.

Standard library only: it runs before anything is installed.
"""

import os
import secrets
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent / "secrets"
RANDOM = (
    "postgres_password",
    "owner_password",
    "app_password",
    "s3_access_key",
    "s3_secret_key",
    "secret_key",
)
ADDRESSES = {
    "database_url": ("docflow_app", "app_password"),
    "database_owner_url": ("docflow_owner", "owner_password"),
}


def write(folder: Path, *, host: str = "postgres:5432", base: str = "docflow") -> list[str]:
    """Make what is missing in `folder`, closed to other users; the names of what was made."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    made = [name for name in RANDOM if _put(folder / name, secrets.token_hex(32))]
    for name, (role, password) in ADDRESSES.items():
        entry = f"{role}:{(folder / password).read_text(encoding='ascii').strip()}"
        if _put(folder / name, f"postgresql://{entry}@{host}/{base}"):
            made.append(name)
    return made


def _put(path: Path, value: str) -> bool:
    """Write a file that only its folder protects: containers read it as users of their own."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
    except FileExistsError:
        return False
    with os.fdopen(descriptor, "w", encoding="ascii") as target:
        target.write(value + "\n")
    path.chmod(0o644)
    return True


if __name__ == "__main__":
    sys.stdout.write(f"{FOLDER}: {', '.join(write(FOLDER)) or 'все на месте / all there'}\n")
