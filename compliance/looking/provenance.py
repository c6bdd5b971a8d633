"""Content credentials (C2PA): who says how a picture came about, and does the file bear it out.

Nothing is fetched: a manifest that lies elsewhere is `remote`, with its address. Without a trust
list of the operator's nobody is `trusted`. A credential that is unknown or has expired leaves the
content proved but its author unknown, so it is `valid-untrusted`; `broken` means that content,
assertion or signature do not fit. Parses hostile bytes: only to be called in the sandbox.
"""

import importlib
import io
import json
import os
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal


def _loaded() -> Any:
    """The library; it asks for the working directory as it loads, and a sandbox has none."""
    here = os.open(".", os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.chdir("/")
        return importlib.import_module("c2pa")
    finally:
        os.fchdir(here)
        os.close(here)


if TYPE_CHECKING:
    import c2pa
else:
    c2pa = _loaded()

State = Literal["trusted", "valid-untrusted", "broken", "absent", "remote"]

_TRUST_ONLY = (
    "signingCredential.untrusted",
    "signingCredential.expired",
    "signingCredential.ocsp",
    "timeStamp.untrusted",
    "timeStamp.outsideValidity",
    "timestamp.untrusted",
    "cawg.",
)
"""Codes that speak of whom to believe, not of whether the content is whole."""
_UNTRUSTED = ("signingCredential.untrusted", "signingCredential.expired")
_ADDRESS = re.compile(r"https?://[^\s'\"<>]+")
_SOURCE_TYPE = re.compile(r"digitalsourcetype/(\w+)", re.IGNORECASE)
_MADE_BY_MACHINE = frozenset(
    {"trainedalgorithmicmedia", "compositewithtrainedalgorithmicmedia", "algorithmicmedia"}
)
_REFERENCE = re.compile(rb"dcterms:provenance\s*(?:=\s*\"([^\"]+)\"|>\s*([^<]+)<)")


@dataclass(frozen=True, slots=True)
class Provenance:
    """What the credentials say."""

    state: State
    generator: str = ""
    signer: str = ""
    title: str = ""
    source_type: str = ""
    url: str = ""
    codes: tuple[str, ...] = ()

    @property
    def is_by_machine(self) -> bool:
        """Whether any of its assertions names an algorithm as the maker."""
        return self.source_type.lower() in _MADE_BY_MACHINE

    def as_dict(self) -> dict[str, Any]:
        """The shape of `c2pa` in `docflow image evidence --json`."""
        said = {
            name: getattr(self, name)
            for name in ("generator", "signer", "title", "source_type", "url")
            if getattr(self, name)
        }
        return {"state": self.state, **said, "codes": list(self.codes)}


@lru_cache(maxsize=4)
def _context(anchors: str) -> c2pa.Context:
    trust: dict[str, Any] = {"trust": {"user_anchors": anchors}} if anchors else {}
    return c2pa.Context(
        settings=c2pa.Settings.from_dict(
            {
                "verify": {
                    "remote_manifest_fetch": False,
                    "ocsp_fetch": False,
                    "verify_after_reading": True,
                    "verify_trust": True,
                },
                **trust,
            }
        )
    )


def read(data: bytes, media_type: str, *, anchors: str = "") -> Provenance:
    """The credentials in these bytes; `anchors` are PEM certificates the operator trusts."""
    if media_type not in _supported():
        return _unread(data)
    try:
        with c2pa.Reader(media_type, io.BytesIO(data), context=_context(anchors)) as reader:
            return _weighed(json.loads(reader.json()))
    except c2pa.C2paError as problem:
        return _failed(problem, data)
    except (ValueError, KeyError, TypeError, OSError):
        return Provenance("broken", codes=("unreadable",))


@lru_cache(maxsize=1)
def _supported() -> frozenset[str]:
    return frozenset(c2pa.Reader.get_supported_mime_types())


def _failed(problem: c2pa.C2paError, data: bytes) -> Provenance:
    words = str(problem)
    if words.startswith("ManifestNotFound"):
        return _unread(data)
    if words.startswith(("Remote", "UriDisallowed")):
        address = _ADDRESS.search(words)
        return Provenance("remote", url=address[0].rstrip(").,") if address else "")
    if words.startswith("NotSupported") or not _carries_manifest(data):
        return _unread(data)
    return Provenance("broken", codes=(words.partition(":")[0][:60],))


def _carries_manifest(data: bytes) -> bool:
    return b"jumb" in data or b"c2pa" in data


def _unread(data: bytes) -> Provenance:
    found = _REFERENCE.search(data[: 4 << 20])
    if found is not None:
        url = (found[1] or found[2]).decode("utf-8", "replace").strip()
        if url.startswith(("http://", "https://")):
            return Provenance("remote", url=url[:500])
    return Provenance("absent")


def _weighed(store: dict[str, Any]) -> Provenance:
    active = store["manifests"][store["active_manifest"]]
    results = store.get("validation_results", {}).get("activeManifest", {})
    failures = [str(one.get("code", "")) for one in results.get("failure", ())]
    if not results:
        failures = [str(one.get("code", "")) for one in store.get("validation_status", ())]
    hard = [code for code in failures if not code.startswith(_TRUST_ONLY)]
    state: State
    if hard:
        state = "broken"
    elif any(code.startswith(_UNTRUSTED) for code in failures):
        state = "valid-untrusted"
    else:
        state = "trusted" if store.get("validation_state") == "Trusted" else "valid-untrusted"
    named = active.get("claim_generator_info") or [{}]
    types = _SOURCE_TYPE.findall(json.dumps(store["manifests"]))
    machine = [one for one in types if one.lower() in _MADE_BY_MACHINE]
    info = active.get("signature_info") or {}
    return Provenance(
        state=state,
        generator=str(active.get("claim_generator") or named[0].get("name") or ""),
        signer=str(info.get("issuer") or info.get("common_name") or ""),
        title=str(active.get("title") or ""),
        source_type=(machine or types or [""])[0],
        codes=tuple(dict.fromkeys(failures)),
    )
