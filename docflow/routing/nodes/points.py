"""The named points of the exchange, at which a test stops or kills the process.

In production `reach` does nothing: the switch is read once, at import, and a process that has it
without ``DOCFLOW_TESTING=yes`` does not start.
"""

import os
import signal
import time
from pathlib import Path

from core.settings import BadSettings

POINTS = {
    "composed": "sender: the manifest is frozen, nothing was sent",
    "piece_sent": "sender: a piece of a large part was taken there",
    "answered": "sender: a receipt came, nothing is recorded",
    "receipt_kept": "sender: the raw receipt is kept, the deliveries are as before",
    "message_read": "receiver: the message is verified, nothing is stored",
    "parts_stored": "receiver: the parts are in the store, nothing is judged",
    "judged": "receiver: signatures are judged, no transaction is open",
    "before_commit": "receiver: everything is written, nothing is committed",
    "after_commit": "receiver: committed, the receipt is not sent",
    "note_made": "reporter: the report is frozen, nothing was sent",
    "note_before_commit": "receiver of a report: everything is written, nothing is committed",
    "note_after_commit": "receiver of a report: committed, the receipt is not sent",
    "note_answered": "reporter: the receipt came, nothing is recorded",
}
"""Where each stands."""

_WANTED = os.environ.get("DOCFLOW_CRASH_AT", "")
if _WANTED and os.environ.get("DOCFLOW_TESTING") != "yes":
    raise BadSettings("DOCFLOW_CRASH_AT is for tests only")
_POINT, _, _FOLDER = _WANTED.partition("@")
if _POINT and _POINT not in POINTS:
    raise BadSettings(f"DOCFLOW_CRASH_AT: there is no point {_POINT!r}")


def reach(point: str) -> None:
    """Say that the process is at `point`: killed there, or held, when a test wants it so.

    ``DOCFLOW_CRASH_AT=point`` kills. With ``@FOLDER`` a file FOLDER/point.hold makes the first
    process that comes by rename it to FOLDER/point.held and stand still until that is gone.
    """
    if point == _POINT:
        os.kill(os.getpid(), signal.SIGKILL)
    if not _FOLDER:
        return
    held = Path(_FOLDER, f"{point}.held")
    try:
        Path(_FOLDER, f"{point}.hold").rename(held)
    except FileNotFoundError:
        return
    while held.exists():
        time.sleep(0.005)
