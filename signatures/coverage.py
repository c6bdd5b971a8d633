"""Which bytes of a PDF a signature speaks for, and what stands after them.

A letter is not a form: after a signature only further signatures, time stamps and validation
data may be added, and every byte of what was added must belong to a well-formed revision.
"""

import re
from dataclasses import dataclass
from typing import Any

from pyhanko.pdf_utils import generic
from pyhanko.sign.diff_analysis import (
    DEFAULT_DIFF_POLICY,
    CatalogModificationRule,
    DiffResult,
    DocInfoRule,
    DSSCompareRule,
    FormUpdatingRule,
    MetadataUpdateRule,
    ModificationLevel,
    ObjectStreamRule,
    SigFieldCreationRule,
    SigFieldModificationRule,
    StandardDiffPolicy,
    XrefStreamRule,
)
from pyhanko.sign.diff_analysis.policies import _find_orphans
from pyhanko.sign.fields import MDPPerm
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature
from pyhanko.sign.validation.status import SignatureCoverageLevel

from signatures import additions
from signatures.layout import is_tail_whole

_EVIDENCE = {
    *("/Type", "/VRI", "/Certs", "/CRLs", "/OCSPs", "/Cert", "/CRL", "/OCSP", "/TU", "/TS")
}
_HEX = re.compile(rb"<(?:[0-9A-F]*|[0-9a-f]*)>")
_END = re.compile(rb"startxref[\r\n\s]+(\d+)[\r\n\s]+%%EOF[\r\n\s]*")

_rules: Any = (CatalogModificationRule, MetadataUpdateRule, SigFieldCreationRule)
_catalog, _metadata, _new_field = (make() for make in _rules)

_STRICT = StandardDiffPolicy(
    global_rules=[
        _catalog,
        DocInfoRule().as_qualified(ModificationLevel.LTA_UPDATES),
        XrefStreamRule().as_qualified(ModificationLevel.LTA_UPDATES),
        ObjectStreamRule().as_qualified(ModificationLevel.LTA_UPDATES),
        DSSCompareRule().as_qualified(ModificationLevel.LTA_UPDATES),
        _metadata.as_qualified(ModificationLevel.LTA_UPDATES),
    ],
    form_rule=FormUpdatingRule(field_rules=[_new_field, SigFieldModificationRule()]),
    ignore_orphaned_objects=False,
)
_TOLERANT = StandardDiffPolicy(
    global_rules=_STRICT.global_rules, form_rule=_STRICT.form_rule, ignore_orphaned_objects=True
)


@dataclass(frozen=True, slots=True)
class Span:
    """The signed bytes: everything up to `start`, and from `end` up to `total`."""

    start: int
    end: int
    total: int


def signed_span(embedded: EmbeddedPdfSignature, data: bytes) -> Span | None:
    """The signed range if it is regular: the whole revision but the very /Contents string."""
    numbers = [int(number) for number in embedded.byte_range]
    if len(numbers) != 4 or numbers[0] != 0:
        return None
    _, start, end, length = numbers
    if not 0 < start < end <= end + length <= len(data) or length <= 0:
        return None
    gap = data[start:end]
    if _HEX.fullmatch(gap) is None:
        return None
    digits = gap[1:-1].decode()
    stated = bytes.fromhex(digits + "0" * (len(digits) % 2))
    if stated != embedded.pkcs7_content or not _is_padded_with_zeros(stated):
        return None
    return Span(start, end, end + length)


def _is_padded_with_zeros(contents: bytes) -> bool:
    if len(contents) < 2 or contents[1] == 0x80:  # indefinite length, allowed in CMS
        return True
    first = contents[1]
    header = 2 if first < 0x80 else 2 + (first & 0x7F)
    length = first if first < 0x80 else int.from_bytes(contents[2:header], "big")
    return not contents[header + length :].strip(b"\0")


def coverage_of(
    embedded: EmbeddedPdfSignature, span: Span, data: bytes, *, is_last: bool
) -> tuple[str, tuple[str, ...]]:
    """Coverage as a word, and the findings; a last signature allows no further signature."""
    if span.total == len(data):
        return "entire_file", ()
    reached = embedded.evaluate_signature_coverage()
    vars(embedded)["coverage"] = reached  # what evaluate_modifications looks at
    if reached < SignatureCoverageLevel.ENTIRE_REVISION:
        if not _END.search(data[span.total :]):
            return "partial", ("trailing_bytes",)
        return "partial", ("coverage_incomplete",)
    if not is_tail_whole(embedded.reader, data, span.total, embedded.signed_revision):
        return "entire_revision", ("trailing_bytes",)
    codes = _changes(embedded, is_last=is_last)
    if not codes:
        codes = additions.findings(embedded.reader, data, embedded.signed_revision)
    return "entire_revision", codes


def _changes(embedded: EmbeddedPdfSignature, *, is_last: bool) -> tuple[str, ...]:
    if embedded.docmdp_level == MDPPerm.NO_CHANGES and not is_last:
        # Validation data and time stamps only (ISO 32000-2 table 257).
        return ("changed_after_signing",)
    found = embedded.evaluate_modifications(_STRICT)
    allowed = ModificationLevel.LTA_UPDATES if is_last else ModificationLevel.FORM_FILLING
    if isinstance(found, DiffResult):
        return () if found.modification_level <= allowed else ("form_filled_after_signing",)
    tolerant = embedded.evaluate_modifications(_TOLERANT)
    if isinstance(tolerant, DiffResult) and tolerant.modification_level <= allowed:
        return () if _are_orphans_bare(embedded) else ("trailing_bytes",)
    usual = embedded.evaluate_modifications(DEFAULT_DIFF_POLICY)
    if isinstance(usual, DiffResult) and usual.modification_level in (
        ModificationLevel.FORM_FILLING,
        ModificationLevel.ANNOTATIONS,
    ):
        return ("form_filled_after_signing",)
    return ("changed_after_signing",)


def _are_orphans_bare(embedded: EmbeddedPdfSignature) -> bool:
    """Whether added objects that nothing refers to are certificates, lists or answers only.

    Some writers leave such behind. Anything else could be what another program shows.
    """
    reader = embedded.reader
    for revision in range(embedded.signed_revision + 1, reader.xrefs.total_revisions):
        resolver = reader.get_historical_resolver(revision)
        if not all(_is_evidence(resolver(one)) for one in _find_orphans(resolver)):
            return False
    return True


def _is_evidence(found: Any) -> bool:
    """DER of more than 127 bytes, or the dictionaries and lists that lead to it."""
    if isinstance(found, generic.StreamObject):
        start = found.data[:2]
        return start[:1] == b"\x30" and start[1:] >= b"\x81" and "/Subtype" not in found
    if isinstance(found, dict):
        return found.keys() <= _EVIDENCE and found.get("/Type", "/VRI") in ("/VRI", "/DSS")
    return isinstance(found, list) and all(isinstance(one, generic.IndirectObject) for one in found)
