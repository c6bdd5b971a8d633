"""`docflow validate` as the contract promises it: one JSON object, exit codes, limits."""

import hashlib
import json
import os
import subprocess
import sys
from base64 import encodebytes
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from time import perf_counter
from typing import Any

import pypdfium2
import pytest
from asn1crypto import pem

from core.clock import frozen
from signatures import cms, pdf
from tests.genuine import AT, START, by_hand, genuine, world

pytestmark = pytest.mark.slow

DOCFLOW = Path(sys.executable).with_name("docflow")
MOMENT = AT.isoformat().replace("+00:00", "Z")
BODY = "Циркуляр".encode()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Trust and lists as files: a folder of DER, and single PEM files."""
    found = tmp_path_factory.mktemp("validate")
    for name in ("trust", "crl"):
        (found / name).mkdir()
    store = world().trust
    for number, der in enumerate((*store.roots, *store.others)):
        (found / f"trust/{number}.cer").write_bytes(der)
        (found / f"{number}.pem").write_bytes(pem.armor("CERTIFICATE", der))
    for number, der in enumerate(store.crls):
        (found / f"crl/{number}.crl").write_bytes(der)
        (found / f"list{number}.pem").write_bytes(pem.armor("X509 CRL", der))
    for one in genuine():
        (found / f"{one.name}.pdf").write_bytes(one.data)
    with frozen(START):
        made = cms.sign_detached(digest=hashlib.sha256(BODY).digest(), key=world().person.key())
    (found / "letter.txt").write_bytes(BODY)
    (found / "letter.sig").write_bytes(made)
    return found


def _run(*arguments: object) -> tuple[int, dict[str, Any]]:
    done = subprocess.run(
        [DOCFLOW, "validate", *map(str, arguments), "--json"], capture_output=True, check=False
    )
    lines = done.stdout.decode().splitlines()
    assert b"Traceback" not in done.stderr
    assert len(lines) == 1
    return done.returncode, json.loads(lines[0])


def _trusting(folder: Path) -> tuple[object, ...]:
    return "--trust", folder / "trust", "--crl", folder / "crl", "--at", MOMENT


@pytest.mark.parametrize("name", ["pillow", "three", "long-term", "streams"])
def test_good_files(folder: Path, name: str) -> None:
    code, answer = _run(folder / f"{name}.pdf", *_trusting(folder))
    assert (code, answer["verdict"], answer["reasons"]) == (0, "valid", [])
    for one in answer["signatures"]:
        assert {"signer", "format", "level", "algorithm", "intact", "valid", "trusted"} <= set(one)
        assert one["coverage"] in ("entire_file", "entire_revision")
        assert one["signing_time"]


def test_single_files_in_pem(folder: Path) -> None:
    code, answer = _run(
        folder / "by hand.pdf", "--trust", folder / "0.pem", "--trust", folder / "1.pem",
        "--crl", folder / "list0.pem", "--crl", folder / "list1.pem", "--at", MOMENT,
    )  # fmt: skip
    assert (code, answer["verdict"]) == (0, "valid")


def test_no_and_cannot_tell(folder: Path) -> None:
    file = folder / "by hand.pdf"
    code, answer = _run(file, "--at", MOMENT)
    assert (code, answer["verdict"]) == (2, "indeterminate")
    assert [reason["code"] for reason in answer["reasons"]] == ["untrusted"]
    code, answer = _run(file, "--trust", folder / "trust", "--at", MOMENT)
    assert (code, [reason["code"] for reason in answer["reasons"]]) == (2, ["revocation_missing"])
    bad = folder / "bad.pdf"
    bad.write_bytes(file.read_bytes().replace(b"Pay 100", b"Pay 999"))
    code, answer = _run(bad, *_trusting(folder))
    assert (code, answer["verdict"]) == (1, "invalid")
    plain = folder / "plain.pdf"
    plain.write_bytes(by_hand())
    code, answer = _run(plain, *_trusting(folder))
    assert (code, [reason["code"] for reason in answer["reasons"]]) == (2, ["no_signature"])


def test_wrong_usage(folder: Path) -> None:
    for wrong in (
        ["none.pdf"],
        [folder / "by hand.pdf", "--at", "yesterday"],
        [folder / "by hand.pdf", "--trust", folder / "none"],
        [folder / "by hand.pdf", "--trust", folder / "by hand.pdf"],
        [folder],
    ):
        assert _run(*wrong)[0] == 64, wrong


FORMS: dict[str, Callable[[bytes], bytes]] = {
    "der": lambda der: der,
    "pem": lambda der: pem.armor("CMS", der),
    "base64": lambda der: encodebytes(der),
    "base64 with bom": lambda der: b"\xef\xbb\xbf" + encodebytes(der),
    "utf-16": lambda der: encodebytes(der).decode().encode("utf-16"),
    "utf-16, no bom": lambda der: encodebytes(der).decode().encode("utf-16-le"),
    "pem in utf-16": lambda der: pem.armor("PKCS7", der).decode().encode("utf-16"),
}


@pytest.mark.parametrize("form", FORMS)
def test_detached_in_every_form(folder: Path, form: str, tmp_path: Path) -> None:
    made = tmp_path / "letter.p7s"
    made.write_bytes(FORMS[form]((folder / "letter.sig").read_bytes()))
    code, answer = _run(folder / "letter.txt", "--signature", made, *_trusting(folder))
    assert (code, answer["verdict"], answer["signatures"][0]["format"]) == (0, "valid", "CAdES")
    other = tmp_path / "other.txt"
    other.write_bytes(BODY + b".")
    code, answer = _run(other, "--signature", made, *_trusting(folder))
    assert (code, answer["reasons"][0]["code"]) == (1, "digest_mismatch")


# A process counts what its parent held when it was born, so a small one stands in between.
MEASURED = """
import os, subprocess, sys
child = subprocess.Popen(sys.argv[1:])
_, status, usage = os.wait4(child.pid, 0)
print(os.waitstatus_to_exitcode(status), usage.ru_maxrss)
"""


def _limited(*arguments: object) -> tuple[int, str, float, int]:
    """Exit code, verdict, seconds and the peak of any one process in megabytes."""
    began = perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, DOCFLOW, "validate", *map(str, arguments), "--json"],
        capture_output=True,
        check=True,
    )
    seconds = perf_counter() - began
    answer, measured = done.stdout.splitlines()
    code, kilobytes = map(int, measured.split())
    return code, json.loads(answer)["verdict"], seconds, kilobytes // 1024


def _big(megabytes: int) -> bytes:
    """A letter with a picture of that size, which nobody shows."""
    noise = os.urandom(1 << 20) * megabytes
    return by_hand(spare=b"9 0 obj\n<</Length %d>>stream\n%s\nendstream\nendobj\n" % (
        len(noise), noise,
    ))  # fmt: skip


def _many_pages(count: int) -> bytes:
    document = pypdfium2.PdfDocument.new()
    for _ in range(count):
        document.new_page(595, 842)
    out = BytesIO()
    document.save(out)
    return out.getvalue()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("99 MB", lambda: _big(95)),
        ("101 MB", lambda: _big(97)),
        ("2000 pages", lambda: _many_pages(2000)),
    ],
)
def test_big_files(
    folder: Path,
    tmp_path: Path,
    name: str,
    make: Callable[[], bytes],
    capsys: pytest.CaptureFixture[str],
) -> None:
    data = make()
    file, signature = tmp_path / "big.pdf", tmp_path / "big.sig"
    with frozen(START):
        once = pdf.sign_pdf(data, key=world().person.key())
        file.write_bytes(pdf.sign_pdf(once, key=world().colleague.key()))
        digest = hashlib.sha256(file.read_bytes()).digest()
        signature.write_bytes(cms.sign_detached(digest=digest, key=world().person.key()))
    for more in ((), ("--signature", signature)):
        code, verdict, seconds, peak = _limited(file, *more, *_trusting(folder))
        with capsys.disabled():
            size = file.stat().st_size
            print(f"\n{name}: {size} bytes, {verdict}, {seconds:.1f} s, {peak} MB")  # noqa: T201
        assert (code, verdict) == (0, "valid")
        assert seconds < 20
        assert peak < 1024
