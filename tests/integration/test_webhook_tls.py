"""The address of a webhook is pinned, the certificate is still that of its name."""

from pathlib import Path

import pytest
from http_receiver import certificate, receiving

from notify import webhook_delivery, webhooks


@pytest.mark.parametrize(("name", "holds"), [("localhost", True), ("other.example", False)])
async def test_certificate_is_checked_against_the_name_though_the_address_is_pinned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, holds: bool
) -> None:
    context, authority = certificate(tmp_path, name)
    monkeypatch.setattr(webhooks, "ALLOW_PRIVATE", True)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority))
    webhook_delivery.tls_context.cache_clear()
    try:
        async with receiving(context) as secure:
            outcome = await webhook_delivery.post(secure.url, {}, b"{}")
            assert (outcome.error is None) is holds
            assert len(secure.got) == int(holds)
            if holds:
                assert secure.got[0][0]["host"] == secure.url.split("/")[2]
            else:
                assert "certificate" in str(outcome.error).lower()
    finally:
        webhook_delivery.tls_context.cache_clear()
