"""The last job of the demo: a lawyer takes the evidence, and a stranger checks it without us.

The stranger runs one file, with no service, no database and nothing of ours in the environment;
one byte changed anywhere is found.
"""

import asyncio
import json
import os
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

from core import clock
from demo.ground import Ground
from demo.people import Person, Refused
from evidence.verifier import standalone

PATIENCE = 300
"""Seconds until the package of the circular has to be there."""
_WHY = {
    "purpose": "Проверка контрольно-ревизионной комиссии",
    "basis": "Запрос комиссии от 20.11.2026 № 17",
    "recipient": "Председатель контрольно-ревизионной комиссии",
}


async def walk(address: str, stand: Ground, *, number: str, folder: Path) -> dict[str, Any]:
    """Ask, wait, take, check, change a byte, check again."""
    lawyer = await Person.sign_in(
        address, next(one for one in stand.of("press") if "lawyer" in one.roles)
    )
    found = await lawyer.get("/documents", number=number, limit=1)
    wish = {"kind": "document", "subject_id": found["items"][0]["id"], **_WHY}
    made = await lawyer.post("/evidence/exports", wish, key=str(uuid.uuid4()))
    export = await _ready(lawyer, made["id"])
    path = folder / "evidence.zip"
    await _taken(lawyer, made["id"], path)
    signer = (await lawyer.get("/evidence/exports/signer"))["sha256"]
    await lawyer.leave()
    checked = await asyncio.to_thread(_checked, path, signer)
    changed = await asyncio.to_thread(_changed, path)
    return {
        "ok": checked["verdict"] == "whole" and changed == "broken",
        "file": str(path), "bytes": export["bytes"], "members": export["members"],
        "verdict": checked["verdict"], "signatures": checked["signatures"],
        "events_in_the_log": checked["log"]["events"], "one_byte_changed": changed,
    }  # fmt: skip


async def _ready(lawyer: Person, export_id: str) -> dict[str, Any]:
    until = clock.now().timestamp() + PATIENCE
    while clock.now().timestamp() < until:
        shown: dict[str, Any] = await lawyer.get(f"/evidence/exports/{export_id}")
        if shown["status"] not in ("queued", "packing"):
            break
        await asyncio.sleep(0.3)
    if shown["status"] != "ready":
        raise LookupError(f"the export is {shown['status']}: {shown['error']}")
    return shown


async def _taken(lawyer: Person, export_id: str, path: Path) -> None:
    async with lawyer.client.stream("GET", f"/evidence/exports/{export_id}/content") as answer:
        if not answer.is_success:
            await answer.aread()
            raise Refused(answer)
        with path.open("wb") as file:
            async for piece in answer.aiter_bytes():
                file.write(piece)


def _checked(path: Path, *signer: str) -> dict[str, Any]:
    """What the stand-alone file says, run as a stranger would."""
    words = [*(("--signer", signer[0]) if signer else ()), "--json", str(path)]
    verifier = path.with_name(standalone.NAME)
    standalone.write(verifier)
    done = subprocess.run(  # noqa: S603 - our own file
        [sys.executable, "-I", verifier, *words], env={"PATH": os.defpath}, cwd="/",
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def _changed(path: Path) -> str:
    """The verdict on a copy with one bit changed in its middle."""
    copy = path.with_name("evidence-changed.zip")
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    copy.write_bytes(data)
    verdict = str(_checked(copy)["verdict"])
    copy.unlink()
    return verdict
