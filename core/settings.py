"""Settings: read once from the environment, frozen, and wrong ones stop the start."""

import os
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path


class BadSettings(SystemExit):
    """A setting is missing or cannot be read; the process must not start."""


def _read(name: str, default: str | None = None) -> str:
    """The value of `name`, or the content of the file that `name`_FILE points to (secrets)."""
    if path := os.environ.get(f"{name}_FILE"):
        try:
            return Path(path).read_text(encoding="utf-8").strip()
        except OSError as problem:
            raise BadSettings(f"{name}_FILE: {problem}") from problem
    value = os.environ.get(name, default)
    if value is None:
        raise BadSettings(f"setting {name} (or {name}_FILE) is missing")
    return value


def _number(name: str, default: int) -> int:
    text = _read(name, str(default))
    try:
        return int(text)
    except ValueError as problem:
        raise BadSettings(f"{name}: not a whole number: {text!r}") from problem


@dataclass(frozen=True, slots=True)
class S3Settings:
    """Where blobs live; any S3 store with conditional writes will do."""

    endpoint: str
    access_key: str = field(repr=False)
    secret_key: str = field(repr=False)
    bucket: str
    secure: bool


@dataclass(frozen=True, slots=True)
class SmtpSettings:
    """The mail relay for notices; no host means that no mail is sent."""

    host: str
    port: int
    sender: str
    username: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything the processes need to know about where they run."""

    database_url: str = field(repr=False)
    """For the application's own role, which may not alter tables or rewrite events."""
    owner_url: str = field(repr=False)
    """For migrations and set-up only; empty in processes that do neither."""
    s3: S3Settings
    smtp: SmtpSettings
    secret_key: bytes = field(repr=False)
    """Seals secrets at rest (TOTP seeds, webhook keys, key passphrases) and signs cookies."""
    public_url: str
    data_dir: Path
    """Local working files (keys of the demo authority, temporary files); never documents."""
    sandbox_workers: int
    pool_size: int
    webhook_allow_private: bool
    """Webhooks may go to loopback and private addresses; for closed networks and tests only."""
    plugin_dir: Path | None = None
    """A folder with the vendor's `cadesplugin_api.js`, for signing in the browser."""
    medo_in: Path | None = None
    """Where the МЭДО transport puts what came; without it nothing is polled."""
    medo_out: Path | None = None
    """Where the МЭДО transport takes what goes; without it deliveries wait."""
    medo_schemas: Path | None = None
    """A folder with the official XSD files of МЭДО, by which what comes is checked."""


@lru_cache(maxsize=1)
def settings() -> Settings:
    """The settings of this process, read at the first call."""
    secret = _read("SECRET_KEY").encode()
    if len(secret) < 32:
        raise BadSettings("SECRET_KEY: at least 32 characters")
    return Settings(
        database_url=_read("DATABASE_URL"),
        owner_url=_read("DATABASE_OWNER_URL", ""),
        s3=S3Settings(
            endpoint=_read("S3_ENDPOINT"),
            access_key=_read("S3_ACCESS_KEY"),
            secret_key=_read("S3_SECRET_KEY"),
            bucket=_read("S3_BUCKET", "docflow"),
            secure=_read("S3_SECURE", "no") == "yes",
        ),
        smtp=SmtpSettings(
            host=_read("SMTP_HOST", ""),
            port=_number("SMTP_PORT", 25),
            sender=_read("SMTP_SENDER", "docflow@localhost"),
            username=_read("SMTP_USERNAME", ""),
            password=_read("SMTP_PASSWORD", ""),
        ),
        secret_key=secret,
        public_url=_read("PUBLIC_URL", "http://127.0.0.1:8000"),
        data_dir=Path(_read("DOCFLOW_DATA", ".docflow")).resolve(),
        sandbox_workers=_number("SANDBOX_WORKERS", min(4, os.cpu_count() or 2)),
        pool_size=_number("DATABASE_POOL", 10),
        webhook_allow_private=_read("WEBHOOK_ALLOW_PRIVATE", "no") == "yes",
        plugin_dir=Path(found) if (found := _read("SIGNING_PLUGIN_DIR", "")) else None,
        medo_in=Path(found).resolve() if (found := _read("MEDO_IN", "")) else None,
        medo_out=Path(found).resolve() if (found := _read("MEDO_OUT", "")) else None,
        medo_schemas=Path(found).resolve() if (found := _read("MEDO_SCHEMAS", "")) else None,
    )
