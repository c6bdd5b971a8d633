"""`docflow evidence verify`: the stand-alone file's questions with this service's own GOST."""

import stat
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from evidence.verifier import package
from evidence.verifier.own_gost import OwnGost


def check(
    path: Path,
    *,
    signer: str = "",
    trust: Iterable[Path] = (),
    streebog: bool = True,
    replay: bool = False,
) -> tuple[dict[str, Any], int]:
    """The answer and its exit code: 0 whole and true, 1 not, 2 cannot tell.

    `replay`: every verdict is made again from what the package has, too. Raises OSError for what is
    no file, ValueError for a root that is no certificate.
    """
    if not stat.S_ISREG(path.stat().st_mode):
        raise OSError("not a file")
    report = package.verify(
        path, gost=OwnGost(), signer=signer, streebog=streebog,
        trust=package.load_certificates(map(str, trust)),
    )  # fmt: skip
    if replay and not report.problems:
        from evidence.verifier import replaying  # noqa: PLC0415 - loads the PDF reader's process

        replaying.replay(path, report)
    return {"file": str(path), **report.as_dict()}, report.exit_code
