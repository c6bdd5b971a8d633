"""What a copy is and what only looks like one: geometry, pixels and hashes on made pictures."""

import io
from random import Random

import numpy as np
import pytest
from PIL import Image, ImageFilter

from bench import copies
from compliance import matching
from compliance.features import features, grey, mirrored
from compliance.hashes import ORIENTATIONS, distance, hashes, pdq_of
from compliance.index import HammingIndex
from compliance.local_index import FAST, LocalIndex
from compliance.pictures import CANON, decode
from compliance.searching.overlay import SIDE, sheet
from core.clock import new_id
from core.sandbox import HostileInput
from tests import scenes

pytestmark = pytest.mark.slow


def _asked(image: Image.Image) -> matching.Asked:
    return matching.asked(matching.decode_asked(copies.sent(image)))


def _known(image: Image.Image) -> matching.Known:
    return matching.known(decode(copies.sent(image, quality=92)))


@pytest.fixture(scope="module")
def scene() -> Image.Image:
    return scenes.scene(1)


@pytest.fixture(scope="module")
def known(scene: Image.Image) -> matching.Known:
    return _known(scene)


@pytest.mark.parametrize("name", list(copies.TRANSFORMS))
def test_copy_is_found_where_it_is(scene: Image.Image, known: matching.Known, name: str) -> None:
    copy, matrix = copies.TRANSFORMS[name][0](
        scene,
        Random(name),  # noqa: S311 - a fixed seed for a test
        [scenes.scene(2), scenes.scene(3)],
    )
    match = matching.compare(_asked(copy), known)
    assert match is not None
    truth = copies.corners(matrix, width=scene.width, height=scene.height)
    error = np.abs(np.array(match.corners) - truth).max()
    assert error <= 0.02 * np.hypot(copy.width, copy.height)
    assert match.is_mirrored == (np.linalg.det(matrix[:2, :2]) < 0)


def test_crop_and_turn_are_told(scene: Image.Image, known: matching.Known) -> None:
    half = scene.crop((0, 0, scene.width // 2, scene.height))
    match = matching.compare(_asked(half.rotate(-90, expand=True)), known)
    assert match is not None
    assert match.cropped == pytest.approx(0.5, abs=0.03)
    assert match.rotation == pytest.approx(90, abs=1)
    assert match.area == pytest.approx(1.0, abs=0.05)


@pytest.mark.parametrize("other", range(2, 6))
def test_another_scene_is_no_match(known: matching.Known, other: int) -> None:
    assert matching.compare(_asked(scenes.scene(other)), known) is None


@pytest.mark.parametrize("kind", ["newspaper", "card", "magazine"])
@pytest.mark.parametrize("share", [0.25, 0.4, 0.65])
def test_same_layout_with_another_photo_is_no_match(kind: str, share: float) -> None:
    one = scenes.page(kind, scenes.scene(4), share=share)
    other = scenes.page(kind, scenes.scene(5), share=share)
    known = _known(one)
    assert matching.compare(_asked(one), known) is not None
    assert matching.compare(_asked(other), known) is None


def test_photo_is_found_on_a_page_and_a_page_by_its_photo() -> None:
    photo = scenes.scene(6)
    page = scenes.page("newspaper", photo, share=0.5)
    assert matching.compare(_asked(page), _known(photo)) is not None
    assert matching.compare(_asked(photo), _known(page)) is not None


@pytest.mark.parametrize("shift", [0.015, 0.02, 0.03, 0.06])
def test_another_view_of_the_scene_is_no_match(shift: float) -> None:
    left, right = scenes.views(7, shift=shift)
    assert matching.compare(_asked(left), _known(right)) is None
    assert matching.compare(_asked(right), _known(left)) is None


def test_one_rim_around_other_contents_is_no_match() -> None:
    one, other = scenes.bowl(3), scenes.bowl(4)
    assert matching.compare(_asked(one), _known(one)) is not None
    assert matching.compare(_asked(other), _known(one)) is None


@pytest.mark.parametrize("number", range(4))
@pytest.mark.parametrize("radius", [2, 3])
def test_small_picture_much_blurred_is_found(number: int, radius: int) -> None:
    """Bending soft edges into the sharp ones of the original is no sign of another view."""
    small = scenes.scene(number).resize((400, 300))
    blurred = small.filter(ImageFilter.GaussianBlur(radius))
    assert matching.compare(_asked(blurred), _known(small)) is not None


@pytest.mark.parametrize("name", ["watermark", "banner", "collage-4", "gamma"])
def test_photograph_taken_at_night_is_found(name: str) -> None:
    """All of it is within a few shades, but they are no paper under writing."""
    random = Random(name)  # noqa: S311 - a fixed seed for a test
    night = scenes.scene(8).point([level // 5 for level in range(256)] * 3)
    copy, _ = copies.TRANSFORMS[name][0](night, random, [scenes.scene(2), scenes.scene(3)])
    assert matching.compare(_asked(copy), _known(night)) is not None
    other = scenes.scene(9).point([level // 5 for level in range(256)] * 3)
    assert matching.compare(_asked(copy), _known(other)) is None


@pytest.mark.parametrize("color", ["white", "black", "#3377aa"])
def test_flat_picture_matches_nothing(color: str, known: matching.Known) -> None:
    flat = Image.new("RGB", (800, 600), color)
    assert matching.compare(_asked(flat), known) is None
    assert matching.compare(_asked(flat), _known(flat)) is None
    assert matching.compare(_asked(flat), _known(Image.new("RGB", (640, 640), color))) is None


def test_pages_of_text_with_one_letterhead_differ() -> None:
    one, other = scenes.letter(1), scenes.letter(2)
    assert matching.compare(_asked(one), _known(one)) is not None
    assert matching.compare(_asked(one), _known(other)) is None


def test_all_pictures_of_a_collage_are_found() -> None:
    parts = [scenes.scene(number) for number in (1, 2, 3, 4)]
    sheet = Image.new("RGB", (1200, 900))
    for at, part in enumerate(parts):
        sheet.paste(part.resize((600, 450)), (600 * (at % 2), 450 * (at // 2)))
    query = _asked(sheet)
    assert all(matching.compare(query, _known(part)) is not None for part in parts)
    assert matching.compare(query, _known(scenes.scene(5))) is None


def test_overlay_outlines_the_found_area_on_both(scene: Image.Image, known: matching.Known) -> None:
    half = scene.crop((100, 50, 600, 500))
    match = matching.compare(_asked(half), known)
    assert match is not None
    corners = [[round(x), round(y)] for x, y in match.corners]
    with Image.open(io.BytesIO(sheet(_png(half), _png(scene), corners))) as shown:
        assert shown.format == "PNG"
        drawn = np.asarray(shown.convert("RGB")).astype(int)
    wide = SIDE + 24
    assert drawn.shape[1] == wide + SIDE
    zoom = SIDE / scene.width
    middle = drawn[round(275 * zoom), wide + round(100 * zoom) - 4 : wide + round(100 * zoom) + 5]
    assert (np.abs(middle - (30, 200, 60)).max(axis=1) < 40).any(), "the left edge of the crop"
    with Image.open(io.BytesIO(sheet(_png(half), _png(scene), []))) as bare:
        assert np.abs(np.asarray(bare).astype(int) - drawn).max() > 100
    assert sheet(_png(half), _png(scene), [[5, 5]] * 4), "no area, no outline, no crash"


def _png(image: Image.Image) -> bytes:
    written = io.BytesIO()
    image.save(written, "PNG")
    return written.getvalue()


def test_mirrored_features_are_those_of_the_mirrored_picture(scene: Image.Image) -> None:
    flat = grey(np.asarray(scene), longest=512)
    straight = mirrored(features(flat, most=200), width=flat.shape[1])
    flipped = features(np.ascontiguousarray(flat[:, ::-1]), most=200)
    apart = np.abs(straight.points[:, None] - flipped.points[None]).max(axis=2)
    turned = np.abs((straight.angles[:, None] - flipped.angles[None] + 180) % 360 - 180)
    here, there = np.nonzero((apart < 1) & (turned < 5))
    assert len(here) > 100
    differ = straight.descriptors[here].astype(int) - flipped.descriptors[there].astype(int)
    assert np.median(np.abs(differ).max(axis=1)) <= 16


def test_local_index_names_the_picture_first_and_forgets_it() -> None:
    index = LocalIndex(FAST)
    ids = [new_id() for _ in range(6)]
    for number, id in enumerate(ids):
        index.add(id, _known(scenes.scene(number + 1)).features)
    query = _asked(scenes.scene(3).crop((200, 100, 700, 500)))
    assert index.search(query)[0].id == ids[2]
    assert index.search(query, threads=2) == index.search(query)
    index.remove(ids[2])
    assert ids[2] not in [one.id for one in index.search(query)]
    assert len(index) == 5
    index.add(ids[2], _known(scenes.scene(3)).features)
    assert index.search(query)[0].id == ids[2]


def test_hashes_lead_back_through_every_orientation(scene: Image.Image) -> None:
    index = HammingIndex()
    id = new_id()
    own = hashes(copies.sent(scene), decode(copies.sent(scene)))
    assert (len(own.pdq), own.canon) == (len(ORIENTATIONS), CANON)
    assert len(own.phash) == len(own.dhash) == 16
    index.add(id, [own.pdq[0]])
    for turned in (np.rot90(scene, 1), np.asarray(scene)[::-1], np.asarray(scene)[:, ::-1]):
        needles, quality = pdq_of(decode(copies.sent(Image.fromarray(turned.copy()))).rgb[::1])
        assert quality >= 50
        assert {one.id for one in index.search(list(needles))} == {id}


def test_hash_of_one_path_is_the_same_every_time(scene: Image.Image) -> None:
    data = copies.sent(scene)
    assert hashes(data, decode(data)) == hashes(data, decode(data))
    assert distance(b"\x00" * 32, b"\x03" + bytes(31)) == 2


def _file(image: Image.Image, kind: str, **more: object) -> bytes:
    kept = io.BytesIO()
    image.save(kept, kind, **more)
    return kept.getvalue()


def test_turn_of_exif_is_applied() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    picture = decode(_file(scenes.scene(1), "JPEG", exif=exif))
    assert (picture.width, picture.height) == (scenes.SIZE[1], scenes.SIZE[0])
    assert picture.rgb.shape[0] > picture.rgb.shape[1]


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "CMYK", "I;16", "YCbCr"])
def test_every_mode_becomes_opaque_color(mode: str) -> None:
    image = scenes.scene(1).convert("L" if mode == "I;16" else mode)
    if mode == "I;16":
        image = Image.fromarray(np.asarray(image, np.uint16) * 257)
    kind = "JPEG" if mode == "YCbCr" else "TIFF" if mode == "CMYK" else "PNG"
    picture = decode(_file(image, kind))
    assert picture.rgb.shape == (scenes.SIZE[1], scenes.SIZE[0], 3)
    assert picture.rgb.std() > 20


def test_see_through_is_white() -> None:
    clear = Image.new("RGBA", (40, 40), (0, 0, 0, 0))
    assert decode(_file(clear, "PNG")).rgb.min() == 255


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "not_a_picture"),
        (b"no picture at all", "not_a_picture"),
        (b"\x89PNG\r\n\x1a\n" + bytes(40), "broken_picture"),
        (b"\xff\xd8\xff\xe0" + bytes(100), "broken_picture"),
    ],
)
def test_what_is_no_picture_is_refused(data: bytes, code: str) -> None:
    with pytest.raises(HostileInput) as caught:
        decode(data)
    assert caught.value.error_code in (code, "not_a_picture")


def test_torn_and_huge_pictures_are_refused() -> None:
    whole = _file(scenes.scene(1), "JPEG")
    with pytest.raises(HostileInput, match="broken_picture"):
        decode(whole[: len(whole) // 2])
    bomb = _file(Image.new("1", (32_001, 10)), "PNG")
    with pytest.raises(HostileInput, match="picture_too_large"):
        decode(bomb)
    with pytest.raises(HostileInput, match="picture_too_large"):
        decode(_file(Image.new("1", (20_000, 7_000)), "PNG"))
