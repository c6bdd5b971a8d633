"""Keys that stay on a PKCS#11 token: smart card, USB token, HSM.

A session is opened once and kept; one that broke is opened anew once, as when a token was pulled
out and put back. A wrong PIN is never tried twice: tokens lock themselves.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Any

from asn1crypto import x509

from core.errors import InvalidInput, ServiceError, Unavailable
from signatures import digests
from signatures.keys import SigningKey, require_fit
from signatures.trust import certificates


def load_pkcs11(
    *,
    library: Path,
    token: str,
    pin: str,
    label: str,
    certificate: bytes,
    chain: tuple[bytes, ...] = (),
) -> SigningKey:
    """A key on a token, tried by one signature against its certificate; opened once a process.

    Raises `token_unavailable` when library or token do not answer, `token_pin`,
    `token_key_missing`, `token_key_ambiguous` and `key_mismatch`. The key itself raises
    `token_unavailable` when the token goes later.
    """
    return _open_token(str(library), token, pin, label, certificate, chain)


@lru_cache(maxsize=32)
def _open_token(
    library: str, token: str, pin: str, label: str, certificate: bytes, chain: tuple[bytes, ...]
) -> SigningKey:
    held = _TokenKey(library, token, pin, label)
    with held.lock:
        try:
            held.open()
        except Unavailable:
            held.open_anew()
    leaf = x509.Certificate.load(certificates(certificate)[0])
    key = SigningKey(leaf, tuple(x509.Certificate.load(der) for der in chain), held.sign)
    require_fit(key)
    return key


_locks: dict[str, Lock] = {}
"""One for each library: a session serves one thread at a time, and starting anew ends them all."""

_sessions: dict[tuple[str, str], tuple[str, Any]] = {}
"""PIN and session by library and token: a process logs in once to a token, for all its keys."""


class _TokenKey:
    """One session and the handle of one key."""

    def __init__(self, library: str, token: str, pin: str, label: str) -> None:
        self._library = library
        self._token = token
        self._pin = pin
        self._label = label
        self.lock = _locks.setdefault(library, Lock())
        self._handle: Any = None

    def open(self) -> None:
        """Log in, unless the process is logged in to this token, and find the key."""
        import pkcs11  # noqa: PLC0415 - loads a native module that most installations never need

        name = (self._library, self._token)
        with _told():
            if name not in _sessions:
                found = pkcs11.lib(self._library).get_token(token_label=self._token)
                _sessions[name] = self._pin, found.open(user_pin=self._pin)
            pin, session = _sessions[name]
            if pin != self._pin:
                raise _wrong_pin()
            self._handle = session.get_key(
                object_class=pkcs11.ObjectClass.PRIVATE_KEY, label=self._label
            )

    def open_anew(self) -> None:
        """Start the library again, which is the only way some see a token that came back.

        The other keys of this library lose their sessions and come here in their turn.
        """
        import pkcs11  # noqa: PLC0415 - as above

        self._handle = None
        for name in [name for name in _sessions if name[0] == self._library]:
            del _sessions[name]
        with _told():
            pkcs11.lib(self._library).reinitialize()
        self.open()

    def sign(self, data: bytes, digest: str) -> bytes:
        """The raw signature value, ECDSA as DER."""
        with self.lock:
            if self._handle is not None:
                try:
                    with _told():
                        return self._signed(data, digest)
                except ServiceError:
                    pass
            self.open_anew()
            with _told():
                return self._signed(data, digest)

    def _signed(self, data: bytes, digest: str) -> bytes:
        import pkcs11  # noqa: PLC0415 - as above
        from pkcs11.util.ec import encode_ecdsa_signature  # noqa: PLC0415 - as above

        if self._handle.key_type == pkcs11.KeyType.RSA:
            mechanism = getattr(pkcs11.Mechanism, f"{digest.upper()}_RSA_PKCS")
            return bytes(self._handle.sign(data, mechanism=mechanism))
        hashed = digests.digest(digest, data)
        raw = self._handle.sign(hashed, mechanism=pkcs11.Mechanism.ECDSA)
        return bytes(encode_ecdsa_signature(raw))


@contextmanager
def _told() -> Iterator[None]:
    """Turn what the token's library raises into our errors."""
    import pkcs11  # noqa: PLC0415 - as above

    try:
        yield
    except (pkcs11.PinIncorrect, pkcs11.PinInvalid, pkcs11.PinLenRange) as problem:
        raise _wrong_pin() from problem
    except (pkcs11.PinLocked, pkcs11.PinExpired) as problem:
        raise InvalidInput(
            "ПИН-код токена заблокирован или истёк. Разблокируйте токен ПИН-кодом администратора.",
            "The token's PIN is locked or has expired. Unlock the token with the officer's PIN.",
            code="token_pin_locked",
        ) from problem
    except pkcs11.NoSuchKey as problem:
        raise InvalidInput(
            "На токене нет ключа с такой меткой. Проверьте метку ключа.",
            "There is no key with this label on the token. Check the label.",
            code="token_key_missing",
        ) from problem
    except pkcs11.MultipleObjectsReturned as problem:
        raise InvalidInput(
            "На токене несколько ключей с такой меткой. Дайте нужному ключу свою метку.",
            "Several keys on the token have this label. Give the right one a label of its own.",
            code="token_key_ambiguous",
        ) from problem
    except (pkcs11.PKCS11Error, RuntimeError, OSError) as problem:
        raise Unavailable(
            "Токен с ключом не отвечает. Проверьте, что он подключён и назван верно.",
            "The token with the key does not answer. Check that it is there and its name.",
            code="token_unavailable",
        ) from problem


def _wrong_pin() -> InvalidInput:
    return InvalidInput(
        "ПИН-код токена неверен. Проверьте его: после нескольких ошибок токен блокируется.",
        "The token's PIN is wrong. Check it: the token locks after a few errors.",
        code="token_pin",
    )
