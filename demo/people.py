"""People at their browsers: sessions over HTTP, as the API offers them."""

import asyncio
import time
from dataclasses import dataclass
from typing import Any, Self

import httpx
import pyotp

from core.errors import ServiceError
from demo.ground import Account


class Refused(ServiceError):
    """The service said no; its own code and words."""

    def __init__(self, answer: httpx.Response) -> None:
        """Take over what the problem document says."""
        said = answer.json() if "json" in answer.headers.get("content-type", "") else {}
        super().__init__(
            said.get("detail", answer.text[:200]), said.get("detail_en", ""),
            code=said.get("code", f"http_{answer.status_code}"), status=answer.status_code,
            reasons=said.get("details", {}).get("reasons", []),
        )  # fmt: skip


STEP = 30
"""Seconds a one-time code stands for (RFC 6238)."""


def _code(account: Account, ahead: int) -> dict[str, str]:
    if not account.totp:
        return {}
    return {"code": pyotp.TOTP(account.totp).at(int(time.time()) + ahead)}


@dataclass
class Person:
    """Somebody signed in."""

    client: httpx.AsyncClient
    account: Account

    @classmethod
    async def sign_in(cls, address: str, account: Account) -> Self:
        """Log in with the password and, where the account has one, a one-time code."""
        client = httpx.AsyncClient(base_url=f"{address}/api/v1", timeout=120)
        person = cls(client, account)
        wish = {"login": account.login, "password": account.password}
        answer = await client.post("/sessions", json={**wish, **_code(account, ahead=0)})
        for ahead, pause in ((STEP, 0), (STEP, STEP)):
            # A code serves once; when this half-minute's was used just now the next one is due,
            # and when that was used too there is nothing for it but to wait.
            if not answer.is_success and account.totp:
                await asyncio.sleep(pause)
                answer = await client.post("/sessions", json={**wish, **_code(account, ahead)})
        if not answer.is_success:
            await client.aclose()
            raise Refused(answer)
        client.headers["X-CSRF-Token"] = answer.json()["csrf_token"]
        return person

    async def get(self, path: str, **parameters: Any) -> Any:
        """What stands there, as JSON."""
        return self._said(await self.client.get(path, params=parameters))

    async def post(self, path: str, body: Any = None, *, key: str | None = None) -> Any:
        """Do something; `key` makes a repetition harmless."""
        headers = {"Idempotency-Key": key} if key else {}
        return self._said(await self.client.post(path, json=body or {}, headers=headers))

    async def post_bytes(self, path: str, content: bytes) -> Any:
        """Send a list as it is."""
        return self._said(await self.client.post(path, content=content))

    async def put_file(self, path: str, content: bytes, **parameters: Any) -> Any:
        """Send a file."""
        return self._said(await self.client.put(path, content=content, params=parameters))

    async def download(self, path: str) -> bytes:
        """A file's bytes."""
        answer = await self.client.get(path)
        self._check(answer)
        return answer.content

    async def leave(self) -> None:
        """Close the connection."""
        await self.client.aclose()

    def _said(self, answer: httpx.Response) -> Any:
        self._check(answer)
        return answer.json() if answer.content else None

    def _check(self, answer: httpx.Response) -> None:
        if not answer.is_success:
            raise Refused(answer)
