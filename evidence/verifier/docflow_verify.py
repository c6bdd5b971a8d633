#!/usr/bin/env python3
"""Check an evidence package without the service that made it: no database, no network.

    python3 docflow_verify.py PACKAGE.zip [--json] [--signer SHA256] [--trust FILE] [--sha256-only]

Exit code: 0 whole and true, 1 not, 2 cannot tell (what was not checked is named), 64 wrong usage.
Needs Python 3.10 or later and the package `cryptography`; for GOST libgcrypt (part of most Linux
systems) or the command `openssl` with its gost engine.

Five questions are asked, in this order, each in a section of its own below:

1. Is the archive, to the last byte, in the one form it can have?        (archive)
2. Has every member the SHA-256 and the Streebog-256 of the manifest?    (members)
3. Did the key named in the answer sign the statement on that manifest?  (statement)
4. Does every signature on every document bind the bytes kept here?      (documents)
5. Does every event lie in the log whose checkpoint is kept here?        (log)

Not asked here: whose key it is (compare its fingerprint, or give --signer or --trust) and whether
the certificates on the documents were good that day: the verdicts and all they were made from are
in the package; docs/check-without-us.md says how to repeat them.
"""

from __future__ import annotations

import argparse
import base64
import binascii
import contextlib
import ctypes
import ctypes.util
import hashlib
import io
import json
import os
import re
import stat
import struct
import subprocess
import sys
import tempfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, BinaryIO

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

FORM = "docflow-evidence-1"
SHA256_LIST = "manifest/sha256.txt"
STREEBOG_LIST = "manifest/streebog256.txt"
STATEMENT = "package.json"
SIGNATURE = "package.p7s"
CLOSING = (SHA256_LIST, STREEBOG_LIST, STATEMENT, SIGNATURE)
"""The last four members: two lists of digests, the statement on them, its signature."""

NAME = re.compile(rb"[a-z0-9][a-z0-9._-]*(/[a-z0-9][a-z0-9._-]*)*")
"""Every name: no backslash, no `..`, no leading slash, nothing a file system could stumble over."""
MOST_MEMBERS = 5_000_000
LARGEST_READ = 256 << 20
"""Bytes of a member that is read whole, for its text or its signature."""
PIECE = 1 << 20
MALFORMED = (ValueError, KeyError, IndexError, TypeError, AttributeError, struct.error,
             RecursionError, OverflowError)  # fmt: skip
"""What parsing rubbish raises; it always means that the package is not good."""

WORDS = {
    "not_a_package": (
        "Это не пакет доказательств docflow, или он обрезан",
        "Not an evidence package of docflow, or cut short",
    ),
    "archive_form": ("Служебные данные архива изменены", "The archive's own structure was changed"),
    "commitment": (
        "Завершающая часть архива изменена",
        "The closing part of the archive was changed",
    ),
    "member_changed": ("Файл изменён", "The member was changed"),
    "members_differ": (
        "Состав пакета не совпадает с описью",
        "The members are not those of the manifest",
    ),
    "statement": (
        "Заявление о составе пакета не совпадает с ним",
        "The statement on the package does not fit it",
    ),
    "package_signature": ("Подпись пакета неверна", "The signature of the package is wrong"),
    "signer_differs": ("Пакет подписан не тем ключом", "The package was signed with another key"),
    "signer_untrusted": (
        "Сертификат подписи пакета не ведёт к заданному корню",
        "The package's certificate leads to none of the given roots",
    ),
    "document_signature": (
        "Подпись под документом не соответствует файлу",
        "A signature does not fit its document",
    ),
    "facts_unreadable": ("Сведения не читаются", "The facts cannot be read"),
    "event_not_in_log": ("Событие не входит в журнал", "An event is not in the log"),
    "checkpoint": (
        "Контрольная точка журнала подписана неверно",
        "The log's checkpoint is not signed rightly",
    ),
    "time_stamp": ("Отметка времени не соответствует", "A time stamp does not fit"),
    "streebog_unchecked": (
        "ГОСТ Р 34.11-2012 не вычислялся: нет ни libgcrypt, ни openssl с gost",
        "GOST R 34.11-2012 was not computed: neither libgcrypt nor openssl with gost",
    ),
    "signature_unchecked": (
        "Подпись под документом здесь проверить нечем",
        "A document's signature cannot be checked here",
    ),
    "verdict_differs": ("Вердикт, сделанный заново, другой", "The verdict made again is another"),
    "verdict_not_made": ("Вердикт не сделан заново", "The verdict was not made again"),
    "signer_not_compared": (
        "Сверьте отпечаток ключа с опубликованным (--signer)",
        "Compare the key's fingerprint with the published one (--signer)",
    ),
    "declared_gap": (
        "Служба сама указала, чего в пакете нет",
        "The service itself names what is lacking",
    ),
}
"""Every finding in Russian and English."""


class Bad(Exception):
    """The answer is no; `code` is a key of WORDS."""

    def __init__(self, code: str, where: str = "") -> None:
        self.code, self.where = code, where
        super().__init__(code)


@dataclass
class Report:
    """What was found, in the order it was found."""

    facts: dict[str, Any] = field(default_factory=dict)
    problems: list[dict[str, str]] = field(default_factory=list)
    not_checked: list[dict[str, str]] = field(default_factory=list)
    notes: list[dict[str, str]] = field(default_factory=list)

    def add(self, findings: list[dict[str, str]], code: str, where: str = "") -> None:
        """Note a finding once."""
        ru, en = WORDS[code]
        found = {"code": code, "where": where, "ru": ru, "en": en}
        if found not in findings[-200:]:
            findings.append(found)

    @property
    def exit_code(self) -> int:
        """0, 1 or 2."""
        return 1 if self.problems else 2 if self.not_checked else 0

    def as_dict(self) -> dict[str, Any]:
        """The answer as it is printed with --json."""
        verdict = ("whole", "broken", "unclear")[self.exit_code]
        return {"verdict": verdict, **self.facts, "problems": self.problems,
                "not_checked": self.not_checked, "notes": self.notes}  # fmt: skip


# --- 1. archive -----------------------------------------------------------------------------------
# A package is a ZIP file in which nothing is left to choice: members are stored, not compressed,
# one behind the other, their headers follow from name, size and CRC-32, and the comment at the end
# holds the SHA-256 of the closing part. So whatever byte is changed, something stops to fit.


@dataclass(frozen=True)
class Member:
    """One file of the package; `start` is where its header begins, `data` where its bytes do."""

    name: str
    size: int
    crc: int
    start: int

    @property
    def data(self) -> int:
        """The offset of its first byte."""
        return self.start + len(local_header(self.name, self.size, self.crc))


def local_header(name: str, size: int, crc: int) -> bytes:
    """What stands before the bytes of a member (APPNOTE 4.3.7, sizes in the ZIP64 field)."""
    extra = struct.pack("<HHQQ", 1, 16, size, size)
    fixed = (b"PK\3\4", 45, 0, 0, 0, 0x21, crc, 0xFFFFFFFF, 0xFFFFFFFF, len(name), len(extra))
    return struct.pack("<4s5H3I2H", *fixed) + name.encode() + extra


def central_header(name: str, size: int, crc: int, start: int) -> bytes:
    """The entry of a member in the directory (4.3.12)."""
    extra = struct.pack("<HHQQQ", 1, 24, size, size, start)
    fixed = (b"PK\1\2", 45, 45, 0, 0, 0, 0x21, crc, 0xFFFFFFFF, 0xFFFFFFFF, len(name), len(extra),
             0, 0, 0, 0, 0xFFFFFFFF)  # fmt: skip
    return struct.pack("<4s6H3I5H2I", *fixed) + name.encode() + extra


def ending(count: int, size: int, start: int) -> bytes:
    """The end of the archive (4.3.14 to 4.3.16), without the 64 digits of the commitment."""
    return (
        struct.pack("<4sQ2H2I4Q", b"PK\6\6", 44, 45, 45, 0, 0, count, count, size, start)
        + struct.pack("<4sIQI", b"PK\6\7", 0, start + size, 1)
        + struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF,
                      len(FORM) + 1 + 64)
        + FORM.encode() + b" "
    )  # fmt: skip


_ENDING = len(ending(0, 0, 0))


def read_archive(stream: BinaryIO) -> list[Member]:
    """The members, after every byte that is not theirs was compared with what it must be.

    Raises Bad: `not_a_package`, `archive_form`, `commitment`.
    """
    length = stream.seek(0, os.SEEK_END)
    if length < _ENDING + 64:
        raise Bad("not_a_package")
    stream.seek(length - _ENDING - 64)
    end = stream.read(_ENDING)
    commitment = stream.read(64)
    if not end.startswith(b"PK\6\6") or not end.endswith(FORM.encode() + b" "):
        raise Bad("not_a_package")
    count, size, start = struct.unpack("<3Q", end[32:56])
    if end != ending(count, size, start) or start + size + _ENDING + 64 != length:
        raise Bad("archive_form")
    if count > MOST_MEMBERS or len(CLOSING) > count:
        raise Bad("archive_form")
    stream.seek(start)
    members = list(_directory(stream, count, start + size))
    if stream.tell() != start + size or [one.name for one in members[-4:]] != list(CLOSING):
        raise Bad("archive_form")
    _require_gapless(stream, members, start)
    if _digest(stream, members[-4].start, length - 64).hex().encode() != commitment:
        raise Bad("commitment")
    return members


def _require_gapless(stream: BinaryIO, members: list[Member], end: int) -> None:
    """Each member begins where the one before ended, with the one header it can have."""
    at = 0
    for one in members:
        header = local_header(one.name, one.size, one.crc)
        stream.seek(at)
        if one.start != at or stream.read(len(header)) != header:
            raise Bad("archive_form", one.name)
        at += len(header) + one.size
    if at != end or len({one.name for one in members}) != len(members):
        raise Bad("archive_form")


def _directory(stream: BinaryIO, count: int, end: int) -> Iterator[Member]:
    for _ in range(count):
        fixed = stream.read(46)
        if len(fixed) < 46 or stream.tell() > end:
            raise Bad("archive_form")
        name = stream.read(min(struct.unpack("<H", fixed[28:30])[0], 255))
        extra = stream.read(28)
        if not NAME.fullmatch(name) or len(extra) < 28:
            raise Bad("archive_form", name.decode("latin-1")[:100])
        (crc,) = struct.unpack("<I", fixed[16:20])
        size, again, start = struct.unpack("<3Q", extra[4:])
        if fixed + name + extra != central_header(name.decode(), size, crc, start):
            raise Bad("archive_form", name.decode())
        if size > end or again != size:
            raise Bad("archive_form", name.decode())
        yield Member(name.decode(), size, crc, start)


def pieces(stream: BinaryIO, start: int, end: int) -> Iterator[bytes]:
    """The bytes between two offsets."""
    stream.seek(start)
    while start < end:
        piece = stream.read(min(PIECE, end - start))
        if not piece:
            raise Bad("not_a_package")
        start += len(piece)
        yield piece


def _digest(stream: BinaryIO, start: int, end: int) -> bytes:
    hashed = hashlib.sha256()
    for piece in pieces(stream, start, end):
        hashed.update(piece)
    return hashed.digest()


# --- 2. members -----------------------------------------------------------------------------------
# `manifest/sha256.txt` is what `sha256sum` prints and `sha256sum -c` reads; the other list is the
# same with GOST R 34.11-2012, 256 bits. Together they name every member but the four that close.


def check_members(
    report: Report, stream: BinaryIO, members: list[Member], streebog: Callable[[], Any] | None
) -> None:
    """Compare every member with the lists; each difference is a problem of its own."""
    kept = {one.name: one for one in members[-4:]}
    wanted = _listed(stream, kept[SHA256_LIST])
    gost = _listed(stream, kept[STREEBOG_LIST])
    names = [one.name for one in members[:-4]]
    if list(wanted) != names or list(gost) != names:
        for name in sorted(set(names) ^ set(wanted) | set(names) ^ set(gost))[:20] or [""]:
            report.add(report.problems, "members_differ", name)
        return
    if streebog is None:
        report.add(report.not_checked, "streebog_unchecked", STREEBOG_LIST)
    for one in members:
        crc, sha, other = 0, hashlib.sha256(), streebog() if streebog else None
        for piece in pieces(stream, one.data, one.data + one.size):
            crc = zlib.crc32(piece, crc)
            sha.update(piece)
            if other is not None and one.name in gost:
                other.update(piece)
        is_same = crc == one.crc and wanted.get(one.name, sha.hexdigest()) == sha.hexdigest()
        if other is not None and one.name in gost:
            is_same = is_same and other.hexdigest() == gost[one.name]
        if not is_same:
            report.add(report.problems, "member_changed", one.name)
    report.facts["members"] = len(names)
    report.facts["bytes"] = sum(one.size for one in members)


def _listed(stream: BinaryIO, member: Member) -> dict[str, str]:
    found: dict[str, str] = {}
    rest = b""
    for piece in pieces(stream, member.data, member.data + member.size):
        *lines, rest = (rest + piece).split(b"\n")
        for line in lines:
            digest, gap, name = line[:64].decode(), line[64:66], line[66:].decode()
            if gap != b"  " or not re.fullmatch("[0-9a-f]{64}", digest) or name in found:
                raise Bad("members_differ", member.name)
            found[name] = digest
    if rest:
        raise Bad("members_differ", member.name)
    return found


# --- 3. statement ---------------------------------------------------------------------------------
# `package.json` says what the package is and holds the digests of both lists; `package.p7s` is a
# detached CMS signature (RFC 5652) over its bytes: `openssl cms -verify` reads it, too.


def check_statement(
    report: Report, read: Callable[[str], bytes], signer: str, trust: Iterable[x509.Certificate]
) -> None:
    """Is the statement about these lists, and who signed it?"""
    content = read(STATEMENT)
    said = json.loads(content)
    report.facts["package"] = said
    for name, lists in (("sha256", SHA256_LIST), ("streebog256", STREEBOG_LIST)):
        if said["manifest"][name] != hashlib.sha256(read(lists)).hexdigest():
            raise Bad("statement", lists)
    if said["form"] != FORM or said["members"] != report.facts.get("members"):
        raise Bad("statement", STATEMENT)
    try:
        cms = Cms(read(SIGNATURE))
        (one,) = cms.signers
        certificate = check_signer(cms, one, lambda name: hashlib.new(name, content).digest())
    except (Bad, Unknown, *MALFORMED) as problem:
        raise Bad("package_signature", SIGNATURE) from problem
    report.facts["signer"] = _described(certificate)
    stamp = one.unsigned.get(TIME_STAMP)
    if stamp is not None:
        report.facts["signer"]["stamped_at"] = check_token(stamp.raw, one.signature)
    if signer and signer.replace(":", "").lower() != report.facts["signer"]["sha256"]:
        raise Bad("signer_differs", report.facts["signer"]["sha256"])
    roots = list(trust)
    if roots and not _leads_to(certificate, cms.certificates, roots):
        raise Bad("signer_untrusted", report.facts["signer"]["sha256"])
    if not roots and not signer:
        report.add(report.notes, "signer_not_compared", report.facts["signer"]["sha256"])
    for gap in said.get("lacks", []):
        report.add(report.notes, "declared_gap", str(gap))


def _described(certificate: bytes) -> dict[str, Any]:
    found = {"sha256": hashlib.sha256(certificate).hexdigest(), "subject": "", "stamped_at": None}
    with contextlib.suppress(ValueError):
        found["subject"] = x509.load_der_x509_certificate(certificate).subject.rfc4514_string()
    return found


def _leads_to(leaf: bytes, others: Iterable[bytes], roots: list[x509.Certificate]) -> bool:
    """Is the certificate one of the roots, or issued below one through those of the signature?"""
    line = x509.load_der_x509_certificate(leaf)
    above = [*roots, *map(x509.load_der_x509_certificate, others)]
    for _ in range(10):
        if line in roots:
            return True
        for one in above:
            try:
                line.verify_directly_issued_by(one)
            except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
                continue
            if one != line:
                line = one
                break
        else:
            return False
    return False


# --- signatures: DER, CMS, keys -------------------------------------------------------------------


class Unknown(Exception):
    """It cannot be told here."""


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


CONTENT_TYPE, MESSAGE_DIGEST = "1.2.840.113549.1.9.3", "1.2.840.113549.1.9.4"
TIME_STAMP, TST_INFO = "1.2.840.113549.1.9.16.2.14", "1.2.840.113549.1.9.16.1.4"
PSS = "1.2.840.113549.1.1.10"
DIGESTS = {
    "1.3.14.3.2.26": "sha1",
    "2.16.840.1.101.3.4.2.1": "sha256",
    "2.16.840.1.101.3.4.2.2": "sha384",
    "2.16.840.1.101.3.4.2.3": "sha512",
}
GOST_ARC = "1.2.643."


@dataclass(frozen=True)
class Signer:
    """One SignerInfo (RFC 5652 section 5.3)."""

    digest: str
    algorithm: str
    signature: bytes
    attributes: Der | None
    unsigned: dict[str, Der]

    @property
    def signed(self) -> dict[str, list[Der]]:
        """Signed attributes by type."""
        found: dict[str, list[Der]] = {}
        for one in self.attributes.parts if self.attributes else ():
            kind, values = one.parts
            found.setdefault(kind.oid, []).extend(values.parts)
        return found


class Cms:
    """SignedData (RFC 5652 section 5.1), as DER, BER, PEM or bare base64."""

    def __init__(self, data: bytes) -> None:
        kind, wrapped = parse(data if data[:1] == b"\x30" else _unarmored(data)).parts[:2]
        if kind.oid != "1.2.840.113549.1.7.2":
            raise ValueError("no SignedData")
        _, _, inner, *optional, infos = wrapped.parts[0].parts
        self.content_type = inner.parts[0].oid
        self.content = inner.parts[1].parts[0].octets if len(inner.parts) > 1 else None
        self.certificates = [
            one.raw for part in optional if part.tag == 0xA0 for one in part.parts
            if one.tag == 0x30
        ]  # fmt: skip
        self.signers = [_signer(one) for one in infos.parts]


def _unarmored(data: bytes) -> bytes:
    encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    text = re.sub("-----[^-]+-----", "", data.decode(encoding))
    return base64.b64decode("".join(text.split()))


def _signer(info: Der) -> Signer:
    _, _, digest, *rest = info.parts
    attributes = rest.pop(0) if rest[0].tag == 0xA0 else None
    algorithm, signature, *more = rest
    unsigned = {
        one.parts[0].oid: one.parts[1].parts[0] for part in more for one in part.parts
    }  # fmt: skip
    return Signer(
        digest.parts[0].oid, algorithm.parts[0].oid, signature.content, attributes, unsigned
    )


def check_signer(
    cms: Cms, one: Signer, digest_of: Callable[[str], bytes], *, wanted: str = ""
) -> bytes:
    """The certificate whose key signed the content with this digest; `wanted`: its SHA-256.

    Raises Bad when it did not, Unknown for algorithms that are not computed here.
    """
    if GOST_ARC in (one.digest[:6] + ".", one.algorithm[:6] + ".", one.digest[:8]):
        raise Unknown("gost")
    if one.digest not in DIGESTS:
        raise Unknown(one.digest)
    if one.attributes is None:
        raise Bad("document_signature")  # such a value would also sign the attributes as a document
    (digest,) = one.signed[MESSAGE_DIGEST]
    (kind,) = one.signed[CONTENT_TYPE]
    if digest.octets != digest_of(DIGESTS[one.digest]) or kind.oid != cms.content_type:
        raise Bad("document_signature")
    as_sent = b"\x31" + one.attributes.raw[1:]
    in_order = b"".join(sorted(part.raw for part in one.attributes.parts))
    for certificate in cms.certificates:
        if wanted and hashlib.sha256(certificate).hexdigest() != wanted:
            continue
        for attributes in (as_sent, b"\x31" + _length(len(in_order)) + in_order):
            if _is_signed(certificate, attributes, one):
                return certificate
    raise Bad("document_signature")


def _length(size: int) -> bytes:
    digits = size.to_bytes((size.bit_length() + 7) // 8 or 1, "big")
    return bytes([size]) if size < 0x80 else bytes([0x80 | len(digits)]) + digits


def _is_signed(certificate: bytes, data: bytes, one: Signer) -> bool:
    name: hashes.HashAlgorithm = {
        "sha1": hashes.SHA1(), "sha256": hashes.SHA256(),  # noqa: S303 - old documents have it
        "sha384": hashes.SHA384(), "sha512": hashes.SHA512(),
    }[DIGESTS[one.digest]]  # fmt: skip
    try:
        key = x509.load_der_x509_certificate(certificate).public_key()
        if isinstance(key, rsa.RSAPublicKey):
            scheme: padding.AsymmetricPadding = padding.PKCS1v15()
            if one.algorithm == PSS:
                scheme = padding.PSS(padding.MGF1(name), padding.PSS.AUTO)
            key.verify(one.signature, data, scheme, name)
        elif isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(one.signature, data, ec.ECDSA(name))
        elif isinstance(key, ed25519.Ed25519PublicKey):
            key.verify(one.signature, data)
        else:
            raise Unknown(type(key).__name__)
    except (InvalidSignature, ValueError):
        return False
    except UnsupportedAlgorithm as problem:
        raise Unknown(str(problem)) from problem
    return True


def check_token(token: bytes, stamped: bytes) -> str:
    """The time a token (RFC 3161) gives to these bytes, as `20261122093000Z`; raises Bad."""
    try:
        cms = Cms(token)
        content = cms.content or b""
        info = parse(content).parts
        algorithm, imprint = info[2].parts
        digest = hashlib.new(DIGESTS[algorithm.parts[0].oid], stamped).digest()
        if cms.content_type != TST_INFO or imprint.octets != digest:
            raise Bad("time_stamp")
        check_signer(cms, cms.signers[0], lambda name: hashlib.new(name, content).digest())
        return info[4].content.decode()
    except (Bad, *MALFORMED) as problem:
        raise Bad("time_stamp") from problem


# --- GOST -----------------------------------------------------------------------------------------


class _Libgcrypt:
    """Streebog-256 by libgcrypt, in the manner of hashlib."""

    library: Any = None

    def __init__(self) -> None:
        self._handle = ctypes.c_void_p()
        self.library.gcry_md_open(ctypes.byref(self._handle), 309, 0)

    def update(self, data: bytes) -> None:
        self.library.gcry_md_write(self._handle, data, ctypes.c_size_t(len(data)))

    def hexdigest(self) -> str:
        found = ctypes.string_at(self.library.gcry_md_read(self._handle, 0), 32).hex()
        self.library.gcry_md_close(self._handle)
        return found


class _Openssl:
    """The same by the command `openssl`, one process for each member."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            ["openssl", "dgst", "-md_gost12_256", "-r"], env=_with_engine(),  # noqa: S607 - by PATH
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def update(self, data: bytes) -> None:
        self._process.stdin.write(data)  # type: ignore[union-attr]  # reason: it is a pipe

    def hexdigest(self) -> str:
        return self._process.communicate()[0][:64].decode()


@lru_cache(maxsize=1)
def _settings() -> Any:
    """Settings for openssl in a folder that goes with this process."""
    folder = tempfile.TemporaryDirectory()
    with open(os.path.join(folder.name, "openssl.cnf"), "w", encoding="ascii") as settings:
        settings.write("openssl_conf=a\n[a]\nengines=b\n[b]\ngost=c\n[c]\nengine_id=gost\n"
                       "default_algorithms=ALL\n")  # fmt: skip
    return folder


def _with_engine() -> dict[str, str]:
    """An environment in which openssl, and nobody else, loads its gost engine."""
    return {**os.environ, "OPENSSL_CONF": os.path.join(_settings().name, "openssl.cnf")}


class Gost:
    """What this machine can compute of GOST; docflow itself brings its own in place of this one."""

    def __init__(self) -> None:
        self.streebog: Callable[[], Any] | None = None
        for kind in (_Libgcrypt, _Openssl):
            try:
                if kind is _Libgcrypt:
                    _Libgcrypt.library = _libgcrypt()
                hashed = kind()
                hashed.update(b"abc")
                if hashed.hexdigest().startswith("4e2919cf137ed41ec4fb6270c61826cc"):
                    self.streebog = kind
                    return
            except (OSError, AttributeError, ValueError):
                continue

    def is_signed(self, signature: bytes, content: bytes) -> bool | None:
        """Do all signers of a CMS sign this content? None when openssl has no GOST here."""
        with tempfile.TemporaryDirectory() as folder:
            paths = [os.path.join(folder, name) for name in ("content", "signature")]
            for path, data in zip(paths, (content, signature), strict=True):
                with open(path, "wb") as file:
                    file.write(data)
            words = ["openssl", "cms", "-verify", "-noverify", "-binary", "-inform", "DER",
                     "-content", paths[0], "-in", paths[1], "-out", os.devnull]  # fmt: skip
            try:
                done = subprocess.run(words, env=_with_engine(), capture_output=True, timeout=60)  # noqa: S603 - a fixed command
            except (OSError, subprocess.TimeoutExpired):
                return None
        missing = (b"unknown digest", b"unsupported", b"engine", b"invalid digest", b"shared libr")
        if done.returncode and any(one in done.stderr.lower() for one in missing):
            return None
        return done.returncode == 0


def _libgcrypt() -> Any:
    library = ctypes.CDLL(ctypes.util.find_library("gcrypt") or "libgcrypt.so.20")
    library.gcry_check_version(None)
    library.gcry_md_read.restype = ctypes.c_void_p
    return library


# --- 4. documents ---------------------------------------------------------------------------------
# `documents/…/document.json` names, for each signature, the file it is on and, if it is detached,
# the member it is in. What the service found that day is there too: a signature it found broken
# may be broken.


def check_documents(
    report: Report, members: list[Member], read: Callable[[str], bytes], gost: Gost
) -> None:
    """Every signature of every document, against the bytes in the package."""
    counts = {"good": 0, "known_broken": 0, "unchecked": 0}
    for one in members:
        if not re.fullmatch("documents/[^/]+/document.json", one.name):
            continue
        try:
            signatures = json.loads(read(one.name))["signatures"]
            for said in signatures:
                found = _look(report, f"{one.name}#{said['id']}", said, read, gost)
                counts[found] = counts.get(found, 0) + 1
        except MALFORMED as problem:
            raise Bad("facts_unreadable", one.name) from problem
    report.facts["signatures"] = counts


def _look(
    report: Report, where: str, said: dict[str, Any], read: Callable[[str], bytes], gost: Gost
) -> str:
    if said["file"] is None or (said["form"] == "cades" and said["signature"] is None):
        report.add(report.notes, "declared_gap", where)
        return "unchecked"
    try:
        if _binds(said, read(said["file"]), read, gost):
            return "good"
    except Unknown as problem:
        report.add(report.not_checked, "signature_unchecked", f"{where}: {problem}")
        return "unchecked"
    if said["is_whole"]:
        report.add(report.problems, "document_signature", where)
        return "broken"
    return "known_broken"


def _binds(said: dict[str, Any], content: bytes, read: Callable[[str], bytes], gost: Gost) -> bool:
    """Does the signature bind the file?"""
    if said["form"] == "cades":
        return _is_sound(read(said["signature"]), [content], said["certificate"], gost)
    pairs = list(pdf_signatures(content))
    if not pairs:
        raise Unknown("no signature of a known form in the PDF")
    return any(_is_sound(cms, parts, said["certificate"], gost) for cms, parts in pairs)


def _is_sound(data: bytes, parts: list[bytes], wanted: str, gost: Gost) -> bool:
    def digest_of(name: str) -> bytes:
        hashed = hashlib.new(name)
        for part in parts:
            hashed.update(part)
        return hashed.digest()

    try:
        cms = Cms(data)
        if cms.content_type == TST_INFO:  # a time stamp over the whole document
            return bool(check_token(data, b"".join(parts)))
    except (Bad, *MALFORMED):
        return False
    for one in cms.signers:
        try:
            check_signer(cms, one, digest_of, wanted=wanted)
            return True
        except Unknown as problem:
            if str(problem) != "gost" or one.attributes is None:
                raise
            found = gost.is_signed(
                data if data[:1] == b"\x30" else _unarmored(data), b"".join(parts)
            )
            if found is None:
                raise Unknown("GOST R 34.10-2012") from problem
            return found and one.attributes is not None
        except (Bad, *MALFORMED):
            continue
    return False


def pdf_signatures(data: bytes) -> Iterator[tuple[bytes, list[bytes]]]:
    """Each CMS in a PDF with the two ranges of bytes it signs (ISO 32000-1, 12.8.1)."""
    for found in re.finditer(rb"/ByteRange\s*\[\s*(\d+)\s+(\d+)\s+(\d+)\s+(\d+)\s*\]", data):
        first, size, second, rest = map(int, found.groups())
        try:
            held = binascii.unhexlify(data[first + size : second].strip(b"<> \r\n"))
            cms = parse(held)
        except MALFORMED:
            continue
        yield cms.raw, [data[first : first + size], data[second : second + rest]]


# --- 5. log ---------------------------------------------------------------------------------------
# The service's log is a Merkle tree (RFC 6962). `log/checkpoint` is its signed head (C2SP signed
# note), `log/key` the key; each line of an `events-….jsonl` has an event, the salt that hides it
# in the log, its number and its path to the head.


def check_log(report: Report, members: list[Member], read: Callable[[str], bytes]) -> None:
    """Every event lies under the checkpoint, and the log's key signed that."""
    names = {one.name for one in members}
    if "log/checkpoint" not in names:
        return
    note = read("log/checkpoint").decode()
    origin, size, root = _checkpoint(note, read("log/key").decode().strip())
    facts: dict[str, Any] = {"origin": origin, "size": size, "events": 0, "stamped_at": None}
    if "log/checkpoint.tst" in names:
        facts["stamped_at"] = check_token(read("log/checkpoint.tst"), note.encode())
    for one in members:
        if not re.search(r"(^|/)events-\d+\.jsonl$", one.name):
            continue
        for number, line in enumerate(read(one.name).splitlines(), start=1):
            where = f"{one.name}:{number}"
            try:
                said = json.loads(line)
                if said["index"] is None:  # happened after the checkpoint
                    report.add(report.notes, "declared_gap", where)
                    continue
                path = [bytes.fromhex(step) for step in said["path"]]
                if _root(log_entry(said), int(said["index"]), size, path) != root:
                    report.add(report.problems, "event_not_in_log", where)
            except MALFORMED as problem:
                raise Bad("facts_unreadable", where) from problem
            facts["events"] += 1
    report.facts["log"] = facts


def _checkpoint(note: str, key: str) -> tuple[str, int, bytes]:
    """Origin, size and root of a note that the key signed; `key` is a C2SP verifier key."""
    try:
        name, _, encoded = key.split("+", 2)
        public = base64.b64decode(encoded, validate=True)
        text, _, signatures = note.partition("\n\n")
        text += "\n"
        tag = hashlib.sha256(name.encode() + b"\n" + public).digest()[:4]
        for line in signatures.splitlines():
            dash, signer, value = line.split(" ")
            signature = base64.b64decode(value, validate=True)
            if (dash, signer, signature[:4], public[0]) == ("—", name, tag, 1):
                loaded = ed25519.Ed25519PublicKey.from_public_bytes(public[1:])
                loaded.verify(signature[4:], text.encode())
                origin, size, root, *_ = text.splitlines()
                return origin, int(size), base64.b64decode(root, validate=True)
    except (InvalidSignature, *MALFORMED) as problem:
        raise Bad("checkpoint", "log/checkpoint") from problem
    raise Bad("checkpoint", "log/checkpoint")


def log_entry(said: dict[str, Any]) -> bytes:
    """What the log holds of an event: SHA-256 over a salt and the event as canonical JSON.

    The event holds ids and codes; of a personal detail only such a digest again. Where the detail
    is in the package, its digest must be that one. Raises ValueError.
    """
    event = said["event"]
    text = event if isinstance(event, str) else _canonical(event)
    if "detail" in said:
        hidden = bytes.fromhex(said["detail_salt"]) + said["detail"].encode()
        if hashlib.sha256(hidden).hexdigest() != json.loads(text)["detail_sha256"]:
            raise ValueError("the detail is not that of the event")
    return hashlib.sha256(bytes.fromhex(said["salt"]) + text.encode()).digest()


def _canonical(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def _root(entry: bytes, index: int, size: int, path: list[bytes]) -> bytes:
    """The root to which a path leads (RFC 9162 section 2.1.3.2)."""
    if not 0 <= index < size:
        return b""
    made, last = hashlib.sha256(b"\0" + entry).digest(), size - 1
    for step in path:
        if last == 0:
            return b""
        if index & 1 or index == last:
            made = hashlib.sha256(b"\1" + step + made).digest()
            while not index & 1 and index:
                index, last = index >> 1, last >> 1
        else:
            made = hashlib.sha256(b"\1" + made + step).digest()
        index, last = index >> 1, last >> 1
    return made if last == 0 else b""


# --- the whole ------------------------------------------------------------------------------------


def verify(
    package: str | os.PathLike[str] | io.BytesIO,
    *,
    gost: Gost | None = None,
    signer: str = "",
    trust: Iterable[x509.Certificate] = (),
    streebog: bool = True,
) -> Report:
    """Ask all five questions; what breaks off an earlier one leaves the later ones unasked.

    Raises OSError when the file cannot be read.
    """
    report, gost = Report(), gost or Gost()
    with package if isinstance(package, io.BytesIO) else open(package, "rb") as stream:
        try:
            members = read_archive(stream)
            read = reader(stream, members)
            check_members(report, stream, members, gost.streebog if streebog else None)
            if not report.problems:  # what is parsed from here on is what was signed for
                check_statement(report, read, signer, trust)
                check_documents(report, members, read, gost)
                check_log(report, members, read)
        except Bad as problem:
            report.add(report.problems, problem.code, problem.where)
        except (Unknown, *MALFORMED) as problem:
            report.add(report.problems, "facts_unreadable", f"{type(problem).__name__}: {problem}")
    return report


def reader(stream: BinaryIO, members: list[Member]) -> Callable[[str], bytes]:
    """A function that reads a member by its name."""
    places = {one.name: one for one in members}

    def read(name: str) -> bytes:
        one = places[name]
        if one.size > LARGEST_READ:
            raise Unknown("too large to be read whole")
        return b"".join(pieces(stream, one.data, one.data + one.size))

    return read


def _print(report: Report) -> None:
    heads = ("ПАКЕТ ЦЕЛ И ПОДЛИНЕН / whole and true", "ПАКЕТ НЕ ГОДЕН / broken",
             "НЕ ВСЁ УДАЛОСЬ ПРОВЕРИТЬ / cannot tell")  # fmt: skip
    lines = [heads[report.exit_code]]
    for title, found in (("Нарушения / problems", report.problems),
                         ("Не проверено / not checked", report.not_checked),
                         ("К сведению / notes", report.notes)):  # fmt: skip
        lines += [f"{title}: {len(found)}"] if found else []
        lines += [f"  {one['ru']} / {one['en']}: {one['where']}" for one in found[:50]]
    lines.append(json.dumps(report.facts, ensure_ascii=False, indent=1))
    sys.stdout.write("\n".join(lines) + "\n")


def load_certificates(paths: Iterable[str]) -> list[x509.Certificate]:
    """Certificates from PEM or DER files."""
    found = []
    for path in paths:
        with open(path, "rb") as file:
            data = file.read(LARGEST_READ)
        if b"-----BEGIN" in data:
            found += x509.load_pem_x509_certificates(data)
        else:
            found.append(x509.load_der_x509_certificate(data))
    return found


def main(arguments: list[str] | None = None) -> int:
    """The command; answers its exit code."""
    parser = argparse.ArgumentParser(description="Check an evidence package of docflow.")
    parser.add_argument("file")
    parser.add_argument("--json", action="store_true", help="one JSON object")
    parser.add_argument("--signer", default="", help="SHA-256 of the certificate expected")
    parser.add_argument("--trust", action="append", default=[], help="root certificate, PEM or DER")
    parser.add_argument("--sha256-only", action="store_true", help="leave GOST R 34.11 out")
    chosen = parser.parse_args(arguments)
    try:
        if not stat.S_ISREG(os.stat(chosen.file).st_mode):
            raise OSError("not a file")
        report = verify(chosen.file, signer=chosen.signer, trust=load_certificates(chosen.trust),
                        streebog=not chosen.sha256_only)  # fmt: skip
    except (OSError, ValueError) as problem:
        sys.stderr.write(f"{chosen.file}: {problem}\n")
        return 64
    if chosen.json:
        told = {"file": chosen.file, **report.as_dict()}
        sys.stdout.write(json.dumps(told, ensure_ascii=False) + "\n")
    else:
        _print(report)
    return report.exit_code


if __name__ == "__main__":
    sys.exit(main())
