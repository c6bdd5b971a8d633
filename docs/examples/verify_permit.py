"""Verify a docflow permit offline: nothing but Python's standard library and `cryptography`.

A permit says that a picture may be shown in one place until a day. Keep the key set of the service
(GET /.well-known/docflow-permits.json) and fetch it again once a month; then

    python verify_permit.py --keys docflow-permits.json --permit permit.txt --picture photo.jpg

prints one JSON object and ends with 0 when the picture may be shown now, with 1 when it may not,
with 2 when permit or keys cannot be read. `verify` does the same inside your own program.
"""

import argparse
import base64
import hashlib
import json
import sys
import time
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

TYPE = "docflow-permit"
LEEWAY = 60
"""Seconds by which the clocks of service and site may differ."""


class Unreadable(ValueError):
    """The permit or the key set is not in the published format."""


def verify(
    permit: str, keys: dict[str, Any], picture: bytes, *, at: int | None = None
) -> dict[str, Any]:
    """What the permit says of this picture now: `{"ok", "reasons", "claims"}`.

    `ok` needs a signature by one of `keys`, the very bytes of `picture`, and the time `at` (now)
    within its period. Raises Unreadable.
    """
    header, claims, signed, signature = _parts(permit)
    reasons = []
    if header.get("alg") != "EdDSA" or header.get("typ") != TYPE:
        raise Unreadable("not a docflow permit")
    key = next((one for one in keys.get("keys", []) if one.get("kid") == header.get("kid")), None)
    if key is None:
        return {"ok": False, "reasons": ["unknown_key"], "claims": None}
    try:
        Ed25519PublicKey.from_public_bytes(_bytes(key["x"])).verify(signature, signed)
    except (InvalidSignature, KeyError, ValueError):
        return {"ok": False, "reasons": ["bad_signature"], "claims": None}
    now = int(time.time()) if at is None else at
    if claims.get("v") != 1:
        raise Unreadable("a version of permits this script does not know")
    if now + LEEWAY < claims["nbf"]:
        reasons.append("not_yet_valid")
    if now >= claims["exp"]:
        reasons.append("expired")
    if hashlib.sha256(picture).hexdigest() != claims["picture"]["sha256"]:
        reasons.append("another_picture")
    if claims["outcome"] != "clear":
        reasons.append("not_clear")
    return {"ok": not reasons, "reasons": reasons, "claims": claims}


def _parts(permit: str) -> tuple[dict[str, Any], dict[str, Any], bytes, bytes]:
    pieces = permit.strip().split(".")
    if len(pieces) != 3:
        raise Unreadable("a permit has three parts with dots between")
    header, claims = json.loads(_bytes(pieces[0])), json.loads(_bytes(pieces[1]))
    if not isinstance(header, dict) or not isinstance(claims, dict):
        raise Unreadable("header and claims are JSON objects")
    return header, claims, ".".join(pieces[:2]).encode(), _bytes(pieces[2])


def _bytes(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)


def main() -> int:
    """Read the files named on the command line and say what they prove."""
    parser = argparse.ArgumentParser(description="Verify a docflow permit offline.")
    parser.add_argument("--keys", type=Path, required=True, help="the kept key set (JWKS)")
    parser.add_argument("--permit", type=Path, required=True, help="file with the permit")
    parser.add_argument("--picture", type=Path, required=True)
    parser.add_argument("--at", type=int, help="Unix time to verify for; now when left out")
    given = parser.parse_args()
    try:
        keys = json.loads(given.keys.read_bytes())
        answer = verify(given.permit.read_text(), keys, given.picture.read_bytes(), at=given.at)
    except (OSError, ValueError, KeyError, TypeError) as problem:
        sys.stdout.write(json.dumps({"ok": None, "error": str(problem)}) + "\n")
        return 2
    sys.stdout.write(json.dumps(answer, ensure_ascii=False) + "\n")
    return 0 if answer["ok"] else 1


if __name__ == "__main__":
    sys.exit(main())
