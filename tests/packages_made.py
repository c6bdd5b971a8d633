"""Small evidence packages put together by hand, without any service."""

import ast
import atexit
import base64
import hashlib
import json
import tempfile
import zlib
from dataclasses import dataclass, field
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from evidence.verifier import archive as form
from evidence.verifier import standalone
from signatures import digests
from signatures.authority import Authority, Issued, Subject, create_authority
from signatures.cms import sign_detached

DOCUMENT = "documents/1/document.json"


@lru_cache(maxsize=1)
def authority() -> Authority:
    return create_authority("Package authority")


@lru_cache(maxsize=4)
def issued(name: str = "Service") -> Issued:
    return authority().issue(Subject(name))


def cms(content: bytes, *, name: str = "Service", digest: str = "sha256", tsa: Any = None) -> bytes:
    return sign_detached(
        digest=hashlib.new(digest, content).digest(), key=issued(name).key(), tsa=tsa
    )


def in_log(*told: dict[str, Any]) -> dict[str, bytes]:
    """Two events, one a leaf each, under a checkpoint: the RFC's tree of two, written out."""
    salts = [bytes([n]) * 32 for n in range(2)]
    entries = [
        hashlib.sha256(
            salt + json.dumps(one, sort_keys=True, separators=(",", ":")).encode()
        ).digest()
        for salt, one in zip(salts, told, strict=True)
    ]
    leaves = [hashlib.sha256(b"\0" + entry).digest() for entry in entries]
    root = hashlib.sha256(b"\1" + leaves[0] + leaves[1]).digest()
    key = Ed25519PrivateKey.from_private_bytes(bytes(32))
    public = b"\1" + key.public_key().public_bytes_raw()
    tag = hashlib.sha256(b"a.test/log\n" + public).digest()[:4]
    text = f"a.test/log\n2\n{base64.b64encode(root).decode()}\n"
    signature = base64.b64encode(tag + key.sign(text.encode())).decode()
    lines = [
        {"index": n, "salt": salts[n].hex(), "path": [leaves[1 - n].hex()], "event": one}
        for n, one in enumerate(told)
    ]
    return {
        "documents/1/events-001.jsonl": b"".join(json.dumps(one).encode() + b"\n" for one in lines),
        "log/checkpoint": f"{text}\n— a.test/log {signature}\n".encode(),
        "log/key": f"a.test/log+{tag.hex()}+{base64.b64encode(public).decode()}\n".encode(),
    }


@dataclass
class Made:
    """The parts of a package before it is written."""

    members: dict[str, bytes] = field(default_factory=dict)
    statement: dict[str, Any] = field(default_factory=dict)
    signer: str = "Service"

    def lists(self) -> dict[str, bytes]:
        made = {}
        for name, algorithm in ((form.SHA256_LIST, "sha256"), (form.STREEBOG_LIST, "streebog256")):
            made[name] = b"".join(
                f"{digests.digest(algorithm, content).hex()}  {member}\n".encode()
                for member, content in self.members.items()
            )
        return made

    def closing(self) -> dict[str, bytes]:
        lists = self.lists()
        statement = {
            "form": form.FORM, "members": len(self.members),
            "manifest": {
                "sha256": hashlib.sha256(lists[form.SHA256_LIST]).hexdigest(),
                "streebog256": hashlib.sha256(lists[form.STREEBOG_LIST]).hexdigest(),
            },
            **self.statement,
        }  # fmt: skip
        content = json.dumps(statement).encode()
        return {
            **lists, form.STATEMENT: content, form.SIGNATURE: cms(content, name=self.signer),
        }  # fmt: skip

    def packed(self) -> bytes:
        return zipped({**self.members, **self.closing()})


def zipped(members: dict[str, bytes]) -> bytes:
    """Members as a package, whatever they are."""
    body, directory, commit_from = b"", b"", 0
    for name, content in members.items():
        crc = zlib.crc32(content)
        if name == form.SHA256_LIST:
            commit_from = len(body)
        directory += form.central_header(name, len(content), crc, len(body))
        body += form.local_header(name, len(content), crc) + content
    whole = body + directory + form.ending(len(members), len(directory), len(body))
    return whole + hashlib.sha256(whole[commit_from:]).hexdigest().encode()


def a_package(content: bytes = b"a letter", **more: Any) -> Made:
    """One document with a detached signature, and two events in a log."""
    sha256 = hashlib.sha256(content).hexdigest()
    signature = cms(content, name="Chairman")
    card = {
        "id": "1",
        "signatures": [
            {
                "id": "s", "form": "cades", "file": f"files/{sha256}.bin",
                "signature": "signatures/s.p7s", "is_whole": True,
                "certificate": hashlib.sha256(issued("Chairman").der).hexdigest(),
            }
        ],
    }  # fmt: skip
    return Made(
        {
            "readme.txt": b"read me\n",
            DOCUMENT: json.dumps(card).encode(),
            f"files/{sha256}.bin": content,
            "signatures/s.p7s": signature,
            **in_log({"verb": "document.signed"}, {"verb": "document.sent"}),
        },
        **more,
    )


def flipped(data: bytes, at: int, bit: int = 0) -> bytes:
    """The same with one bit changed."""
    return data[:at] + bytes([data[at] ^ 1 << bit]) + data[at + 1 :]


@cache
def verifier() -> Path:
    """The stand-alone file, put together once in a run."""
    folder = tempfile.TemporaryDirectory(prefix="docflow-verifier-")
    atexit.register(folder.cleanup)
    made = Path(folder.name, standalone.NAME)
    standalone.write(made)
    return made


def imported(text: str) -> list[str]:
    """The top-level packages a source takes, sorted."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            found |= {one.name.partition(".")[0] for one in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(str(node.module).partition(".")[0])
    return sorted(found)
