"""What a file's own metadata says of its rights: EXIF, IPTC (IIM), XMP, and where they disagree.

Field names: IPTC Photo Metadata Standard 2023.2, PLUS 2.0.1, EXIF 2.32, CIPA. Shown by the order
XMP, IIM, EXIF (the Metadata Working Group's guidance turned to the newest writer); all values are
kept. Parses hostile bytes in C++: only to be called in the sandbox.
"""

import re
from dataclasses import dataclass, field
from typing import Any

import pyexiv2

from compliance.verdicts.attribution import folded

_XE, _XP, _XR, _PLUS = "Xmp.iptcExt.", "Xmp.photoshop.", "Xmp.xmpRights.", "Xmp.plus."
_IIM = "Iptc.Application2."


@dataclass(frozen=True, slots=True)
class Field:
    """One right, under the names the three containers have for it."""

    name: str
    xmp: tuple[str, ...] = ()
    iim: tuple[str, ...] = ()
    exif: tuple[str, ...] = ()


FIELDS = (
    Field("creator", ("Xmp.dc.creator",), (_IIM + "Byline",), ("Exif.Image.Artist",)),
    Field("creator_job_title", (_XP + "AuthorsPosition",), (_IIM + "BylineTitle",)),
    Field("creator_contact", ("Xmp.iptc.CreatorContactInfo", "Xmp.iptc.CiEmailWork"),
          (_IIM + "Contact",)),
    Field("copyright", ("Xmp.dc.rights",), (_IIM + "Copyright",), ("Exif.Image.Copyright",)),
    Field("credit", (_XP + "Credit",), (_IIM + "Credit",)),
    Field("source", (_XP + "Source",), (_IIM + "Source",)),
    Field("instructions", (_XP + "Instructions",), (_IIM + "SpecialInstructions",)),
    Field("usage_terms", (_XR + "UsageTerms",)),
    Field("web_statement", (_XR + "WebStatement",)),
    Field("rights_marked", (_XR + "Marked",)),
    Field("rights_owner", (_XR + "Owner",)),
    Field("rights_certificate", (_XR + "Certificate",)),
    Field("copyright_owner", (_PLUS + "CopyrightOwner/CopyrightOwnerName",
                              _PLUS + "CopyrightOwnerName")),
    Field("copyright_owner_id", (_PLUS + "CopyrightOwner/CopyrightOwnerID",
                                 _PLUS + "CopyrightOwnerID")),
    Field("image_creator", (_PLUS + "ImageCreator/ImageCreatorName", _PLUS + "ImageCreatorName")),
    Field("image_creator_id", (_PLUS + "ImageCreator/ImageCreatorID", _PLUS + "ImageCreatorID")),
    Field("licensor", (_PLUS + "Licensor/LicensorName", _PLUS + "LicensorName")),
    Field("licensor_id", (_PLUS + "Licensor/LicensorID", _PLUS + "LicensorID")),
    Field("licensor_url", (_PLUS + "Licensor/LicensorURL", _PLUS + "LicensorURL")),
    Field("licensor_email", (_PLUS + "Licensor/LicensorEmail", _PLUS + "LicensorEmail")),
    Field("licensor_phone", (_PLUS + "Licensor/LicensorTelephone1",
                             _PLUS + "LicensorTelephone1")),
    Field("image_supplier", (_PLUS + "ImageSupplier/ImageSupplierName",
                             _PLUS + "ImageSupplierName")),
    Field("image_supplier_id", (_PLUS + "ImageSupplier/ImageSupplierID",
                                _PLUS + "ImageSupplierID")),
    Field("image_supplier_image_id", (_PLUS + "ImageSupplierImageID",)),
    Field("model_release", (_PLUS + "ModelReleaseStatus",)),
    Field("model_release_id", (_PLUS + "ModelReleaseID",)),
    Field("property_release", (_PLUS + "PropertyReleaseStatus",)),
    Field("property_release_id", (_PLUS + "PropertyReleaseID",)),
    Field("minor_model_age", (_PLUS + "MinorModelAgeDisclosure",)),
    Field("data_mining", (_PLUS + "DataMining",)),
    Field("other_constraints", (_PLUS + "OtherConstraints",)),
    Field("other_licence_info", (_PLUS + "OtherLicenseInfo", _PLUS + "OtherLicenseRequirements")),
    Field("licence_start", (_PLUS + "LicenseStartDate",)),
    Field("licence_end", (_PLUS + "LicenseEndDate",)),
    Field("terms_summary", (_PLUS + "TermsAndConditionsText", _PLUS + "TermsAndConditionsURL")),
    Field("public_licence", ("Xmp.cc.license", "Xmp.cc.License")),
    Field("attribution_name", ("Xmp.cc.attributionName",)),
    Field("attribution_url", ("Xmp.cc.attributionURL",)),
    Field("image_guid", (_XE + "DigImageGUID", _XE + "DigitalImageGUID")),
    Field("registry_entry", (_XE + "RegistryId/RegItemId", _XE + "RegItemId")),
    Field("event", (_XE + "Event",)),
    Field("supply_chain_source", (_XE + "ImageSupplyChainSource", "Xmp.iptc.SupplyChainSource")),
    Field("contributor", (_XE + "Contributor/Name",)),
    Field("source_type", (_XE + "DigitalSourceType", _XE + "DigitalSourcefileType")),
    Field("web_provenance", ("Xmp.dcterms.provenance",)),
)  # fmt: skip

_MADE_BY_MACHINE = re.compile(
    r"trainedAlgorithmicMedia|compositeWithTrainedAlgorithmicMedia|algorithmicMedia"
    r"|compositeSynthetic|virtualRecording",
    re.IGNORECASE,
)
_GENERATORS = re.compile(
    r"midjourney|dall[-·\s]?e|stable[\s-]?diffusion|firefly|kandinsky|шедеврум|shedevrum"
    r"|chatgpt|gpt-image|imagen\b|comfyui|automatic1111|novelai|flux\.1|leonardo\.ai",
    re.IGNORECASE,
)
_INDEX = re.compile(r"\[\d+\]")
_PREFIX = re.compile(r"/[A-Za-z0-9]+:")
_COMPARED = ("creator", "copyright", "credit", "source")
_LIMIT = 2000
_FIELD_ALIASES = {"Iptc4xmpExt": "iptcExt", "Iptc4xmpCore": "iptc"}


@dataclass(frozen=True, slots=True)
class Said:
    """One value, and where it stood."""

    field: str
    origin: str
    """`xmp`, `iptc` or `exif`."""
    value: str


@dataclass(frozen=True, slots=True)
class Metadata:
    """Everything a file says of its rights."""

    rights: dict[str, str] = field(default_factory=dict)
    """One value a field, the one shown."""
    said: tuple[Said, ...] = ()
    conflicts: tuple[tuple[Said, Said], ...] = ()
    findings: tuple[str, ...] = ()
    software: str = ""


def read(data: bytes) -> Metadata:
    """The metadata of a picture; what cannot be read is a finding, never an exception."""
    pyexiv2.set_log_level(4)
    try:
        image = pyexiv2.ImageData(data)
    except Exception:
        # The library answers hostile bytes with exceptions of any kind.
        return Metadata(findings=("metadata_unreadable",))
    try:
        xmp, broken_xmp = _tried(image.read_xmp)
        iim, broken_iim = _tried(image.read_iptc)
        exif, broken_exif = _tried(image.read_exif)
    finally:
        image.close()
    said = _said(_flat(xmp), "xmp") + _said(iim, "iptc") + _said(exif, "exif")
    broken = broken_xmp or broken_iim or broken_exif
    return _weighed(tuple(said), {**exif, **_flat(xmp)}, is_broken=broken)


def _tried(read_part: Any) -> tuple[dict[str, Any], bool]:
    """The values, in UTF-8 or else in the two legacy encodings Russian writers used."""
    broken = False
    for encoding in ("utf-8", "cp1251", "latin-1"):
        try:
            return dict(read_part(encoding=encoding)), broken
        except UnicodeDecodeError:
            continue
        except Exception:
            broken = True
            break
    return {}, broken


def _flat(xmp: dict[str, Any]) -> dict[str, Any]:
    """Keys without index and prefix, `Xmp.plus.Licensor/LicensorName`; the first value stays."""
    found: dict[str, Any] = {}
    for key, value in xmp.items():
        name = _PREFIX.sub("/", _INDEX.sub("", key))
        for alias, usual in _FIELD_ALIASES.items():
            name = name.replace(f"Xmp.{alias}.", f"Xmp.{usual}.")
        if _text(value):
            found.setdefault(name, value)
    return found


def _text(value: Any) -> str:
    if isinstance(value, dict):
        value = value.get('lang="x-default"') or next(iter(value.values()), "")
    if isinstance(value, list | tuple):
        value = "; ".join(str(one) for one in value if str(one).strip())
    return str(value).replace("\0", " ").strip()[:_LIMIT]


def _said(values: dict[str, Any], origin: str) -> list[Said]:
    names = {"xmp": "xmp", "iptc": "iim", "exif": "exif"}
    found = []
    for one in FIELDS:
        for key in getattr(one, names[origin]):
            text = _text(values.get(key, ""))
            if text and not _is_placeholder(text):
                found.append(Said(one.name, origin, text))
                break
    return found


def _is_placeholder(text: str) -> bool:
    """What cameras write of themselves: "type=\\"Seq\\"", blanks, their own model."""
    return text.startswith('type="') or not re.search(r"[^\W_]", text)


def _weighed(said: tuple[Said, ...], more: dict[str, Any], *, is_broken: bool) -> Metadata:
    rights: dict[str, str] = {}
    for one in said:
        rights.setdefault(one.field, one.value)
    conflicts = _conflicts(said)
    software = _text(more.get("Xmp.xmp.CreatorTool") or more.get("Exif.Image.Software") or "")
    findings: list[str] = []
    if is_broken:
        findings.append("metadata_broken")
    if conflicts:
        findings.append("metadata_conflict")
    if _MADE_BY_MACHINE.search(rights.get("source_type", "")) or _GENERATORS.search(
        f"{software} {rights.get('credit', '')}"
    ):
        findings.append("ai_declared")
    if any(key.startswith("Exif.GPSInfo.GPSLatitude") for key in more) or (
        "Xmp.exif.GPSLatitude" in more
    ):
        findings.append("gps_present")
    return Metadata(rights, said, conflicts, tuple(findings), software)


def _conflicts(said: tuple[Said, ...]) -> tuple[tuple[Said, Said], ...]:
    """Values of one field that differ between containers; one inside the other is agreement."""
    found: list[tuple[Said, Said]] = []
    for name in _COMPARED:
        values = [one for one in said if one.field == name]
        for place, one in enumerate(values):
            found.extend((one, other) for other in values[place + 1 :] if _differ(one, other))
    found.extend(_people(said))
    return tuple(found)


def _differ(one: Said, other: Said) -> bool:
    left, right = folded(one.value), folded(other.value)
    shortest = min(len(left), len(right))
    if shortest >= 31 and left[:31] == right[:31]:  # IIM cuts a by-line at 32 bytes
        return False
    return left != right and left not in right and right not in left


def _people(said: tuple[Said, ...]) -> list[tuple[Said, Said]]:
    """The photographer and the one who claims to have made it (PLUS) should be one person."""
    creators = [one for one in said if one.field == "creator"]
    makers = [one for one in said if one.field in ("image_creator", "attribution_name")]
    return [(one, other) for one in creators[:1] for other in makers if _differ(one, other)]
