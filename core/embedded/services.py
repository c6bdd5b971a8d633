"""Both engines of one machine, and the environment that leads to them."""

import hashlib
import os
import secrets
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from core.embedded import postgres, s3
from core.embedded.process import is_locked, own_folder, remember, remembered

CHECKOUT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Services:
    """Running engines; as a context manager they stop at its end."""

    data_dir: Path
    environment: Mapping[str, str] = field(repr=False)
    """What `core.settings` reads; for `os.environ` or a child's environment."""
    superuser_url: str = field(repr=False)
    """For tests that clone databases (``CREATE DATABASE … TEMPLATE …``)."""
    postgres: postgres.Postgres
    s3: s3.S3

    def stop(self) -> None:
        """Stop both, in order and at the same time; a second call does nothing."""
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda engine: engine.stop(), (self.postgres, self.s3)))

    def fallen(self) -> list[str]:
        """The names of engines that have ended by themselves; empty when all is well."""
        engines = (self.postgres.engine, self.s3.engine)
        return [engine.name for engine in engines if not engine.is_alive()]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


def data_home() -> Path:
    """Where data lies unless told otherwise: never the temp folder, which gets cleaned.

    `DOCFLOW_DATA` if set; for root a folder of this checkout under ``/var/lib/docflow``, since the
    database server runs as an unprivileged user who may have no way into the checkout; for
    everybody else ``.docflow`` in the checkout.
    """
    if told := os.environ.get("DOCFLOW_DATA"):
        return Path(told).resolve()
    if os.geteuid() == 0:
        mark = hashlib.sha256(str(CHECKOUT).encode()).hexdigest()[:12]
        return Path("/var/lib/docflow") / mark
    return CHECKOUT / ".docflow"


def start(data_dir: Path, *, postgres_settings: Mapping[str, str] | None = None) -> Services:
    """Start both engines on `data_dir` and wait until they answer; blocks for 1-3 s.

    The engines stop with this process, however it ends. Raises `Conflict` (`data_folder_busy`)
    when a living process runs on the folder (`running` leads there), `Unavailable` when an engine
    does not come up; then nothing is left running.
    """
    data_dir = data_dir.resolve()
    own_folder(data_dir)
    with ThreadPoolExecutor(2) as pool:
        store = pool.submit(s3.start, data_dir)
        server = pool.submit(postgres.start, data_dir, settings=postgres_settings)
    for one, other in ((server, store), (store, server)):
        if (problem := one.exception()) is not None:
            if other.exception() is None:
                other.result().stop()
            raise problem
    return Services(
        data_dir=data_dir,
        environment=_environment(data_dir),
        superuser_url=server.result().superuser_url,
        postgres=server.result(),
        s3=store.result(),
    )


def running(data_dir: Path) -> dict[str, str] | None:
    """The environment of services another process runs on `data_dir`; None when none do."""
    folders = [(data_dir.resolve() / name).resolve() for name in ("postgres", "s3")]
    if not all(is_locked(folder) for folder in folders):
        return None
    return _environment(data_dir.resolve())


def _environment(data_dir: Path) -> dict[str, str]:
    addresses = postgres.urls((data_dir / "postgres").resolve())
    store = s3.entry(data_dir / "s3")
    return {
        "DATABASE_URL": addresses["app"],
        "DATABASE_OWNER_URL": addresses["owner"],
        "S3_ENDPOINT": store["endpoint"],
        "S3_ACCESS_KEY": store["access_key"],
        "S3_SECRET_KEY": store["secret_key"],
        "S3_BUCKET": store["bucket"],
        "S3_SECURE": "no",
        "SECRET_KEY": _secret_key(data_dir),
        "DOCFLOW_DATA": str(data_dir),
    }


def _secret_key(data_dir: Path) -> str:
    """The installation's secret, made once; losing it loses what it sealed."""
    path = data_dir / "secret.json"
    kept = remembered(path)
    if "secret_key" not in kept:
        kept["secret_key"] = secrets.token_hex(32)
        remember(path, kept)
    return str(kept["secret_key"])
