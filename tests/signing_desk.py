"""A person's certificates behind the stand-in for the plug-in: keys are here, the page is ours."""

import base64
import shutil
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from asn1crypto import x509
from cryptography.x509.oid import NameOID

from core import clock
from core.settings import settings
from signatures import cms
from signatures.authority import Issued, Subject

SMIRNOV = Subject("Смирнов Пётр Ильич", surname="Иванова", given_name="Пётр Ильич",
                  title="Председатель")  # fmt: skip


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder an operator would name, with the stand-in under the vendor's name."""
    folder = tmp_path / "plugin"
    folder.mkdir()
    shutil.copy(Path(__file__).parent / "e2e" / "fake_plugin.js", folder / "cadesplugin_api.js")
    monkeypatch.setenv("SIGNING_PLUGIN_DIR", str(folder))
    settings.cache_clear()
    return folder


class Store:
    """The person's certificates, and what their plug-in does when asked to sign."""

    def __init__(self, *keys: Issued) -> None:
        self.take(*keys)
        self.gost: tuple[Any, Any] | None = None
        self.answers: list[Any] = []
        self.asked: list[dict[str, Any]] = []

    def take(self, *keys: Issued) -> None:
        """These and no others."""
        self.keys = {one.certificate.serial_number: one for one in keys}

    async def list_keys(self) -> list[dict[str, Any]]:
        if self.gost is not None:
            der, now = self.gost[1].der, clock.now()
            return [{
                "thumbprint": "1", "der": base64.b64encode(der).decode(), "key": True,
                "subject": "CN=Иванов Иван Иванович", "issuer": "CN=Удостоверяющий центр",
                "from": now.isoformat(), "until": (now + timedelta(days=30)).isoformat(),
            }]  # fmt: skip
        return [
            {
                "thumbprint": f"{number:X}", "der": base64.b64encode(one.der).decode(),
                "subject": f'SN=Иванова, CN="{_name(one)}", T=Председатель, C=RU',
                "issuer": "CN=Test authority, O=Docflow demo", "key": True,
                "from": one.certificate.not_valid_before_utc.isoformat(),
                "until": one.certificate.not_valid_after_utc.isoformat(),
            }
            for number, one in self.keys.items()
        ]  # fmt: skip

    async def sign(self, asked: dict[str, Any]) -> dict[str, str]:
        self.asked.append(asked)
        if self.gost is not None:
            return _gost_cms(*self.gost, asked)
        if self.answers:
            answer = self.answers.pop(0)
            if isinstance(answer, dict):
                return answer
            return made_by(answer, asked)
        return made_by(self.keys[int(asked["thumbprint"], 16)], asked)


def _name(one: Issued) -> str:
    (found,) = one.certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(found.value)


def made_by(one: Issued, asked: dict[str, Any]) -> dict[str, str]:
    key = one.key()
    time = asked["time"] and datetime.fromisoformat(asked["time"].replace("Z", "+00:00"))
    attributes = cms.signed_attributes(
        digest=bytes.fromhex(asked["hash"]), certificate=key.certificate, signing_time=time or None
    )
    made = cms.assemble(
        attributes=attributes, signature=key.sign(attributes, "sha256"),
        certificate=key.certificate, chain=key.chain,
    )  # fmt: skip
    return {"cms": base64.encodebytes(made).decode()}


def _gost_cms(world: Any, signer: Any, asked: dict[str, Any]) -> dict[str, str]:
    """The value is openssl's, by its engine; the attributes are written here."""
    certificate = x509.Certificate.load(signer.der)
    attributes = cms.signed_attributes(
        digest=bytes.fromhex(asked["hash"]), certificate=certificate,
        signing_time=clock.now() if asked["time"] else None,
    )  # fmt: skip
    made = cms.assemble(
        attributes=attributes, signature=world.authority.sign_raw(attributes, signer),
        certificate=certificate, digest_algorithm=f"streebog{signer.parameters[:3]}",
    )  # fmt: skip
    return {"cms": base64.encodebytes(made).decode()}
