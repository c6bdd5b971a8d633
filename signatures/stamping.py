"""A time-stamp authority (RFC 3161), the answering side, its key loaded once."""

import hashlib
from dataclasses import dataclass
from datetime import datetime

from asn1crypto import cms, core, tsp, x509

from core import clock
from signatures import cms as signing
from signatures.keys import SigningKey

# An arbitrary arc below the UUID-free "joint-iso-itu-t example" arc of X.660 annex A.
_POLICY = "2.999.1"
_SIZES = {"sha256": 32, "sha384": 48, "sha512": 64}


@dataclass(frozen=True, slots=True)
class StampAuthority:
    """Answers requests in DER; itself usable wherever a `Stamper` is asked for."""

    key: SigningKey
    at: datetime | None = None

    def __call__(self, request: bytes) -> bytes:
        """The same as `answer`."""
        return self.answer(request)

    def answer(self, request: bytes) -> bytes:
        """A TimeStampResp for a TimeStampReq; a bad request is answered with a rejection."""
        try:
            asked = tsp.TimeStampReq.load(request, strict=True)
            imprint = asked["message_imprint"]
            algorithm = imprint["hash_algorithm"]["algorithm"].native
            digest = imprint["hashed_message"].native
            nonce = asked["nonce"].native
        except (ValueError, TypeError, KeyError):
            return _rejection("bad_data_format")
        if _SIZES.get(algorithm) != len(digest):
            return _rejection("bad_alg")
        return self._grant(imprint, nonce)

    def _grant(self, imprint: tsp.MessageImprint, nonce: int | None) -> bytes:
        info = {
            "version": "v1",
            "policy": _POLICY,
            "message_imprint": imprint,
            "serial_number": clock.new_id().int,
            "gen_time": core.GeneralizedTime((self.at or clock.now()).replace(microsecond=0)),
            "accuracy": {"seconds": 1},
        }
        if nonce is not None:
            info["nonce"] = nonce
        content = tsp.TSTInfo(info).dump()
        certificate: x509.Certificate = self.key.certificate
        attributes = signing.signed_attributes(
            digest=hashlib.sha256(content).digest(),
            certificate=certificate,
            signing_time=None,
            content_type="tst_info",
        )
        token = signing.assemble(
            attributes=attributes,
            signature=self.key.sign(attributes, "sha256"),
            certificate=certificate,
            chain=self.key.chain,
            content=cms.EncapsulatedContentInfo(
                {"content_type": "tst_info", "content": cms.ParsableOctetString(content)}
            ),
        )
        granted = tsp.TimeStampResp(
            {"status": {"status": "granted"}, "time_stamp_token": cms.ContentInfo.load(token)}
        )
        return bytes(granted.dump())


def _rejection(failure: str) -> bytes:
    """A response without a token, which the library's own type cannot express."""
    body = tsp.PKIStatusInfo({"status": "rejection", "fail_info": {failure}}).dump()
    return b"\x30" + bytes([len(body)]) + bytes(body)
