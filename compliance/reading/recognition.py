"""Tesseract, asked through pytesseract: a table of words for a picture or a list of them.

It only ever gets pictures of our own making; what came from outside was decoded in the sandbox.
"""

import asyncio
import os
from pathlib import Path

# Every call is one of several at a time: a call's own threads would only be in each other's way.
os.environ.setdefault("OMP_THREAD_LIMIT", "1")


async def table(path: Path, *, languages: str, page_mode: int, seconds: float) -> str:
    """Tesseract's TSV of a picture, or of a text file that lists pictures, one page each.

    Empty when it does not end in time or cannot read. Raises nothing of Tesseract's own.
    """

    import pytesseract  # noqa: PLC0415 - brings Pillow, which a process without print can spare

    def asked() -> str:
        return str(
            pytesseract.image_to_data(
                str(path),
                lang=languages,
                config=f"--psm {page_mode} --oem 1",
                timeout=seconds,
            )
        )

    try:
        return await asyncio.to_thread(asked)
    except (pytesseract.TesseractError, RuntimeError, OSError, UnicodeDecodeError):
        # RuntimeError is how pytesseract says that the time is over.
        return ""
