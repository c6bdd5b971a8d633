"""The stand-alone verifier on packages made by hand: what is good passes, all else is named."""

import hashlib
import io
import json
import socket
import subprocess
import zipfile
from pathlib import Path
from random import Random
from typing import Any

import pytest
from asn1crypto import cms

from evidence.verifier import archive as form
from evidence.verifier import gost, package
from evidence.verifier.findings import Report
from evidence.verifier.own_gost import OwnGost
from signatures import cms as signing
from signatures import stamping
from signatures.gost import libgcrypt
from signatures.stamps import request_stamp
from tests import gost_pki, packages_made
from tests.packages_made import DOCUMENT, a_package, flipped, zipped


def looked(data: bytes, folder: Path, **more: Any) -> Report:
    path = folder / "package.zip"
    path.write_bytes(data)
    return package.verify(path, **more)


def codes(report: Report) -> set[str]:
    return {one["code"] for one in report.problems}


def test_good_package_is_whole_and_true(tmp_path: Path) -> None:
    report = looked(a_package().packed(), tmp_path)
    assert report.exit_code == 0, report.as_dict()
    assert report.facts["signatures"] == {"good": 1, "known_broken": 0, "unchecked": 0}
    assert report.facts["log"]["events"] == 2
    assert {one["code"] for one in report.notes} == {"signer_not_compared"}


def test_other_programs_read_the_archive(tmp_path: Path) -> None:
    made = a_package()
    with zipfile.ZipFile(io.BytesIO(made.packed())) as archive:
        assert archive.testzip() is None
        assert {name: archive.read(name) for name in archive.namelist()[:-4]} == made.members


def test_sampled_flips_are_found(tmp_path: Path) -> None:
    data = a_package().packed()
    places = Random(7).sample(range(len(data)), 120)  # noqa: S311 - places to try
    passed = [at for at in places if looked(flipped(data, at, at % 8), tmp_path).exit_code != 1]
    assert passed == []


@pytest.mark.slow
def test_every_byte_flipped_is_found(tmp_path: Path) -> None:
    """Members, headers, directory, ending, comment: there is no byte that may change."""
    data = a_package().packed()
    passed = [
        at for at in range(len(data)) if looked(flipped(data, at, at % 8), tmp_path).exit_code != 1
    ]
    assert passed == []
    assert len(data) > 5000


def test_bytes_cut_off_or_added_anywhere_are_found(tmp_path: Path) -> None:
    data = a_package().packed()
    for at in Random(3).sample(range(len(data)), 25):  # noqa: S311 - places to try
        for changed in (data[:at], data[:at] + data[at + 1 :], data[:at] + b"\0" + data[at:]):
            assert looked(changed, tmp_path).exit_code == 1
    for changed in (data + b"\0", b"\0" + data, data + data):
        assert looked(changed, tmp_path).exit_code == 1


@pytest.mark.parametrize("change", ["removed", "added", "renamed", "swapped", "twice"])
def test_member_removed_added_or_renamed_is_found_though_the_archive_is_made_anew(
    change: str, tmp_path: Path
) -> None:
    """By somebody who computes headers and commitment again, but has not the service's key."""
    made = a_package()
    whole = {**made.members, **made.closing()}
    names = list(made.members)
    for victim in names:
        items = list(whole.items())
        at = names.index(victim)
        if change == "removed":
            items.pop(at)
        elif change == "added":
            items.insert(at, ("documents/1/extra.json", b"{}"))
        elif change == "renamed":
            items[at] = (f"{victim}2", whole[victim])
        elif change == "swapped":
            other = names[(at + 1) % len(names)]
            items[at] = (victim, whole[other])
        else:
            items.insert(at, ("readme.txt.bak", whole["readme.txt"]))
        assert looked(zipped(dict(items)), tmp_path).exit_code == 1, victim


def test_lists_made_anew_do_not_fit_the_signed_statement(tmp_path: Path) -> None:
    good, forged = a_package(), a_package(b"another letter")
    closing = {
        **forged.closing(),
        **{n: good.closing()[n] for n in (form.STATEMENT, form.SIGNATURE)},
    }
    assert codes(looked(zipped({**forged.members, **closing}), tmp_path)) == {"statement"}


def test_statement_that_nobody_signed_is_found(tmp_path: Path) -> None:
    made = a_package()
    other = packages_made.Made(made.members, {"purpose": "other"})
    closing = {**other.closing(), form.SIGNATURE: made.closing()[form.SIGNATURE]}
    found = looked(zipped({**made.members, **closing}), tmp_path)
    assert codes(found) == {"package_signature"}


def test_signer_is_compared_and_roots_are_followed(tmp_path: Path) -> None:
    data = a_package().packed()
    right = looked(data, tmp_path).facts["signer"]["sha256"]
    assert looked(data, tmp_path, signer=right.upper()).notes == []
    assert codes(looked(data, tmp_path, signer="0" * 64)) == {"signer_differs"}
    root = packages_made.authority().certificate
    assert looked(data, tmp_path, trust=[root]).exit_code == 0
    other = packages_made.create_authority("Another").certificate
    assert codes(looked(data, tmp_path, trust=[other])) == {"signer_untrusted"}


def changed_card(made: packages_made.Made, **more: object) -> packages_made.Made:
    card = json.loads(made.members[DOCUMENT])
    card["signatures"][0].update(more)
    made.members[DOCUMENT] = json.dumps(card).encode()
    return made


def test_signature_that_does_not_bind_its_file_is_found(tmp_path: Path) -> None:
    made = a_package()
    made.members["signatures/s.p7s"] = packages_made.cms(b"another letter", name="Chairman")
    assert codes(looked(made.packed(), tmp_path)) == {"document_signature"}
    known = changed_card(made, is_whole=False)
    report = looked(known.packed(), tmp_path)
    assert (report.exit_code, report.facts["signatures"]["known_broken"]) == (0, 1)


def test_signature_by_another_certificate_than_stated_is_found(tmp_path: Path) -> None:
    made = changed_card(a_package(), certificate="0" * 64)
    assert codes(looked(made.packed(), tmp_path)) == {"document_signature"}


def test_event_that_is_not_in_the_log_is_found(tmp_path: Path) -> None:
    made = a_package()
    name = "documents/1/events-001.jsonl"
    made.members[name] = made.members[name].replace(b"document.sent", b"document.read")
    assert codes(looked(made.packed(), tmp_path)) == {"event_not_in_log"}


def test_checkpoint_of_another_key_is_found(tmp_path: Path) -> None:
    made = a_package()
    made.members["log/checkpoint"] = made.members["log/checkpoint"].replace(b"\n2\n", b"\n3\n")
    assert codes(looked(made.packed(), tmp_path)) == {"checkpoint"}


def test_without_gost_the_answer_is_two_and_says_so(tmp_path: Path) -> None:
    report = looked(a_package().packed(), tmp_path, streebog=False)
    assert report.exit_code == 2
    assert [one["code"] for one in report.not_checked] == ["streebog_unchecked"]


def test_streebog_alone_is_enough_to_find_a_change(tmp_path: Path) -> None:
    """Somebody who could make SHA-256 collide still meets the second list."""
    if not libgcrypt.is_available():
        pytest.skip("libgcrypt is not installed")
    made = a_package()
    closing = made.closing()
    lines = closing[form.STREEBOG_LIST].split(b"\n")
    closing[form.STREEBOG_LIST] = b"\n".join([b"0" * 64 + lines[0][64:], *lines[1:]])
    report = looked(zipped({**made.members, **closing}), tmp_path)
    assert codes(report) == {"member_changed"}
    assert looked(a_package().packed(), tmp_path, gost=_openssl()).exit_code == 0


def _openssl() -> gost.Gost:
    found = gost.Gost()
    found.streebog = gost._Openssl
    if subprocess.run(["openssl", "engine", "gost"], capture_output=True).returncode != 0:
        pytest.skip("openssl's gost engine is not installed")
    return found


HOSTILE_NAMES = (
    "/etc/passwd",
    "../up",
    "a//b",
    "a\\b",
    "C:/x",
    "a/../b",
    "a b",
    "ж",
    ".hidden",
    "",
)


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_names_a_file_system_could_stumble_over_are_refused(name: str, tmp_path: Path) -> None:
    members = {**a_package().members, name: b"x"}
    made = packages_made.Made(members)
    assert codes(looked(made.packed(), tmp_path)) == {"archive_form"}


def _usual(**entries: bytes) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return written.getvalue()


def _link() -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        entry = zipfile.ZipInfo("link")
        entry.external_attr = 0o120777 << 16
        archive.writestr(entry, "/etc/passwd")
    return written.getvalue()


def test_rubbish_never_breaks_it(tmp_path: Path) -> None:
    """Empty, short, other archives, bombs, links, huge numbers, noise in every place."""
    noise = Random(11)  # noqa: S311 - places to try
    good = a_package().packed()
    huge = good[:-181] + form.ending(2**40, 2**50, 2**60) + good[-64:]
    cases = [b"", b"PK", b"\0" * 400, _usual(a=b"x"), _usual(bomb=b"\0" * 10_000_000), _link(),
             huge, good[:-64] + b"g" * 64, good[200:], noise.randbytes(5000)]  # fmt: skip
    for _ in range(100):
        data = bytearray(good)
        at = noise.randrange(len(data))
        data[at : at + noise.randrange(40)] = noise.randbytes(noise.randrange(40))
        cases.append(bytes(data))
    for data in cases:
        if data != good:
            assert looked(data, tmp_path).exit_code == 1


@pytest.mark.slow
def test_rubbish_signed_for_never_breaks_it(tmp_path: Path) -> None:
    """The service itself may be hostile: what it signs is parsed with the same care."""
    noise = Random(13)  # noqa: S311 - places to try
    deep = b"[" * 200_000
    for name in (DOCUMENT, "signatures/s.p7s", "log/checkpoint", "log/key",
                 "documents/1/events-001.jsonl"):  # fmt: skip
        for content in (b"", b"{}", b"[]", b"null", deep, b"\xff" * 50, b"\x30\x80" * 500,
                        b"\x30\x84\xff\xff\xff\xff", noise.randbytes(400)):  # fmt: skip
            made = a_package()
            made.members[name] = content
            report = looked(made.packed(), tmp_path)
            if name == "documents/1/events-001.jsonl" and content == b"":
                assert report.exit_code == 0  # no event was claimed
            else:
                assert report.exit_code == 1, (name, content[:20])


def test_closing_parts_of_rubbish_never_break_it(tmp_path: Path) -> None:
    made = a_package()
    for name in form.CLOSING:
        for content in (b"", b"{}", b"[1]", b"\x30\x80", b"x" * 200, b"[" * 100_000):
            whole = {**made.members, **made.closing(), name: content}
            assert looked(zipped(whole), tmp_path).exit_code == 1, (name, content[:20])


def test_it_opens_no_socket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket, "socket", refuse)
    assert looked(a_package().packed(), tmp_path).exit_code == 0


def gost_package() -> packages_made.Made:
    """The same document, signed by GOST R 34.10-2012."""
    made = a_package()
    (content,) = (one for name, one in made.members.items() if name.startswith("files/"))
    world = gost_pki.gost_world()
    made.members["signatures/s.p7s"] = world.sign(content)
    certificate = cms.ContentInfo.load(made.members["signatures/s.p7s"])["content"]["certificates"]
    return changed_card(made, certificate=certificate[0].chosen.sha256.hex())


@pytest.mark.slow
def test_gost_signature_is_checked_by_openssl_and_by_our_own_library(tmp_path: Path) -> None:
    made = gost_package()
    for own in (gost.Gost(), OwnGost()):
        assert looked(made.packed(), tmp_path, gost=own).facts["signatures"]["good"] == 1
    made.members["signatures/s.p7s"] = gost_pki.gost_world().sign(b"another letter")
    for own in (gost.Gost(), OwnGost()):
        assert codes(looked(made.packed(), tmp_path, gost=own)) == {"document_signature"}


@pytest.mark.slow
def test_where_gost_cannot_be_checked_the_answer_is_two_and_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = gost_package().packed()
    monkeypatch.setenv("PATH", str(tmp_path))  # no openssl
    report = looked(data, tmp_path)
    assert report.exit_code == 2
    assert [one["code"] for one in report.not_checked] == ["signature_unchecked"]
    assert "GOST R 34.10-2012" in report.not_checked[0]["where"]
    monkeypatch.setattr(gost, "_libgcrypt", _absent)
    report = looked(data, tmp_path)
    assert report.exit_code == 2
    assert {one["code"] for one in report.not_checked} == {
        "signature_unchecked", "streebog_unchecked",
    }  # fmt: skip


def _absent() -> None:
    raise OSError("no such library")


def test_time_stamp_of_the_package_is_told_and_a_foreign_one_is_refused(tmp_path: Path) -> None:
    tsa = stamping.StampAuthority(packages_made.authority().stamping_key())
    made = a_package()
    closing = made.closing()
    statement = closing[form.STATEMENT]
    closing[form.SIGNATURE] = packages_made.cms(statement, tsa=tsa)
    report = looked(zipped({**made.members, **closing}), tmp_path)
    assert report.exit_code == 0
    assert report.facts["signer"]["stamped_at"].startswith("20")
    key = packages_made.issued().key()
    attributes = signing.signed_attributes(
        digest=hashlib.sha256(statement).digest(), certificate=key.certificate, signing_time=None
    )
    closing[form.SIGNATURE] = signing.assemble(
        attributes=attributes, signature=key.sign(attributes, "sha256"),
        certificate=key.certificate,
        token=request_stamp(hashlib.sha256(b"something else").digest(), tsa=tsa),
    )  # fmt: skip
    assert codes(looked(zipped({**made.members, **closing}), tmp_path)) == {"time_stamp"}
