"""Pictures taken out of issues: whole, cropped, masked, in strips, twice; what is no picture."""

import io
import zipfile
from pathlib import Path

import pytest
import typst
from PIL import Image, ImageDraw

from compliance.publishing.issues import model, take_out
from core.sandbox import HostileInput
from demo import scenes
from tests.picture_ground import a_docx

DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
ODT = "application/vnd.oasis.opendocument.text"
PPTX = "application/vnd.openxmlformats-officedocument.presentationml.presentation"
SMALL = (600, 400)


def scene(seed: int) -> Image.Image:
    return scenes.scene(seed, size=SMALL)


def a_pdf(folder: Path, text: str, **pictures: bytes) -> bytes:
    for name, content in pictures.items():
        (folder / name.replace("_", ".")).write_bytes(content)
    (folder / "issue.typ").write_text("#set page(width: 150mm, height: 210mm)\n" + text)
    return bytes(typst.compile(folder / "issue.typ", format="pdf"))


def as_png(image: Image.Image) -> bytes:
    written = io.BytesIO()
    image.save(written, "PNG")
    return written.getvalue()


def test_a_pdf_page_by_page(tmp_path: Path) -> None:
    first, second = scenes.as_jpeg(scene(1)), scenes.as_jpeg(scene(2))
    mask = Image.new("L", SMALL, 0)
    ImageDraw.Draw(mask).ellipse((0, 0, *SMALL), fill=255)
    masked = scene(3)
    masked.putalpha(mask)
    dot = as_png(Image.new("RGB", (20, 20), "red"))
    data = a_pdf(
        tmp_path,
        """#image("a.jpg", width: 60mm)
        #box(clip: true, width: 30mm, height: 20mm, image("b.jpg", width: 60mm))
        #image("dot.png", width: 4mm)
        #pagebreak() Только текст
        #pagebreak() #image("a.jpg", width: 30mm) #image("m.png", width: 60mm)
        #pagebreak()
        #for i in range(60) { place(dx: i*1mm, dy: i*2mm, circle(radius: 4mm, fill: red)) }""",
        a_jpg=first, b_jpg=second, m_png=as_png(masked), dot_png=dot,
    )  # fmt: skip
    found = take_out(data, "application/pdf")
    assert (found["pages"], found["next"], found["problems"]) == (4, None, [])
    whole, cropped, cut = found["pictures"]
    assert whole["data"] == first, "a JPEG comes out as it lies in the file"
    assert [place["page"] for place in whole["places"]] == [1, 3], "the same picture twice"
    assert cropped["data"] == second, "a crop of the layout is named; the picture stays whole"
    (place,) = cropped["places"]
    assert place["is_cropped"]
    assert place["shown"] == 25
    assert place["box"][2:] == [85, 57], "what is seen of it, in points"
    assert cut["places"][0]["is_masked"]
    assert [(one["reason"], one["width"]) for one in found["ignored"]] == [("decoration", 20)]
    report = {one["page"]: one for one in found["page_report"]}
    assert [report[page]["pictures"] for page in (1, 2, 3, 4)] == [2, 0, 2, 0]
    assert report[4]["is_vector_only"]
    assert "is_vector_only" not in report[2]


def test_strips_become_one_picture(tmp_path: Path) -> None:
    image = scene(4)
    parts = {
        f"s{number}_png": as_png(image.crop((0, 50 * number, 600, 50 * number + 50)))
        for number in range(8)
    }
    rows = ", ".join(f'image("s{number}.png", width: 100mm)' for number in range(8))
    found = take_out(a_pdf(tmp_path, f"#stack(dir: ttb, {rows})", **parts), "application/pdf")
    (one,) = found["pictures"]
    assert one["places"][0]["strips"] == 8
    assert one["width"] / one["height"] == pytest.approx(1.5, abs=0.02)
    assert {row["reason"] for row in found["ignored"]} == {"part_of_strips"}


def test_answers_in_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model, "MOST_BYTES", 1000)
    text = '#image("a.jpg") #pagebreak() #image("b.jpg") #pagebreak() #image("a.jpg")'
    data = a_pdf(tmp_path, text, a_jpg=scenes.as_jpeg(scene(5)), b_jpg=scenes.as_jpeg(scene(6)))
    first = take_out(data, "application/pdf")
    assert (first["next"], len(first["pictures"])) == (1, 1)
    known = [first["pictures"][0]["sha256"]]
    second = take_out(data, "application/pdf", after=1, known=known)
    third = take_out(data, "application/pdf", after=2, known=known)
    assert (second["next"], third["next"]) == (2, None)
    assert third["pictures"][0]["data"] is None, "it is known already"
    monkeypatch.setattr(model, "MOST_PICTURES", 1)
    with pytest.raises(HostileInput) as caught:
        take_out(data, "application/pdf", after=1, known=known)
    assert caught.value.error_code == "too_many_pictures"


def test_a_docx_with_pages_crops_and_links() -> None:
    first, second = scenes.as_jpeg(scene(1)), scenes.as_jpeg(scene(2))
    found = take_out(a_docx(first, second, first), DOCX)
    assert [one["data"] for one in found["pictures"]] == [first, second]
    assert [place["page"] for place in found["pictures"][0]["places"]] == [1, 3]
    assert all(row["is_estimated"] for row in found["page_report"])


def packed(members: dict[str, bytes | str]) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return written.getvalue()


def test_an_odt_and_slides() -> None:
    picture = scenes.as_jpeg(scene(1))
    body = """<o xmlns:draw="d" xmlns:xlink="x" xmlns:text="t"><draw:image
        xlink:href="Pictures/1.jpg"/><text:soft-page-break/><draw:image
        xlink:href="Pictures/1.jpg"/><draw:image xlink:href="https://example.org/a.jpg"/></o>"""
    odt = take_out(packed({"content.xml": body, "Pictures/1.jpg": picture}), ODT)
    assert [place["page"] for place in odt["pictures"][0]["places"]] == [1, 2]
    assert odt["problems"] == ["linked_picture"]
    spaces = 'xmlns:a="a" xmlns:r="r"'
    rels = '<R><Relationship Id="{}" Target="{}"/><Relationship Id="{}" Target="{}"/></R>'
    members: dict[str, bytes | str] = {
        "ppt/presentation.xml": f'<p {spaces}><sldId r:id="r2"/><sldId r:id="r1"/></p>',
        "ppt/_rels/presentation.xml.rels": rels.format(
            "r1", "slides/slide1.xml", "r2", "slides/slide2.xml"
        ),
        "ppt/slides/slide1.xml": f'<s {spaces}><blip r:embed="i"/><srcRect l="50000"/></s>',
        "ppt/slides/slide2.xml": f"<s {spaces}/>",
        "ppt/slides/_rels/slide1.xml.rels": rels.format("i", "../media/a.jpeg", "j", "x"),
        "ppt/media/a.jpeg": picture,
    }
    slides = take_out(packed(members), PPTX)
    (place,) = slides["pictures"][0]["places"]
    assert (place["page"], place["shown"], place["is_cropped"]) == (2, 50, True)


@pytest.mark.parametrize(
    ("data", "kind", "code"),
    [
        (b"%PDF-1.7 broken", "application/pdf", "broken_pdf"),
        (b"", "application/pdf", "broken_pdf"),
        (b"PK\x03\x04", DOCX, "broken_zip"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", DOCX, "office_encrypted"),
        (packed({"a.txt": "x"}), DOCX, "broken_office"),
        (packed({"word/document.xml": "<w"}), DOCX, "broken_xml"),
        (packed({"word/document.xml": "<!DOCTYPE a [<!ENTITY b 'c'>]><a/>"}), DOCX, "xml_dtd"),
        (packed({"word/document.xml": "<a>" * 300 + "</a>" * 300}), DOCX, "xml_depth"),
    ],
)  # fmt: skip
def test_files_that_cannot_be_taken_apart(data: bytes, kind: str, code: str) -> None:
    with pytest.raises(HostileInput) as caught:
        take_out(data, kind)
    assert caught.value.error_code == code


def test_vectors_thumbnails_and_broken_media_are_listed() -> None:
    members: dict[str, bytes | str] = {
        "word/document.xml": "<a/>", "word/media/a.emf": b"x", "word/media/b.jpeg": b"broken",
        "docProps/thumbnail.jpeg": scenes.as_jpeg(scene(1)),
        "word/media/unused.jpeg": scenes.as_jpeg(scene(2)),
    }  # fmt: skip
    found = take_out(packed(members), DOCX)
    assert {one["reason"] for one in found["ignored"]} == {"vector", "unreadable", "thumbnail"}
    (unused,) = found["pictures"]
    assert unused["places"][0]["page"] is None, "it goes out with the file, so it is checked"
