"""Attacks on the bytes around and inside the place of the signature."""

import re
from collections.abc import Callable

from tests.attack_files import ATTACKS, EVIL_STREAM, Attack, Victim

for _name, _bytes in {
    "a line end": b"\n",
    "spaces": b" " * 2000,
    "nulls": b"\0" * 100,
    "an end mark": b"%%EOF\n",
    "a remark": b"% nothing\n",
    "a start mark": b"startxref\n0\n%%EOF\n",
    "words": b"pay 900000\n",
    "a trailer": b"trailer\n<</Root 1 0 R>>\nstartxref\n0\n%%EOF\n",
    "a script": b"<script>alert(1)</script>\n",
}.items():
    ATTACKS[f"appended: {_name}"] = lambda v, more=_bytes: v.data + more
ATTACKS["appended: itself"] = lambda v: v.data + v.data
ATTACKS["appended: another document"] = lambda v: v.data + OTHER
ATTACKS["in front: a line"] = lambda v: b"\n" + v.data
ATTACKS["in front: a header"] = lambda v: b"%PDF-1.4\n" + v.data
ATTACKS["in front: words"] = lambda v: b"pay 900000\n" * 30 + v.data
ATTACKS["in front: another document"] = lambda v: OTHER + v.data
ATTACKS["cut: last bytes"] = lambda v: v.data[:-3]
ATTACKS["cut: end mark"] = lambda v: v.data[: v.data.rindex(b"%%EOF")]
ATTACKS["cut: last table"] = lambda v: v.data[: v.last]

OTHER = (
    b"%PDF-1.4\n1 0 obj\n<</Type/Catalog/Pages 2 0 R>>\nendobj\n2 0 obj\n<</Type/Pages/Count 1"
    b"/Kids[3 0 R]>>\nendobj\n3 0 obj\n<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>\nendobj\n"
    b"trailer\n<</Size 4/Root 1 0 R>>\nstartxref\n0\n%%EOF\n"
)


def _in_gap(value: Callable[[bytes], bytes]) -> Attack:
    """The place of the signature, which nobody signs, holds something else of the same length."""

    def attack(v: Victim) -> bytes:
        _, start, end, _ = v.signature()
        gap = v.data[start:end]
        made = value(gap)
        assert len(made) == len(gap)
        return v.data[:start] + made + v.data[end:]

    return attack


def _filled(text: bytes) -> Callable[[bytes], bytes]:
    return lambda gap: text + b" " * (len(gap) - len(text))


def _early(insert: bytes) -> Callable[[bytes], bytes]:
    """The signature ends where its padding begins, and other things follow."""

    def value(gap: bytes) -> bytes:
        body = gap[1:-1]
        kept = body.rstrip(b"0")
        kept += b"0" * (len(kept) % 2)
        return (b"<" + kept + b">" + insert).ljust(len(gap))

    return value


for _name, _value_of in {
    "empty": _filled(b"<>"),
    "zero": lambda gap: b"<" + b"0" * (len(gap) - 2) + b">",
    "null": _filled(b"null"),
    "nothing": _filled(b""),
    "number": _filled(b"0"),
    "a string": _filled(b"()"),
    "a name": _filled(b"/X"),
    "cut": lambda gap: gap[:200] + b"0" * (len(gap) - 201) + b">",
    "followed by a remark": _early(b"% pay 900000"),
    "followed by a range": _early(b"/ByteRange[0 1 2 3]"),
    "followed by a key": _early(b"/Contents(x)"),
    "followed by an object": _early(b">>endobj 4 0 obj<</Type/Page>>endobj 99 0 obj<<"),
    "padded with bytes": lambda gap: gap[:-9] + b"DEADBEEF>",
    "spread out": lambda gap: gap[:-40] + b" " * 39 + b">",
    "split": lambda gap: gap[:-60] + b"> <" + b"0" * 56 + b">",
}.items():
    ATTACKS[f"usf: contents {_name}"] = _in_gap(_value_of)


def _in_range(value: Callable[[tuple[int, ...]], bytes]) -> Attack:
    def attack(v: Victim) -> bytes:
        found = list(re.finditer(rb"/ByteRange\s*\[[^\]]*\]\s*", v.data))[-1]
        made = b"/ByteRange " + value(v.signature())
        room = len(found[0])
        if len(made) > room:
            made = made.replace(b" ", b"", 1)
        return v.data[: found.start()] + made.ljust(room)[:room] + v.data[found.end() :]

    return attack


for _name, _range_of in {
    "missing": lambda _: b"/X 0",
    "null": lambda _: b"null",
    "empty": lambda _: b"[]",
    "two numbers": lambda r: b"[0 %d]" % r[1],
    "five numbers": lambda r: b"[%d %d %d %d 0]" % r,
    "negative": lambda r: b"[0 -%d %d %d]" % r[1:],
    "overlapping": lambda r: b"[0 %d %d %d]" % (r[2] + 9, r[1], r[3]),
    "in wrong order": lambda r: b"[%d %d %d %d]" % (r[2], r[3], r[0], r[1]),
    "not from the start": lambda r: b"[1 %d %d %d]" % (r[1] - 1, r[2], r[3]),
    "of broken numbers": lambda r: b"[0.0 %d.0 %d %d]" % r[1:],
    "indirect": lambda _: b"[1 0 R 2 0 R 3 0 R 4 0 R]",
    "huge": lambda r: b"[0 %d %d 99999999999]" % r[1:3],
    "of nothing": lambda _: b"[0 0 0 0]",
    "short": lambda r: b"[0 %d %d %d]" % (r[1], r[2], r[3] - 20),
    "of strings": lambda _: b"[(0) (1) (2) (3)]",
}.items():
    ATTACKS[f"usf: range {_name}"] = _in_range(_range_of)


def _wrapped(forge: bytes) -> Attack:
    """The second signed part moved behind objects of the attacker's, under a second range."""

    def attack(v: Victim) -> bytes:
        _, start, end, length = v.signature()
        head, gap, rest = v.data[:start], v.data[start:end], v.data[end : end + length]
        body = gap[1:-1].rstrip(b"0")
        body += b"0" * (len(body) % 2)
        inner = b"<" + body + b">" + b"/ByteRange [0 %d %010d %d]" % (start, 0, length) + b">>"
        inner += b"\nendobj\n" + forge
        inner = inner.ljust(max(len(gap), len(inner)) + 50)
        moved = len(head) + len(inner)
        inner = inner.replace(b"%010d" % 0, b"%010d" % moved, 1)
        return head + inner + rest

    return attack


ATTACKS["siwa: moved"] = _wrapped(b"4 0 obj\n" + EVIL_STREAM + b"\nendobj\n")
ATTACKS["siwa: moved, nothing added"] = _wrapped(b"")
ATTACKS["siwa: moved, table forged"] = _wrapped(
    b"4 0 obj\n" + EVIL_STREAM + b"\nendobj\nxref\n0 1\n0000000000 65535 f \ntrailer\n<<>>\n"
)
