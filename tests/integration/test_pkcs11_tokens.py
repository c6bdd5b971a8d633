"""Keys on a real PKCS#11 token (SoftHSM), made by the test: what works, and each way it fails."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization as form

from core.errors import ServiceError
from signatures.authority import Authority, Issued, KeyKind, Subject, create_authority, trust_of
from signatures.tokens import load_pkcs11
from signatures.validation import validate_pdf
from tests.unit.test_signatures_roundtrip import small_pdf

pytestmark = pytest.mark.slow

SOFTHSM = Path("/usr/lib/softhsm/libsofthsm2.so")
needs_softhsm = pytest.mark.skipif(
    not SOFTHSM.exists() or shutil.which("softhsm2-util") is None,
    reason="SoftHSM is not installed (apt-get install softhsm2)",
)


@pytest.fixture(scope="module")
def issuing() -> Authority:
    return create_authority("Issuing", parent=create_authority("Root"))


@pytest.fixture
def tokens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "tokens").mkdir()
    config = tmp_path / "softhsm2.conf"
    config.write_text(f"directories.tokendir = {tmp_path}/tokens\n")
    monkeypatch.setenv("SOFTHSM2_CONF", str(config))
    return tmp_path


def _fill(folder: Path, issued: Issued, label: str = "me", number: str = "01") -> None:
    """Put the key on the token `docflow`, which is made if it is not there."""
    pem = issued.private.private_bytes(
        form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption()
    )
    (folder / "key.pem").write_bytes(pem)
    steps = [["--token", "docflow", "--import", str(folder / "key.pem"), "--label", label,
              "--id", number]]  # fmt: skip
    if not list((folder / "tokens").iterdir()):
        steps.insert(0, ["--init-token", "--free", "--label", "docflow", "--so-pin", "4321"])
    for step in steps:
        subprocess.run(["softhsm2-util", "--pin", "1234", *step], check=True, capture_output=True)


def _run(folder: Path, script: str) -> None:
    """In a process of its own: the library reads its configuration once a process."""
    ran = subprocess.run(
        [sys.executable, "-c", _HEAD + script, str(folder), str(SOFTHSM)],
        capture_output=True,
        cwd=Path(__file__).parents[2],
        check=False,
    )
    assert ran.returncode == 0, ran.stderr.decode()


_HEAD = """
import shutil, sys
from pathlib import Path
from core.errors import ServiceError
from signatures import pdf
from signatures.tokens import load_pkcs11
here = Path(sys.argv[1])
same = dict(library=Path(sys.argv[2]), token="docflow", label="me", pin="1234",
            certificate=(here / "leaf.der").read_bytes(),
            chain=((here / "chain.der").read_bytes(),))

def refused(code, **changes):
    try:
        load_pkcs11(**{**same, **changes})
    except ServiceError as problem:
        assert problem.error_code == code, problem
    else:
        raise SystemExit(f"{code} did not come")
"""

_SIGN = """
key = load_pkcs11(**same)
assert load_pkcs11(**same) is key
(here / "out.pdf").write_bytes(pdf.sign_pdf((here / "in.pdf").read_bytes(), key=key))
"""

_REFUSE = """
refused("token_pin", pin="9999")
refused("token_pin", pin="1")
refused("token_key_missing", label="nobody")
refused("token_key_ambiguous", label="twice")
refused("token_unavailable", token="elsewhere")
refused("token_unavailable", library=Path("/nonexistent.so"))
refused("key_mismatch", certificate=(here / "other.der").read_bytes())
load_pkcs11(**same)
refused("token_pin", pin="0000", label="second")
second = {**same, "label": "second", "certificate": (here / "other.der").read_bytes()}
load_pkcs11(**second).sign(b"x", "sha256")
"""

_GONE = """
key = load_pkcs11(**same)
key.sign(b"x", "sha256")
(here / "tokens").rename(here / "drawer")
(here / "tokens").mkdir()
try:
    key.sign(b"x", "sha256")
except ServiceError as problem:
    assert problem.error_code in ("token_unavailable", "token_key_missing"), problem
else:
    raise SystemExit("a token that is gone has signed")
shutil.rmtree(here / "tokens")
(here / "drawer").rename(here / "tokens")
(here / "out.pdf").write_bytes(pdf.sign_pdf((here / "in.pdf").read_bytes(), key=key))
"""

_THREADS = """
from concurrent.futures import ThreadPoolExecutor
from signatures.keys import require_fit
key = load_pkcs11(**same)
with ThreadPoolExecutor(8) as pool:
    list(pool.map(lambda _: require_fit(key), range(200)))
"""


def _lay_out(folder: Path, issuing: Authority, kind: KeyKind) -> Issued:
    issued = issuing.issue(Subject("Токен"), kind=kind)
    (folder / "leaf.der").write_bytes(issued.der)
    (folder / "chain.der").write_bytes(issuing.der)
    (folder / "in.pdf").write_bytes(small_pdf())
    _fill(folder, issued)
    return issued


@needs_softhsm
@pytest.mark.parametrize("kind", ["rsa", "ec", "ec384"])
def test_a_key_on_a_token_signs(issuing: Authority, tokens: Path, kind: KeyKind) -> None:
    _lay_out(tokens, issuing, kind)
    _run(tokens, _SIGN)
    report = validate_pdf((tokens / "out.pdf").read_bytes(), trust=trust_of(issuing))
    assert report.verdict == "valid", report.reasons


@needs_softhsm
def test_each_way_a_token_refuses(issuing: Authority, tokens: Path) -> None:
    _lay_out(tokens, issuing, "ec")
    other = issuing.issue(Subject("Другой"))
    (tokens / "other.der").write_bytes(other.der)
    _fill(tokens, other, "twice", "02")
    _fill(tokens, other, "second", "04")
    _fill(tokens, issuing.issue(Subject("Третий")), "twice", "03")
    _run(tokens, _REFUSE)


@needs_softhsm
def test_a_token_that_went_and_came_back(issuing: Authority, tokens: Path) -> None:
    _lay_out(tokens, issuing, "rsa")
    _run(tokens, _GONE)
    report = validate_pdf((tokens / "out.pdf").read_bytes(), trust=trust_of(issuing))
    assert report.verdict == "valid", report.reasons


@needs_softhsm
def test_threads_share_one_session(issuing: Authority, tokens: Path) -> None:
    _lay_out(tokens, issuing, "ec")
    _run(tokens, _THREADS)


def test_a_library_that_is_not_there(issuing: Authority) -> None:
    with pytest.raises(ServiceError) as caught:
        load_pkcs11(
            library=Path("/nonexistent.so"), token="t", pin="1", label="l",
            certificate=issuing.der,
        )  # fmt: skip
    assert caught.value.error_code == "token_unavailable"
