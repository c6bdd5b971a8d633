"""What the evidence record of stored bytes proves now."""

import uuid
from typing import Any

from core import clock
from core.errors import NotFound
from core.sandbox import pool
from docflow.documents import checking
from docflow.documents.longevity import records, stamping
from signatures import algorithm_lives
from signatures.evidence_record import encode


async def proof_of(blob_id: uuid.UUID) -> dict[str, Any]:
    """What the record of stored bytes proves now; the bytes are read and hashed anew.

    A dictionary with `verdict`, `reasons`, `proven_at`, `stamps`; outside a transaction.
    """
    gathered = await records.gather(blob_id)
    if gathered is None:
        raise NotFound(
            "Отметка времени ещё не получена.", "There is no time stamp yet.",
            code="not_stamped", blob_id=str(blob_id),
        )  # fmt: skip
    names = {stamp.algorithm for chain in gathered.chains for stamp in chain}
    digests = {name: await stamping.digest_of_blob(blob_id, name) for name in names}
    found: dict[str, Any] = await pool().run(
        "signatures.evidence_check:check_bytes",
        {
            "record": encode(gathered.chains, material=gathered.material),
            "digests": digests,
            **await checking.trust(),
            "ends": {name: at.isoformat() for name, at in (await algorithm_lives.ends()).items()},
            "at": clock.now().isoformat(),
        },
    )
    return found
