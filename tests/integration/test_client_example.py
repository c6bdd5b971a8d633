"""The client that the guide for programmers shows, run as it stands against a real process."""

import ast
import asyncio
import os
import re
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import timedelta
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import httpx
import pytest
from access_people import CHEAP, an_account

from core import clock, db
from core.actor import Actor
from directory import dataset, passwords, tokens
from notify import webhooks
from notify.webhook_signature import headers_of, new_secret
from storage import blobs
from tests import people

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "docs" / "examples" / "client.py"
SCOPES = frozenset({"documents:read", "documents:write", "documents:sign"})


@pytest.fixture
async def service(database: str, tmp_path: Path) -> AsyncIterator[str]:
    """The web process on this test's database; its address."""
    await blobs.ensure_bucket()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    log = (tmp_path / "serve.log").open("wb")
    process = subprocess.Popen(  # noqa: ASYNC220 - forked before anything waits
        [sys.executable, "cli.py", "serve", "--host", "127.0.0.1", "--port", str(port)],
        cwd=ROOT, env={**os.environ, "PUBLIC_URL": address}, stdout=log, stderr=log,
    )  # fmt: skip
    try:
        async with httpx.AsyncClient() as client:
            for _ in range(600):
                assert process.poll() is None, (tmp_path / "serve.log").read_text()
                try:
                    if (await client.get(f"{address}/health/ready")).is_success:
                        break
                except httpx.TransportError:
                    pass
                await asyncio.sleep(0.1)
        yield address
    finally:
        process.terminate()
        process.wait(30)
        log.close()


async def a_token(organization_id, monkeypatch) -> str:
    monkeypatch.setattr(passwords, "hasher", CHEAP)
    account_id = await an_account("program", organization_id, "clerk", "signatory")
    actor = Actor(
        kind="user", id=account_id, organization_id=organization_id,
        roles=frozenset({"clerk", "signatory"}), second_factor=True,
    )  # fmt: skip
    return (await tokens.create(actor, name="Пример", scopes=SCOPES, days=1)).token


async def test_example_sends_a_circular_once(service, tmp_path, monkeypatch):
    made = dataset.generate("S")
    await dataset.load(made)
    issued = await people.give_key(made.health_union_id)
    (tmp_path / "key.p12").write_bytes(issued.as_pkcs12(people.PASSPHRASE))
    (tmp_path / "circular.pdf").write_bytes(await people.a_letter())
    environment = {
        **os.environ, "DOCFLOW_URL": service,
        "DOCFLOW_TOKEN": await a_token(made.health_union_id, monkeypatch),
        "DOCFLOW_P12_PASSWORD": people.PASSPHRASE.decode(),
    }  # fmt: skip
    told = []
    for _ in range(2):
        ran = await asyncio.create_subprocess_exec(
            sys.executable, EXAMPLE, "key.p12", "circular.pdf", "ref-7", cwd=tmp_path,
            env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        out, err = await ran.communicate()
        assert ran.returncode == 0, err.decode() + out.decode()
        told.append(ast.literal_eval(out.decode()))
    assert told[0] == told[1]
    control = told[0]["control"]
    assert control["total"] == 45 == sum(control["by_status"].values())
    assert await db.value("SELECT count(*) FROM document") == 1
    assert await db.value("SELECT count(*) FROM signature WHERE verdict = 'valid'") == 1


def the_example():
    spec = spec_from_file_location("client_example", EXAMPLE)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_example_verifies_what_the_service_signs():
    client, secret, body = the_example(), new_secret(), b'{"type":"document.received"}'
    key = webhooks.key_of(secret)
    for late, is_good in ((0, True), (600, False)):
        at = clock.now() - timedelta(seconds=late)
        headers = headers_of(key=key, message_id="m-1", at=at, body=body)
        assert client.is_from_docflow(secret, headers, body) is is_good
        assert not client.is_from_docflow(secret, headers, body + b" ")
        assert not client.is_from_docflow(new_secret(), headers, body)


def test_example_is_as_short_as_promised():
    assert len(EXAMPLE.read_text(encoding="utf-8").splitlines()) <= 80


def test_guide_publishes_the_table_of_retries_and_the_scopes():
    text = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    published = [int(found) for found in re.findall(r"^\| \d+ \| (\d+) \|", text, re.M)]
    assert published == [int(pause.total_seconds()) for pause in webhooks.RETRIES]
    for name in (*tokens.SCOPES, *webhooks.EVENT_TYPES):
        assert f"`{name}`" in text, name
    assert "examples/client.py" in text
