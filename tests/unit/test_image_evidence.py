"""Evidence on one picture: each finding where it holds and nowhere else; what is refused."""

import io
import struct
import zlib
from collections.abc import AsyncIterator
from typing import Any

import numpy as np
import pyexiv2
import pytest
from PIL import Image, ImageDraw, ImageFont
from PIL.PngImagePlugin import PngInfo

from compliance.looking import evidence, findings
from compliance.reading import ocr
from compliance.reading.votes import Reading, Word, chosen, merged
from compliance.verdicts.case import Evidence
from compliance.verdicts.verdict import judge
from core.sandbox import HostileInput, Sandbox

pytestmark = pytest.mark.slow

FONT = "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"
needs_tesseract = pytest.mark.skipif(
    ocr.engine() is None, reason="tesseract with Russian is not installed"
)


@pytest.fixture(scope="module")
async def pool() -> AsyncIterator[Sandbox]:
    made = Sandbox(workers=2, preload=evidence.PRELOAD)
    yield made
    await made.close()


def scene(width: int = 900, height: int = 700, *, seed: int = 4) -> Image.Image:
    """Something with large and small detail in it, as a photograph has."""
    random = np.random.default_rng(seed)
    made = np.zeros((height, width, 3), np.float32)
    for cell in (4, 24, 128):
        rough = random.integers(0, 255, (height // cell + 2, width // cell + 2, 3), np.uint8)
        made += np.asarray(
            Image.fromarray(rough).resize((width, height), Image.Resampling.BILINEAR), np.float32
        )
    return Image.fromarray((made / 3).astype(np.uint8))


def saved(image: Image.Image, kind: str = "JPEG", **options: Any) -> bytes:
    made = io.BytesIO()
    image.save(made, kind, **options)
    return made.getvalue()


def tagged(**parts: dict[str, Any]) -> bytes:
    image = pyexiv2.ImageData(saved(scene()))
    for kind, values in parts.items():
        getattr(image, f"modify_{kind}")(values)
    data = bytes(image.get_bytes())
    image.close()
    return data


async def examined(pool: Sandbox, data: bytes, name: str = "a.jpg") -> dict[str, Any]:
    return await evidence.examine(data, name=name, pool=pool, with_print=False)


def codes(report: dict[str, Any]) -> set[str]:
    return {one["code"] for one in report["findings"]}


async def test_a_plain_photograph_has_no_findings(pool: Sandbox) -> None:
    report = await examined(pool, saved(scene(), quality=90))
    assert report["findings"] == []
    assert (report["media_type"], report["width"], report["height"]) == ("image/jpeg", 900, 700)
    assert len(report["hashes"]["pdq"]) == 8
    assert all(len(bytes.fromhex(one)) == 32 for one in report["hashes"]["pdq"])
    assert report["hashes"].keys() == {"phash", "dhash", "pdq", "quality", "canon"}
    assert report["c2pa"]["state"] == "absent"


async def test_the_size_is_the_one_shown(pool: Sandbox) -> None:
    image = scene(900, 700)
    exif = image.getexif()
    exif[0x0112] = 6
    report = await examined(pool, saved(image, exif=exif))
    assert (report["width"], report["height"]) == (700, 900)


async def test_each_reading_of_metadata_becomes_a_finding(pool: Sandbox) -> None:
    report = await examined(
        pool,
        tagged(
            exif={"Exif.Image.Artist": "Иван Петров", "Exif.GPSInfo.GPSLatitude": "55/1 45/1 0/1"},
            iptc={"Iptc.Application2.Byline": ["Анна Смирнова"]},
        ),
    )
    assert codes(report) == {"metadata_conflict", "gps_present"}
    told = next(one for one in report["findings"] if one["code"] == "metadata_conflict")
    assert {(one["place"], one["value"]) for one in told["values"]} == {
        ("exif", "Иван Петров"), ("iptc", "Анна Смирнова"),
    }  # fmt: skip
    assert report["rights"]["creator"] == "Анна Смирнова"


@pytest.mark.parametrize(
    "data",
    [
        tagged(exif={"Exif.Image.Software": "Midjourney v6"}),
        tagged(xmp={"Xmp.iptcExt.DigitalSourceType":
                    "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"}),
        tagged(iptc={"Iptc.Application2.Credit": ["Шедеврум"]}),
        tagged(exif={"Exif.Photo.UserComment":
                     "a cat Steps: 20, Sampler: Euler a, CFG scale: 7, Seed: 1"}),
    ],
    ids=["software", "source type", "credit", "recipe in the comment"],
)  # fmt: skip
async def test_a_machine_that_says_so(pool: Sandbox, data: bytes) -> None:
    report = await examined(pool, data)
    assert codes(report) == {"ai_declared"}
    assert report["findings"][0]["declared_by"][0]["value"]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("parameters", "a cat\nSteps: 20, Sampler: Euler a, CFG scale: 7"),
        ("prompt", '{"3": {"class_type": "KSampler"}}'),
    ],
)
async def test_a_recipe_in_a_png(pool: Sandbox, key: str, value: str) -> None:
    notes = PngInfo()
    notes.add_text(key, value)
    report = await examined(pool, saved(scene(), "PNG", pnginfo=notes), "a.png")
    assert codes(report) == {"ai_declared"}


@pytest.mark.parametrize(
    ("name", "kind", "mismatch"),
    [
        ("a.png", "JPEG", True), ("a.jpg", "PNG", True), ("a.txt", "JPEG", True),
        ("a.JPEG", "JPEG", False), ("a", "JPEG", False), ("a.tif", "TIFF", False),
        ("a.webp", "WEBP", False), ("a.gif", "GIF", False), ("a.bmp", "BMP", False),
        ("газета.pdf #3", "JPEG", False), ("Фото 12.05", "PNG", False),
    ],
)  # fmt: skip
async def test_the_true_type(pool: Sandbox, name: str, kind: str, mismatch: bool) -> None:
    report = await examined(pool, saved(scene(), kind), name)
    assert ("type_mismatch" in codes(report)) is mismatch
    assert report["media_type"] == f"image/{kind.lower()}"


async def test_quality(pool: Sandbox) -> None:
    flat = await examined(pool, saved(Image.new("RGB", (900, 700), (90, 120, 200))))
    assert codes(flat) == {"low_quality", "no_features"}
    small = await examined(pool, saved(scene(900, findings.SMALL_SIDE - 1)))
    assert [one["why"] for one in small["findings"]] == [["small"]]
    soft = scene(90, 70).resize((1800, 1400), Image.Resampling.BICUBIC)
    blurred = await examined(pool, saved(soft))
    assert [one["why"] for one in blurred["findings"]] == [["blurred"]]


async def test_frames_and_a_file_behind_the_picture(pool: Sandbox) -> None:
    frames = [scene(seed=number) for number in range(3)]
    moving = saved(frames[0], "GIF", save_all=True, append_images=frames[1:])
    report = await examined(pool, moving, "a.gif")
    assert next(o for o in report["findings"] if o["code"] == "animated")["frames"] == 3
    archive = b"PK\x03\x04" + bytes(60)
    report = await examined(pool, saved(scene()) + archive)
    assert [one["kinds"] for one in report["findings"]] == [["zip"]]


def png_header(width: int, height: int) -> bytes:
    head = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = b"IDAT" + zlib.compress(bytes(4096))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(one) - 4) + one + struct.pack(">I", zlib.crc32(one))
        for one in (head, body, b"IEND")
    )


REFUSED: list[tuple[str, bytes, str]] = [
    ("empty", b"", "empty_file"),
    ("svg", b'<svg xmlns="http://www.w3.org/2000/svg"><script>1</script></svg>',
     "unsupported_format"),
    ("svg with a head", b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>',
     "unsupported_format"),
    ("heic", b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic" + bytes(64),
     "unsupported_format"),
    ("pdf", b"%PDF-1.7\n" + bytes(64), "unsupported_format"),
    ("text", b"a letter about a picture", "not_a_picture"),
    ("noise", bytes(range(256)) * 8, "not_a_picture"),
    ("header of 50,000 by 50,000", png_header(50_000, 50_000), "picture_too_large"),
    ("header of 60,000 by 1", png_header(60_000, 1), "picture_too_large"),
    ("bomb", png_header(30_000, 30_000), "picture_too_large"),
    ("cut", saved(scene())[:9000], "broken_picture"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("data", "code"), [one[1:] for one in REFUSED], ids=[o[0] for o in REFUSED]
)
async def test_what_is_refused(pool: Sandbox, data: bytes, code: str) -> None:
    with pytest.raises(HostileInput) as refused:
        await examined(pool, data)
    assert refused.value.error_code == code
    assert refused.value.message_ru != refused.value.message_en


async def test_without_the_engine_it_says_so(
    pool: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    ocr.engine.cache_clear()
    try:
        report = await evidence.examine(saved(scene()), name="a.jpg", pool=pool)
    finally:
        monkeypatch.undo()
        ocr.engine.cache_clear()
    assert codes(report) == {"ocr_unavailable"}
    assert report["ocr"] == {"state": "unavailable", "text": "", "credits": []}


@needs_tesseract
@pytest.mark.parametrize("turn", [0, 90, 270, 3])
async def test_a_credit_on_the_picture_becomes_evidence(pool: Sandbox, turn: int) -> None:
    image = Image.fromarray(np.asarray(scene(1200, 900)) // 2)
    layer = Image.new("L", (520, 44), 0)
    font = ImageFont.truetype(FONT, 24)
    ImageDraw.Draw(layer).text((6, 6), "© Иван Петров / Shutterstock", font=font, fill=255)
    layer = layer.rotate(turn, expand=True, resample=Image.Resampling.BICUBIC)
    image.paste(Image.new("RGB", layer.size, "white"), (20, 20), layer)
    report = await evidence.examine(saved(image, quality=92), name="a.jpg", pool=pool)
    assert codes(report) == {"credit_found", "stock_mark"}
    (credit,) = report["ocr"]["credits"]
    assert credit["name"] == "Иван Петров"
    assert credit["stock"] == "Shutterstock"
    assert _covered(credit["box"], (20, 20, *layer.size), turn) > 0.5
    assert "Петров" in report["ocr"]["text"]
    part = evidence.evidence_of(report)
    assert part.credits[0].author == "Иван Петров"
    assert set(part.findings) == {"credit_found", "stock_mark"}


def _covered(box: list[int], place: tuple[int, int, int, int], turn: int) -> float:
    """Share of the print's length that the named place covers."""
    side = 0 if turn in (0, 3) else 1
    shared = min(box[side] + box[side + 2], place[side] + place[side + 2]) - max(
        box[side], place[side]
    )
    return shared / 390


async def test_the_part_of_a_case(pool: Sandbox) -> None:
    report = await examined(pool, tagged(exif={"Exif.Image.Artist": "Иван Петров"}))
    part = evidence.evidence_of(report)
    assert isinstance(part, Evidence)
    assert part.sha256 == report["sha256"]
    assert part.rights == {"creator": "Иван Петров"}
    assert [(one.origin, one.author) for one in part.credits] == [("exif", "Иван Петров")]
    assert judge(_case(part)).outcome != "clear"


def _case(part: Evidence) -> Any:
    from datetime import date

    from compliance.verdicts.case import Case, Use

    return Case(use=Use(organization="1", channel="site", on=date(2026, 1, 1)), evidence=part)


def reading(*words: str, sure: float = 90.0) -> Reading:
    return Reading(
        tuple(Word(word, sure, 60 * place, 50) for place, word in enumerate(words)),
        (0, 0, 300, 20), 0,
    )  # fmt: skip


def test_readings_vote() -> None:
    lines = [
        [
            reading("©", "Петр", "Светлов"), reading("©", "Петр", "Светлов"),
            reading("©", "Пётр", "Светлов"), reading("©", "Петр", "Све", sure=50.0),
        ]
    ]  # fmt: skip
    assert [one.name for one in chosen(lines)] == ["Пётр Светлов"]


def test_a_lone_unsure_reading_is_not_believed() -> None:
    assert chosen([[reading("Фото:", "Анна", "Смирнова", sure=55.0)]]) == ()


def test_an_initial_takes_the_script_of_the_surname() -> None:
    latin_a = "A"
    (found,) = chosen([[reading("Фото:", f"{latin_a}.", "Смирнов")]])
    assert found.name == "А. Смирнов"


def test_each_word_is_of_the_surer_script() -> None:
    russian = [Word("Фото:", 95, 0, 50), Word("Зегее!", 30, 60, 50)]
    latin = [Word("@oto:", 40, 0, 50), Word("Sergei", 93, 60, 50)]
    assert [one.text for one in merged(russian, latin)] == ["Фото:", "Sergei"]
