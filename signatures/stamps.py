"""RFC 3161 time stamps, the asking side: bytes out, bytes in, no transport.

A `Stamper` takes a TimeStampReq in DER and answers a TimeStampResp in DER: a local authority,
or a client of a remote one.
"""

from collections.abc import Callable
from secrets import randbits

from asn1crypto import tsp

from core.errors import Unavailable
from signatures.integrity import is_whole_token

Stamper = Callable[[bytes], bytes]


def request_stamp(imprint: bytes, *, tsa: Stamper, algorithm: str = "sha256") -> bytes:
    """The token for a digest, as DER, its own signature checked.

    Raises `timestamp_unavailable` for a wrong answer. Whether the authority is trusted is the
    validation's matter.
    """
    nonce = randbits(63)
    request = tsp.TimeStampReq(
        {
            "version": 1,
            "message_imprint": {
                "hash_algorithm": {"algorithm": algorithm},
                "hashed_message": imprint,
            },
            "nonce": nonce,
            "cert_req": True,
        }
    )
    try:
        response = tsp.TimeStampResp.load(tsa(request.dump()))
        status = response["status"]["status"].native
        token = response["time_stamp_token"]
        info = token["content"]["encap_content_info"]["content"].parsed
        is_ours = (
            status in ("granted", "granted_with_mods")
            and info["nonce"].native == nonce
            and info["message_imprint"]["hashed_message"].native == imprint
        )
        # A token that is not whole would spoil the signature it is put into for good.
        is_whole = is_whole_token(token["content"], imprint=imprint, algorithm=algorithm)
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, OSError) as problem:
        raise _unavailable() from problem
    if not (is_ours and is_whole):
        raise _unavailable()
    return bytes(token.dump())


def _unavailable() -> Unavailable:
    return Unavailable(
        "Служба отметок времени не выдала отметку. Повторите позже.",
        "The time-stamp authority gave no usable stamp. Try again later.",
        code="timestamp_unavailable",
    )
