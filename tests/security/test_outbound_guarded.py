"""Whoever speaks to the outside goes through the guard of addresses, or says why not."""

import ast
import subprocess
from pathlib import Path

import pytest

from core import outbound
from core.errors import ServiceError

ROOT = Path(__file__).resolve().parents[2]
SPEAKS = {
    "httpx", "aiohttp", "requests", "urllib.request", "urllib3", "http.client", "smtplib",
    "aiosmtplib", "imaplib", "ftplib", "poplib", "telnetlib", "socket", "ssl", "minio",
    "websockets", "asyncio.open_connection", "xmlrpc.client",
}  # fmt: skip
"""Modules and functions by which Python reaches another machine."""
KNOWN = {
    "core/outbound.py": "the guard itself",
    "notify/webhook_delivery.py": "through outbound.resolve, by webhook_address",
    "notify/webhook_address.py": "the guard in a webhook's words",
    "docflow/gateways/node/transport.py": "through outbound.resolve",
    "docflow/gateways/email/transport.py": "to the one relay of the settings (SMTP_HOST)",
    "docflow/gateways/email/mailbox.py": "to the one mailbox of the settings (IMAP_HOST)",
    "docflow/gateways/node/kit/line.py": "a tool of the partner's own, run by hand",
    "docflow/gateways/node/kit/checking.py": "a tool of the partner's own, run by hand",
    "docflow/gateways/node/kit/running.py": "a tool of the partner's own, run by hand",
    "docflow/gateways/node/kit/strain.py": "a tool of the partner's own, run by hand",
    "storage/s3.py": "to the one store of the settings (S3_ENDPOINT)",
    "core/embedded/s3.py": "to our own child process on loopback",
    "core/embedded/process.py": "asks for a free port on loopback",
    "core/sandbox/process.py": "a socket pair with our own child",
    "core/sandbox/worker.py": "forbids sockets to the sandbox",
    "storage/scanning.py": "to the one ClamAV daemon of the settings",
    "notify/mail.py": "to the one relay of the settings (SMTP_HOST)",
    "notify/relay.py": "to the one relay of the settings (SMTP_HOST)",
    "docflow/gateways/node/kit/command.py": "a tool of the partner's own, run by hand",
    "docflow/gateways/node/kit/listener.py": "a tool of the partner's own, run by hand",
    "demo/people.py": "the demo's people call the demo's own service",
    "docs/examples/client.py": "an example for programs of others",
    "evidence/log/command.py": "the witness's command, to the address given by hand",
    "installation.py": "looks whether the port of one's own service is free",
}
"""Files that may, each with what keeps them from being led anywhere."""


def sources() -> list[str]:
    listed = subprocess.run(
        ["git", "ls-files", "*.py", "--", ":!tests", ":!bench", ":!tools", ":!docker"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return [one for one in listed.stdout.split() if (ROOT / one).is_file()]


def speakers(text: str) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(text)):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [one.name for one in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{one.name}" for one in node.names)]
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            names = [f"{node.value.id}.{node.attr}"]
        found |= {name for name in names if name in SPEAKS}
    return found


def test_a_new_speaker_is_found() -> None:
    assert speakers("import httpx") == {"httpx"}
    assert speakers("from urllib.request import urlopen") == {"urllib.request"}
    assert speakers("import asyncio\nasyncio.open_connection('x')") == {"asyncio.open_connection"}


def test_everybody_who_speaks_to_the_outside_is_known() -> None:
    found = {name: speakers((ROOT / name).read_text("utf-8")) for name in sources()}
    unknown = {name: what for name, what in found.items() if what and name not in KNOWN}
    assert unknown == {}, "call core.outbound, or say in KNOWN what keeps the address in hand"
    gone = [name for name in KNOWN if not found.get(name)]
    assert gone == [], "they speak to nobody any more"


INNER = [
    "http://127.0.0.1/", "http://localhost:8080/", "http://[::1]/", "http://169.254.169.254/",
    "http://[::ffff:169.254.169.254]/", "http://10.0.0.1/", "http://192.168.1.1/", "http://0/",
    "http://2130706433/", "http://0x7f.1/", "http://[fe80::1]/", "http://100.64.0.1/",
    "http://user:password@example.org/", "http://example.org:22/", "file:///etc/passwd",
    "gopher://example.org/", "http://[64:ff9b::7f00:1]/", "http://[2002:7f00:1::]/", "//x", "",
]  # fmt: skip


@pytest.mark.parametrize("address", INNER)
async def test_the_guard_refuses_inner_addresses(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ServiceError) as told:
        await outbound.resolve(address, schemes=outbound.WEB, allow_private=False)
    assert isinstance(told.value, outbound.ForbiddenAddress | outbound.NoAddress)
