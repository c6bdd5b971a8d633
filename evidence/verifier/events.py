"""Events: each lies in the log whose checkpoint is kept here.

The service's log is a Merkle tree (RFC 6962). `log/checkpoint` is its signed head (C2SP signed
note), `log/key` the key; each line of an `events-….jsonl` has an event, the salt that hides it in
the log, its number and its path to the head.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ed25519

from evidence.verifier.archive import Member
from evidence.verifier.cms import check_token
from evidence.verifier.findings import MALFORMED, Bad, Report


def check_log(report: Report, members: list[Member], read: Callable[[str], bytes]) -> None:
    """Every event lies under the checkpoint, and the log's key signed that."""
    names = {one.name for one in members}
    if "log/checkpoint" not in names:
        return
    note = read("log/checkpoint").decode()
    origin, size, root = _checkpoint(note, read("log/key").decode().strip())
    facts: dict[str, Any] = {"origin": origin, "size": size, "events": 0, "stamped_at": None}
    if "log/checkpoint.tst" in names:
        facts["stamped_at"] = check_token(read("log/checkpoint.tst"), note.encode())
    for one in members:
        if not re.search(r"(^|/)events-\d+\.jsonl$", one.name):
            continue
        for number, line in enumerate(read(one.name).splitlines(), start=1):
            where = f"{one.name}:{number}"
            try:
                said = json.loads(line)
                if said["index"] is None:  # happened after the checkpoint
                    report.add(report.notes, "declared_gap", where)
                    continue
                path = [bytes.fromhex(step) for step in said["path"]]
                if _root(log_entry(said), int(said["index"]), size, path) != root:
                    report.add(report.problems, "event_not_in_log", where)
            except MALFORMED as problem:
                raise Bad("facts_unreadable", where) from problem
            facts["events"] += 1
    report.facts["log"] = facts


def _checkpoint(note: str, key: str) -> tuple[str, int, bytes]:
    """Origin, size and root of a note that the key signed; `key` is a C2SP verifier key."""
    try:
        name, _, encoded = key.split("+", 2)
        public = base64.b64decode(encoded, validate=True)
        text, _, signatures = note.partition("\n\n")
        text += "\n"
        tag = hashlib.sha256(name.encode() + b"\n" + public).digest()[:4]
        for line in signatures.splitlines():
            dash, signer, value = line.split(" ")
            signature = base64.b64decode(value, validate=True)
            if (dash, signer, signature[:4], public[0]) == ("—", name, tag, 1):
                loaded = ed25519.Ed25519PublicKey.from_public_bytes(public[1:])
                loaded.verify(signature[4:], text.encode())
                origin, size, root, *_ = text.splitlines()
                return origin, int(size), base64.b64decode(root, validate=True)
    except (InvalidSignature, *MALFORMED) as problem:
        raise Bad("checkpoint", "log/checkpoint") from problem
    raise Bad("checkpoint", "log/checkpoint")


def log_entry(said: dict[str, Any]) -> bytes:
    """What the log holds of an event: SHA-256 over a salt and the event as canonical JSON.

    The event holds ids and codes; of a personal detail only such a digest again. Where the detail
    is in the package, its digest must be that one. Raises ValueError.
    """
    event = said["event"]
    text = event if isinstance(event, str) else _canonical(event)
    if "detail" in said:
        hidden = bytes.fromhex(said["detail_salt"]) + said["detail"].encode()
        if hashlib.sha256(hidden).hexdigest() != json.loads(text)["detail_sha256"]:
            raise ValueError("the detail is not that of the event")
    return hashlib.sha256(bytes.fromhex(said["salt"]) + text.encode()).digest()


def _canonical(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def _root(entry: bytes, index: int, size: int, path: list[bytes]) -> bytes:
    """The root to which a path leads (RFC 9162 section 2.1.3.2)."""
    if not 0 <= index < size:
        return b""
    made, last = hashlib.sha256(b"\0" + entry).digest(), size - 1
    for step in path:
        if last == 0:
            return b""
        if index & 1 or index == last:
            made = hashlib.sha256(b"\1" + step + made).digest()
            while not index & 1 and index:
                index, last = index >> 1, last >> 1
        else:
            made = hashlib.sha256(b"\1" + made + step).digest()
        index, last = index >> 1, last >> 1
    return made if last == 0 else b""
