"""The embedded S3 store: SeaweedFS in one process, on the loopback address, ours to stop."""

import hashlib
import hmac
import os
import secrets
import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from core.embedded.binaries import weed_program
from core.embedded.process import (
    LOOPBACK,
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
)

BUCKET = "docflow"
MEMORY = "768MiB"
PORTS = (
    "s3.port",
    "s3.port.grpc",
    "master.port",
    "master.port.grpc",
    "volume.port",
    "volume.port.grpc",
    "filer.port",
    "filer.port.grpc",
    "admin.port",
    "admin.port.grpc",
)
_SECURITY = """\
[jwt.signing]
key = "{writing}"
[jwt.signing.read]
key = "{reading}"
[jwt.filer_signing]
key = "{filing}"
[jwt.filer_signing.read]
key = "{listing}"
"""


@dataclass(frozen=True, slots=True)
class S3:
    """A running store, its address and its keys."""

    endpoint: str
    """Host and port, plain HTTP."""
    access_key: str = field(repr=False)
    secret_key: str = field(repr=False)
    bucket: str
    engine: Engine

    def stop(self) -> None:
        """Stop the store; takes about two seconds."""
        self.engine.stop()


def start(data_dir: Path, *, memory: str = MEMORY) -> S3:
    """Start the store on `data_dir`, made at the first call; blocks until a PUT succeeds (≤ 60 s).

    `memory` is the soft limit of the program's heap (``GOMEMLIMIT``); without one it keeps several
    times what was uploaded. Raises `Conflict` (`data_folder_busy`) when a living process runs on
    the folder, `Unavailable` when the store does not come up.
    """
    folder = own_folder(own_folder(data_dir) / "s3", closed=True)
    hold = lock(folder)
    try:
        kept = remembered(folder / "s3.json")
        kept.setdefault("access_key", secrets.token_hex(10))
        kept.setdefault("secret_key", secrets.token_hex(20))
        engine = _running(folder, kept, memory, hold)
    finally:
        os.close(hold)  # the keeper has its own copy and holds the folder as long as it lives
    return S3(
        endpoint=f"{LOOPBACK}:{kept['ports']['s3.port']}",
        access_key=kept["access_key"],
        secret_key=kept["secret_key"],
        bucket=BUCKET,
        engine=engine,
    )


def entry(folder: Path) -> dict[str, str]:
    """Address and keys as the folder remembers them; empty when it was never started."""
    kept = remembered(folder / "s3.json")
    if "ports" not in kept:
        return {}
    return {
        "endpoint": f"{LOOPBACK}:{kept['ports']['s3.port']}",
        "access_key": kept["access_key"],
        "secret_key": kept["secret_key"],
        "bucket": BUCKET,
    }


def _running(folder: Path, kept: dict[str, Any], memory: str, hold: int) -> Engine:
    """The store on its remembered ports, or on others when somebody took one meanwhile."""
    _lock_doors(folder)
    for attempt in range(3):
        ports: dict[str, int] = kept.get("ports", {})
        if attempt or set(ports) != set(PORTS) or not all(map(is_free, ports.values())):
            kept["ports"] = _free_ports()
        remember(folder / "s3.json", kept)
        engine = launch(_plan(folder, kept, memory), hold=hold)
        if _answers(engine, kept):
            return engine
        engine.stop()
    raise failed("s3", folder / "s3.log")


def _plan(folder: Path, kept: Mapping[str, Any], memory: str) -> Launch:
    data = folder / "data"
    data.mkdir(mode=0o700, exist_ok=True)
    argv = [str(weed_program()), "-logtostderr=true", "mini", f"-dir={data}"]
    argv += [f"-ip={LOOPBACK}", f"-ip.bind={LOOPBACK}"]
    argv += [f"-{name}={port}" for name, port in kept["ports"].items()]
    argv += ["-admin.ui=false", "-webdav=false", "-master.telemetry=false"]
    argv += ["-s3.port.iceberg=0", "-s3.port.lance=0"]
    # relative, because the path of a socket has room for 107 characters only
    argv += ["-s3.localSocket=s3.sock", "-filer.localSocket=filer.sock"]
    return Launch(
        name="s3",
        argv=argv,
        cwd=folder,
        log=folder / "s3.log",
        stop_signal=signal.SIGTERM,
        grace=30,
        env={
            "PATH": "/usr/bin:/bin",
            "HOME": str(folder),  # where it looks for settings of other installations
            "TMPDIR": str(data),
            "GOMEMLIMIT": memory,
            "AWS_ACCESS_KEY_ID": kept["access_key"],
            "AWS_SECRET_ACCESS_KEY": kept["secret_key"],
        },
    )


def _lock_doors(folder: Path) -> None:
    """Give the parts of the store keys for each other: their own ports ask for none by default."""
    path = folder / "security.toml"
    if path.exists():
        return
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    keys = {name: secrets.token_hex(24) for name in ("writing", "reading", "filing", "listing")}
    with os.fdopen(descriptor, "w", encoding="ascii") as target:
        target.write(_SECURITY.format(**keys))


def _free_ports() -> dict[str, int]:
    found: set[int] = set()
    while len(found) < len(PORTS):
        found.add(free_port())
    return dict(zip(PORTS, sorted(found), strict=True))


def _answers(engine: Engine, kept: Mapping[str, Any]) -> bool:
    """Wait until the store really takes an object; False as soon as it has ended."""
    until = time.monotonic() + 60
    while engine.is_alive() and time.monotonic() < until:
        try:
            done = [_put(kept, path) for path in (f"/{BUCKET}", f"/{BUCKET}/readiness")]
        except httpx.HTTPError:
            time.sleep(0.05)
            continue
        if done[0] in (200, 409) and done[1] == 200:
            return True
        time.sleep(0.1)
    return False


def _put(kept: Mapping[str, Any], path: str) -> int:
    """PUT a few bytes, signed by AWS Signature Version 4 (the SDK lives in ``storage`` only)."""
    body = b"" if path.count("/") == 1 else b"ready"
    host = f"{LOOPBACK}:{kept['ports']['s3.port']}"
    moment = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    digest = hashlib.sha256(body).hexdigest()
    names = "host;x-amz-content-sha256;x-amz-date"
    lines = ["PUT", path, "", f"host:{host}", f"x-amz-content-sha256:{digest}"]
    lines += [f"x-amz-date:{moment}", "", names, digest]
    scope = f"{moment[:8]}/us-east-1/s3/aws4_request"
    request = hashlib.sha256("\n".join(lines).encode()).hexdigest()
    key = b"AWS4" + kept["secret_key"].encode()
    for step in scope.split("/"):
        key = hmac.digest(key, step.encode(), "sha256")
    text = f"AWS4-HMAC-SHA256\n{moment}\n{scope}\n{request}"
    signature = hmac.digest(key, text.encode(), "sha256").hex()
    answer = httpx.put(
        f"http://{host}{path}",
        content=body,
        headers={
            "x-amz-date": moment,
            "x-amz-content-sha256": digest,
            "authorization": f"AWS4-HMAC-SHA256 Credential={kept['access_key']}/{scope}, "
            f"SignedHeaders={names}, Signature={signature}",
        },
        timeout=10,
        trust_env=False,
    )
    return answer.status_code
