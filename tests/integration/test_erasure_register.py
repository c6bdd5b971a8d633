"""The register of erasures when something is wrong with it: nothing opens, and it is said why."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from core import clock, sealing
from core.settings import settings
from evidence.privacy import gate, register
from evidence.privacy.needles import Known
from storage import s3
from tests import ground, privacy_ground


@pytest.fixture
async def bucket(database: str) -> AsyncIterator[None]:
    async with privacy_ground.own_bucket():
        yield


HOSTILE = (b"", b"{}", b"[]", b"null", b"\xff" * 20, b"[" * 100_000, b'{"id": 1}')


@pytest.mark.parametrize("content", HOSTILE, ids=range(len(HOSTILE)))
async def test_what_is_no_entry_keeps_the_gate_closed(
    bucket: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes
) -> None:
    assert await gate.pass_() == 0
    await s3.call(s3.put, f"{register.PREFIX}broken", content)
    with pytest.raises(register.RegisterBroken):
        await gate.pass_()
    await s3.call(s3.remove, [f"{register.PREFIX}broken"])
    monkeypatch.setenv("ERASURE_REGISTER", str(tmp_path))
    settings.cache_clear()
    (tmp_path / "a.json").write_bytes(content)
    with pytest.raises(register.RegisterBroken):
        await gate.pass_()


async def an_entry() -> None:
    """An act that this database knows nothing of."""
    act_id, home = clock.new_id(), await ground.an_organization("union")
    await register.write(register.Entry(
        id=act_id, person_id=clock.new_id(), organization_id=home, ground="consent_withdrawn",
        basis="Заявление", due_on=clock.today(), proposed_by=clock.new_id(), members=[],
        documents=[], sealed=register.seal(Known(), act_id=act_id), at=clock.now(),
    ))  # fmt: skip


async def test_another_secret_key_keeps_the_gate_closed(
    bucket: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    await an_entry()
    monkeypatch.setenv("SECRET_KEY", "k" * 64)
    settings.cache_clear()
    with pytest.raises(sealing.SealBroken):
        await gate.pass_()


@pytest.mark.slow
async def test_the_processes_say_why_they_do_not_open(bucket: None) -> None:
    await s3.call(s3.put, f"{register.PREFIX}broken", b"{}")
    for words in (("serve", "--port", "0"), ("work",)):
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "cli", *words, env=os.environ,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        out, problems = await asyncio.wait_for(process.communicate(), 120)
        said = (out + problems).decode()
        assert process.returncode not in (0, None)
        assert "erasure_register_broken" in said, said
        assert "Traceback" not in said, said
