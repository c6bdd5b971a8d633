"""What the bytes of a picture say of themselves, as the evidence of a case."""

from typing import Any

from compliance import metadata, provenance
from compliance.case import Evidence
from compliance.references import Looked
from core import sandbox
from storage import media_type

_SECONDS = 30.0


def said(data: bytes, kind: str) -> dict[str, Any]:
    """Metadata and content credentials; runs in the sandbox."""
    found, origin = metadata.read(data), provenance.read(data, kind)
    findings = list(found.findings)
    if origin.is_by_machine and "ai_declared" not in findings:
        findings.append("ai_declared")
    return {"rights": found.rights, "c2pa": origin.as_dict(), "findings": findings}


async def seen(data: bytes, *, name: str, looked: Looked) -> tuple[Evidence, dict[str, Any]]:
    """The evidence for the rules, and the whole report; broken files raise as `looked` did."""
    kind = await media_type_of(data)
    report = await sandbox.pool().run(said, data, kind, timeout=_SECONDS)
    evidence = Evidence(
        sha256=looked.sha256, quality=looked.quality, rights=report["rights"],
        findings=tuple(sorted(report["findings"])), c2pa=report["c2pa"]["state"],
    )  # fmt: skip
    return evidence, {"media_type": kind, "name": name, **report}


async def media_type_of(data: bytes) -> str:
    """The true type by content."""
    return media_type.detect(data[: media_type.HEAD_SIZE])
