"""What goes wrong on the way from a ministry: the failures of practice, each as a folder.

A good letter is written aside and then spoiled; what the service should make of it stands with it.
"""

import base64
import io
import os
import shutil
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from demo.ministry import Ministry
from docflow.gateways.medo.envelopes import read_envelope
from docflow.gateways.medo.findings import Notes

Outcome = Literal["taken", "quarantined", "restricted", "duplicate"]
Spoil = Callable[[Path], None]
LONG_AGO = 1_700_000_000
"""Nothing more is expected of a folder that has not changed since."""


@dataclass(frozen=True, slots=True)
class Defect:
    """One way to be wrong; `finding` is the warning or the reason the service should give."""

    group: str
    outcome: Outcome
    finding: str
    spoil: Spoil


def send(ministry: Ministry, name: str, pdf: bytes) -> Path:
    """Put a letter with this defect into the incoming folder."""
    defect = DEFECTS[name]
    message, sources = ministry.letter(pdf, number=f"14-9/{name}")
    if name == "signature_of_other_bytes":
        message, sources = ministry.letter(
            pdf, number=f"14-9/{name}", signature=ministry.sign(pdf + b"\n")
        )
    elif name == "restricted":
        facts = {"classification": "Информация ограниченного распространения",
                 "classification_id": "DC00000001"}  # fmt: skip
        message, sources = ministry.letter(pdf, number=f"14-9/{name}", document=facts)
    aside = ministry.put(message, sources, name=f".{message.header_uid}")
    defect.spoil(aside)
    for one in (*aside.iterdir(), aside):
        os.utime(one, (LONG_AGO, LONG_AGO))
    return aside.rename(ministry.inbox / message.header_uid)


def _none(_: Path) -> None:
    """What is wrong is in the letter itself."""


def _bytes(name: str, change: Callable[[bytes], bytes]) -> Spoil:
    def spoil(folder: Path) -> None:
        path = folder / name
        data = path.read_bytes()
        path.write_bytes(made := change(data))
        if made == data:
            raise ValueError(f"{name} was not spoiled")

    return spoil


def _words(name: str, old: str, new: str, encoding: str = "utf-8") -> Spoil:
    return _bytes(name, lambda data: data.replace(old.encode(encoding), new.encode(encoding)))


def _recoded(name: str, source: str, target: str) -> Spoil:
    return _bytes(name, lambda data: data.decode(source).encode(target))


def _envelope(old: str, new: str) -> Spoil:
    return _words("envelope.ltr", old, new, "windows-1251")


def _zip(change: Callable[[dict[str, bytes]], None]) -> Spoil:
    def packed(data: bytes) -> bytes:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = {name: archive.read(name) for name in archive.namelist()}
        change(members)
        made = io.BytesIO()
        with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in members.items():
                archive.writestr(name, content)
        return made.getvalue()

    return _bytes("document.edc.zip", packed)


def _passport(old: str, new: str) -> Spoil:
    def change(members: dict[str, bytes]) -> None:
        before = members["passport.xml"]
        members["passport.xml"] = before.replace(old.encode(), new.encode())
        if members["passport.xml"] == before:
            raise ValueError(f"the passport does not say {old}")

    return _zip(change)


def _without(name: str) -> Spoil:
    return _zip(lambda members: members.__delitem__(name))


def _renamed(old: str, new: str) -> Spoil:
    return _zip(lambda members: members.__setitem__(new, members.pop(old)))


def _signed_in_text(members: dict[str, bytes]) -> None:
    """Base64 instead of DER: decoded, as several senders write it (medo.md section 4.1)."""
    members["sign.p7s"] = base64.encodebytes(members["sign.p7s"])


def _header_uid(folder: Path) -> str:
    data = (folder / "message.xml").read_text(encoding="utf-8")
    return data.partition('xdms:uid="')[2].partition('"')[0]


def _uid(change: Callable[[str], str]) -> Spoil:
    def spoil(folder: Path) -> None:
        uid = _header_uid(folder)
        _words("message.xml", f'xdms:uid="{uid}"', change(uid))(folder)

    return spoil


def _move(old: str, new: str) -> Spoil:
    def spoil(folder: Path) -> None:
        (folder / old).rename(folder / new)

    return spoil


def _no_envelope(folder: Path) -> None:
    (folder / "envelope.ltr").unlink()


def _no_description_in_list(folder: Path) -> None:
    data = (folder / "envelope.ltr").read_bytes()
    listed = read_envelope(data, "", Notes(), most=10).files
    _envelope(f"\r\n{len(listed) - 1}=message.xml", "")(folder)


_DTD = '?>\n<!DOCTYPE a [<!ENTITY b "&#98;&#98;">]>'
_BOMB = b"\x00" * (4 << 20)

DEFECTS: Final[Mapping[str, Defect]] = {
    # 1. encoding
    "envelope_in_utf_8": Defect("encoding", "taken", "envelope_encoding",
                                _recoded("envelope.ltr", "windows-1251", "utf-8")),
    "xml_not_as_declared": Defect("encoding", "taken", "declared_encoding",
                                  _recoded("message.xml", "utf-8", "windows-1251")),
    "bare_ampersand": Defect("encoding", "taken", "xml_repaired",
                             _words("message.xml", "</xdms:organization>",
                                    " & Ко</xdms:organization>")),
    # 2. envelope and folder
    "listed_file_missing": Defect("envelope", "taken", "listed_file_missing",
                                  _envelope("[ФАЙЛЫ]\r\n", "[ФАЙЛЫ]\r\n9=annotation.txt\r\n")),
    "description_not_listed": Defect("envelope", "taken", "description_not_listed",
                                     _no_description_in_list),
    "no_envelope": Defect("envelope", "taken", "no_envelope", _no_envelope),
    "envelope_of_another_name": Defect("envelope", "taken", "", _move("envelope.ltr", "7.INI")),
    "envelope_says_unsigned": Defect("envelope", "taken", "envelope_unsigned",
                                     _envelope("ЭЦП=1", "ЭЦП=0")),
    "numbers_with_gaps": Defect("envelope", "taken", "envelope_numbering",
                                _envelope("\r\n1=message.xml", "\r\n7=message.xml")),
    # 3. uids
    "uid_missing": Defect("uids", "taken", "uid_missing", _uid(lambda _: "")),
    "uid_nil": Defect("uids", "taken", "uid_nil",
                      _uid(lambda _: 'xdms:uid="00000000-0000-0000-0000-000000000000"')),
    "uid_in_capitals": Defect("uids", "taken", "",
                              _uid(lambda uid: f'xdms:uid="{{{uid.upper()}}}"')),
    # 4. schema and version
    "version_unknown": Defect("schema", "taken", "unknown_version",
                              _words("message.xml", 'version="2.7.1"', 'version="2.7.2"')),
    "namespace_unknown": Defect("schema", "taken", "unknown_namespace",
                                _words("message.xml", "urn:IEDMS:MESSAGE", "urn:IEDMS:MESSAGE:2")),
    "empty_element": Defect("schema", "taken", "empty_part",
                            _passport("<c:post>Министр</c:post>", "<c:post> </c:post>")),
    "date_with_time": Defect("schema", "taken", "date_spelling",
                             _passport("</c:date>", "T00:00:00</c:date>")),
    # 5. container
    "passport_of_another_name": Defect("container", "taken", "passport_name",
                                       _renamed("passport.xml", "opis.xml")),
    "signature_in_base64": Defect("container", "taken", "", _zip(_signed_in_text)),
    "signature_file_missing": Defect("container", "quarantined", "signature_missing",
                                     _without("sign.p7s")),
    "document_missing": Defect("container", "quarantined", "file_missing",
                               _without("document.pdf")),
    "no_passport": Defect("container", "quarantined", "no_passport", _without("passport.xml")),
    "signature_of_other_bytes": Defect("container", "quarantined", "signature_invalid", _none),
    "no_zip": Defect("container", "quarantined", "broken_zip",
                     _bytes("document.edc.zip", lambda _: b"Rar!\x1a\x07\x00" + b"x" * 100)),
    "zip_cut_short": Defect("container", "quarantined", "broken_zip",
                            _bytes("document.edc.zip", lambda data: data[: len(data) // 2])),
    "zip_is_missing": Defect("container", "quarantined", "file_missing",
                             lambda folder: (folder / "document.edc.zip").unlink()),
    # attacks
    "xml_entities": Defect("attack", "quarantined", "xml_dtd",
                           _words("message.xml", "?>", _DTD)),
    "path_out_of_the_zip": Defect("attack", "quarantined", "zip_path_traversal",
                                  _renamed("document.pdf", "../../document.pdf")),
    "zip_bomb": Defect("attack", "quarantined", "zip_bomb",
                       _zip(lambda members: members.__setitem__("more.bin", _BOMB))),
    # the mark that decides the way
    "restricted": Defect("mark", "restricted", "restricted", _none),
}  # fmt: skip


def send_again(ministry: Ministry, folder: Path) -> Path:
    """The same message once more, as a transport that was not sure sends it."""
    target = ministry.inbox / f"{folder.name}-again"
    shutil.copytree(folder, target)
    return target
