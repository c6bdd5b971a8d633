"""HTTP message signatures (RFC 9421) with Content-Digest (RFC 9530), in the one profile of nodes.

Every request and answer between nodes is signed over method, target, digest of the content, the
two nodes and the version; an answer also over the signature of its request, so that it cannot be
passed off as the answer to another one. Host names are not covered: a node may be reached by
several and stand behind a proxy; `node-to` says whom it is for.

What was verified is kept as a `Proof`: the signature base, the signature and the content. Anybody
can check it again with the key alone.
"""

import base64
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from cryptography.exceptions import InvalidSignature as WrongSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from http_message_signatures import (
    HTTPMessageSignaturesException,
    HTTPMessageSigner,
    HTTPMessageVerifier,
    MappingKeyResolver,
)
from http_message_signatures.algorithms import ED25519

from core import clock
from docflow.gateways.node.keys import SigningKey
from docflow.gateways.node.problems import BadSignature, ClockRefused

LABEL = "node"
TAG = "docflow-node"
REQUEST = ("@method", "@request-target", "content-digest", "node-from", "node-to", "node-version")
ANSWER = (
    "@status", "content-digest", "node-from", "node-to", "node-version",
    '"@request-target";req', '"signature";req;key="node"',
)  # fmt: skip
ANSWER_TO_ANYBODY = (
    "@status", "content-digest", "node-from", "node-version", '"@request-target";req',
)  # fmt: skip
_ORIGIN = "https://node.invalid"
"""The library wants a whole address; its host is not covered by any signature of ours."""

KeyFinder = Callable[[str], Ed25519PublicKey]
"""Key id → key; raises `KeyRefused` or another error that says why not."""


class Proof(msgspec.Struct, frozen=True, kw_only=True):
    """A verified message signature, as it is kept and passed on."""

    base: str
    """The signature base (RFC 9421 section 2.5)."""
    signature: str
    """Base64."""
    kid: str
    body: str
    """The content, base64; its digest stands in the base."""


@dataclass(slots=True)
class Message:
    """A request or an answer, as the signature sees it."""

    headers: dict[str, str]
    method: str = ""
    target: str = ""
    status_code: int | None = None
    request: "Message | None" = None

    @property
    def url(self) -> str:
        """The target in a whole address."""
        return _ORIGIN + self.target


@dataclass(frozen=True, slots=True)
class Signed:
    """Whose message it is, by a signature that holds."""

    kid: str
    sender: str
    recipient: str
    version: int
    created: datetime
    base: str = field(repr=False)
    signature: str = field(repr=False)

    def proof(self, body: bytes) -> Proof:
        """What is kept of it; `body` is the content that was verified with it."""
        content = base64.b64encode(body).decode()
        return Proof(base=self.base, signature=self.signature, kid=self.kid, body=content)


def sign_request(
    message: Message, body: bytes, *, key: SigningKey, covered: tuple[str, ...] = REQUEST
) -> None:
    """Put digest and signature into the headers of a request; less covered is for tests only."""
    _sign(message, body, key, covered)


def sign_answer(message: Message, body: bytes, *, key: SigningKey, to_anybody: bool = False) -> (
    None
):  # fmt: skip
    """Put digest and signature into the headers of an answer to `message.request`."""
    _sign(message, body, key, ANSWER_TO_ANYBODY if to_anybody else ANSWER)


def _sign(message: Message, body: bytes, key: SigningKey, covered: tuple[str, ...]) -> None:
    message.headers["content-digest"] = digest_field(body)
    signer = HTTPMessageSigner(signature_algorithm=ED25519)
    prepared = signer.prepare(
        _seen(message), key_id=key.kid, created=clock.now(), label=LABEL, tag=TAG,
        covered_component_ids=covered, use_existing_digest=True,
    )  # fmt: skip
    signature = key.private.sign(prepared.signature_base)
    message.headers["signature-input"] = f"{LABEL}={prepared.signature_params}"
    message.headers["signature"] = f"{LABEL}=:{base64.b64encode(signature).decode()}:"


def verify_request(
    message: Message, body: bytes, *, key_of: KeyFinder, window: timedelta
) -> Signed:
    """Whose request it is; raises `BadSignature`, `ClockRefused` or what `key_of` raises."""
    return _verify(message, body, key_of, window, REQUEST)


def verify_answer(
    message: Message, body: bytes, *, key_of: KeyFinder, window: timedelta,
    to_anybody: bool = False,
) -> Signed:  # fmt: skip
    """Whose answer it is to `message.request`; raises as `verify_request` does."""
    return _verify(
        message, body, key_of, window, ANSWER_TO_ANYBODY if to_anybody else ANSWER
    )  # fmt: skip


class _Keys(MappingKeyResolver):
    """Asks our finder, and lets its refusal through."""

    def __init__(self, finder: KeyFinder) -> None:
        super().__init__(public_keys={}, private_keys={})
        self.finder = finder
        self.refusal: Exception | None = None

    def resolve_public_key(self, key_id: str) -> Ed25519PublicKey:
        """The key, or the finder's refusal kept for the caller."""
        try:
            return self.finder(key_id)
        except Exception as problem:
            self.refusal = problem
            raise


class _Verifier(HTTPMessageVerifier):
    max_clock_skew = timedelta(days=36500)
    """Clocks are judged here, by a window of our own and with a reason."""


def _verify(
    message: Message, body: bytes, key_of: KeyFinder, window: timedelta, covered: tuple[str, ...]
) -> Signed:
    keys = _Keys(key_of)
    if not has_digest(message.headers.get("content-digest", ""), body):
        raise BadSignature(code="node_digest_wrong")
    try:
        results = _Verifier(signature_algorithm=ED25519, key_resolver=keys).verify(
            _seen(message), max_age=None, expect_tag=TAG, expect_label=LABEL,
            require_components=covered,
        )  # fmt: skip
    except (HTTPMessageSignaturesException, ValueError, RecursionError) as problem:
        if keys.refusal is not None:
            raise keys.refusal from problem
        raise BadSignature(reason=str(problem)[:200]) from problem
    if len(results) != 1:
        raise BadSignature(reason="one signature is expected")
    (found,) = results
    created = datetime.fromtimestamp(int(found.parameters["created"]), tz=UTC)
    _require_near(created, window)
    base = "\n".join(f"{name}: {value}" for name, value in found.covered_components.items())
    return Signed(
        kid=str(found.parameters["keyid"]),
        sender=message.headers.get("node-from", ""),
        recipient=message.headers.get("node-to", ""),
        version=version_of(message.headers.get("node-version", "")),
        created=created, base=base, signature=_signature_text(message.headers["signature"]),
    )  # fmt: skip


def _require_near(created: datetime, window: timedelta) -> None:
    now = clock.now()
    if abs(now - created) > window:
        raise ClockRefused(
            our_time=now.isoformat(timespec="seconds"),
            their_time=created.isoformat(timespec="seconds"),
            window_seconds=int(window.total_seconds()),
        )


def _signature_text(header: str) -> str:
    return header.partition("=:")[2].rpartition(":")[0]


def version_of(text: str) -> int:
    """The protocol version a header names; 0 for what is none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 4 else 0


def is_sound(proof: Proof, key: Ed25519PublicKey) -> bool:
    """Does a kept proof hold: the signature over its base, and the base's digest over its body?"""
    try:
        body = base64.b64decode(proof.body, validate=True)
        key.verify(base64.b64decode(proof.signature, validate=True), proof.base.encode())
    except (ValueError, WrongSignature):
        return False
    lines = dict(line.partition(": ")[::2] for line in proof.base.split("\n"))
    return has_digest(lines.get('"content-digest"', ""), body)


def digest_field(body: bytes) -> str:
    """The field Content-Digest over `body` (RFC 9530), SHA-256."""
    return f"sha-256=:{base64.b64encode(hashlib.sha256(body).digest()).decode()}:"


def has_digest(value: str, body: bytes) -> bool:
    """Does the field name this SHA-256? Other algorithms in it are passed over."""
    wanted = digest_field(body)
    return any(member.strip() == wanted for member in value.split(","))


class _Request:
    """What the library asks of a request."""

    def __init__(self, message: Message) -> None:
        self.method = message.method
        self.url = message.url
        self.headers = message.headers


class _Answer:
    """What the library asks of an answer."""

    def __init__(self, message: Message) -> None:
        self.status_code = message.status_code
        self.headers = message.headers
        self.request = _Request(message.request) if message.request else None


def _seen(message: Message) -> Any:
    return _Request(message) if message.status_code is None else _Answer(message)


def plain_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers signatures speak of, names in lower case, everything else left out."""
    wanted = {
        "content-digest", "signature", "signature-input", "node-from", "node-to", "node-version",
    }  # fmt: skip
    return {name.lower(): text for name, text in headers.items() if name.lower() in wanted}
