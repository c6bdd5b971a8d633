"""The best level a signature can reach now, for keys that the service holds or was answered by.

PDF is parsed in the sandbox; key, time stamp and filling stay here. What cannot be had makes the
signature weaker, never silently: the answer names the level reached and what was lacking.
"""

import asyncio
import hashlib
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

from asn1crypto import x509

from core import clock
from core.errors import InvalidInput, ServiceError
from core.sandbox import pool
from signatures import anchors, stamp_client, vault
from signatures.cms import assemble, check_signature, client_answer, signed_attributes
from signatures.keys import SigningKey, check_certificate, digest_for
from signatures.prepared import STAMP_ROOM, Level, Prepared, TooSmall, fill, finish, no_room
from signatures.revocation_data import (
    Revocation,
    ValidationData,
    require_covered,
    token_line,
)
from signatures.roles import COMMITMENTS, Role
from signatures.stamps import Stamper, request_stamp

Stamping = Callable[[bytes], Awaitable[bytes]]
"""A checked token (DER) over a SHA-256 digest; raises `timestamp_unavailable`."""

_ROOM = 24 * 1024
_LARGE_ROOM = 256 * 1024
_LACKS = ("timestamp_unavailable", "revocation_unavailable")


def stamping_by(tsa: Stamper) -> Stamping:
    """A local authority, or any other that answers in this process, in a thread of its own."""

    async def asked(digest: bytes) -> bytes:
        return await asyncio.to_thread(request_stamp, digest, tsa=tsa)

    return asked


Proving = Callable[[tuple[bytes, ...]], Awaitable[ValidationData]]
"""What proves a chain not revoked, as `Revocation`, but asked elsewhere."""


def proving_by(revocation: Revocation) -> Proving:
    """The answers of this process, in a thread of its own."""

    async def asked(chain: tuple[bytes, ...]) -> ValidationData:
        return await asyncio.to_thread(revocation, chain)

    return asked


async def _installed(chain: tuple[bytes, ...]) -> ValidationData:
    """What the installation's trust store holds; paths are built in the sandbox."""
    request = {**await anchors.request(), "at": clock.now().isoformat()}
    found: ValidationData = await pool().run(
        "signatures.remote:revocation_for", list(chain), request, into=ValidationData
    )
    return found


@dataclass(frozen=True, slots=True)
class Sealed:
    """A signed PDF, the level it reached, and the codes of what kept it from B-LTA."""

    data: bytes = field(repr=False)
    level: Level
    lacks: tuple[str, ...] = ()


async def seal_pdf(
    organization_id: uuid.UUID,
    content: bytes,
    *,
    role: Role | None = None,
    stamping: Stamping | None = None,
    revocation: Proving | None = None,
) -> Sealed:
    """Sign with the organization's key at the best level there is data for; B-LTA at best.

    By default the installation's time-stamp authorities are asked, over the network, and its trust
    holds the revocation data; so it belongs outside a transaction. Raises `no_signing_key`,
    `certificate_revoked` before the key is used, and what `pdf.prepare` raises.
    """
    key = await vault.key_of(organization_id)
    known = revocation or _installed
    asked = stamping or stamp_client.stamp
    return await seal_with(key, content, role=role, stamping=asked, revocation=known)


async def seal_with(
    key: SigningKey,
    content: bytes,
    *,
    role: Role | None = None,
    stamping: Stamping | None = None,
    revocation: Proving | None = None,
) -> Sealed:
    """The same with a key at hand."""
    chain = (key.certificate.dump(), *(one.dump() for one in key.chain))
    await _proved(chain, revocation)
    for room in (_ROOM, _LARGE_ROOM):
        prepared = await prepare(content, certificate=chain[0], chain=chain[1:], role=role,
                                 room=room)  # fmt: skip
        answer = await asyncio.to_thread(key.sign, prepared.attributes, digest_for(key.certificate))
        try:
            return await complete(prepared, answer, stamping=stamping, revocation=revocation)
        except InvalidInput as problem:
            if problem.error_code != "signature_too_big":
                raise
    raise no_room()


async def prepare(
    content: bytes,
    *,
    certificate: bytes,
    chain: tuple[bytes, ...] = (),
    role: Role | None = None,
    room: int = _ROOM,
) -> Prepared:
    """`pdf.prepare` in the sandbox; raises the same."""
    found: Any = await pool().run(
        "signatures.remote:prepare", content, certificate=certificate, chain=list(chain),
        at=clock.now().isoformat(), role=role, room=room,
    )  # fmt: skip
    return Prepared.restore(state=found["state"], document=found["document"])


async def complete_here(prepared: Prepared, answer: bytes) -> Sealed:
    """`complete` with the installation's time-stamp authorities and its trust."""
    return await complete(prepared, answer, stamping=stamp_client.stamp, revocation=_installed)


async def complete(
    prepared: Prepared,
    answer: bytes,
    *,
    stamping: Stamping | None = None,
    revocation: Proving | None = None,
) -> Sealed:
    """Finish a prepared signature and raise it as far as time stamps and revocation data go.

    Raises what `finish` raises and `certificate_revoked`.
    """
    is_raw = client_answer(answer, certificate=x509.Certificate.load(prepared.certificate)) is None
    if stamping is None or not is_raw:  # a CMS of the client's is entered as it came
        return Sealed(finish(prepared, answer), "B-B", _LACKS[:1])
    try:
        token = await stamping(hashlib.sha256(answer).digest())
    except ServiceError as problem:
        return Sealed(finish(prepared, answer), "B-B", (_lack(problem),))
    signed = finish(prepared, answer, token=token)
    stamp_chain = token_line(token)
    chain = (prepared.certificate, *prepared.chain)
    own = await _proved(chain, revocation)
    stamp = await _proved(stamp_chain, revocation)
    if own is None or stamp is None:
        return Sealed(signed, "B-T", _LACKS[1:])
    return await _lasting(signed, own + stamp, stamping)


async def _lasting(signed: bytes, validation: ValidationData, stamping: Stamping) -> Sealed:
    """With the data in the file and, if the authority answers once more, under its stamp."""
    try:
        return Sealed(
            await stamp_document(signed, validation=validation, stamping=stamping), "B-LTA"
        )
    except ServiceError as problem:
        lack = _lack(problem)
    data = await pool().run("signatures.remote:add_validation_data", signed, validation)
    return Sealed(bytes(data), "B-LT", (lack,))


async def stamp_document(
    data: bytes, *, validation: ValidationData | None, stamping: Stamping
) -> bytes:
    """`dss.add_document_timestamp` with the parsing in the sandbox; raises the same."""
    room = STAMP_ROOM
    for _ in range(2):
        place: Any = await pool().run("signatures.remote:place_stamp", data, validation, room=room)
        token = await stamping(place["digest"])
        try:
            return fill(
                BytesIO(place["document"]), start=place["start"], end=place["end"],
                digest=place["digest"], made=token,
            )  # fmt: skip
        except TooSmall:
            room = len(token) + 512
    raise no_room()


async def _proved(chain: tuple[bytes, ...], revocation: Proving | None) -> ValidationData | None:
    """The data that proves a chain, or None where there is not enough of it."""
    if revocation is None:
        return None

    try:
        found = await revocation(chain) + ValidationData(certificates=chain)
        await asyncio.to_thread(require_covered, chain, found, at=clock.now())
        return found
    except ServiceError as problem:
        _lack(problem)
        return None


def _lack(problem: ServiceError) -> str:
    """The code if it only makes the signature weaker; anything else is raised again."""
    if problem.error_code not in _LACKS:
        raise problem
    return problem.error_code


async def seal_detached(
    key: SigningKey, digest: bytes, *, role: Role | None = None, stamping: Stamping | None = None
) -> bytes:
    """A detached CAdES-T over a digest, CAdES-BES where no authority answers.

    By default the installation's authorities are asked, so it belongs outside a transaction.
    """
    check_certificate(key.certificate)
    algorithm = digest_for(key.certificate)
    attributes = signed_attributes(
        digest=digest, certificate=key.certificate, signing_time=clock.now(),
        commitment=COMMITMENTS.get(role or ""),
    )  # fmt: skip
    value = await asyncio.to_thread(key.sign, attributes, algorithm)
    token = None
    try:
        token = await (stamping or stamp_client.stamp)(hashlib.sha256(value).digest())
    except ServiceError as problem:
        _lack(problem)
    made = assemble(
        attributes=attributes, signature=value, certificate=key.certificate, chain=key.chain,
        digest_algorithm=algorithm, token=token,
    )  # fmt: skip
    check_signature(made, digest=digest, algorithm=algorithm)
    return made
