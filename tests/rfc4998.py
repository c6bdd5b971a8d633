"""A second reader of evidence records, straight from RFC 4998 and X.690, sharing no code with ours.

Tokens are given to `openssl ts`, trees and chains are computed here.
"""

import hashlib
import subprocess
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

NAMES = {
    bytes.fromhex("608648016503040201"): "sha256",
    bytes.fromhex("608648016503040202"): "sha384",
    bytes.fromhex("608648016503040203"): "sha512",
    bytes.fromhex("2a85030701010202"): "streebog256",
}


def tlv(data: bytes, at: int = 0) -> tuple[int, bytes, bytes, int]:
    """Tag, content, whole encoding and the place behind it."""
    tag, size, begin = data[at], data[at + 1], at + 2
    if size & 0x80:
        begin += size & 0x7F
        size = int.from_bytes(data[at + 2 : begin], "big")
    assert begin + size <= len(data), "truncated"
    return tag, data[begin : begin + size], data[at : begin + size], begin + size


def children(content: bytes) -> list[tuple[int, bytes, bytes]]:
    found, at = [], 0
    while at < len(content):
        tag, inner, whole, at = tlv(content, at)
        found.append((tag, inner, whole))
    return found


def imprint(token: bytes) -> tuple[str, bytes]:
    """Digest name and value in the TSTInfo (RFC 3161 section 2.4.2) of a token (RFC 5652)."""
    signed = children(children(tlv(token)[1])[1][1])[0][1]
    content = next(inner for tag, inner, _ in children(signed) if tag == 0x30)
    text = children(children(content)[1][1])[0][1]
    parts = children(tlv(text)[1])
    algorithm, value = children(parts[2][1])
    return NAMES[children(algorithm[1])[0][1]], value[1]


def verify(
    record: bytes,
    digest_of: Callable[[str], bytes],
    token_holds: Callable[[bytes, bytes], bool],
) -> int:
    """How many stamps lead without a gap from the object to the last token; raises if one does not.

    `digest_of` answers the object's digest by algorithm; `token_holds(token, root)` checks a token.
    """
    tag, body, _, end = tlv(record)
    assert tag == 0x30
    assert end == len(record)
    parts = children(body)
    assert parts[0][1] == b"\x01"  # version
    sequence = parts[-1]
    older: list[bytes] = []
    count = 0
    for _, chain, whole in children(sequence[1]):
        previous = None
        for _, stamp, _ in children(chain):
            fields = {tag: (inner, whole) for tag, inner, whole in children(stamp)}
            token = fields[0x30][1]
            name, stamped = imprint(token)
            assert NAMES[children(fields[0xA0][0])[0][1]] == name
            hashed = _hasher(name)
            if previous is not None:
                leaf = hashed(previous)  # section 5.2
            elif older:
                leaf = hashed(digest_of(name) + hashed(_sequence(older)))  # section 5.3
            else:
                leaf = digest_of(name)  # section 4.2
            root = leaf
            for place, (_, part, _) in enumerate(children(fields.get(0xA2, (b"", b""))[0])):
                values = [value for _, value, _ in children(part)]
                assert place or leaf in values
                root = hashed(b"".join(sorted(values if place == 0 else [*values, root])))
            assert root == stamped
            assert token_holds(token, root)
            previous = token
            count += 1
        older.append(whole)
    return count


def _hasher(name: str) -> Callable[[bytes], bytes]:
    return lambda data: hashlib.new(name, data).digest()


def _sequence(chains: list[bytes]) -> bytes:
    body = b"".join(chains)
    size = len(body)
    head = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return b"\x30" + (bytes([size]) if size < 128 else bytes([0x80 | len(head)]) + head) + body


def openssl_holds(token: bytes, root: bytes, *, roots: Path, at: datetime, folder: Path) -> bool:
    """`openssl ts -verify`: is the token over `root` good under these roots at this moment?"""
    place = folder / "token.der"
    place.write_bytes(token)
    done = subprocess.run(
        ["openssl", "ts", "-verify", "-digest", root.hex(), "-in", str(place), "-token_in",
         "-CAfile", str(roots), "-attime", str(int(at.timestamp()))],
        capture_output=True, check=False,
    )  # fmt: skip
    return done.returncode == 0
