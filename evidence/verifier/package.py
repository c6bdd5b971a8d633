"""Check an evidence package without the service that made it: no database, no network.

    python3 docflow_verify.py PACKAGE.zip [--json] [--signer SHA256] [--trust FILE] [--sha256-only]

Exit code: 0 whole and true, 1 not, 2 cannot tell (what was not checked is named), 64 wrong usage.
Needs Python 3.10 or later and the package `cryptography`; for GOST libgcrypt (part of most Linux
systems) or the command `openssl` with its gost engine.

Five questions are asked, in this order, each in a part of its own:

1. Is the archive, to the last byte, in the one form it can have?        (archive)
2. Has every member the SHA-256 and the Streebog-256 of the manifest?    (manifest)
3. Did the key named in the answer sign the statement on that manifest?  (statement)
4. Does every signature on every document bind the bytes kept here?      (documents)
5. Does every event lie in the log whose checkpoint is kept here?        (events)

Not asked here: whose key it is (compare its fingerprint, or give --signer or --trust) and whether
the certificates on the documents were good that day: the verdicts and all they were made from are
in the package; docs/check-without-us.md says how to repeat them.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import stat
import sys
from collections.abc import Iterable

from cryptography import x509

from evidence.verifier.archive import LARGEST_READ, read_archive, reader
from evidence.verifier.documents import check_documents
from evidence.verifier.events import check_log
from evidence.verifier.findings import MALFORMED, Bad, Report, Unknown
from evidence.verifier.gost import Gost
from evidence.verifier.manifest import check_members
from evidence.verifier.statement import check_statement


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
