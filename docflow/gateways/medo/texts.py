"""Bytes as text, by what they are and not only by what they say of themselves."""

import codecs
import re
from dataclasses import dataclass

_DECLARED = re.compile(rb"""^\s*<\?xml[^>]{0,200}?encoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["']""")
_KNOWN = {
    **dict.fromkeys(("utf-8", "utf8", "us-ascii", "ascii"), "utf-8"),
    **dict.fromkeys(("windows-1251", "cp1251", "cp-1251", "win-1251", "1251"), "windows-1251"),
    **dict.fromkeys(("utf-16", "utf-16le", "utf-16be"), "utf-16"),
    **{"koi8-r": "koi8-r", "iso-8859-5": "iso-8859-5", "cp866": "cp866", "ibm866": "cp866"},
}
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig", "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16", "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16", "utf-16"),
    (b"<\x00", "utf-16-le", "utf-16"),
    (b"\x00<", "utf-16-be", "utf-16"),
)


@dataclass(frozen=True, slots=True)
class Decoded:
    """A text, the encoding it claims and the one it has."""

    text: str
    declared: str
    actual: str
    is_whole: bool = True
    """False when some bytes fitted nothing and were replaced."""

    @property
    def is_as_declared(self) -> bool:
        """The claim held."""
        return self.declared == self.actual


def decode_xml(data: bytes) -> Decoded:
    """Text of an XML file: by its mark, by its declaration, else by whichever of the two fits."""
    found = _DECLARED.match(data.removeprefix(codecs.BOM_UTF8)[:400])
    claim = found.group(1).decode("ascii").lower() if found else "utf-8"
    return _decode(data, _KNOWN.get(claim, claim))


def decode_envelope(data: bytes) -> Decoded:
    """Text of an envelope: windows-1251 unless the bytes are plainly something else."""
    return _decode(data, "windows-1251")


def _decode(data: bytes, declared: str) -> Decoded:
    for mark, codec, name in _MARKS:
        if data.startswith(mark):
            try:
                return Decoded(data.decode(codec), declared, name)
            except UnicodeDecodeError:
                text = data.decode(codec, "replace")
                return Decoded(text, declared, name, is_whole=False)
    for name in _order(data, declared):
        try:
            return Decoded(data.decode(name), declared, name)
        except UnicodeDecodeError:
            continue
    return Decoded(data.decode("windows-1251", "replace"), declared, "windows-1251", is_whole=False)


def _order(data: bytes, declared: str) -> list[str]:
    """Encodings to try; Cyrillic of one byte a letter is never valid UTF-8 by accident."""
    if data.isascii():
        return [declared if declared in _KNOWN.values() and declared != "utf-16" else "utf-8"]
    likely = ["utf-8", "windows-1251"]
    if declared in ("koi8-r", "iso-8859-5", "cp866"):
        return ["utf-8", declared]
    return likely


def encoding_of(data: bytes) -> str:
    """The encoding an XML file really has."""
    if data.startswith(b"<?xml") and is_utf8(data):
        return "utf-8"
    return decode_xml(data).actual


def is_utf8(data: bytes) -> bool:
    """Whether these bytes are UTF-8."""
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
