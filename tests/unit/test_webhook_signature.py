"""Signatures and addresses of webhooks: the published example, tampering, forbidden addresses."""

from datetime import UTC, datetime, timedelta

import pytest

from core import clock
from notify import webhook_address
from notify.webhook_address import ForbiddenUrl, UnknownHost
from notify.webhook_signature import (
    BadWebhookSignature,
    headers_of,
    key_of,
    new_secret,
    signature,
    verify,
)

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # leaks: ok (the published example)
MESSAGE = "msg_p5jXN8AQM9LWM0D4loKWxJek"
AT = datetime.fromtimestamp(1614265330, UTC)
BODY = b'{"test": 2432232314}'


def test_signature_is_the_one_of_the_published_example() -> None:
    """The example of the specification's reference libraries."""
    found = signature(
        key=key_of(SECRET), message_id=MESSAGE, timestamp=int(AT.timestamp()), body=BODY
    )
    assert found == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="  # leaks: ok (published)


def test_what_was_signed_verifies_and_every_change_is_refused() -> None:
    with clock.frozen(AT):
        secret = new_secret()
        headers = headers_of(key=key_of(secret), message_id=MESSAGE, at=AT, body=BODY)
        verify(secret, headers, BODY)
        verify(secret, {name.upper(): text for name, text in headers.items()}, BODY)
        old = "v1,AAAA " + headers["webhook-signature"]
        verify(secret, {**headers, "webhook-signature": old}, BODY)
        later = str(int(AT.timestamp()) + 1)
        for bad_secret, bad_headers, bad_body in (
            (new_secret(), headers, BODY),
            (secret, headers, BODY + b" "),
            (secret, {**headers, "webhook-id": "msg_other"}, BODY),
            (secret, {**headers, "webhook-timestamp": later}, BODY),
            (secret, {**headers, "webhook-timestamp": "soon"}, BODY),
            (secret, {**headers, "webhook-signature": "ы"}, BODY),
            (secret, {}, BODY),
        ):
            with pytest.raises(BadWebhookSignature):
                verify(bad_secret, bad_headers, bad_body)
    with clock.frozen(AT + timedelta(seconds=301)), pytest.raises(BadWebhookSignature):
        verify(secret, headers, BODY)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.8.8.8", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1",
        "169.254.169.254", "100.64.0.1", "100.100.100.200", "168.63.129.16", "192.0.0.192",
        "198.18.0.1", "224.0.0.1", "239.255.255.250", "255.255.255.255", "240.0.0.1",
        "::", "::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254",
        "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b:1::a00:1", "2002:7f00:1::", "2001::1",
        "fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "ff02::1", "2001:db8::1", "nonsense",
    ],
)  # fmt: skip
def test_addresses_inside_are_not_public(address: str) -> None:
    assert not webhook_address.is_public(address)


@pytest.mark.parametrize("address", ["77.88.8.8", "2a02:6b8::feed:ff", "::ffff:77.88.8.8"])
def test_addresses_of_the_internet_are_public(address: str) -> None:
    assert webhook_address.is_public(address)


@pytest.mark.parametrize(
    "url",
    [
        "", "hooks", "http://example.org/", "ftp://example.org/", "file:///etc/passwd",
        "https://", "https:///path", "https://user:word@example.org/", "https://example.org:22/",
        "https://example.org:5432/", "https://example.org/#part", "https://[::1", "https://a\nb/",
        "https://" + "a" * 3000 + "/", "https://example.org:99999/",
    ],
)  # fmt: skip
def test_forbidden_form(url: str) -> None:
    with pytest.raises(ForbiddenUrl) as refused:
        webhook_address.parsed(url, allow_private=False)
    assert refused.value.error_code == "webhook_url_forbidden"
    assert refused.value.message_ru


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/", "https://localhost/", "https://localhost./", "https://[::1]/",
        "https://2130706433/", "https://0x7f.1/", "https://127.1/", "https://[::ffff:7f00:1]/",
        "https://169.254.169.254/latest/meta-data/", "https://０.０.０.０/",
    ],
)  # fmt: skip
async def test_forbidden_after_resolving_however_it_is_written(url: str) -> None:
    with pytest.raises((ForbiddenUrl, UnknownHost)):
        await webhook_address.resolve(url, allow_private=False)


async def test_resolved_once_to_a_literal() -> None:
    target = await webhook_address.resolve("https://77.88.8.8:8443/in?a=1", allow_private=False)
    assert target.addresses == ("77.88.8.8",)
    assert target.host == "77.88.8.8"


async def test_private_only_where_it_was_allowed() -> None:
    target = await webhook_address.resolve("http://localhost:1234/", allow_private=True)
    assert target.host == "localhost"
    with pytest.raises(ForbiddenUrl):
        await webhook_address.resolve("ftp://localhost/", allow_private=True)


async def test_unknown_host_says_so() -> None:
    with pytest.raises(UnknownHost):
        await webhook_address.resolve("https://no-such-host.invalid/", allow_private=False)
