"""The wire between nodes: RFC 9421's own vectors, keys, containers, and what is refused of them."""

import base64
import hashlib
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from http_message_signatures import HTTPMessageSigner, HTTPMessageVerifier, MappingKeyResolver
from http_message_signatures.algorithms import ED25519
from hypothesis import given
from hypothesis import strategies as st

from core import clock
from core.errors import ServiceError
from docflow.gateways.node import container, keys, messages, signing
from docflow.gateways.node.container import MAX_BODY
from docflow.gateways.node.messages import Card, File, Manifest, Recipient, Signature
from docflow.gateways.node.problems import BadMessage, BadSignature, ClockRefused, KeyRefused
from docflow.gateways.node.signing import Message

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
WINDOW = timedelta(minutes=5)

# RFC 9421 appendix B.1.4 and B.2.6
RFC_SEED = bytes.fromhex("9f8362f87a484a954e6e740c5b4c0e84229139a20aa8ab56ff66586f6a7d29c5")
RFC_SIGNATURE = (
    "wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu"  # leaks: ok (RFC 9421)
    "4A0w6vuQv5lIp5WPpBKRCw=="
)
RFC_COVERED = ("date", "@method", "@path", "@authority", "content-type", "content-length")


class _RfcRequest:
    method = "POST"
    url = "https://example.com/foo?param=Value&Pet=dog"

    def __init__(self) -> None:
        self.headers = {
            "Host": "example.com", "Date": "Tue, 20 Apr 2021 02:07:55 GMT",
            "Content-Type": "application/json", "Content-Length": "18",
        }  # fmt: skip


def test_the_signature_library_makes_and_checks_the_vector_of_rfc_9421() -> None:
    private = Ed25519PrivateKey.from_private_bytes(RFC_SEED)
    request = _RfcRequest()
    signer = HTTPMessageSigner(
        signature_algorithm=ED25519,
        key_resolver=MappingKeyResolver(
            public_keys={}, private_keys={"test-key-ed25519": private}
        ),
    )  # fmt: skip
    signer.sign(
        request, key_id="test-key-ed25519", label="sig-b26", include_alg=False,
        created=datetime.fromtimestamp(1618884473, tz=UTC), covered_component_ids=RFC_COVERED,
    )  # fmt: skip
    assert request.headers["Signature"] == f"sig-b26=:{RFC_SIGNATURE}:"
    assert request.headers["Signature-Input"] == (
        'sig-b26=("date" "@method" "@path" "@authority" "content-type" "content-length")'
        ';created=1618884473;keyid="test-key-ed25519"'
    )

    class Verifier(HTTPMessageVerifier):
        max_clock_skew = timedelta(days=36500)

    known = MappingKeyResolver(
        public_keys={"test-key-ed25519": private.public_key()}, private_keys={}
    )  # fmt: skip
    verifier = Verifier(signature_algorithm=ED25519, key_resolver=known)
    assert len(verifier.verify(request, max_age=None)) == 1


def test_key_id_is_the_thumbprint_of_rfc_8037() -> None:
    public = keys.from_text("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo")  # leaks: ok (RFC 8037)
    named = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"  # leaks: ok (RFC 8037)
    assert keys.kid_of(public) == named
    shown = keys.fingerprint(keys.kid_of(public))
    assert keys.same_fingerprint(shown.upper().replace(" ", "-"), keys.kid_of(public))
    assert not keys.same_fingerprint(shown[:-1] + "0", keys.kid_of(public))


@pytest.fixture
def key() -> keys.SigningKey:
    return keys.new_key()[0]


def a_request(key: keys.SigningKey, body: bytes = b"{}", **headers: str) -> Message:
    told = {"node-from": "a", "node-to": "b", "node-version": "2"} | headers
    message = Message(told, method="POST", target="/api/v1/exchange/notes?x=1")
    signing.sign_request(message, body, key=key)
    return message


def finder(key: keys.SigningKey) -> signing.KeyFinder:
    def find(kid: str) -> Any:
        if kid != key.kid:
            raise KeyRefused
        return key.private.public_key()

    return find


def test_what_is_signed_verifies_and_is_kept_as_a_proof(key: keys.SigningKey) -> None:
    message = a_request(key, b'{"a": 1}')
    found = signing.verify_request(message, b'{"a": 1}', key_of=finder(key), window=WINDOW)
    assert (found.sender, found.recipient, found.version) == ("a", "b", 2)
    proof = found.proof(b'{"a": 1}')
    public = key.private.public_key()
    assert signing.is_sound(proof, public)
    other = base64.b64encode(b'{"a": 2}').decode()
    assert not signing.is_sound(msgspec.structs.replace(proof, body=other), public)
    assert not signing.is_sound(
        msgspec.structs.replace(proof, base=proof.base.replace('"node-to": b', '"node-to": c')),
        public,
    )
    assert not signing.is_sound(proof, keys.new_key()[0].private.public_key())


@pytest.mark.parametrize(
    ("name", "text"),
    [("node-from", "c"), ("node-to", "c"), ("node-version", "1"), ("content-digest", "sha-256=::"),
     ("signature", "node=:AAAA:"), ("signature-input", "node=();created=1"),
     ("signature", "node=:" + "é" * 10 + ":"), ("signature-input", '"' * 500)],
)  # fmt: skip
def test_one_changed_header_is_refused(key: keys.SigningKey, name: str, text: str) -> None:
    message = a_request(key)
    message.headers[name] = text
    with pytest.raises(BadSignature):
        signing.verify_request(message, b"{}", key_of=finder(key), window=WINDOW)


def test_other_method_target_or_content_is_refused(key: keys.SigningKey) -> None:
    for change in ({"method": "PUT"}, {"target": "/api/v1/exchange/notes?x=2"}):
        message = a_request(key)
        for name, text in change.items():
            setattr(message, name, text)
        with pytest.raises(BadSignature):
            signing.verify_request(message, b"{}", key_of=finder(key), window=WINDOW)
    with pytest.raises(BadSignature) as told:
        signing.verify_request(a_request(key), b"{} ", key_of=finder(key), window=WINDOW)
    assert told.value.error_code == "node_digest_wrong"


def test_less_than_everything_covered_is_refused(key: keys.SigningKey) -> None:
    message = Message(
        {"node-from": "a", "node-to": "b", "node-version": "2"}, method="POST", target="/x"
    )
    signing._sign(message, b"{}", key, ("@method", "content-digest"))
    with pytest.raises(BadSignature) as told:
        signing.verify_request(message, b"{}", key_of=finder(key), window=WINDOW)
    assert "not covered" in told.value.details["reason"]


def test_the_finders_own_refusal_comes_through(key: keys.SigningKey) -> None:
    other = keys.new_key()[0]
    with pytest.raises(KeyRefused):
        signing.verify_request(a_request(other), b"{}", key_of=finder(key), window=WINDOW)


@pytest.mark.parametrize(("minutes", "holds"), [(4, True), (-4, True), (6, False), (-6, False)])
def test_clocks_may_differ_within_the_window(
    key: keys.SigningKey, minutes: int, holds: bool
) -> None:
    with clock.frozen(NOON + timedelta(minutes=minutes)):
        message = a_request(key)
    with clock.frozen(NOON):
        if holds:
            signing.verify_request(message, b"{}", key_of=finder(key), window=WINDOW)
            return
        with pytest.raises(ClockRefused) as told:
            signing.verify_request(message, b"{}", key_of=finder(key), window=WINDOW)
    assert told.value.details["our_time"] == NOON.isoformat(timespec="seconds")


def test_an_answer_belongs_to_its_request(key: keys.SigningKey) -> None:
    asked, other = a_request(key, b'{"a": 1}'), a_request(key, b'{"a": 2}')
    answer = Message({"node-from": "b", "node-to": "a", "node-version": "2"},
                     status_code=200, request=asked)  # fmt: skip
    signing.sign_answer(answer, b"done", key=key)
    signing.verify_answer(answer, b"done", key_of=finder(key), window=WINDOW)
    answer.request = other
    with pytest.raises(BadSignature):
        signing.verify_answer(answer, b"done", key_of=finder(key), window=WINDOW)
    answer.request, answer.status_code = asked, 202
    with pytest.raises(BadSignature):
        signing.verify_answer(answer, b"done", key_of=finder(key), window=WINDOW)


def a_manifest(*parts: bytes, **more: Any) -> Manifest:
    files = tuple(
        File(sha256=hashlib.sha256(part).hexdigest(), size=len(part), file_name="a.pdf",
             role="main" if place == 0 else "annex", position=place)
        for place, part in enumerate(parts)
    )  # fmt: skip
    wanted: dict[str, Any] = {
        "uid": uuid.uuid4(), "version": 2, "author": "C-1", "made_at": NOON,
        "card": Card(id=uuid.uuid4(), kind="circular", title="О сроках"), "files": files,
        "recipients": (Recipient(delivery=uuid.uuid4(), to="P-1"),), "dispatch": uuid.uuid4(),
    }  # fmt: skip
    return Manifest(**{**wanted, **more})


def test_a_container_comes_apart_as_it_was_packed() -> None:
    manifest = a_manifest(b"main", b"annex")
    raw = messages.encode(manifest)
    whole = container.unpack(container.pack(raw, [b"main", b"annex"]))
    assert whole.manifest == manifest
    assert whole.parts == {one.sha256: body for one, body in
                           zip(manifest.files, (b"main", b"annex"), strict=True)}  # fmt: skip
    bare = container.unpack(container.pack(raw, []))
    assert bare.parts is None
    assert bare.sha256 == whole.sha256 == hashlib.sha256(raw).hexdigest()


def test_members_a_younger_node_adds_are_passed_over() -> None:
    raw = msgspec.json.decode(messages.encode(a_manifest(b"main")))
    raw |= {"colour": "blue", "hops": []}
    raw["card"]["weight"] = 3
    assert container.unpack(container.pack(msgspec.json.encode(raw), [])).manifest.author == "C-1"


@pytest.mark.parametrize(
    "spoil",
    [
        lambda raw, parts: container.pack(raw, [*parts, b"x"]),
        lambda raw, parts: container.pack(raw, [parts[0][:-1]]),
        lambda raw, parts: container.pack(raw, [b"Main"]),
        lambda raw, parts: container.pack(raw[:-1], parts),
        lambda raw, parts: b"\xff\xff\xff\xff" + raw,
        lambda raw, parts: (len(raw) + 9).to_bytes(4, "big") + raw,
        lambda raw, parts: b"",
        lambda raw, parts: b"\x00\x00",
        lambda raw, parts: container.pack(b"[" * 100_000, parts),
        lambda raw, parts: container.pack(raw.replace(b'"size":4', b'"size":-4'), parts),
        lambda raw, parts: container.pack(raw.replace(b'"size":4', b'"size":1e9'), parts),
        lambda raw, parts: container.pack(raw.replace(b"circular", b"\xff\xfe"), parts),
    ],
)
def test_what_is_no_container_is_refused(spoil: Any) -> None:
    raw = messages.encode(a_manifest(b"main"))
    with pytest.raises(BadMessage):
        container.unpack(spoil(raw, [b"main"]))


def test_manifests_that_contradict_themselves_are_refused() -> None:
    one = Recipient(delivery=uuid.uuid4(), to="P-1")
    sha256 = hashlib.sha256(b"main").hexdigest()
    file = File(sha256=sha256, size=4)
    for more in (
        {"recipients": ()}, {"recipients": (one, one)}, {"files": ()}, {"files": (file, file)},
        {"files": (File(sha256=sha256, size=4, role="annex"),)},
        {"files": (File(sha256=sha256.upper(), size=4),)}, {"files": (File(sha256="", size=4),)},
        {"files": (File(sha256=sha256, size=4, position=5),)},
        {"files": (File(sha256=sha256, size=4, signatures=(Signature(sha256=sha256, size=5),)),)},
    ):  # fmt: skip
        with pytest.raises(BadMessage):
            container.unpack(container.pack(messages.encode(a_manifest(b"main", **more)), []))


@given(st.binary(max_size=300))
def test_any_bytes_are_refused_in_our_words(body: bytes) -> None:
    assert len(body) < MAX_BODY
    for read in (container.unpack, messages.decode_note):
        with pytest.raises(ServiceError):
            read(body)


def test_versions_meet_at_the_newest_both_speak() -> None:
    assert messages.common_version((1, 2), (2, 3)) == 2
    assert messages.common_version((1,), (1, 2)) == 1
    assert messages.common_version((1,), (2, 3)) is None
