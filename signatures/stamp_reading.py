"""The answer of a time-stamp authority (RFC 3161), read and judged in the sandbox."""

from datetime import datetime
from typing import Any

from asn1crypto import tsp

from core.errors import InvalidInput
from signatures.signers import Moment, check_token
from signatures.trust import of_request

_GRANTED = ("granted", "granted_with_mods")


class StampUnusable(InvalidInput):
    """The answer is no stamp of what was asked, or not one to rely on; `reason` says why."""

    code = "timestamp_unusable"
    ru = "Ответ службы отметок времени не годится. Проверьте службу и доверенные корни."
    en = "The time-stamp authority's answer is of no use. Check the authority and the roots."


def read_response(
    data: bytes, *, digest: bytes, algorithm: str, nonce: int, at: str, trust: dict[str, Any]
) -> bytes:
    """The token in DER, if it stamps `digest` for this request and is trusted at `at` (ISO 8601).

    Sections 2.4.2 and 2.3: status, imprint, nonce, signature with its signing certificate, an
    extended key usage that is critical and alone; then the path to a root. Raises StampUnusable.
    """
    try:
        return _read(data, digest, algorithm, nonce, Moment(of_request(trust), _moment(at)))
    except StampUnusable:
        raise
    except Exception as problem:
        # A stranger's bytes: whichever way a parser gives up, the next authority is asked.
        raise StampUnusable(reason=f"unreadable: {type(problem).__name__}") from problem


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _read(data: bytes, digest: bytes, algorithm: str, nonce: int, moment: Moment) -> bytes:
    response = tsp.TimeStampResp.load(data, strict=True)
    status = response["status"]["status"].native
    if status not in _GRANTED:
        raise StampUnusable(reason=f"status: {status}")
    token = response["time_stamp_token"]
    if token["content_type"].native != "signed_data":
        raise StampUnusable(reason="no signed data")
    signed = token["content"]
    if len(signed["signer_infos"]) != 1:
        raise StampUnusable(reason="not one signer")
    info = signed["encap_content_info"]["content"].parsed
    imprint = info["message_imprint"]
    if info["nonce"].native != nonce:
        raise StampUnusable(reason="nonce")
    if imprint["hash_algorithm"]["algorithm"].native != algorithm:
        raise StampUnusable(reason="algorithm")
    if imprint["hashed_message"].native != digest:
        raise StampUnusable(reason="imprint")
    report, certificate = check_token(
        signed, imprint_of=lambda name: digest if name == algorithm else b"", moment=moment
    )
    if not report.trusted or certificate is None:
        raise StampUnusable(reason=", ".join(report.reasons) or "untrusted")
    if "extended_key_usage" not in certificate.critical_extensions:
        raise StampUnusable(reason="extended key usage is not critical")
    if abs((report.time - moment.at).total_seconds()) > _CLOCKS_APART:
        raise StampUnusable(reason="clocks differ by more than five minutes")
    return bytes(token.dump())


_CLOCKS_APART = 300.0
