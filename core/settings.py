"""Settings: read once from the environment, frozen, and wrong ones stop the start."""

import ipaddress
import os
from dataclasses import dataclass, field
from datetime import timedelta
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


def _networks(name: str) -> tuple[str, ...]:
    """Addresses and networks (CIDR) with commas between; none when it is not set."""
    found = tuple(one.strip() for one in _read(name, "").split(",") if one.strip())
    try:
        return tuple(str(ipaddress.ip_network(one, strict=False)) for one in found)
    except ValueError as problem:
        raise BadSettings(f"{name}: addresses or networks with commas between") from problem


def _numbers(name: str) -> tuple[int, ...]:
    """Whole numbers with commas between; none when it is not set."""
    try:
        return tuple(int(one) for one in _read(name, "").split(",") if one.strip())
    except ValueError as problem:
        raise BadSettings(f"{name}: whole numbers with commas between") from problem


def _hours(name: str, default: str) -> tuple[int, int] | None:
    text = _read(name, default)
    if text == "none":
        return None
    begin, _, end = text.partition("-")
    if begin.isdecimal() and end.isdecimal() and max(int(begin), int(end)) < 24 and begin != end:
        return int(begin), int(end)
    raise BadSettings(f"{name}: two hours such as 21-8, or none: {text!r}")


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
class NodeSettings:
    """How this installation speaks to other nodes."""

    ca_file: Path | None = None
    """Authorities to trust for TLS between nodes; without it the public ones."""
    allow_http: bool = False
    """Nodes may be reached by plain http://; for closed networks and tests only."""
    clock_window: int = 300
    """Seconds by which the time of a message signature may differ from our clock."""
    versions: tuple[int, ...] = ()
    """Versions of the protocol to speak; empty for all this program knows."""


@dataclass(frozen=True, slots=True)
class WaySettings:
    """How documents leave and answers come by e-mail and on sticks."""

    mail_attach: bool = False
    """Letters carry the files themselves; otherwise only the link to read them by."""
    mail_in: Path | None = None
    """A maildir, or a folder of .eml files, in which delivery reports come."""
    imap_host: str = ""
    """A mailbox in which delivery reports come; empty: none is asked."""
    imap_port: int = 993
    imap_username: str = ""
    imap_password: str = field(default="", repr=False)
    imap_folder: str = "INBOX"
    offline_out: Path | None = None
    """Where packages for sticks are written by themselves; without it a clerk asks for each."""
    offline_in: Path | None = None
    """Where packages that were brought are taken from."""


@dataclass(frozen=True, slots=True)
class ScanSettings:
    """The daemon that scans incoming files for malware."""

    address: str = ""
    """`unix:/path` or `tcp:host:port` of ClamAV's daemon; empty: nothing is scanned."""
    accepts_unscanned: bool = False
    """Files are taken, with a remark, while the daemon cannot tell; otherwise they are refused."""
    seconds: int = 120
    """How long one file may take."""


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
    trusted_proxies: tuple[str, ...]
    """Networks of proxies of one's own, whose X-Forwarded-For is believed; without any, none is."""
    webhook_allow_private: bool
    """Webhooks may go to loopback and private addresses; for closed networks and tests only."""
    plugin_dir: Path | None = None
    """A folder with the vendor's `cadesplugin_api.js`, for signing in the browser."""
    medo_in: Path | None = None
    """Where the МЭДО transport puts what came; without it nothing is polled."""
    medo_out: Path | None = None
    """Where the МЭДО transport takes what goes; without it deliveries wait."""
    quiet_hours: tuple[int, int] | None = None
    """Hours between which what is not urgent waits, by the recipient's own clock: (21, 8)."""
    node: NodeSettings = NodeSettings()
    ways: WaySettings = WaySettings()
    scan: ScanSettings = ScanSettings()
    erasure_register: Path | None = None
    """A folder in which the register of erasures is kept a second time, beside the store."""
    backups: Path | None = None
    """A folder of backups whose age is watched."""
    backups_kept: timedelta = timedelta(days=30)
    """After so long a backup must be gone: until then it can bring erased data back."""
    medo_schemas: Path | None = None
    """A folder with the official XSD files of МЭДО, by which what comes is checked."""


def _folder(name: str) -> Path | None:
    return Path(found).resolve() if (found := _read(name, "")) else None


def _ways() -> WaySettings:
    attach = _read("MAIL_DOCUMENTS", "link")
    if attach not in ("link", "attach"):
        raise BadSettings("MAIL_DOCUMENTS: link or attach")
    return WaySettings(
        mail_attach=attach == "attach",
        mail_in=_folder("MAIL_IN"),
        imap_host=_read("IMAP_HOST", ""),
        imap_port=_number("IMAP_PORT", 993),
        imap_username=_read("IMAP_USERNAME", ""),
        imap_password=_read("IMAP_PASSWORD", ""),
        imap_folder=_read("IMAP_FOLDER", "INBOX"),
        offline_out=_folder("OFFLINE_OUT"),
        offline_in=_folder("OFFLINE_IN"),
    )


def _scan() -> ScanSettings:
    address, when_down = _read("CLAMD", ""), _read("CLAMD_DOWN", "refuse")
    kind, _, where = address.partition(":")
    port = where.rpartition(":")[2]
    if address and not (kind == "unix" and where) and not (kind == "tcp" and port.isdecimal()):
        raise BadSettings("CLAMD: unix:/path/to/socket or tcp:host:port")
    if when_down not in ("refuse", "accept"):
        raise BadSettings("CLAMD_DOWN: refuse or accept")
    return ScanSettings(address, when_down == "accept", _number("CLAMD_TIMEOUT", 120))


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
        trusted_proxies=_networks("TRUSTED_PROXIES"),
        webhook_allow_private=_read("WEBHOOK_ALLOW_PRIVATE", "no") == "yes",
        plugin_dir=Path(found) if (found := _read("SIGNING_PLUGIN_DIR", "")) else None,
        medo_in=Path(found).resolve() if (found := _read("MEDO_IN", "")) else None,
        medo_out=Path(found).resolve() if (found := _read("MEDO_OUT", "")) else None,
        quiet_hours=_hours("QUIET_HOURS", "21-8"),
        node=NodeSettings(
            ca_file=Path(found).resolve() if (found := _read("NODE_CA_FILE", "")) else None,
            allow_http=_read("NODE_ALLOW_HTTP", "no") == "yes",
            clock_window=_number("NODE_CLOCK_WINDOW", 300),
            versions=_numbers("NODE_VERSIONS"),
        ),
        ways=_ways(),
        scan=_scan(),
        erasure_register=_folder("ERASURE_REGISTER"),
        backups=_folder("BACKUPS"),
        backups_kept=timedelta(days=_number("BACKUP_DAYS", 30)),
        medo_schemas=Path(found).resolve() if (found := _read("MEDO_SCHEMAS", "")) else None,
    )
