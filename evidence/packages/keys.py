"""The key of this installation for packages: made once, sealed at rest, with its own certificate.

Whoever checks a package compares the certificate's SHA-256 with the one this service publishes.
"""

import uuid
from datetime import timedelta
from urllib.parse import urlsplit

from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from core import clock, db, sealing
from core.settings import settings
from signatures.keys import SigningKey, from_private_key

_PURPOSE = "evidence-key"
_LIFE = timedelta(days=3653)
_loaded: dict[uuid.UUID, SigningKey] = {}


async def service_key() -> SigningKey:
    """The key in use; the first call of an installation makes it."""
    found = await _active()
    if found is None:
        await _make()
        found = await _active()
    if found is None:
        raise LookupError("the key of the packages was made and is not there")
    if found["id"] not in _loaded:
        private = serialization.load_der_private_key(
            sealing.unseal(bytes(found["sealed"]), purpose=_PURPOSE, bound_to=found["id"].bytes),
            None,
        )
        _loaded[found["id"]] = from_private_key(
            private, asn1_x509.Certificate.load(bytes(found["certificate"]))
        )
    return _loaded[found["id"]]


async def certificate() -> bytes:
    """Its certificate in DER."""
    return bytes((await service_key()).certificate.dump())


async def _active() -> db.Row | None:
    return await db.row("SELECT id, certificate, sealed FROM evidence_key WHERE retired_at IS NULL")


async def _make() -> None:
    key_id, private = clock.new_id(), ec.generate_private_key(ec.SECP256R1())
    sealed = sealing.seal(
        private.private_bytes(
            serialization.Encoding.DER,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ),
        purpose=_PURPOSE,
        bound_to=key_id.bytes,
    )
    # Of two processes that make one at once, the first one's counts.
    await db.execute(
        """INSERT INTO evidence_key (id, certificate, sealed, created_at) VALUES ($1, $2, $3, $4)
           ON CONFLICT DO NOTHING""",
        key_id, _certificate(private), sealed, clock.now(),
    )  # fmt: skip


def _certificate(private: ec.EllipticCurvePrivateKey) -> bytes:
    """Signed by itself: it is known by its fingerprint."""
    host = urlsplit(settings().public_url).hostname or "docflow"
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"docflow evidence {host}"[:64])])
    uses = dict.fromkeys(
        ("key_encipherment", "data_encipherment", "key_agreement", "key_cert_sign", "crl_sign",
         "encipher_only", "decipher_only"), False,
    )  # fmt: skip
    made = (
        x509.CertificateBuilder(
            issuer_name=subject,
            subject_name=subject,
            public_key=private.public_key(),
            serial_number=x509.random_serial_number(),
            not_valid_before=clock.now() - timedelta(minutes=5),
            not_valid_after=clock.now() + _LIFE,
        )
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(
            x509.KeyUsage(digital_signature=True, content_commitment=True, **uses), critical=True
        )
        .sign(private, hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.DER)
