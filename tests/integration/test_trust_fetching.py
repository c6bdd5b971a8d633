"""Lists fetched and time stamps asked for, from a real HTTP server on loopback."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

from core import clock, db, outbound
from core.actor import RULE, Actor
from core.errors import InvalidInput, ServiceError, Unavailable
from core.settings import settings
from signatures import anchors, fetching, revocation_import, stamp_client
from signatures.authority import Authority, Subject, create_authority, trust_of
from signatures.keys import SigningKey
from signatures.stamping import StampAuthority
from signatures.states import SourceStatus
from tests import ground, people

pytestmark = pytest.mark.slow

Reply = tuple[str, bytes, str]


@dataclass
class Server:
    """Answers each request by `reply`, and remembers what it got."""

    url: str
    reply: Callable[[bytes], Reply]
    got: list[tuple[str, bytes]] = field(default_factory=list)
    delay: float = 0.0


@asynccontextmanager
async def serving(reply: Callable[[bytes], Reply]) -> AsyncIterator[Server]:
    server = Server("", reply)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            size = next(
                (
                    int(line[15:])
                    for line in head.lower().split("\r\n")
                    if line.startswith("content-length:")
                ),
                0,
            )
            body = await reader.readexactly(size)
            server.got.append((head, body))
            await asyncio.sleep(server.delay)
            status, content, headers = server.reply(body)
            writer.write(
                f"HTTP/1.1 {status}\r\ncontent-length: {len(content)}\r\n{headers}"
                "connection: close\r\n\r\n".encode()
                + content
            )
            await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    server.url = f"http://localhost:{listening.sockets[0].getsockname()[1]}/x"
    try:
        yield server
    finally:
        listening.close()


@pytest.fixture
async def keeper(database: str, monkeypatch: pytest.MonkeyPatch) -> Actor:
    monkeypatch.setenv("WEBHOOK_ALLOW_PRIVATE", "yes")
    settings.cache_clear()
    center = await ground.an_organization("center")
    return await people.clerk_of(center, "administrator")


async def due_now() -> int:
    await db.execute("UPDATE revocation_source SET next_attempt_at = $1", clock.now())
    return await fetching.fetch_due()


async def test_a_list_is_fetched(keeper: Actor) -> None:
    root = create_authority("Test root")
    await anchors.add(RULE, trust_of(root, crls=()), is_test=True)
    lists = [root.crl(number=1)]
    async with serving(lambda _: ("200 OK", lists[-1], 'etag: "one"\r\n')) as server:
        source_id = await fetching.add_source(keeper, url=server.url, name="УЦ")
        assert await fetching.add_source(keeper, url=server.url, name="again") == source_id
        assert await fetching.fetch_due() == 1
        assert await fetching.fetch_due() == 0
        (current,) = await revocation_import.lists(keeper)
        assert (current["number"], current["source_id"]) == ("1", source_id)
        # Nothing new: the server is asked with the tag.
        server.reply = lambda _: ("304 Not Modified", b"", "")
        assert await due_now() == 1
        assert 'if-none-match: "one"' in server.got[-1][0].lower()
        (source,) = await fetching.sources(keeper)
        assert (source["attempts"], source["last_error"]) == (0, None)
        await fetching.set_status(keeper, source_id, SourceStatus.DISABLED)
        assert await due_now() == 0
        await fetching.set_status(keeper, source_id, SourceStatus.ACTIVE)
        assert await fetching.fetch_due() == 1


async def test_failures_are_seen_and_wait_longer(
    keeper: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "SECONDS", 1.0)
    root = create_authority("Test root")
    await anchors.add(RULE, trust_of(root, crls=()), is_test=True)
    replies: list[tuple[Reply, str]] = [
        (("500 Oops", b"", ""), "no_answer: HTTP 500"),
        (("200 OK", b"<html>", ""), "crl_unreadable"),
        (("302 Found", b"", "location: http://localhost:1/\r\n"), "no_answer: HTTP 302"),
        (("200 OK", create_authority("Stranger").crl(), ""), "crl_unknown_issuer"),
    ]
    async with serving(lambda _: replies[0][0]) as server:
        await fetching.add_source(keeper, url=server.url, name="УЦ")
        pauses = []
        for place, (reply, error) in enumerate(replies):
            server.reply = lambda _, reply=reply: reply
            assert await due_now() == 1
            (source,) = await fetching.sources(keeper)
            assert source["last_error"] == error
            assert source["attempts"] == place + 1
            pauses.append(source["next_attempt_at"] - source["last_attempt_at"])
        assert pauses == [fetching.FIRST_PAUSE * factor for factor in (1, 2, 4, 8)]
        server.delay = 3.0
        assert await due_now() == 1
        (source,) = await fetching.sources(keeper)
        assert source["last_error"].startswith("no_answer: timeout")
    assert await due_now() == 1
    (source,) = await fetching.sources(keeper)
    assert source["last_error"].startswith("no_answer: connection: ConnectError")


async def test_limits_and_forbidden_addresses(
    keeper: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serving(lambda _: ("200 OK", b"x" * 5000, "")) as server:
        with pytest.raises(outbound.NoAnswer) as refused:
            await outbound.ask(server.url, limit=1000, seconds=5)
        assert refused.value.details["reason"] == "more than 1000 bytes"
        monkeypatch.setenv("WEBHOOK_ALLOW_PRIVATE", "no")
        settings.cache_clear()
        port = server.url.rpartition(":")[2]
        for url in (
            server.url, "http://127.0.0.1/a", "http://[::1]/a", "http://10.0.0.1/a",
            "http://169.254.169.254/latest", "file:///etc/passwd", "ldap://x.example/cn=ca",
            f"http://127.0.0.1:{port}", "http://user:word@example.org/", "http://example.org:22/",
        ):  # fmt: skip
            with pytest.raises(InvalidInput) as forbidden:
                await fetching.add_source(keeper, url=url, name="x")
            assert forbidden.value.error_code == "address_forbidden"
        with pytest.raises(outbound.ForbiddenAddress):
            await outbound.ask("http://localhost/", limit=10, seconds=5)
        assert len(server.got) == 1


async def test_only_trusted_authorities_name_addresses(keeper: Actor) -> None:
    """A leaf's distribution point is a stranger's word; a trusted authority's own is not."""
    root = create_authority("Test root")
    point = x509.UniformResourceIdentifier("http://crl.example.org/root.crl")
    made = (
        x509.CertificateBuilder(
            issuer_name=root.name, subject_name=Subject("Issuing").name(),
            public_key=root.private.public_key(), serial_number=9,
            not_valid_before=clock.now(), not_valid_after=clock.now() + timedelta(days=9),
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), True)
        .add_extension(
            x509.CRLDistributionPoints([x509.DistributionPoint([point], None, None, None)]), False
        )
        .sign(root.private, hashes.SHA256())
    )  # fmt: skip
    issuing = made.public_bytes(serialization.Encoding.DER)
    store = replace(trust_of(root, crls=()), others=(issuing,))
    await anchors.add(RULE, store, is_test=True)
    anchor_id = await db.value("SELECT id FROM trust_anchor WHERE kind = 'other'")
    assert len(await fetching.add_sources_of(keeper, anchor_id)) == 1
    (source,) = await fetching.sources(keeper)
    assert (source["url"], source["origin"]) == (point.value, "certificate")
    leaf = root.issue(Subject("Somebody"))
    with pytest.raises(InvalidInput):
        await anchors.propose(keeper, leaf.der, is_test=True)


# Time stamps


DIGEST = hashlib.sha256(b"a letter").digest()
REPLY = "content-type: application/timestamp-reply\r\n"


async def trusting(authority: Authority) -> None:
    await anchors.add(RULE, trust_of(authority), is_test=True)


def stamping(authority: Authority) -> StampAuthority:
    return StampAuthority(authority.stamping_key())


async def test_a_stamp_over_http(keeper: Actor) -> None:
    root = create_authority("Test root")
    await trusting(root)
    tsa = stamping(root)
    async with serving(lambda body: ("200 OK", tsa.answer(body), REPLY)) as server:
        await stamp_client.add_service(keeper, name="TSA", url=server.url)
        token = await stamp_client.stamp(DIGEST)
        assert token[:1] == b"\x30"
        assert "content-type: application/timestamp-query" in server.got[0][0].lower()
        assert await stamp_client.stamp(hashlib.sha512(b"x").digest(), algorithm="sha512")


async def test_the_next_authority_is_asked(keeper: Actor) -> None:
    root = create_authority("Test root")
    await trusting(root)
    tsa = stamping(root)
    async with (
        serving(lambda _: ("503 Busy", b"", "")) as broken,
        serving(lambda body: ("200 OK", tsa.answer(body), REPLY)) as working,
    ):
        await stamp_client.add_service(keeper, name="second", url=working.url, position=2)
        first = await stamp_client.add_service(keeper, name="first", url=broken.url, position=1)
        assert await stamp_client.stamp(DIGEST)
        told = {one["name"]: one["last_error"] for one in await stamp_client.services(keeper)}
        assert told == {"first": "no_answer: HTTP 503", "second": None}
        await stamp_client.set_status(keeper, first, SourceStatus.DISABLED)
        assert await stamp_client.stamp(DIGEST)
        assert len(broken.got) == 1


def lying_key(authority: Authority) -> SigningKey:
    """A certificate that is good for anything but time stamps."""
    return authority.issue(Subject("Not a TSA")).key()


ANSWERS: dict[str, tuple[Callable[[Authority, bytes, bytes], bytes], str]] = {
    "of another imprint": (
        lambda a, asked, other: stamping(a).answer(other), "nonce",
    ),
    "rejected": (lambda a, asked, other: stamping(a).answer(b"\x30\x00"), "unreadable"),
    "not bytes of a response": (lambda a, asked, other: b"<html>", "unreadable"),
    "turned bit": (lambda a, asked, other: turned(stamping(a).answer(asked)), "timestamp_invalid"),
    "not a time-stamp certificate": (
        lambda a, asked, other: StampAuthority(lying_key(a)).answer(asked), "timestamp_untrusted",
    ),
    "a stranger's": (
        lambda a, asked, other: stamping(create_authority("Stranger")).answer(asked), "untrusted",
    ),
    "of an hour ago": (
        lambda a, asked, other: StampAuthority(
            a.stamping_key(), at=clock.now() - timedelta(hours=1)
        ).answer(asked),
        "clocks",
    ),
}  # fmt: skip


def turned(answer: bytes) -> bytes:
    return answer[:-1] + bytes([answer[-1] ^ 1])


@pytest.mark.parametrize("name", ANSWERS)
async def test_answers_that_are_no_use(keeper: Actor, name: str) -> None:
    root = create_authority("Test root")
    await trusting(root)
    make, why = ANSWERS[name]
    seen: list[bytes] = []

    def reply(body: bytes) -> Reply:
        seen.append(body)
        return "200 OK", make(root, body, seen[0]), REPLY

    async with serving(reply) as server:
        await stamp_client.add_service(keeper, name="TSA", url=server.url)
        if name == "of another imprint":
            server.reply = lambda body: (seen.append(body), ("500 x", b"", ""))[1]
            with pytest.raises(ServiceError):
                await stamp_client.stamp(hashlib.sha256(b"another").digest())
            server.reply = reply
        with pytest.raises(Unavailable) as refused:
            await stamp_client.stamp(DIGEST)
        assert refused.value.error_code == "timestamp_unavailable"
        (service,) = await stamp_client.services(keeper)
        assert why in service["last_error"], service["last_error"]
