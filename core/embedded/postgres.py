"""The embedded PostgreSQL: a real server, durable, on the loopback address, ours to stop."""

import os
import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from core.embedded.binaries import SHARED, may_enter, postgres_bin
from core.embedded.process import (
    LOOPBACK,
    Account,
    Engine,
    Launch,
    failed,
    free_port,
    is_free,
    launch,
    lock,
    own_folder,
    remember,
    remembered,
    unprivileged,
)
from core.errors import Conflict, Unavailable

DATABASE = "docflow"
OWNER = "docflow_owner"
APPLICATION = "docflow_app"
EXTENSIONS = ("pg_trgm", "btree_gist", "btree_gin", "unaccent")
DEFAULTS: Mapping[str, str] = {
    "shared_buffers": "256MB",
    "effective_cache_size": "1536MB",
    "work_mem": "16MB",
    "maintenance_work_mem": "192MB",
    "max_connections": "100",
    "jit": "off",
    "random_page_cost": "1.1",
    "max_wal_size": "4GB",
    "min_wal_size": "256MB",
    "checkpoint_timeout": "15min",
    "wal_buffers": "16MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %u@%d ",
    "log_checkpoints": "off",
}
"""For two cores and four gigabytes; durability settings stay as PostgreSQL ships them."""


TRIES = 3
LEFT_OVER_SECONDS = 60.0
"""How long a start waits for the sessions of a killed server to end."""


@dataclass(frozen=True, slots=True)
class Postgres:
    """A running server, its addresses and the three roles that may enter."""

    port: int
    app_url: str = field(repr=False)
    """The application's role: reads and writes rows, alters nothing."""
    owner_url: str = field(repr=False)
    """The role that owns the database and runs migrations."""
    superuser_url: str = field(repr=False)
    """For tests that clone databases; points at the database `postgres`."""
    engine: Engine

    def stop(self) -> None:
        """Stop the server: open sessions are cut off, nothing committed is lost."""
        self.engine.stop()


def start(data_dir: Path, *, settings: Mapping[str, str] | None = None) -> Postgres:
    """Start the server on `data_dir`, made at the first call; blocks until it answers (≤ 60 s).

    `settings` override or extend `DEFAULTS`. Raises `Conflict` (`data_folder_busy`) when a living
    process runs on the folder, `Unavailable` when the server does not come up.
    """
    account = unprivileged()
    folder = _folder(data_dir, account)
    hold = lock(folder)
    try:
        return _start(folder, account, settings or {}, hold)
    finally:
        os.close(hold)  # the keeper has its own copy and holds the folder as long as it lives


def urls(folder: Path) -> dict[str, str]:
    """The three addresses as the folder remembers them; empty when it was never started."""
    kept = remembered(folder / "postgres.json")
    if "port" not in kept:
        return {}
    entry = f"{LOOPBACK}:{kept['port']}"
    return {
        "app": f"postgresql://{APPLICATION}:{kept['app']}@{entry}/{DATABASE}",
        "owner": f"postgresql://{OWNER}:{kept['owner']}@{entry}/{DATABASE}",
        "superuser": f"postgresql://postgres:{kept['superuser']}@{entry}/postgres",
    }


def _start(
    folder: Path, account: Account | None, settings: Mapping[str, str], hold: int
) -> Postgres:
    programs = postgres_bin(account)
    memory = folder / "postgres.json"
    kept = remembered(memory) or {
        role: secrets.token_hex(24) for role in ("superuser", "owner", "app")
    }
    remember(memory, kept)
    cluster = folder / "cluster"
    if not cluster.exists():
        _create(programs, cluster, kept["superuser"], account)
    _settle_pid_file(cluster)
    engine = _running(programs, folder, account, settings, kept, hold)
    known = urls(folder)
    try:
        _furnish(known["superuser"], kept)
    except BaseException:
        engine.stop()
        raise
    return Postgres(
        port=int(kept["port"]),
        app_url=known["app"],
        owner_url=known["owner"],
        superuser_url=known["superuser"],
        engine=engine,
    )


def _running(
    programs: Path,
    folder: Path,
    account: Account | None,
    settings: Mapping[str, str],
    kept: dict[str, Any],
    hold: int,
) -> Engine:
    """The server on the remembered port, or on another one when somebody took that meanwhile.

    Sessions of a killed server live on until their statement ends, and no other one starts beside
    them: that is waited for.
    """
    until, tries = time.monotonic() + LEFT_OVER_SECONDS, 0
    while tries < TRIES:
        port = int(kept.get("port", 0))
        if not port or not is_free(port):
            kept["port"] = free_port()
        remember(folder / "postgres.json", kept)
        options = {"wal_compression": _compression(programs), **DEFAULTS, **settings}
        argv = [str(programs / "postgres"), "-D", str(folder / "cluster"), "-p", str(kept["port"])]
        argv += ["-c", f"listen_addresses={LOOPBACK}", "-c", "unix_socket_directories="]
        for name, value in options.items():
            argv += ["-c", f"{name}={value}"]
        plan = Launch(
            name="postgres",
            argv=argv,
            cwd=Path("/"),
            log=folder / "postgres.log",
            stop_signal=signal.SIGINT,  # "fast": roll back what is open, checkpoint, leave
            grace=60,
            env={"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"},
            account=account,
        )
        engine = launch(plan, hold=hold)
        if _answers(engine, urls(folder)["superuser"]):
            return engine
        engine.stop()
        if time.monotonic() < until and _is_occupied(plan.log):
            time.sleep(0.2)
        else:
            tries += 1
    raise failed("postgres", folder / "postgres.log")


def _is_occupied(log: Path) -> bool:
    """Did the server end because processes of an earlier one still use its memory?"""
    return b"pre-existing shared memory block" in log.read_bytes()[-1000:]


def _answers(engine: Engine, url: str) -> bool:
    """Wait until the server lets us in; False as soon as it has ended."""
    until = time.monotonic() + 60
    while engine.is_alive() and time.monotonic() < until:
        try:
            psycopg.connect(url, connect_timeout=5).close()
        except psycopg.OperationalError:
            time.sleep(0.02)
        else:
            return True
    return False


def _folder(data_dir: Path, account: Account | None) -> Path:
    """The server's folder; beside the data folder's own place only where root hid that one.

    Root's server runs as `nobody`, who cannot get below a closed folder of root's. Opening other
    people's folders is not ours to do, so the cluster then lies in `SHARED`, behind a link.
    """
    folder = own_folder(data_dir) / "postgres"
    if folder.is_symlink() and not folder.exists():
        raise Unavailable(
            f"Папка базы данных {folder.readlink()} исчезла. Верните её из резервной копии.",
            f"The database folder {folder.readlink()} is gone. Restore it from a backup.",
            code="engine_data_missing",
        )
    own_folder(folder)
    if not may_enter(folder, account) and not any(folder.iterdir()):
        own_folder(SHARED)
        elsewhere = own_folder(SHARED / f"postgres-{secrets.token_hex(6)}")
        folder.rmdir()
        folder.symlink_to(elsewhere)
    folder = folder.resolve()
    if not may_enter(folder, account):
        raise Unavailable(
            f"Пользователь nobody не может войти в папку {folder}. Выберите папку данных, к "
            "которой есть путь у других пользователей.",
            f"The user nobody cannot enter {folder}. Choose a data folder that other users can "
            "pass through to.",
            code="data_folder_closed",
        )
    return folder


def _create(programs: Path, cluster: Path, password: str, account: Account | None) -> None:
    """Make the cluster aside and put it in place whole, so that a crash leaves none half made."""
    fresh = cluster.with_name("cluster.new")
    secret = cluster.with_name("cluster.pw")
    shutil.rmtree(fresh, ignore_errors=True)
    secret.unlink(missing_ok=True)
    fresh.mkdir(mode=0o700)
    secret.touch(mode=0o600)
    secret.write_text(password, encoding="ascii")
    if account:
        for path in (fresh, secret):
            os.chown(path, account.uid, account.gid)
    try:
        done = subprocess.run(  # noqa: S603  # reason: argv is ours, no shell
            [
                str(programs / "initdb"),
                *("-D", str(fresh), "-U", "postgres", "-A", "scram-sha-256", "-E", "UTF8"),
                *("--pwfile", str(secret), "--locale-provider=builtin"),
                *("--builtin-locale=C.UTF-8", "--locale=C"),
            ],
            cwd="/",
            env={"PATH": "/usr/bin:/bin", "LC_ALL": "C"},
            capture_output=True,
            check=False,
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
        )
    finally:
        secret.unlink(missing_ok=True)
    if done.returncode != 0:
        log = cluster.with_name("postgres.log")
        log.write_bytes(done.stdout + done.stderr)
        raise failed("postgres", log)
    fresh.rename(cluster)


def _settle_pid_file(cluster: Path) -> None:
    """Deal with a pid file left by a crash; we hold the folder, so no service of ours is alive.

    PostgreSQL refuses to start when the number in the file belongs to any process of the same
    user, and small containers hand out the same numbers again and again. The file goes when that
    process is not a server on this cluster; a real one, orphaned, is asked to stop first.
    """
    pid_file = cluster / "postmaster.pid"
    try:
        pid = int(pid_file.read_text(encoding="ascii").split("\n", 1)[0])
    except (OSError, ValueError):
        pid_file.unlink(missing_ok=True)
        return
    if _serves(pid, cluster):
        os.kill(pid, signal.SIGINT)
    until = time.monotonic() + 60
    while _serves(pid, cluster):
        if time.monotonic() > until:
            raise Conflict(
                f"На папке {cluster} всё ещё работает сервер PostgreSQL, процесс {pid}.",
                f"A PostgreSQL server still runs on {cluster}, process {pid}.",
                code="data_folder_busy",
                pid=pid,
            )
        time.sleep(0.05)
    pid_file.unlink(missing_ok=True)


def _serves(pid: int, cluster: Path) -> bool:
    """Is this process a PostgreSQL server on this cluster? A server works inside its folder."""
    try:
        return Path(f"/proc/{pid}/cwd").readlink() == cluster
    except OSError:
        return False


def _compression(programs: Path) -> str:
    """The best way to compress the write-ahead log that this build knows."""
    built = subprocess.run(  # noqa: S603  # reason: argv is ours, no shell
        [str(programs / "pg_config"), "--configure"], capture_output=True, check=False
    )
    return "lz4" if b"--with-lz4" in built.stdout else "pglz"


def _furnish(url: str, kept: Mapping[str, Any]) -> None:
    """Make roles, database and extensions that are not there yet; done again it changes nothing."""
    with psycopg.connect(url, autocommit=True) as server:
        for role, key in ((OWNER, "owner"), (APPLICATION, "app")):
            if not server.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone():
                server.execute(
                    sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(
                        sql.Identifier(role), sql.Literal(kept[key])
                    )
                )
        found = server.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE])
        if not found.fetchone():
            server.execute(
                sql.SQL("CREATE DATABASE {} OWNER {}").format(
                    sql.Identifier(DATABASE), sql.Identifier(OWNER)
                )
            )
    with psycopg.connect(url, dbname=DATABASE, autocommit=True) as database:
        rights = sql.SQL(
            "REVOKE ALL ON DATABASE {base} FROM PUBLIC;"
            "GRANT CONNECT, TEMPORARY ON DATABASE {base} TO {role}"
        )
        database.execute(
            rights.format(base=sql.Identifier(DATABASE), role=sql.Identifier(APPLICATION))
        )
        present = {row[0] for row in database.execute("SELECT extname FROM pg_extension")}
        for name in EXTENSIONS:
            if name not in present:
                database.execute(sql.SQL("CREATE EXTENSION {}").format(sql.Identifier(name)))
