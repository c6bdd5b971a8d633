"""The signature primitive behind certificates, lists, answers, tokens and documents."""

import hashlib
from typing import Any

from cryptography.exceptions import InvalidSignature
from pyhanko_certvalidator.sig_validate import (
    DEFAULT_VALIDATION_CONTEXT,
    DefaultSignatureValidator,
    SignatureValidationContext,
)

from signatures import primitives
from signatures.gost.checking import Unsupported, is_gost
from signatures.gost.libgcrypt import Unavailable

_REFUSALS = (
    *(AssertionError, AttributeError, KeyError, TypeError, ValueError),
    *(Unsupported, Unavailable),
)
"""What the library answers to a key and an algorithm that do not go together; an RSA signature that
names no hash ends in an AttributeError."""


class _Remembering(DefaultSignatureValidator):
    """Verifies each (key, data, signature) once; only successes are remembered."""

    def __init__(self, capacity: int = 20_000) -> None:
        self._seen: set[bytes] = set()
        self._capacity = capacity

    def validate_signature(
        self,
        signature: bytes,
        signed_data: bytes,
        public_key_info: Any,
        signature_algorithm: Any,
        context: SignatureValidationContext = DEFAULT_VALIDATION_CONTEXT,
    ) -> None:
        hashed = hashlib.sha256()
        for part in (
            signature,
            signed_data,
            public_key_info.dump(),
            signature_algorithm.dump(),
            repr(context).encode(),
        ):
            hashed.update(len(part).to_bytes(8, "big"))
            hashed.update(part)
        name = hashed.digest()
        if name in self._seen:
            return
        try:
            if is_gost(public_key_info.algorithm):
                primitives.verify(
                    signature,
                    signed_data,
                    key=public_key_info,
                    algorithm=signature_algorithm,
                    digest=context.contextual_md_algorithm or "",
                    prehashed=context.prehashed,
                )
            else:
                super().validate_signature(
                    signature, signed_data, public_key_info, signature_algorithm, context
                )
        except _REFUSALS as problem:
            raise InvalidSignature from problem
        if len(self._seen) >= self._capacity:
            self._seen.clear()
        self._seen.add(name)

    def forget(self) -> None:
        """Remember nothing any more."""
        self._seen.clear()


VERIFIER = _Remembering()
