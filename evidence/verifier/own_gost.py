"""GOST by this service's own library, in place of what the stand-alone file finds on a machine."""

from evidence.verifier.gost import Gost
from signatures import digests
from signatures.gost import libgcrypt
from signatures.integrity import is_whole

_STREEBOG = ("streebog256", "streebog512")


class _Streebog256(libgcrypt.Hash):
    def __init__(self) -> None:
        super().__init__("streebog256")


class OwnGost(Gost):
    """The same two questions, answered first without any child process."""

    def __init__(self) -> None:
        self.streebog = _Streebog256 if libgcrypt.is_available() else None

    def is_signed(self, signature: bytes, content: bytes) -> bool | None:
        """Does the CMS sign this content? None without libgcrypt."""
        if not libgcrypt.is_available():
            return super().is_signed(signature, content)
        if any(
            is_whole(signature, digest=digests.digest(name, content), algorithm=name)
            for name in _STREEBOG
        ):
            return True
        return super().is_signed(signature, content)  # signers of several algorithms in one file
