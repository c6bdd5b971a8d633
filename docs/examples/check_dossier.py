"""Check a docflow dossier of a picture without the service that made it.

    python check_dossier.py dossier.zip [--trust root.pem] [--crl list.crl]

Standard library alone: every SHA-256 of manifest.json and dossier.json, and the chain of register
changes up to the digest the check was made at. Where docflow is installed too: the verdict made
again from the case byte for byte, the digest of dossier.json as the PDF prints it, and the
signature of the PDF by `docflow validate`. Prints one JSON object; ends with 0 when all is right,
with 1 when something is not, with 2 when the archive cannot be read.
"""

import argparse
import hashlib
import json
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any

LARGEST = 1 << 30


def read(path: Path) -> dict[str, bytes]:
    """All files of the archive; refuses one that unpacks into more than a gigabyte."""
    with zipfile.ZipFile(path) as archive:
        if sum(entry.file_size for entry in archive.infolist()) > LARGEST:
            raise ValueError("the archive is too large")
        return {name: archive.read(name) for name in archive.namelist()}


def digests(files: dict[str, bytes]) -> list[str]:
    """Names of files that are missing, extra or changed, by manifest and by dossier.json."""
    manifest = json.loads(files["manifest.json"])["files"]
    listed = json.loads(files["dossier.json"])["files"]
    wrong = [f"{name}: not in the manifest" for name in files.keys() - manifest.keys()
             if name != "manifest.json"]  # fmt: skip
    for source, expected in (("manifest.json", manifest), ("dossier.json", listed)):
        for name, one in expected.items():
            content = files.get(name)
            if content is None or hashlib.sha256(content).hexdigest() != one["sha256"]:
                wrong.append(f"{name}: not as {source} says")
    return wrong


def chain(files: dict[str, bytes]) -> list[str]:
    """Is every digest of the register made of the one before, up to that of the check?"""
    rows = json.loads(files["register_changes.json"])
    check = json.loads(files["dossier.json"])["check"]
    case = json.loads(files["case.json"])
    before = bytes(32) if rows and rows[0]["id"] == 1 else None
    for row in rows:
        made = hashlib.sha256((before or b"") + bytes.fromhex(row["content"])).hexdigest()
        if before is not None and made != row["digest"]:
            return [f"register_changes.json: change {row['id']} does not follow"]
        before = bytes.fromhex(row["digest"])
    last = rows[-1]["digest"] if rows else bytes(32).hex()
    if not last == check["register_digest"] == case.get("register"):
        return ["register_changes.json: does not end at the digest of the check"]
    return []


def replay(files: dict[str, bytes]) -> str:
    """`same`, `different`, or why the verdict cannot be made again here."""
    try:
        from compliance.verdicts.case import decode_case, encode  # noqa: PLC0415 - there or not
        from compliance.verdicts.rules import VERSIONS  # noqa: PLC0415 - there or not
        from compliance.verdicts.verdict import judge  # noqa: PLC0415 - there or not
    except ImportError:
        return "docflow is not installed"
    rules = json.loads(files["verdict.json"])["rules"]
    if rules not in VERSIONS:
        return f"made by other rules than {', '.join(VERSIONS)}"
    made = encode(judge(decode_case(files["case.json"]), rules=rules))
    return "same" if made == files["verdict.json"] else "different"


def printed(files: dict[str, bytes]) -> str:
    """`same` when the PDF prints the digest of dossier.json."""
    try:
        import pypdfium2  # noqa: PLC0415 - there or not
    except ImportError:
        return "pypdfium2 is not installed"
    document = pypdfium2.PdfDocument(files["dossier.pdf"])
    text = "".join("".join(page.get_textpage().get_text_range().split()) for page in document)
    return "same" if hashlib.sha256(files["dossier.json"]).hexdigest() in text else "different"


def signature(files: dict[str, bytes], trust: Path | None, crl: Path | None) -> Any:
    """What `docflow validate` says of the PDF: verdict and codes of its reasons."""
    with tempfile.TemporaryDirectory() as folder:
        pdf = Path(folder, "dossier.pdf")
        pdf.write_bytes(files["dossier.pdf"])
        command = ["docflow", "validate", "--json", str(pdf)]
        command += ["--trust", str(trust)] if trust else []
        command += ["--crl", str(crl)] if crl else []
        try:
            done = subprocess.run(command, capture_output=True, check=False)  # noqa: S603 - our own words
        except FileNotFoundError:
            return {"verdict": None, "why": "docflow is not installed"}
    told = json.loads(done.stdout)
    reasons = [reason["code"] for one in told["signatures"] for reason in one["reasons"]]
    return {"verdict": told["verdict"], "reasons": reasons}


def check(path: Path, trust: Path | None, crl: Path | None) -> dict[str, Any]:
    """Everything at once; `ok` is False when anything that could be checked is wrong."""
    files = read(path)
    answer: dict[str, Any] = {"files": len(files), "wrong": digests(files) or chain(files)}
    answer |= {"replay": replay(files), "printed_digest": printed(files)}
    answer["signature"] = signature(files, trust, crl)
    answer["outcome"] = json.loads(files["dossier.json"])["outcome"]
    bad = "different" in (answer["replay"], answer["printed_digest"])
    is_signed = answer["signature"]["verdict"] != "invalid"
    answer["ok"] = not answer["wrong"] and not bad and is_signed
    return answer


def main() -> int:
    """Read the archive named on the command line and say what holds."""
    parser = argparse.ArgumentParser(description="Check a docflow dossier offline.")
    parser.add_argument("dossier", type=Path)
    parser.add_argument("--trust", type=Path, help="certificates to trust, PEM or DER")
    parser.add_argument("--crl", type=Path, help="a list of revoked certificates")
    given = parser.parse_args()
    try:
        answer = check(given.dossier, given.trust, given.crl)
    except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as problem:
        sys.stdout.write(json.dumps({"ok": None, "error": str(problem)}) + "\n")
        return 2
    sys.stdout.write(json.dumps(answer, ensure_ascii=False) + "\n")
    return 0 if answer["ok"] else 1


if __name__ == "__main__":
    sys.exit(main())
