"""The true type of a file by its first bytes; what a sender claims is never believed.

libmagic does most of the work. Around it stand the kinds this service lives on and libmagic does
not know or names loosely: detached signatures (RFC 8551), office files (ISO/IEC 29500, 26300),
XML (RFC 7303 prefers ``application/xml``) and Russian text in the legacy encoding.
"""

import base64
import binascii
import re
import struct
import threading
import zlib
from functools import lru_cache

import pylibmagic  # noqa: F401  # reason: it makes the bundled libmagic loadable for `magic`

import magic  # isort: skip

HEAD_SIZE = 8192
"""How many bytes from the beginning `detect` wants to see."""

SIGNATURE = "application/pkcs7-signature"
UNKNOWN = "application/octet-stream"
TEXT = "text/plain"
_ZIP = "application/zip"
_OFFICE = "application/vnd.openxmlformats-officedocument."
_OFFICE_PARTS = {
    b"wordprocessingml.document.main": _OFFICE + "wordprocessingml.document",
    b"spreadsheetml.sheet.main": _OFFICE + "spreadsheetml.sheet",
    b"presentationml.presentation.main": _OFFICE + "presentationml.presentation",
}
_OFFICE_FOLDERS = {
    b"word/": _OFFICE + "wordprocessingml.document",
    b"xl/": _OFFICE + "spreadsheetml.sheet",
    b"ppt/": _OFFICE + "presentationml.presentation",
}
_RENAMED = {
    "text/xml": "application/xml",
    "application/x-zip-compressed": _ZIP,
    "image/x-ms-bmp": "image/bmp",
    "inode/x-empty": UNKNOWN,
}
# OBJECT IDENTIFIER 1.2.840.113549.1.7.2, signedData (RFC 5652 section 5.1)
_SIGNED_DATA = bytes.fromhex("06092a864886f70d010702")
_ARMOR = re.compile(rb"\s*-----BEGIN (PKCS7|CMS|PKCS #7 SIGNED DATA)-----")
_BASE64 = re.compile(rb"[A-Za-z0-9+/\r\n]+={0,2}\s*")
_CONTROLS = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")
_INFLATE_LIMIT = 65536
_creating = threading.Lock()


def detect(head: bytes) -> str:
    """The media type of a file that begins with `head` (`HEAD_SIZE` bytes do); thread-safe.

    Answers ``application/octet-stream`` for what nobody knows.
    """
    head = head[:HEAD_SIZE]
    if _is_signature(head):
        return SIGNATURE
    if head.startswith(b"PK\x03\x04"):
        return _zip_kind(head) or _ask_libmagic(head)
    if _without_mark(head).lstrip()[:5] == b"<?xml":
        found = _ask_libmagic(head)
        return found if found.startswith("image/") else "application/xml"
    found = _ask_libmagic(head)
    if found == UNKNOWN and text_encoding(head):
        return TEXT
    return found


def text_encoding(head: bytes) -> str | None:
    """The encoding of plain text, ``utf-8`` (with or without a mark) or ``windows-1251``.

    None when the bytes hold control characters or are too far from Russian or English.
    """
    if not head or _CONTROLS.search(head):
        return None
    try:
        head.decode("utf-8")
    except UnicodeDecodeError as problem:
        # a character cut in two by the end of the head is no fault of the text
        if len(head) - problem.start < 4 and problem.reason == "unexpected end of data":
            return "utf-8"
    else:
        return "utf-8"
    high = [byte for byte in head if byte >= 0x80]
    letters = sum(byte >= 0xC0 or byte in (0xA8, 0xB8) for byte in high)
    return "windows-1251" if letters >= 0.8 * len(high) else None


def _ask_libmagic(head: bytes) -> str:
    with _creating:
        library = _library()
    found = str(library.from_buffer(head))  # has a lock of its own
    return _RENAMED.get(found, found)


@lru_cache(maxsize=1)
def _library() -> magic.Magic:
    return magic.Magic(mime=True)


def _without_mark(head: bytes) -> bytes:
    """The head without a byte-order mark; UTF-16 is brought down to bytes that can be compared."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return head[2:].replace(b"\x00", b"")
    return head.removeprefix(b"\xef\xbb\xbf")


def _is_signature(head: bytes) -> bool:
    """CMS signed data: DER or BER, PEM, or bare base64 as signing programs here like to write."""
    if _ARMOR.match(head):
        return True
    if _is_signed_data(head):
        return True
    if not head.lstrip().startswith(b"MI"):
        return False
    packed = b"".join(head[:256].split())
    packed = packed[: len(packed) // 4 * 4]
    if not _BASE64.fullmatch(packed):
        return False
    try:
        return _is_signed_data(base64.b64decode(packed))
    except binascii.Error:
        return False


def _is_signed_data(der: bytes) -> bool:
    """ContentInfo: SEQUENCE with a definite or indefinite length, then the identifier."""
    if len(der) < 2 or der[0] != 0x30:
        return False
    extra = der[1] & 0x7F if der[1] & 0x80 else 0
    return extra <= 8 and der[2 + extra :].startswith(_SIGNED_DATA)


def _zip_kind(head: bytes) -> str | None:
    """Office files are ZIP archives; their first members say which. None leaves it to libmagic."""
    method, packed, name_size, extra_size = struct.unpack_from("<8xH8xI4xHH", head.ljust(30, b"\0"))
    name = head[30 : 30 + name_size]
    content = head[30 + name_size + extra_size :]
    if name == b"mimetype" and method == 0:  # OpenDocument and EPUB put their type in front
        stated = content[:packed].decode("ascii", "replace").strip()
        return stated if re.fullmatch(r"application/[a-z0-9.+-]{1,100}", stated) else None
    if name == b"[Content_Types].xml":
        text = _inflated(content) if method == 8 else content
        for mark, kind in _OFFICE_PARTS.items():
            if mark in text:
                return kind
    names = [head[at.end() + 26 :][:16] for at in re.finditer(rb"PK\x03\x04", head)]
    office = any(name.startswith((b"[Content_Types]", b"_rels/", b"docProps/")) for name in names)
    for folder, kind in _OFFICE_FOLDERS.items():
        if office and any(name.startswith(folder) for name in names):
            return kind
    return None


def _inflated(content: bytes) -> bytes:
    """The beginning of a deflated member, bounded: a bomb gives no more than this."""
    try:
        return zlib.decompressobj(-15).decompress(content, _INFLATE_LIMIT)
    except zlib.error:
        return b""
