"""Send a signed circular and print its control list; check a webhook. Needs httpx, cryptography.

DOCFLOW_URL=… DOCFLOW_TOKEN=… DOCFLOW_P12_PASSWORD=… python client.py KEY.p12 FILE.pdf REFERENCE
"""

import base64
import hmac
import os
import sys
import time
from pathlib import Path

import httpx
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, pkcs12

API = httpx.Client(base_url=os.environ.get("DOCFLOW_URL", "") + "/api/v1", timeout=60)


def call(method: str, path: str, key: str = "", **request):
    """Ask; an answer that was lost is asked for again, and the same key makes that harmless."""
    for pause in (1, 5, 30, None):
        try:
            headers = {"Idempotency-Key": key} if key else {}
            answer = API.request(method, path, headers=headers, **request)
            if answer.status_code not in (429, 503) or pause is None:
                break
            pause = int(answer.headers.get("Retry-After", pause))
        except httpx.TransportError:
            if pause is None:
                raise
        time.sleep(pause)
    if answer.is_error:  # programs go by `code`, people read `detail` (ru) or `detail_en`
        raise SystemExit("{code}: {detail}".format(**answer.json()))
    return answer.json() if answer.content else None


def send_circular(own, pdf: bytes, reference: str, selector: dict) -> dict:
    """Create, upload, sign, register, dispatch; `reference` makes the keys, so run it again."""
    card = {"kind": "circular", "title": "О сборе сведений", "addressee": "Председателям"}
    document = call("POST", "/documents", f"{reference}/create", json=card)["id"]
    here = f"/documents/{document}"
    if call("GET", here)["status"] == "draft":
        call("PUT", f"{here}/files/main", f"{reference}/file", content=pdf)  # the file itself
        call("POST", f"{here}/submit")
    if not call("GET", here)["signatures"]:
        sign(here, own)
    number = call("POST", f"{here}/register", json={})["number"]  # asked again: the same number
    call("POST", f"{here}/dispatches", f"{reference}/send", json={"selector": selector})
    return {"document": document, "number": number, "control": call("GET", f"{here}/control")}


def sign(here: str, own) -> None:
    """Two requests: what to sign comes, its signature goes; the key never leaves this side."""
    certificate = base64.b64encode(own.cert.certificate.public_bytes(Encoding.DER)).decode()
    begun = call("POST", f"{here}/signing-sessions", json={"certificate": certificate})
    attributes = base64.b64decode(begun["attributes"])
    is_rsa = isinstance(own.key, rsa.RSAPrivateKey)
    how = (padding.PKCS1v15(), hashes.SHA256()) if is_rsa else (ec.ECDSA(hashes.SHA256()),)
    signature = base64.b64encode(own.key.sign(attributes, *how)).decode()
    call("POST", f"/signing-sessions/{begun['id']}", json={"signature": signature})


def is_from_docflow(secret: str, headers, body: bytes) -> bool:
    """Check a webhook's `body`, exactly as received; `headers` by lower-case name."""
    sent = headers["webhook-timestamp"]
    signed = f"{headers['webhook-id']}.{sent}.".encode() + body
    key = base64.b64decode(secret.removeprefix("whsec_"))
    due = b"v1," + base64.b64encode(hmac.digest(key, signed, "sha256"))
    given = headers["webhook-signature"].encode().split()
    return abs(time.time() - int(sent)) < 300 and any(hmac.compare_digest(due, v) for v in given)


if __name__ == "__main__":
    API.headers["Authorization"] = f"Bearer {os.environ['DOCFLOW_TOKEN']}"
    key, circular = (Path(name).read_bytes() for name in sys.argv[1:3])
    everybody = {"subtree_of": call("GET", "/me")["organization_id"], "line": "branch"}
    own = pkcs12.load_pkcs12(key, os.environ["DOCFLOW_P12_PASSWORD"].encode())
    print(send_circular(own, circular, sys.argv[3], everybody))  # noqa: T201 - its answer
