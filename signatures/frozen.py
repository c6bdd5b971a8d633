"""A verdict with all it was made from, to be made again in ten years without any network.

A bundle is canonical JSON: what the trust store gave, in DER, beside the report. What the signed
file brings stays in the file, and a long revocation list is named by its SHA-256 only.
"""

import hashlib
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import date, datetime
from typing import Any

import msgspec

from core import canonical
from core.errors import Conflict, InvalidInput
from signatures.report import POLICY, Report
from signatures.trust import Accredited, TrustStore

FORM = "docflow-verdict-1"
COPIED_UP_TO = 64 * 1024
"""Bytes up to which a list or answer is copied into each bundle."""

Fetch = Callable[[str], bytes]
"""The DER behind a SHA-256 in hex."""


class OtherRules(Conflict):
    """The verdict was made by rules this version no longer has (409)."""

    code = "policy_unknown"
    ru = "Вердикт вынесен по правилам, которых нет в этой версии. Возьмите версию службы тех лет."
    en = "The verdict was made by rules this version lacks. Use the service's version of that time."


def relied_on(report: Mapping[str, Any], trust: TrustStore) -> TrustStore:
    """The part of the store that the report's `inputs` name."""
    wanted = {one["sha256"] for one in report["inputs"] if one["source"] != "file"}

    def named(ders: tuple[bytes, ...]) -> tuple[bytes, ...]:
        return tuple(der for der in ders if hashlib.sha256(der).hexdigest() in wanted)

    return TrustStore(
        roots=named(trust.roots),
        others=named(trust.others),
        crls=named(trust.crls),
        ocsps=named(trust.ocsps),
        lists=tuple(one for one in trust.lists if one.sha256 in wanted),
        accredited=accreditation(report["signatures"]),
    )


def accreditation(signatures: list[dict[str, Any]]) -> tuple[Accredited, ...]:
    """The periods that decided; one that fits nobody where it was known that none did."""
    found = [one["accreditation"] for one in signatures if one["accreditation"]]
    if any(one["qualified"] is False for one in signatures):
        found.append({"kind": "certificate", "value": "", "since": date.min.isoformat()})
    return tuple(dict.fromkeys(msgspec.convert(found, tuple[Accredited, ...])))


def freeze(
    report: Report,
    *,
    trust: TrustStore,
    signature: bytes | None = None,
    digests: Mapping[str, bytes] | None = None,
    records: tuple[bytes, ...] = (),
    ends: Mapping[str, datetime] | None = None,
) -> bytes:
    """The bundle for a report of `validate`, which is called again with the same arguments."""
    plain = report.as_dict()
    # The stamps of an evidence record lead to roots of their own.
    used = trust if records else relied_on(plain, trust)
    kept: dict[str, str] = {}

    def keep(ders: tuple[bytes, ...]) -> list[str]:
        names = []
        for der in ders:
            names.append(hashlib.sha256(der).hexdigest())
            if len(der) <= COPIED_UP_TO:
                kept[names[-1]] = b64encode(der).decode()
        return names

    return canonical.dumps(
        {
            "form": FORM,
            "report": plain,
            "roots": keep(used.roots),
            "others": keep(used.others),
            "crls": keep(used.crls) + [one.sha256 for one in used.lists],
            "ocsps": keep(used.ocsps),
            "accredited": msgspec.to_builtins([asdict(one) for one in used.accredited]),
            "signature": b64encode(signature).decode() if signature is not None else None,
            "digests": {name: one.hex() for name, one in (digests or {}).items()},
            "records": [b64encode(one).decode() for one in records],
            "ends": {name: end.isoformat() for name, end in (ends or {}).items()},
            "kept": kept,
        }
    )


def replay(bundle: bytes, data: bytes | None, *, fetch: Fetch | None = None) -> Report:
    """Make the verdict again; its canonical JSON equals that of the report in the bundle.

    `fetch` brings what the bundle only names. Raises `policy_unknown`, `bundle_unreadable`, and
    `input_missing` when something named cannot be had.
    """
    found = _read(bundle)
    if found["report"]["policy"] != POLICY:
        raise OtherRules(policy=found["report"]["policy"])

    def ders(name: str) -> tuple[bytes, ...]:
        return tuple(_der(one, found["kept"], fetch) for one in found[name])

    signature = found["signature"]
    # The PDF reader weighs ten megabytes, and the serving process only names this module's errors.
    from signatures.validation import validate  # noqa: PLC0415 - as said above

    return validate(
        data,
        signature=b64decode(signature) if signature is not None else None,
        digests={name: bytes.fromhex(one) for name, one in found["digests"].items()} or None,
        trust=TrustStore(
            roots=ders("roots"),
            others=ders("others"),
            crls=ders("crls"),
            ocsps=ders("ocsps"),
            accredited=msgspec.convert(found["accredited"], tuple[Accredited, ...]),
        ),
        at=datetime.fromisoformat(found["report"]["at"]),
        records=tuple(b64decode(one) for one in found["records"]),
        ends={name: datetime.fromisoformat(end) for name, end in found["ends"].items()},
    )


def is_same(bundle: bytes, again: Report) -> bool:
    """Whether the verdict made again is the old one, byte for byte."""
    return canonical.dumps(_read(bundle)["report"]) == canonical.dumps(again.as_dict())


def _read(bundle: bytes) -> dict[str, Any]:
    try:
        found = msgspec.json.decode(bundle)
        if found["form"] == FORM:
            return dict(found)
    except (msgspec.DecodeError, TypeError, KeyError):
        pass
    raise InvalidInput(
        "Это не сохранённый вердикт docflow. Возьмите файл из пакета доказательств.",
        "This is no verdict kept by docflow. Take the file from the evidence package.",
        code="bundle_unreadable",
    )


def _der(sha256: str, kept: Mapping[str, str], fetch: Fetch | None) -> bytes:
    der = b64decode(kept[sha256]) if sha256 in kept else (fetch(sha256) if fetch else b"")
    if hashlib.sha256(der).hexdigest() != sha256:
        raise InvalidInput(
            f"Нет данных, на которых основан вердикт: {sha256}. Приложите их.",
            f"What the verdict was made from is missing: {sha256}. Supply it.",
            code="input_missing",
        )
    return der
