"""Time-stamp authorities that come and go over the years, for proofs about long life."""

import hashlib
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from asn1crypto import cms, core, tsp
from cryptography.hazmat.primitives import serialization
from cryptography.x509.oid import ExtendedKeyUsageOID

from core import clock
from signatures import cms as signing
from signatures.authority import Authority, Subject, _usage, create_authority
from signatures.keys import SigningKey
from signatures.trust import TrustStore

BEGIN = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


def years(number: float) -> timedelta:
    return timedelta(days=round(365.25 * number))


@dataclass
class StampingPlace:
    """An authority of forty years that certifies a new stamping key every three."""

    digest: str = "sha256"
    root: Authority = field(
        default_factory=lambda: create_authority(
            "Long root", not_before=BEGIN - years(1), not_after=BEGIN + years(40)
        )
    )
    key: SigningKey | None = None
    calls: int = 0
    is_down: bool = False

    def new_key(self, *, life: timedelta = timedelta(days=1096)) -> None:
        """A new certificate from now on."""

        self.key = self.root.issue(
            Subject(common_name=f"TSA {clock.now():%Y}"),
            usage=_usage(digital_signature=True),
            extended=(ExtendedKeyUsageOID.TIME_STAMPING,),
            not_before=clock.now() - timedelta(minutes=5),
            not_after=clock.now() + life,
        ).key()

    def trust(self) -> TrustStore:
        """The root and its revocation list of today."""
        return TrustStore(roots=(self.root.der,), crls=(self.root.crl(this_update=clock.now()),))

    def pem(self) -> bytes:
        return self.root.certificate.public_bytes(serialization.Encoding.PEM)

    async def stamp(self, digest: bytes, *, algorithm: str) -> bytes:
        """What the service's client of an authority answers: a token in DER."""
        if self.is_down:
            raise ConnectionError
        self.calls += 1
        return self.token(digest, algorithm)

    def token(self, imprint: bytes, algorithm: str) -> bytes:
        assert self.key is not None
        info = tsp.TSTInfo(
            {
                "version": "v1",
                "policy": "2.999.1",
                "message_imprint": {
                    "hash_algorithm": {"algorithm": algorithm},
                    "hashed_message": imprint,
                },
                "serial_number": clock.new_id().int,
                "gen_time": core.GeneralizedTime(clock.now().replace(microsecond=0)),
            }
        ).dump()
        attributes = signing.signed_attributes(
            digest=hashlib.new(self.digest, info).digest(),
            certificate=self.key.certificate, signing_time=None, content_type="tst_info",
        )  # fmt: skip
        return signing.assemble(
            attributes=attributes,
            signature=self.key.sign(attributes, self.digest),
            certificate=self.key.certificate,
            digest_algorithm=self.digest,
            content=cms.EncapsulatedContentInfo(
                {"content_type": "tst_info", "content": cms.ParsableOctetString(info)}
            ),
        )
