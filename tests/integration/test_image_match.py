"""`docflow image match` on folders, as somebody at a shell runs it."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageOps

from tests import scenes

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]


def _run(*arguments: str | Path) -> tuple[int, dict[str, Any], str]:
    done = subprocess.run(
        [sys.executable, ROOT / "cli.py", "image", "match", *map(str, arguments), "--json"],
        capture_output=True, text=True, check=False, cwd=ROOT,
    )  # fmt: skip
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, json.loads(done.stdout) if done.stdout else {}, done.stderr


@pytest.fixture(scope="module")
def register(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("register")
    for number in range(1, 6):
        scenes.scene(number).save(folder / f"{number}.jpg", quality=92)
    (folder / "deeper").mkdir()
    scenes.scene(6).save(folder / "deeper" / "шесть.png")
    (folder / "notes.txt").write_text("no picture")
    (folder / "torn.jpg").write_bytes((folder / "1.jpg").read_bytes()[:2000])
    (folder / "bomb.png").write_bytes(_bomb())
    (folder / "empty.jpg").touch()
    return folder


def _bomb() -> bytes:
    """A header that promises 40,000 × 40,000 pixels."""
    import struct
    import zlib

    head = b"IHDR" + struct.pack(">IIBBBBB", 40_000, 40_000, 8, 2, 0, 0, 0)
    chunk = struct.pack(">I", 13) + head + struct.pack(">I", zlib.crc32(head))
    return b"\x89PNG\r\n\x1a\n" + chunk


def test_cropped_mirror_leads_to_its_picture(register: Path, tmp_path: Path) -> None:
    whole = scenes.scene(3)
    box = (150, 80, 800, 600)
    ImageOps.mirror(whole.crop(box)).save(tmp_path / "asked.jpg", quality=70)
    code, answer, told = _run(tmp_path / "asked.jpg", "--register", register)
    assert code == 1
    (match,) = answer["matches"]
    assert match["reference"] == "3.jpg"
    assert match["transform"]["mirrored"] is True
    assert match["score"] > 0.9
    truth = [(box[2] - x, y - box[1]) for x, y in ((0, 0), (900, 0), (900, 675), (0, 675))]
    for seen, true in zip(match["corners"], truth, strict=True):
        assert seen == pytest.approx(true, abs=0.02 * 800)
    warned = {row["file"] for row in answer["warnings"]}
    assert warned == {"notes.txt", "torn.jpg", "bomb.png", "empty.jpg"}
    assert "notes.txt" in told


def test_every_picture_of_a_collage_is_named(register: Path, tmp_path: Path) -> None:
    sheet = Image.new("RGB", (1000, 400), "white")
    sheet.paste(scenes.scene(2).resize((490, 380)), (5, 10))
    sheet.paste(scenes.scene(6).resize((490, 380)), (505, 10))
    sheet.save(tmp_path / "asked.png")
    code, answer, _ = _run(tmp_path / "asked.png", "--register", register)
    assert code == 1
    assert {match["reference"] for match in answer["matches"]} == {
        "2.jpg", str(Path("deeper", "шесть.png")),
    }  # fmt: skip


def test_stranger_has_no_match(register: Path, tmp_path: Path) -> None:
    scenes.scene(40).save(tmp_path / "asked.jpg")
    code, answer, _ = _run(tmp_path / "asked.jpg", "--register", register)
    assert (code, answer["matches"], answer["compared"]) == (0, [], 6)


def test_picture_that_cannot_be_read_is_said(register: Path, tmp_path: Path) -> None:
    (tmp_path / "asked.jpg").write_bytes(b"\xff\xd8\xff" + bytes(50))
    code, answer, _ = _run(tmp_path / "asked.jpg", "--register", register)
    assert code == 2
    assert set(answer["error"]) == {"code", "ru", "en"}
    assert answer["matches"] == []


def test_wrong_paths_are_usage(register: Path, tmp_path: Path) -> None:
    assert _run(tmp_path / "none.jpg", "--register", register)[0] == 64
    assert _run(register / "1.jpg", "--register", tmp_path / "none")[0] == 64
    assert _run(register / "1.jpg")[0] == 64


def test_two_views_of_a_scene_do_not_match(tmp_path: Path) -> None:
    data = pytest.importorskip("skimage.data", reason="scikit-image is a package of development")
    folder = Path(data.__file__).parent
    (tmp_path / "register").mkdir()
    shutil.copy(folder / "motorcycle_right.png", tmp_path / "register" / "right.png")
    code, answer, _ = _run(folder / "motorcycle_left.png", "--register", tmp_path / "register")
    assert (code, answer["matches"]) == (0, [])
