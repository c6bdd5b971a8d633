"""A PDF that waits for its signature, and the filling of it; needs no PDF parser.

The half of signing that a serving process does itself: it writes a value into a place that was
made elsewhere, and checks what it wrote.
"""

import json
from base64 import b64decode, b64encode
from dataclasses import dataclass, field
from io import BytesIO
from typing import Literal

from asn1crypto import x509

from core.errors import InvalidInput
from signatures import digests
from signatures.cms import assemble, check_signature, client_answer
from signatures.keys import digest_for
from signatures.stamps import Stamper

Level = Literal["B-B", "B-T", "B-LT", "B-LTA"]
"""The baseline levels of ETSI EN 319 142-1."""

STAMP_ROOM = 8 * 1024
"""Bytes kept for a time stamp of unknown size."""


class TooSmall(Exception):
    """The CMS came out bigger than the place kept for it."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A PDF with an empty place for the signature; plain bytes, so it can wait in storage.

    `attributes` is what the client's key signs, `digest` what they speak of; both are hashed by
    the algorithm that goes with the certificate's key.
    """

    document: bytes = field(repr=False)
    digest: bytes
    attributes: bytes
    certificate: bytes = field(repr=False)
    chain: tuple[bytes, ...] = field(repr=False)
    start: int
    end: int

    def state(self) -> bytes:
        """Everything but the document, for keeping beside it."""
        return json.dumps(
            {
                "digest": self.digest.hex(),
                "attributes": b64encode(self.attributes).decode(),
                "certificate": b64encode(self.certificate).decode(),
                "chain": [b64encode(der).decode() for der in self.chain],
                "start": self.start,
                "end": self.end,
            }
        ).encode()

    @classmethod
    def restore(cls, *, state: bytes, document: bytes) -> "Prepared":
        """Back from `state` and the document kept with it."""
        kept = json.loads(state)
        return cls(
            document=document,
            digest=bytes.fromhex(kept["digest"]),
            attributes=b64decode(kept["attributes"]),
            certificate=b64decode(kept["certificate"]),
            chain=tuple(b64decode(der) for der in kept["chain"]),
            start=kept["start"],
            end=kept["end"],
        )


def fill(
    buffer: BytesIO,
    *,
    start: int,
    end: int,
    digest: bytes,
    made: bytes,
    algorithm: str = "sha256",
) -> bytes:
    """Write the CMS into its place, then read the file as a validator would."""
    text = made.hex().encode()
    if len(text) > end - start - 2:
        raise TooSmall
    buffer.seek(start + 1)
    buffer.write(text)
    view = buffer.getbuffer()
    hashed = digests.start(algorithm, view[:start])
    hashed.update(view[end:])
    stated = b"[0 %d %d %d]" % (start, end, len(view) - end)
    is_right = (
        hashed.digest() == digest
        and view[start] == 0x3C
        and view[end - 1] == 0x3E
        and stated in bytes(view[max(0, start - 4096) : start]) + bytes(view[end : end + 4096])
    )
    view.release()
    if not is_right:
        raise InvalidInput(
            "Подпись не удалось поместить в файл. Сохраните PDF заново и повторите.",
            "The signature could not be put into the file. Save the PDF anew and try again.",
            code="pdf_unsignable",
        )
    return buffer.getvalue()


def no_room() -> InvalidInput:
    """The error for a signature that fits no place we may make."""
    return InvalidInput(
        "Подпись больше отведённого места. Начните подписание заново без лишних сертификатов.",
        "The signature is bigger than its place. Start again without needless certificates.",
        code="signature_too_big",
    )


def finish(
    prepared: Prepared, answer: bytes, *, tsa: Stamper | None = None, token: bytes | None = None
) -> bytes:
    """Second half: `answer` is the raw value over `attributes`, or a whole CMS over the digest.

    A raw value is time-stamped by `tsa`, or with a `token` over its SHA-256; a CMS is entered as
    it came.

    Raises `signature_does_not_fit`, `certificate_changed`, `signature_too_big`.
    """
    leaf = x509.Certificate.load(prepared.certificate)
    algorithm = digest_for(leaf)
    made = client_answer(answer, certificate=leaf)
    if made is None:
        made = assemble(
            attributes=prepared.attributes,
            signature=answer,
            certificate=leaf,
            chain=tuple(x509.Certificate.load(der) for der in prepared.chain),
            digest_algorithm=algorithm,
            tsa=tsa,
            token=token,
        )
    check_signature(made, digest=prepared.digest, algorithm=algorithm)
    try:
        return fill(
            BytesIO(prepared.document),
            start=prepared.start,
            end=prepared.end,
            digest=prepared.digest,
            made=made,
            algorithm=algorithm,
        )
    except TooSmall:
        raise no_room() from None
