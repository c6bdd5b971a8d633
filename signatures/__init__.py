"""Signs and validates bytes; knows no document, no account and no transport."""

import logging

from signatures.gost import names as _names  # noqa: F401 - every parser here must know GOST

# The libraries log every finding with a traceback; here a finding is a reason in the report.
for _library in ("pyhanko", "pyhanko_certvalidator"):
    logging.getLogger(_library).setLevel(logging.CRITICAL)
