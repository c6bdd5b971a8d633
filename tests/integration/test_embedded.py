"""The embedded engines: started, killed, started again, for root and for others."""

import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import httpx
import psycopg
import pytest

from core.embedded import data_home, postgres, running, s3, start
from core.errors import Conflict

ROOT = Path(__file__).resolve().parents[2]
SMALL = {"shared_buffers": "32MB"}


@pytest.fixture
def folder() -> Iterator[Path]:
    made = data_home() / f"test-embedded-{os.getpid()}-{time.monotonic_ns()}"
    yield made
    linked = made / "postgres"
    if linked.is_symlink():
        shutil.rmtree(linked.resolve())
    shutil.rmtree(made, ignore_errors=True)


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def gone_within(pid: int, seconds: float) -> bool:
    until = time.monotonic() + seconds
    while alive(pid):
        if time.monotonic() > until:
            return False
        time.sleep(0.05)
    return True


def closed_to_others(path: Path) -> bool:
    return not stat.S_IMODE(path.stat().st_mode) & 0o077


def test_services_start_stop_and_keep_what_they_know(folder: Path) -> None:
    with start(folder, postgres_settings=SMALL) as first:
        environment = dict(first.environment)
        assert running(folder) == environment
        assert first.fallen() == []
        secret_files = ["secret.json", "postgres/postgres.json", "s3/s3.json", "s3/security.toml"]
        assert all(closed_to_others(folder / name) for name in secret_files)
        with pytest.raises(Conflict, match="data_folder_busy"):
            start(folder)
        assert running(folder) == environment
    assert running(folder) is None
    with start(folder, postgres_settings=SMALL) as again:
        assert dict(again.environment) == environment
        again.stop()


def test_the_server_is_safe_and_knows_its_roles(folder: Path) -> None:
    server = postgres.start(folder, settings={"work_mem": "9MB", **SMALL})
    with psycopg.connect(server.app_url) as app:
        shown = {
            name: app.execute(f"SHOW {name}").fetchone()
            for name in ("fsync", "synchronous_commit", "full_page_writes", "work_mem")
        }
        assert list(shown.values()) == [("on",), ("on",), ("on",), ("9MB",)]
        assert app.execute("SELECT lower('ДОКУМЕНТ Ё')").fetchone() == ("документ ё",)
        assert app.execute("SELECT unaccent('ёж')").fetchone() == ("еж",)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            app.execute("CREATE TABLE mine (id int)")
    with psycopg.connect(server.owner_url) as owner:
        owner.execute("CREATE TABLE ours (id int)")
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(server.app_url.replace("docflow_app:", "docflow_app:x"))
    with psycopg.connect(server.superuser_url, autocommit=True) as superuser:
        superuser.execute("CREATE DATABASE other TEMPLATE docflow")
        local = superuser.execute("SHOW listen_addresses").fetchone()
    assert local == ("127.0.0.1",)
    server.stop()
    server.stop()


def test_postgres_survives_a_kill_and_stale_files(folder: Path) -> None:
    server = postgres.start(folder, settings=SMALL)
    with psycopg.connect(server.owner_url) as owner:
        owner.execute("CREATE TABLE kept (id int); INSERT INTO kept VALUES (7)")
    os.kill(server.engine.pid, signal.SIGKILL)
    assert gone_within(server.engine.pid, 5)
    server = postgres.start(folder, settings=SMALL)
    with psycopg.connect(server.owner_url) as owner:
        assert owner.execute("SELECT id FROM kept").fetchone() == (7,)
    server.stop()
    pid_file = folder / "postgres" / "cluster" / "postmaster.pid"
    stranger = subprocess.Popen(["/bin/sleep", "60"], user=pid_file.parent.stat().st_uid)
    pid_file.write_text(f"{stranger.pid}\n{pid_file.parent}\n1\n1\n\n127.0.0.1\n")
    server = postgres.start(folder, settings=SMALL)
    assert stranger.poll() is None
    stranger.kill()
    stranger.wait()
    server.stop()


def test_sessions_of_a_killed_server_are_waited_for(folder: Path) -> None:
    server = postgres.start(folder, settings=SMALL)

    def busy() -> None:
        with suppress(psycopg.Error), psycopg.connect(server.superuser_url) as one:
            one.execute("SELECT count(*) FROM generate_series(1, 15000000)")

    with ThreadPoolExecutor() as pool:
        running = pool.submit(busy)
        # autocommit: a transaction sees the activity as it was at its first look
        with psycopg.connect(server.superuser_url, autocommit=True) as one:
            while (
                not running.done()
                and not one.execute(
                    "SELECT 1 FROM pg_stat_activity WHERE query LIKE '%generate_series(1, 15%'"
                    " AND state = 'active' AND pid <> pg_backend_pid()"
                ).fetchone()
            ):
                time.sleep(0.01)
        os.kill(server.engine.pid, signal.SIGKILL)
        server.stop()
        again = postgres.start(folder, settings=SMALL)
        running.result()
    assert again.port == server.port
    log = (folder / "postgres" / "postgres.log").read_text("utf-8")
    assert "pre-existing shared memory block" in log  # else nothing was waited for
    again.stop()


def test_a_taken_port_is_replaced(folder: Path) -> None:
    server = postgres.start(folder, settings=SMALL)
    server.stop()
    with socket.socket() as taker:
        # Connections of the server that just ended may linger on its port.
        taker.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taker.bind(("127.0.0.1", server.port))
        taker.listen()
        again = postgres.start(folder, settings=SMALL)
        assert again.port != server.port
        again.stop()


def test_a_broken_off_creation_is_made_anew(folder: Path) -> None:
    (folder / "postgres" / "cluster.new").mkdir(parents=True)
    (folder / "postgres" / "cluster.new" / "PG_VERSION").write_text("18")
    (folder / "postgres" / "cluster.pw").write_text("x")
    postgres.start(folder, settings=SMALL).stop()


def test_the_store_survives_a_kill_and_lets_nobody_in(folder: Path) -> None:
    store = s3.start(folder)
    kept = json.loads((folder / "s3" / "s3.json").read_text())
    port = kept["ports"]["filer.port"]
    filer = f"http://127.0.0.1:{port}/buckets/docflow/readiness"
    assert httpx.get(filer, trust_env=False).status_code == 401
    os.kill(store.engine.pid, signal.SIGKILL)
    again = s3.start(folder)
    assert (again.endpoint, again.secret_key) == (store.endpoint, store.secret_key)
    again.stop()


SERVE = """
import sys, time
from pathlib import Path
from core.embedded import start
services = start(Path(sys.argv[1]))
print(services.postgres.engine.pid, services.s3.engine.pid, flush=True)
time.sleep(600)
"""


def serve(folder: Path, **how: object) -> tuple[subprocess.Popen[str], list[int]]:
    python = str(how.pop("python", sys.executable))
    service = subprocess.Popen(
        [python, "-c", SERVE, str(folder)],
        cwd=how.pop("cwd", ROOT),
        stdout=subprocess.PIPE,
        text=True,
        **how,  # type: ignore[call-overload]  # reason: Popen's own keywords
    )
    assert service.stdout is not None
    return service, [int(pid) for pid in service.stdout.readline().split()]


def end(service: subprocess.Popen[str]) -> None:
    service.kill()
    service.wait()
    assert service.stdout is not None
    service.stdout.close()


def test_engines_die_with_a_killed_service_and_come_back(folder: Path) -> None:
    service, pids = serve(folder)
    assert len(pids) == 2
    end(service)
    server = postgres.start(folder, settings=SMALL)  # waits for the old keeper, corrupts nothing
    server.stop()
    assert all(gone_within(pid, 40) for pid in pids)
    log = (folder / "postgres" / "postgres.log").read_text()
    assert "database system was not properly shut down" not in log


def test_engines_die_with_a_killed_keeper(folder: Path) -> None:
    server = postgres.start(folder, settings=SMALL)
    keeper = int(Path(f"/proc/{server.engine.pid}/stat").read_text().rpartition(")")[2].split()[1])
    os.kill(keeper, signal.SIGKILL)
    assert gone_within(server.engine.pid, 10)
    postgres.start(folder, settings=SMALL).stop()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")
def test_an_ordinary_user_runs_them(folder: Path) -> None:
    folder.mkdir(parents=True)
    folder.parent.chmod(0o711)
    os.chown(folder, 65534, 65534)
    if not sys_python_is_open():
        pytest.skip("nobody cannot reach this Python")
    service, pids = serve(folder, user=65534, group=65534, extra_groups=[])
    try:
        assert len(pids) == 2
        assert [os.stat(f"/proc/{pid}").st_uid for pid in pids] == [65534, 65534]
    finally:
        end(service)
    assert all(gone_within(pid, 40) for pid in pids)


def sys_python_is_open() -> bool:
    try:
        return subprocess.run([sys.executable, "-c", ""], user=65534, check=False).returncode == 0
    except OSError:
        return False


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to step down")
def test_root_with_closed_folders_above(folder: Path) -> None:
    closed = folder / "closed"
    closed.mkdir(parents=True)
    closed.chmod(0o700)
    data = closed / "deep" / "data"
    server = postgres.start(data, settings=SMALL)
    assert os.stat(f"/proc/{server.engine.pid}").st_uid != 0
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700
    server.stop()
    postgres.start(data, settings=SMALL).stop()
    shutil.rmtree((data / "postgres").resolve())
