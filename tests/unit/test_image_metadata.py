"""Rights in a file's own metadata, disagreements, content credentials; broken files."""

import io
import random
import socket
from pathlib import Path
from typing import Any

import pyexiv2
import pytest
from PIL import Image

from compliance.looking import metadata, provenance

XMP = """<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about=""
 xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/"
 xmlns:xmpRights="http://ns.adobe.com/xap/1.0/rights/" xmlns:plus="http://ns.useplus.org/ldf/xmp/1.0/"
 xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
 xmlns:cc="http://creativecommons.org/ns#">{}</rdf:Description></rdf:RDF></x:xmpmeta>
<?xpacket end="w"?>"""

SIMPLE = {
    "creator_job_title": "photoshop:AuthorsPosition", "credit": "photoshop:Credit",
    "source": "photoshop:Source", "instructions": "photoshop:Instructions",
    "web_statement": "xmpRights:WebStatement", "rights_certificate": "xmpRights:Certificate",
    "image_supplier_image_id": "plus:ImageSupplierImageID",
    "model_release": "plus:ModelReleaseStatus", "property_release": "plus:PropertyReleaseStatus",
    "minor_model_age": "plus:MinorModelAgeDisclosure", "data_mining": "plus:DataMining",
    "licence_start": "plus:LicenseStartDate", "licence_end": "plus:LicenseEndDate",
    "image_guid": "Iptc4xmpExt:DigImageGUID", "attribution_name": "cc:attributionName",
    "source_type": "Iptc4xmpExt:DigitalSourceType",
}  # fmt: skip
ALT = {
    "copyright": "dc:rights", "usage_terms": "xmpRights:UsageTerms",
    "other_constraints": "plus:OtherConstraints",
}  # fmt: skip
LISTS = {
    "creator": ("dc:creator", "Seq"), "rights_owner": ("xmpRights:Owner", "Bag"),
    "model_release_id": ("plus:ModelReleaseID", "Bag"),
    "property_release_id": ("plus:PropertyReleaseID", "Bag"),
}  # fmt: skip
STRUCTS = {
    "licensor": ("plus:Licensor", "plus:LicensorName"),
    "licensor_url": ("plus:Licensor", "plus:LicensorURL"),
    "licensor_email": ("plus:Licensor", "plus:LicensorEmail"),
    "licensor_id": ("plus:Licensor", "plus:LicensorID"),
    "licensor_phone": ("plus:Licensor", "plus:LicensorTelephone1"),
    "copyright_owner": ("plus:CopyrightOwner", "plus:CopyrightOwnerName"),
    "copyright_owner_id": ("plus:CopyrightOwner", "plus:CopyrightOwnerID"),
    "image_creator": ("plus:ImageCreator", "plus:ImageCreatorName"),
    "image_creator_id": ("plus:ImageCreator", "plus:ImageCreatorID"),
    "image_supplier": ("plus:ImageSupplier", "plus:ImageSupplierName"),
    "image_supplier_id": ("plus:ImageSupplier", "plus:ImageSupplierID"),
    "registry_entry": ("Iptc4xmpExt:RegistryId", "Iptc4xmpExt:RegItemId"),
}  # fmt: skip


def jpeg(**parts: Any) -> bytes:
    made = io.BytesIO()
    Image.new("RGB", (64, 48), (200, 30, 30)).save(made, "JPEG")
    image = pyexiv2.ImageData(made.getvalue())
    if "xmp" in parts:
        image.modify_raw_xmp(XMP.format(parts["xmp"]))
    if "iptc" in parts:
        image.modify_iptc(parts["iptc"])
    if "exif" in parts:
        image.modify_exif(parts["exif"])
    data = bytes(image.get_bytes())
    image.close()
    return data


def element(name: str, value: str) -> str:
    if name in SIMPLE:
        return f"<{SIMPLE[name]}>{value}</{SIMPLE[name]}>"
    if name in ALT:
        return (f'<{ALT[name]}><rdf:Alt><rdf:li xml:lang="x-default">{value}</rdf:li></rdf:Alt>'
                f"</{ALT[name]}>")  # fmt: skip
    if name in LISTS:
        tag, kind = LISTS[name]
        return f"<{tag}><rdf:{kind}><rdf:li>{value}</rdf:li></rdf:{kind}></{tag}>"
    tag, inner = STRUCTS[name]
    return (f'<{tag}><rdf:Seq><rdf:li rdf:parseType="Resource"><{inner}>{value}</{inner}></rdf:li>'
            f"</rdf:Seq></{tag}>")  # fmt: skip


@pytest.mark.parametrize("name", [*SIMPLE, *ALT, *LISTS, *STRUCTS])
def test_each_rights_field_is_read(name: str) -> None:
    found = metadata.read(jpeg(xmp=element(name, f"значение {name}")))
    assert found.rights == {name: f"значение {name}"}


def test_all_rights_fields_at_once() -> None:
    plain = [*SIMPLE, *ALT, *LISTS]
    parts = [element(name, f"v-{name}") for name in plain]
    for tag in dict.fromkeys(tag for tag, _ in STRUCTS.values()):
        inner = "".join(f"<{one}>v-{name}</{one}>" for name, (of, one) in STRUCTS.items()
                        if of == tag)  # fmt: skip
        parts.append(f'<{tag}><rdf:Seq><rdf:li rdf:parseType="Resource">{inner}</rdf:li></rdf:Seq>'
                     f"</{tag}>")  # fmt: skip
    found = metadata.read(jpeg(xmp="".join(parts)))
    assert found.rights == {name: f"v-{name}" for name in (*plain, *STRUCTS)}
    assert len(found.rights) >= 30


def test_what_xmp_says_stands_before_iim_and_exif() -> None:
    data = jpeg(
        xmp=element("creator", "Анна Смирнова"), iptc={"Iptc.Application2.Byline": ["Смирнова"]},
        exif={"Exif.Image.Artist": "Анна Смирнова"},
    )  # fmt: skip
    found = metadata.read(data)
    assert found.rights["creator"] == "Анна Смирнова"
    assert {one.origin for one in found.said} == {"xmp", "iptc", "exif"}
    assert not found.conflicts


CONFLICTS = [
    {"xmp": element("creator", "А"), "exif": {"Exif.Image.Artist": "Б"}},
    {"xmp": element("creator", "А"), "iptc": {"Iptc.Application2.Byline": ["Б"]}},
    {"iptc": {"Iptc.Application2.Byline": ["А"]}, "exif": {"Exif.Image.Artist": "Б"}},
    {"xmp": element("copyright", "© А"), "exif": {"Exif.Image.Copyright": "© Б"}},
    {"xmp": element("copyright", "© А"), "iptc": {"Iptc.Application2.Copyright": "© Б"}},
    {"iptc": {"Iptc.Application2.Copyright": "А"}, "exif": {"Exif.Image.Copyright": "Б"}},
    {"xmp": element("credit", "ТАСС"), "iptc": {"Iptc.Application2.Credit": "РИА"}},
    {"xmp": element("source", "ТАСС"), "iptc": {"Iptc.Application2.Source": "РИА"}},
    {"xmp": element("creator", "А") + element("image_creator", "Б")},
    {"xmp": element("creator", "А") + element("attribution_name", "Б")},
]


@pytest.mark.parametrize("parts", CONFLICTS)
def test_a_disagreement_is_found(parts: dict[str, Any]) -> None:
    assert "metadata_conflict" in metadata.read(jpeg(**parts)).findings


@pytest.mark.parametrize(
    ("parts", "code"),
    [
        ({"exif": {"Exif.GPSInfo.GPSLatitude": "55/1 45/1 0/1"}}, "gps_present"),
        ({"xmp": element("source_type", "http://cv.iptc.org/x/trainedAlgorithmicMedia")},
         "ai_declared"),
        ({"exif": {"Exif.Image.Software": "Midjourney v6"}}, "ai_declared"),
        ({"iptc": {"Iptc.Application2.Credit": "Шедеврум"}}, "ai_declared"),
    ],
)  # fmt: skip
def test_a_finding(parts: dict[str, Any], code: str) -> None:
    assert code in metadata.read(jpeg(**parts)).findings


def test_what_a_camera_writes_of_itself_is_no_right() -> None:
    assert metadata.read(jpeg(exif={"Exif.Image.Artist": "   ", "Exif.Image.Copyright": " "})) == (
        metadata.Metadata()
    )


def test_legacy_russian_is_read() -> None:
    plain = jpeg(iptc={"Iptc.Application2.Byline": ["PLACEHOLDER"]})
    data = plain.replace(b"PLACEHOLDER", "Иван Ветер.".encode("cp1251"))
    assert metadata.read(data).rights["creator"] == "Иван Ветер."


def test_nothing_is_fetched(monkeypatch: pytest.MonkeyPatch, corpora: Path) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    for path in sorted((corpora / "images/c2pa/images").iterdir()):
        kind = "image/png" if path.suffix == ".png" else "image/jpeg"
        provenance.read(path.read_bytes(), kind)


def test_states_of_real_credentials(corpora: Path) -> None:
    states = {}
    for path in sorted((corpora / "images/c2pa/images").iterdir()):
        kind = "image/png" if path.suffix == ".png" else "image/jpeg"
        data = path.read_bytes()
        found = provenance.read(data, kind)
        states[path.name] = found.state
        if found.state == "valid-untrusted":
            torn = bytearray(data)
            torn[len(torn) * 3 // 4] ^= 0x55
            assert provenance.read(bytes(torn), kind).state == "broken"
        if "Firefly" in path.name or "ChatGPT" in path.name:
            assert found.is_by_machine
    assert set(states.values()) == {"valid-untrusted", "remote", "absent"}


def test_broken_files_by_the_hundred() -> None:
    chance = random.Random(11)  # noqa: S311 - a fixed seed for a test
    base = jpeg(xmp=element("creator", "А"), iptc={"Iptc.Application2.Byline": ["Б"]},
                exif={"Exif.Image.Artist": "В"})  # fmt: skip
    for _ in range(300):
        torn = bytearray(base[: chance.randrange(1, len(base))] if chance.random() < 0.4 else base)
        for _ in range(chance.randrange(1, 30)):
            torn[chance.randrange(len(torn))] = chance.randrange(256)
        metadata.read(bytes(torn))
        provenance.read(bytes(torn), "image/jpeg")
