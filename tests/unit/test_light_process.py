"""A process that serves carries nothing of what looks into pictures and PDFs elsewhere."""

import subprocess
import sys

HEAVY = (
    *("cv2", "numba", "scipy", "PIL", "pyexiv2", "c2pa", "pdqhash", "imagehash", "numpy"),
    *("pyhanko", "pyhanko_certvalidator", "pypdfium2", "typst", "openpyxl", "lxml"),
)


def test_the_web_process_starts_without_what_the_sandbox_needs() -> None:
    """Together they weigh 170 MB, more than a gigabyte's upload may cost."""
    code = f"import sys, litestar_app; print([one for one in {HEAVY} if one in sys.modules])"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"
