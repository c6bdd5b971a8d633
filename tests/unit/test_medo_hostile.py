"""Folders built to harm whoever reads them, and folders that change under the reader."""

import itertools
import os
import stat
import struct
import sys
import time
import warnings
import zipfile
from pathlib import Path

import pytest

from docflow.gateways.medo.limits import Limits
from docflow.gateways.medo.messages import Kind, Message
from docflow.gateways.medo.reading import read_folder
from tests import medo_folders as made
from tests.medo_folders import codes

ROOT = '<c:communication xmlns:c="urn:IEDMS:MESSAGE" c:version="2.7.1">'
LAUGHS = "".join(f'<!ENTITY l{level} "{f"&l{level - 1};" * 10}">' for level in range(1, 10))


def described(tmp_path: Path, xml: bytes | str) -> Message:
    folder = made.answer(tmp_path / "m")
    (folder / "document.xml").write_bytes(xml if isinstance(xml, bytes) else xml.encode())
    return read_folder(folder)


def deep(levels: int) -> str:
    return ROOT + "<c:a>" * levels + "</c:a>" * levels + "</c:communication>"


@pytest.mark.parametrize(
    ("xml", "error"),
    [
        (f'<!DOCTYPE a [<!ENTITY l0 "lol">{LAUGHS}]>{ROOT}&l9;</c:communication>', "xml_dtd"),
        (f'<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]>{ROOT}&e;</c:communication>',
         "xml_dtd"),
        (f'<!DOCTYPE a SYSTEM "http://127.0.0.1:9/a.dtd">{ROOT}</c:communication>', "xml_dtd"),
        (f'<!DOCTYPE a [<!ENTITY % p SYSTEM "file:///etc/passwd">%p;]>{ROOT}</c:communication>',
         "xml_dtd"),
        (deep(100_000), "xml_depth"),
        (f"{ROOT}{'<c:a/>' * 200_000}</c:communication>", "xml_too_large"),
        (f'{ROOT}<c:a b="{"x" * (9 << 20)}"/></c:communication>', "xml_too_large"),
        (ROOT + "<c:a " + " ".join(f'c:a{n}="1"' for n in range(1000)) + "/></c:communication>",
         "xml_too_large"),
        (b"\xff\xfe" + "<a".encode("utf-16-le") + b"\x00\xd8", "broken_xml"),
        (b"\x00" * 5000, "broken_xml"),
        (b"<" * 500_000, "broken_xml"),
    ],
    ids=["laughs", "external", "outer-dtd", "parameter", "deep", "broad", "attribute",
         "attributes", "utf-16", "zeros", "brackets"],
)  # fmt: skip
def test_hostile_xml_is_refused_at_once(tmp_path: Path, xml: bytes | str, error: str) -> None:
    began = time.monotonic()
    message = described(tmp_path, xml)
    assert error in codes(message.errors)
    assert message.kind is Kind.UNKNOWN
    assert message.envelope is not None
    assert time.monotonic() - began < 20


def test_hostile_passport_is_refused(tmp_path: Path) -> None:
    data = f'<!DOCTYPE a [<!ENTITY l0 "lol">{LAUGHS}]><container>&l9;</container>'.encode()
    members = {"passport.xml": data, **made.MEMBERS}
    message = read_folder(made.container(tmp_path / "m", members=members))
    assert codes(message.errors) == {"xml_dtd"}


def test_entities_of_utf_16_do_not_slip_through(tmp_path: Path) -> None:
    xml = f'<!DOCTYPE a [<!ENTITY l0 "lol">{LAUGHS}]>{ROOT}&l9;</c:communication>'
    assert codes(described(tmp_path, xml.encode("utf-16")).errors) == {"xml_dtd"}


def zipped(tmp_path: Path, *members: tuple[zipfile.ZipInfo | str, bytes]) -> Message:
    path = tmp_path / "made.zip"
    with warnings.catch_warnings(), zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        warnings.simplefilter("ignore")  # the library minds a name that comes twice
        archive.writestr("passport.xml", made.passport())
        for name, data in members:
            archive.writestr(name, data)
    return read_folder(made.container(tmp_path / "m", data=path.read_bytes()))


def link(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info


@pytest.mark.parametrize(
    ("members", "error"),
    [
        ([("document.pdf", bytes(64 << 20))], "zip_bomb"),
        ([("../../etc/cron.d/x", b"x")], "zip_path_traversal"),
        ([("/etc/passwd", b"x")], "zip_path_traversal"),
        ([("..\\..\\x.pdf", b"x")], "zip_path_traversal"),
        ([("a.pdf", b"1"), ("a.pdf", b"2")], "zip_duplicate_name"),
        ([("a.pdf", b"1"), ("A.PDF", b"2")], "zip_duplicate_name"),
        ([(link("document.pdf"), b"/etc/passwd")], "zip_symlink"),
        ([(f"f{n}", b"") for n in range(2_500)], "zip_bomb"),
    ],
    ids=["bomb", "up", "root", "windows", "double", "double-case", "link", "many"],
)
def test_hostile_archive_is_refused(
    tmp_path: Path, members: list[tuple[zipfile.ZipInfo | str, bytes]], error: str
) -> None:
    message = zipped(tmp_path, *members)
    assert codes(message.errors) == {error}
    assert (message.kind, message.header_uid) == (Kind.CONTAINER, made.HEADER)


def test_archive_with_a_password_is_refused(tmp_path: Path) -> None:
    data = bytearray(made.packed({"passport.xml": made.passport(), **made.MEMBERS}))
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = -1
        while (at := data.find(mark, at + 1)) >= 0:
            struct.pack_into("<H", data, at + place, 1)
    message = read_folder(made.container(tmp_path / "m", data=bytes(data)))
    assert codes(message.errors) == {"zip_encrypted"}


def test_archive_within_an_archive_is_content_and_not_opened(tmp_path: Path) -> None:
    bomb = made.packed({"zeros": bytes(64 << 20)})
    members = {"passport.xml": made.passport(), **made.MEMBERS, "inner.zip": bomb}
    message = read_folder(made.container(tmp_path / "m", members=members))
    assert not message.errors


def test_ten_thousand_files(tmp_path: Path) -> None:
    folder = made.answer(tmp_path / "m")
    for number in range(10_000):
        (folder / f"{number}.bin").touch()
    began = time.monotonic()
    message = read_folder(folder)
    assert time.monotonic() - began < 20
    assert codes(message.warnings) == {"unlisted_files"}
    assert len(message.files) == 1


def test_more_names_than_anybody_looks_through(tmp_path: Path) -> None:
    folder = made.answer(tmp_path / "m")
    assert codes(read_folder(folder, limits=Limits(folder_entries=2)).errors) == {"too_many_files"}


def test_envelope_that_lists_ten_thousand_files(tmp_path: Path) -> None:
    folder = made.answer(tmp_path / "m")
    names = [f"{number}.bin" for number in range(10_000)]
    text = made.envelope("mainDoc.pdf", "document.xml", *names)
    (folder / "envelope.ltr").write_bytes(text.encode("windows-1251"))
    message = read_folder(folder)
    assert "too_many_files" in codes(message.errors)
    assert len(message.warnings) < 300


def test_message_too_large(tmp_path: Path) -> None:
    folder = made.answer(tmp_path / "m")
    with (folder / "mainDoc.pdf").open("wb") as stream:
        stream.truncate(2 << 30)
    assert codes(read_folder(folder).errors) == {"too_large"}


@pytest.mark.parametrize("target", ["/etc/passwd", "other.xml"])
@pytest.mark.parametrize("name", ["document.xml", "mainDoc.pdf"])
def test_links_in_the_folder_are_not_followed(tmp_path: Path, name: str, target: str) -> None:
    folder = made.answer(tmp_path / "m")
    (folder / name).rename(folder / "other.xml")
    (folder / name).symlink_to(target)
    assert "not_a_plain_file" in codes(read_folder(folder).errors)


def test_pipes_do_not_hold_the_reader_up(tmp_path: Path) -> None:
    folder = made.answer(tmp_path / "m")
    for name in ("mainDoc.pdf", "envelope.ltr"):
        (folder / name).unlink()
        os.mkfifo(folder / name)
    assert "not_a_plain_file" in codes(read_folder(folder).errors)


def test_folder_that_is_a_link(tmp_path: Path) -> None:
    made.answer(tmp_path / "m")
    (tmp_path / "link").symlink_to(tmp_path / "m")
    assert codes(read_folder(tmp_path / "link").errors) == {"folder_unreadable"}


@pytest.mark.parametrize("name", ["../../../etc/passwd", "/etc/passwd", "a\\b", "..", "a\x01b"])
def test_names_that_lead_out_are_refused(tmp_path: Path, name: str) -> None:
    folder = made.answer(tmp_path / "m")
    (folder / "envelope.ltr").write_bytes(
        made.envelope("mainDoc.pdf", name, "document.xml").encode("windows-1251")
    )
    assert "unsafe_name" in codes(read_folder(folder).errors)


def test_names_in_the_description_that_lead_out(tmp_path: Path) -> None:
    folder = made.answer(tmp_path / "m")
    xml = (folder / "document.xml").read_bytes()
    (folder / "document.xml").write_bytes(xml.replace(b"mainDoc.pdf", b"../../etc/passwd"))
    message = read_folder(folder)
    assert "unsafe_name" in codes(message.errors)
    assert not message.files[0].sha256


def test_empty_folder_and_no_folder(tmp_path: Path) -> None:
    (tmp_path / "m").mkdir()
    empty = read_folder(tmp_path / "m")
    assert (codes(empty.errors), empty.is_complete) == ({"no_description"}, False)
    assert codes(read_folder(tmp_path / "none").errors) == {"folder_gone"}


def test_half_written_folder_is_not_complete_yet(tmp_path: Path) -> None:
    whole = made.container(tmp_path / "whole")
    data = {path.name: path.read_bytes() for path in whole.iterdir()}
    steps = ("document.edc.zip", "document.xml", "envelope.ini")
    folder = tmp_path / "m"
    folder.mkdir()
    for name in steps:
        for share in (0, len(data[name]) // 2, len(data[name]) - 30):
            (folder / name).write_bytes(data[name][:share])
            assert not read_folder(folder).is_complete, (name, share)
        (folder / name).write_bytes(data[name])
    assert read_folder(folder).is_complete


def test_folder_that_vanishes_while_it_is_read(tmp_path: Path) -> None:
    """A run for each file and list the reader opens: an answer each time, never an exception."""
    source = made.container(tmp_path / "source")
    data = {path.name: path.read_bytes() for path in source.iterdir()}
    folder = tmp_path / "m"
    vanishing = _Vanishing(folder)
    sys.addaudithook(vanishing)  # it cannot be taken off again: it rests while nothing is armed
    seen: set[str] = set()
    for number in itertools.count():
        folder.mkdir()
        for name, content in data.items():
            (folder / name).write_bytes(content)
        vanishing.armed = number
        message = read_folder(folder)
        was_read_whole, vanishing.armed = vanishing.armed is not None, None
        seen |= codes(message.errors) or {"read"}
        if was_read_whole:
            break
    assert number > 3
    assert seen <= {"read", "folder_gone", "file_missing", "no_description", "broken_zip"}
    assert seen >= {"read", "folder_gone"}
    assert seen & {"file_missing", "no_description"}


class _Vanishing:
    """Removes the folder before its ``armed``-th opening or listing by whoever reads it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.armed: int | None = None

    def __call__(self, event: str, _: tuple[object, ...]) -> None:
        if self.armed is None or event not in ("open", "os.listdir", "os.scandir"):
            return
        if self.armed > 0:
            self.armed -= 1
            return
        self.armed = None
        for path in list(self.folder.iterdir()):
            path.unlink()
        self.folder.rmdir()


def test_folder_that_grows_while_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = made.container(tmp_path / "m")
    from docflow.gateways.medo import containers

    read = containers.read_container

    def meanwhile(*arguments: object) -> object:
        (folder / "late.txt").write_bytes(b"x")
        return read(*arguments)  # type: ignore[arg-type]  # handed through as they came

    monkeypatch.setattr(containers, "read_container", meanwhile)
    message = read_folder(folder)
    assert message.lacks == ("changed_while_read",)


def test_noise_never_raises(tmp_path: Path) -> None:
    """Every cut and many flips of each file of a container: an answer each time."""
    folder = made.container(tmp_path / "m")
    kept = {path.name: path.read_bytes() for path in folder.iterdir()}
    for name, data in kept.items():
        for place in range(0, len(data), max(1, len(data) // 40)):
            for bad in (data[:place], data[:place] + b"\xff\x00" + data[place + 2 :]):
                (folder / name).write_bytes(bad)
                message = read_folder(folder)
                assert all(one.ru and one.en for one in (*message.errors, *message.warnings))
        (folder / name).write_bytes(data)
