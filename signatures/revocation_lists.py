"""A revocation list (CRL, RFC 5280 section 5) read without making an object of every entry.

Of a list of 200,000 entries one certificate asks for one. The header is parsed by asn1crypto with
the entries cut out; the entries are walked once, by their lengths, into a sorted array of hashes,
and a hit is read again from the bytes. Nothing here judges: `revocation` does.
"""

import hashlib
from array import array
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property, lru_cache
from mmap import ACCESS_READ, mmap
from typing import Any

from asn1crypto import algos, crl, x509
from asn1crypto import core as asn1

from core.errors import Unavailable

Buffer = bytes | mmap

_SEQUENCE, _INTEGER, _TIMES = 0x30, 0x02, (0x17, 0x18)
_KNOWN = {
    "authority_key_identifier",
    "issuing_distribution_point",
    "crl_number",
    "issuer_alt_name",
    "freshest_crl",
    "authority_information_access",
}
REMOVED = "remove_from_crl"


@dataclass(frozen=True, slots=True)
class Entry:
    """One revoked certificate; `reason` in asn1crypto's words, None where the list gives none."""

    serial: int
    revoked_at: datetime
    reason: str | None


def tlv(data: Buffer, at: int, limit: int) -> tuple[int, int, int]:
    """Tag, start, end of the content at `at`; DER, so lengths are definite. Raises ValueError."""
    if at + 2 > limit:
        raise ValueError("DER ends early")
    size, start = data[at + 1], at + 2
    if size & 0x80:
        count = size & 0x7F
        if not 1 <= count <= 4:
            raise ValueError("a length no DER has")
        start += count
        size = int.from_bytes(data[at + 2 : start], "big")
    if start + size > limit:
        raise ValueError("DER ends early")
    return data[at], start, start + size


def integer(value: int) -> bytes:
    """The content octets of a DER INTEGER."""
    return value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True)


def _shortest(content: bytes) -> bytes:
    """The content octets of an INTEGER as DER has them; some authorities pad."""
    if content[0] not in (0, 0xFF):
        return content
    return integer(int.from_bytes(content, "big", signed=True))


def _sequence(content: bytes) -> bytes:
    size = len(content)
    if size < 0x80:
        return b"\x30" + bytes([size]) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return b"\x30" + bytes([0x80 | len(length)]) + length + content


class RevocationList:
    """The list in `data`, DER; raises ValueError for anything else.

    `sha256` may be given by who knows it already. The bytes are kept, not copied.
    """

    def __init__(self, data: Buffer, *, sha256: bytes | None = None) -> None:
        self._data = data
        self._given = sha256
        tag, start, end = tlv(data, 0, len(data))
        if tag != _SEQUENCE or end != len(data):
            raise ValueError("not one DER sequence")
        tag, inner, self._signed_end = tlv(data, start, end)
        if tag != _SEQUENCE:
            raise ValueError("no list inside")
        self._signed_start = start
        cut, first, last = self._find_entries(inner)
        self._entries = first, last
        try:
            # Cut out with their header; the optional field is then simply absent.
            self.head = crl.TbsCertList.load(
                _sequence(data[inner:cut] + data[last : self._signed_end]), strict=True
            )
            self.issuer: x509.Name = self.head["issuer"]
            self.issuer_key: str = self.issuer.hashable
            self.this_update: datetime = self.head["this_update"].native
            self.next_update: datetime | None = self.head["next_update"].native
            rest = _sequence(data[self._signed_end : end])
            self._tail = _Tail.load(rest, strict=True)
            self.signature = bytes(self._tail["signature"].native)
            self.signature_algorithm = self._tail["signature_algorithm"]
            self._extensions = self._read_extensions()
            inside = self.head["signature"].dump()
            self._is_consistent: bool = self.signature_algorithm.dump() == inside
        except (TypeError, KeyError, AttributeError, RecursionError) as problem:
            raise ValueError("not a revocation list") from problem

    def _find_entries(self, at: int) -> tuple[int, int, int]:
        """Header, start and end of the revoked certificates; all the same where there are none."""
        data, end = self._data, self._signed_end
        seen_time = False
        while at < end:
            tag, start, stop = tlv(data, at, end)
            if tag in _TIMES:
                seen_time = True
            elif seen_time and tag == _SEQUENCE:
                return at, start, stop
            elif seen_time:
                break
            at = stop
        return at, at, at

    def _read_extensions(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        self.has_unknown_critical = False
        extensions = self.head["crl_extensions"]
        for one in extensions if isinstance(extensions, asn1.SequenceOf) else ():
            name = one["extn_id"].native
            if name in found:
                raise ValueError("an extension stands twice")
            found[name] = one["extn_value"].parsed
            if one["critical"].native and name not in _KNOWN:
                self.has_unknown_critical = True
        return found

    @cached_property
    def sha256(self) -> bytes:
        """What the list is called by."""
        return self._given or hashlib.sha256(self._data).digest()

    @property
    def der(self) -> bytes:
        """The list as it came."""
        return bytes(self._data[:])

    @property
    def signed(self) -> bytes:
        """The bytes the issuer signed."""
        return bytes(self._data[self._signed_start : self._signed_end])

    @property
    def is_consistent(self) -> bool:
        """Is the algorithm inside the signed part the one outside (RFC 5280 section 5.1.1.2)?"""
        return self._is_consistent

    @property
    def number(self) -> int | None:
        """The CRL number (section 5.2.3)."""
        found = self._extensions.get("crl_number")
        return None if found is None else int(found.native)

    @property
    def key_id(self) -> bytes | None:
        """Which of the issuer's keys signed, where the list says it."""
        found = self._extensions.get("authority_key_identifier")
        return None if found is None else found["key_identifier"].native

    @property
    def point(self) -> Any:
        """The issuing distribution point (section 5.2.5), or None: the list has no limits."""
        return self._extensions.get("issuing_distribution_point")

    @property
    def is_delta(self) -> bool:
        """Only changes against another list (section 5.2.4)?"""
        return "delta_crl_indicator" in self._extensions

    @property
    def is_indirect(self) -> bool:
        """May it hold certificates of other issuers (section 5.2.5)?"""
        return self.point is not None and bool(self.point["indirect_crl"].native)

    @cached_property
    def _hashes(self) -> "array[int]":
        """Sorted hashes of the serials; a few bytes an entry, in this process only."""
        return array("q", sorted(map(hash, self._serials())))

    def _serials(self) -> Iterator[bytes]:
        data = self._data
        at, end = self._entries
        while at < end:
            size, body = data[at + 1], at + 2
            if size & 0x80:
                _, body, stop = tlv(data, at, end)
            else:
                stop = body + size
            # one entry in a step, so that 200,000 are a tenth of a second
            length = data[body + 1]
            if data[at] != _SEQUENCE or data[body] != _INTEGER or not 0 < length < 0x80:
                raise ValueError("not an entry")
            if body + 2 + length > stop or stop > end:
                raise ValueError("an entry ends early")
            yield _shortest(data[body + 2 : body + 2 + length])
            at = stop

    def __len__(self) -> int:
        return len(self._hashes)

    def check_entries(self) -> None:
        """Walk all entries once; raises ValueError if they are not what they should be."""
        try:
            len(self._hashes)
        except IndexError as problem:
            raise ValueError("an entry ends early") from problem

    def find(self, serial: int) -> Entry | None:
        """The entry of a serial number; raises ValueError for a list whose entries are broken."""
        self.check_entries()
        wanted = integer(serial)
        name = hash(wanted)
        place = bisect_left(self._hashes, name)
        if place == len(self._hashes) or self._hashes[place] != name:
            return None
        return next((one for one in self._raw_entries(wanted)), None)

    def entries(self) -> Iterator[Entry]:
        """Every entry, parsed."""
        return self._raw_entries(None)

    def _raw_entries(self, wanted: bytes | None) -> Iterator[Entry]:
        at, end = self._entries
        for content in self._serials():
            stop = tlv(self._data, at, end)[2]
            if wanted is None or content == wanted:
                yield _entry(self._data, at, stop)
            at = stop


_REASON = bytes.fromhex("300c300a0603551d1504030a01")  # the extension with nothing but a reason


def _entry(data: Buffer, at: int, stop: int) -> Entry:
    """One entry. Whatever extension it has, it is revoked: that errs on the safe side."""
    content = bytes(data[at:stop])
    _, body, _ = tlv(content, 0, len(content))
    _, start, end = tlv(content, body, len(content))
    rest = content[end:]
    # The two usual forms are read by hand: 200,000 of them are imported at once.
    if rest[:2] == b"\x17\x0d" and rest[14:15] == b"Z":
        tail = rest[15:]
        if not tail or (len(tail) == 14 and tail[:13] == _REASON):
            reason = str(crl.CRLReason.load(b"\x0a\x01" + tail[13:]).native) if tail else None
            serial = int.from_bytes(content[start:end], "big", signed=True)
            return Entry(serial, _utc(rest[2:14]), reason)
    parsed = crl.RevokedCertificate.load(content, strict=True)
    extensions = parsed["crl_entry_extensions"]
    reason = None
    for one in extensions if isinstance(extensions, asn1.SequenceOf) else ():
        if one["extn_id"].native == "crl_reason":
            reason = str(one["extn_value"].parsed.native)
    return Entry(parsed["user_certificate"].native, parsed["revocation_date"].native, reason)


@lru_cache(maxsize=1024)
def _utc(text: bytes) -> datetime:
    """The digits of a UTCTime; two-digit years turn at 50 (RFC 5280 section 4.1.2.5.1)."""
    year, *rest = (int(text[place : place + 2]) for place in range(0, 12, 2))
    return datetime(year + (2000 if year < 50 else 1900), *rest, tzinfo=UTC)  # type: ignore[arg-type, misc]  # reason: five numbers


class _Tail(asn1.Sequence):  # type: ignore[misc]  # reason: asn1crypto has no types
    _fields = [  # noqa: RUF012  # asn1crypto resolves the names in place
        ("signature_algorithm", algos.SignedDigestAlgorithm),
        ("signature", asn1.OctetBitString),
    ]


_REMEMBERED = 16 << 20


@lru_cache(maxsize=16)
def _remembered(data: bytes) -> RevocationList:
    return RevocationList(data)


def load(data: bytes) -> RevocationList:
    """The list in these bytes; the same object for the same bytes, unless they are outsized."""
    return _remembered(data) if len(data) <= _REMEMBERED else RevocationList(data)


@lru_cache(maxsize=256)
def from_file(path: str, sha256: str) -> RevocationList:
    """The list in a file of that hash (hex), mapped and not copied; read once a process.

    Raises `Unavailable` when the file is gone or is another one.
    """
    try:
        with open(path, "rb") as file:
            data = mmap(file.fileno(), 0, access=ACCESS_READ)
    except (OSError, ValueError) as problem:
        raise Unavailable(code="trust_file_missing") from problem
    if hashlib.sha256(data).hexdigest() != sha256:
        raise Unavailable(code="trust_file_changed")
    return RevocationList(data, sha256=bytes.fromhex(sha256))
