"""Handing a letter to the mail relay, with reports of its fate asked for (RFC 3461)."""

from contextlib import suppress
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

import aiosmtplib

from core.settings import SmtpSettings
from notify import relay


@dataclass(frozen=True, slots=True)
class Handed:
    """How the relay took it."""

    result: Literal["accepted", "temporary", "permanent"]
    said: str = ""
    """The relay's words, short and without the address."""
    reports: bool = False
    """The relay will tell what becomes of it (it speaks DSN)."""


async def hand_over(smtp: SmtpSettings, *, uid: UUID, to: str, message: bytes) -> Handed:
    """Give one message to the relay over a connection of its own; never raises for the network.

    Where the relay can, success, failure and delay are to be reported with our uid as envelope
    id; the report quotes headers only (RET=HDRS).
    """
    client = relay.relay_of(smtp)
    try:
        await client.connect()
        speaks = client.supports_extension("dsn")
        await client.sendmail(
            smtp.sender, [to], message,
            mail_options=["RET=HDRS", f"ENVID={uid}"] if speaks else [],
            rcpt_options=["NOTIFY=SUCCESS,FAILURE,DELAY", f"ORCPT=rfc822;{_xtext(to)}"]
            if speaks else [],
        )  # fmt: skip
    except (aiosmtplib.SMTPException, OSError) as problem:
        result: Literal["temporary", "permanent"] = (
            "permanent" if relay.is_final(problem) else "temporary"
        )
        return Handed(result, relay.said(problem, to))
    finally:
        with suppress(aiosmtplib.SMTPException, OSError):
            if client.is_connected:
                await client.quit()
        client.close()
    return Handed("accepted", reports=speaks)


def _xtext(text: str) -> str:
    """RFC 3461 section 4: printable ASCII, «+» and «=» by their numbers."""
    return "".join(
        one if "!" <= one <= "~" and one not in "+=" else f"+{ord(one):02X}" for one in text
    )
