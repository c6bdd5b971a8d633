"""pyHanko as its documentation shows it, in processes of its own: the floor of what we do with it.

Nothing here is of the service but the names of the files.
"""

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from io import BytesIO
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from asn1crypto import crl, keys, x509
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign import signers
from pyhanko.sign.fields import SigSeedSubFilter
from pyhanko.sign.timestamps import DummyTimeStamper
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko_certvalidator import ValidationContext
from pyhanko_certvalidator.registry import SimpleCertificateStore

Trust = tuple[tuple[bytes, ...], tuple[bytes, ...], tuple[bytes, ...]]
"""Roots, other certificates, CRLs, all in DER."""


def two_processes() -> ProcessPoolExecutor:
    """One for each of two cores, warm after the first call of `warmed`."""
    return ProcessPoolExecutor(2, mp_context=get_context("spawn"))


def validated(data: bytes, trust: Trust) -> bool:
    """One file, its first signature, with a validation context of its own."""
    roots, others, crls = trust
    context = ValidationContext(
        trust_roots=[x509.Certificate.load(der) for der in roots],
        other_certs=[x509.Certificate.load(der) for der in others],
        crls=[crl.CertificateList.load(der) for der in crls],
    )
    reader = PdfFileReader(BytesIO(data))
    status = validate_pdf_signature(reader.embedded_signatures[0], context)
    return bool(status.bottom_line)


def validated_all(paths: Sequence[str], trust: Trust) -> int:
    """How many of these files are good."""
    return sum(validated(Path(path).read_bytes(), trust) for path in paths)


def simple_signer(pkcs12: str, passphrase: bytes) -> signers.SimpleSigner:
    """The signer of the documentation, from a PKCS #12 file."""
    made = signers.SimpleSigner.load_pkcs12(  # type: ignore[no-untyped-call]  # reason: untyped
        pkcs12, passphrase=passphrase
    )
    if not isinstance(made, signers.SimpleSigner):
        raise TypeError("the PKCS #12 file cannot be read")
    return made


def signed(data: bytes, signer: signers.SimpleSigner) -> bytes:
    """One PAdES signature, B-B, as documented."""
    metadata = signers.PdfSignatureMetadata(
        field_name="Signature1", subfilter=SigSeedSubFilter.PADES
    )
    writer = IncrementalPdfFileWriter(BytesIO(data))
    return bytes(signers.sign_pdf(writer, metadata, signer=signer).getvalue())


@dataclass(frozen=True, slots=True)
class LongTerm:
    """What the documentation passes for B-LTA: a time stamper and a validation context."""

    stamper: DummyTimeStamper
    context: ValidationContext


def long_term(stamping: tuple[bytes, bytes], chain: Sequence[bytes], trust: Trust) -> LongTerm:
    """`stamping` is certificate and PKCS #8 key, both in DER; nothing is fetched."""
    roots, others, crls = trust
    untyped: Any = SimpleCertificateStore
    store = untyped()
    store.register_multiple(x509.Certificate.load(der) for der in chain)
    stamper = DummyTimeStamper(
        x509.Certificate.load(stamping[0]), keys.PrivateKeyInfo.load(stamping[1]), store
    )
    context = ValidationContext(
        trust_roots=[x509.Certificate.load(der) for der in roots],
        other_certs=[x509.Certificate.load(der) for der in others],
        crls=[crl.CertificateList.load(der) for der in crls],
        allow_fetching=False,
        revocation_mode="require",
    )
    return LongTerm(stamper, context)


def signed_for_long(data: bytes, signer: signers.SimpleSigner, long: LongTerm) -> bytes:
    """One PAdES signature, B-LTA, as documented."""
    metadata = signers.PdfSignatureMetadata(
        field_name="Signature1",
        subfilter=SigSeedSubFilter.PADES,
        embed_validation_info=True,
        use_pades_lta=True,
        validation_context=long.context,
    )
    writer = IncrementalPdfFileWriter(BytesIO(data))
    made = signers.sign_pdf(writer, metadata, signer=signer, timestamper=long.stamper)
    return bytes(made.getvalue())
