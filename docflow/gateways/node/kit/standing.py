"""Who the kit is: a node of its own with keys kept in one file, and the card a partner enters."""

import base64
import os
import secrets
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from core import clock
from docflow.gateways.node import keys
from docflow.gateways.node.keys import KeyInfo, SigningKey
from docflow.gateways.node.messages import VERSIONS, Identity

TERM = timedelta(days=730)
NAME = "Проверочный узел / Test kit"


class _File(msgspec.Struct, kw_only=True):
    """The kit's file: whoever has it can speak in its name."""

    node: uuid.UUID
    secret: str
    expired_secret: str
    made_at: datetime
    number: int = 0


@dataclass(frozen=True, slots=True)
class Standing:
    """The kit as a node."""

    node: uuid.UUID
    key: SigningKey
    expired: SigningKey
    """Its term ended a day before it was made; statements name it."""
    infos: tuple[KeyInfo, ...]
    path: Path | None

    def identity(self, *, base_url: str) -> Identity:
        """Who the kit is, as any node would say it."""
        return Identity(
            node=self.node, name=NAME, keys=self.infos, versions=VERSIONS, time=clock.now(),
            base_url=base_url,
        )  # fmt: skip

    def card(self, *, base_url: str, author: str, recipient: str) -> dict[str, Any]:
        """The registration card: what a partner's administrator enters before the run."""
        return {
            "node": str(self.node), "name": NAME, "base_url": base_url or None,
            "fingerprint": keys.fingerprint(self.key.kid),
            "keys": msgspec.to_builtins(self.infos), "versions": list(VERSIONS),
            "author": author, "recipient": recipient,
        }  # fmt: skip


def fresh(path: Path | None = None) -> Standing:
    """A new node; written to `path` (readable by its owner alone) when there is one."""
    told = _File(
        node=clock.new_id(), secret=_secret(), expired_secret=_secret(), made_at=clock.now()
    )
    if path is not None:
        _write(path, told)
    return _standing(told, path)


def load(path: Path) -> Standing:
    """The node kept in `path`, made there the first time; raises ValueError for another file."""
    if not path.exists():
        return fresh(path)
    try:
        return _standing(msgspec.json.decode(path.read_bytes(), type=_File), path)
    except msgspec.DecodeError as problem:
        raise ValueError(f"{path} is no file of the kit") from problem


def next_number(standing: Standing) -> int:
    """The number of the next statement: greater than every one before, over all runs."""
    number = int(clock.now().timestamp() * 1000)
    if standing.path is None:
        return number
    told = msgspec.json.decode(standing.path.read_bytes(), type=_File)
    told.number = max(number, told.number + 1)
    _write(standing.path, told)
    return told.number


def _secret() -> str:
    return base64.b64encode(secrets.token_bytes(keys.SIZE)).decode()


def _write(path: Path, told: _File) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(path.name + ".new")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(msgspec.json.encode(told))
    draft.replace(path)


def _standing(told: _File, path: Path | None) -> Standing:
    key = keys.signing_key(base64.b64decode(told.secret))
    expired = keys.signing_key(base64.b64decode(told.expired_secret))
    start, day = told.made_at, timedelta(days=1)
    return Standing(
        told.node, key, expired,
        (_info(key, start - day, start + TERM), _info(expired, start - 30 * day, start - day)),
        path,
    )  # fmt: skip


def _info(key: SigningKey, start: datetime, end: datetime) -> KeyInfo:
    public = key.private.public_key().public_bytes_raw()
    return keys.key_info(public, valid_from=start, valid_to=end)
