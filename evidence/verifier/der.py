"""Values of DER and BER (X.690), as they stand in signatures, certificates and time stamps."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Der:
    """One value of DER or BER (X.690): its tag, its content, and its bytes as they stand."""

    tag: int
    data: bytes = field(repr=False)
    first: int
    start: int
    end: int
    after: int

    @property
    def content(self) -> bytes:
        """The bytes inside."""
        return self.data[self.start : self.end]

    @property
    def raw(self) -> bytes:
        """The bytes with tag and length."""
        return self.data[self.first : self.after]

    @property
    def parts(self) -> list[Der]:
        """The values inside."""
        found, at = [], self.start
        while at < self.end:
            found.append(parse(self.data, at))
            at = found[-1].after
        return found

    @property
    def octets(self) -> bytes:
        """An octet string, also one sent in pieces."""
        return b"".join(one.octets for one in self.parts) if self.tag & 0x20 else self.content

    @property
    def oid(self) -> str:
        """An object identifier with dots."""
        numbers = [0]
        for byte in self.content:
            numbers[-1] = numbers[-1] << 7 | byte & 0x7F
            if byte < 0x80:
                numbers.append(0)
        first = min(numbers[0] // 40, 2)
        return ".".join(map(str, [first, numbers[0] - 40 * first, *numbers[1:-1]]))


def parse(data: bytes, at: int = 0, depth: int = 0) -> Der:
    """The value at an offset. Raises ValueError or IndexError."""
    tag, length, start = data[at], data[at + 1], at + 2
    if depth > 40 or tag & 0x1F == 0x1F:
        raise ValueError("too deep, or a long tag")
    if length == 0x80:  # indefinite, ended by two zeros (BER only)
        end = start
        while data[end : end + 2] != b"\0\0":
            end = parse(data, end, depth + 1).after
        return Der(tag, data, at, start, end, end + 2)
    if length > 0x80:
        size, start = length & 0x7F, start + (length & 0x7F)
        length = int.from_bytes(data[start - size : start], "big")
    if start + length > len(data):
        raise ValueError("cut short")
    return Der(tag, data, at, start, start + length, start + length)
