"""An answer to a package where there is no installation: by the secret that lies in it."""

import uuid
from collections.abc import Collection
from pathlib import Path

from core import clock
from core.errors import InvalidInput
from docflow.gateways.offline import packing, seals
from docflow.gateways.offline.manifests import (
    AnswerEntry,
    AnswerKind,
    DocumentEntry,
    Manifest,
    Named,
)


async def answer(
    package: Manifest,
    target: Path,
    *,
    person: Named,
    kind: AnswerKind = "acknowledged",
    reason: str = "",
    numbers: Collection[int] = (),
) -> Manifest:
    """Write the file of answers for a package that was read and found whole; answers its manifest.

    `numbers` picks documents by their place in the package, from 1; all of them by default.
    Raises InvalidInput `nothing_to_answer`, `no_such_document`, `reason_needed`. Raises OSError.
    """
    if kind == "refused" and not reason.strip():
        raise InvalidInput(
            "Укажите причину отказа.", "Give the reason of the refusal.", code="reason_needed"
        )
    if not package.documents or not package.reply_key:
        raise InvalidInput(
            "В пакете нет документов, на которые можно ответить.",
            "The package holds no documents to answer.",
            code="nothing_to_answer",
        )
    made = Manifest(
        id=uuid.uuid4(), sequence=package.sequence, made_at=clock.now(),
        sender=package.recipient, recipient=package.sender,
        answers=tuple(
            AnswerEntry(
                uid=one.uid, delivery_id=one.delivery_id, kind=kind, at=clock.now(),
                person=person, reason=reason.strip(),
            )
            for one in _chosen(package, numbers)
        ),
    )  # fmt: skip
    made, page = packing.with_index(made, address="")
    await packing.write(
        target, made, page=page, sources={},
        seal=lambda said: seals.sealed_by_reply(
            said, package_id=package.id, reply_key=package.reply_key
        ),
    )  # fmt: skip
    return made


def _chosen(package: Manifest, numbers: Collection[int]) -> list[DocumentEntry]:
    count = len(package.documents)
    if wrong := [one for one in numbers if not 1 <= one <= count]:
        raise InvalidInput(
            f"В пакете документов: {count}; документа № {wrong[0]} в нём нет.",
            f"The package holds {count} documents; there is no document {wrong[0]}.",
            code="no_such_document",
        )
    return [
        one for place, one in enumerate(package.documents, 1) if not numbers or place in numbers
    ]
