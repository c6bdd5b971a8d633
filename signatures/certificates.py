"""Certificates parsed once, and the questions everybody asks of them."""

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from asn1crypto import x509

# Files of strangers must not fill the memory: nothing bigger than this is remembered for them.
_KEPT = 8 * 1024


@lru_cache(maxsize=4096)
def _certificate(der: bytes) -> x509.Certificate:
    return x509.Certificate.load(der)


def certificate(der: bytes) -> x509.Certificate:
    """The parsed certificate; the same object for the same bytes, unless it is outsized."""
    return _certificate(der) if len(der) <= _KEPT else x509.Certificate.load(der)


def certificates_of(choices: Iterable[Any]) -> tuple[x509.Certificate, ...]:
    """The X.509 certificates among the choices of a CMS, parsed once."""
    return tuple(
        certificate(choice.chosen.dump()) for choice in choices if choice.name == "certificate"
    )
