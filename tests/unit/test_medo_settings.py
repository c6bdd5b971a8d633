"""What an operator may set for МЭДО: lists, official schemas, folders; checked at the start."""

import dataclasses
import json
import logging
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core.errors import InvalidInput
from core.settings import BadSettings, Settings, settings
from docflow.gateways.medo import lists
from docflow.routing.medo import checkup, partners
from tests import medo_folders as made

XSD = """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:IEDMS:MESSAGE">
 <xs:element name="{root}"/></xs:schema>"""


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    yield
    lists.load.cache_clear()


def given(path: Path, text: str) -> lists.Lists:
    path.write_text(text, encoding="utf-8")
    return lists.load(str(path))


def test_a_file_with_what_differs_is_enough(tmp_path: Path) -> None:
    text = 'edition = "2027"\n[limits]\ndelivery_hours = 24\n[refusals]\nreasons = ["Иное"]\n'
    found, ours = given(tmp_path / "lists.toml", text), lists.load()
    assert (found.edition, found.limits.delivery_hours) == ("2027", 24)
    assert found.refusals.reasons == ("Иное",)
    assert (found.versions, found.limits.comment) == (ours.versions, ours.limits.comment)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[refusals]\nreasons = []", "at least one"),
        ('[refusals]\nreasons = ["' + "а" * 200 + '"]', "above 127"),
        ("[limits]\ndelivery_hours = 0", "above zero"),
        ('[limits]\ndelivery_hours = "72"', "delivery_hours"),
        ("[refusal]\nreasons = []", "refusal"),
        ('[versions."2.8"]\nnamespace = "urn:x"\nencoding = "windows-1215"', "1215"),
        ("[limits", "end of document"),
    ],
)
def test_a_file_that_cannot_serve_says_where(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(InvalidInput, match=r"lists\.toml") as refused:
        given(tmp_path / "mine.toml", text)
    assert refused.value.error_code == "medo_lists"
    assert said in refused.value.message_en
    assert "mine.toml" in refused.value.message_ru


def test_a_term_of_the_lists_is_what_a_participant_gets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "l.toml").write_text("[limits]\ndelivery_hours = 48", encoding="utf-8")
    monkeypatch.setenv("MEDO_LISTS", str(tmp_path / "l.toml"))
    lists.load.cache_clear()
    wanted = partners.PartnerInput(participant_uid=uuid.UUID(made.SENDER), address="A~B")
    assert wanted.receipt_hours == 48


def with_medo(**changes: Any) -> Settings:
    none = {"medo_in": None, "medo_out": None, "medo_schemas": None}
    return dataclasses.replace(settings(), **(none | changes))


async def test_bad_settings_stop_the_start_and_say_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(BadSettings, match="MEDO_IN, MEDO_OUT"):
        await checkup.check(with_medo(medo_in=tmp_path, medo_out=tmp_path))
    with pytest.raises(BadSettings, match="MEDO_OUT: не папка"):
        await checkup.check(with_medo(medo_out=tmp_path / "file"))
    with pytest.raises(BadSettings, match="MEDO_SCHEMAS: нет такой папки"):
        await checkup.check(with_medo(medo_schemas=tmp_path / "none"))
    monkeypatch.setenv("MEDO_LISTS", str(tmp_path / "none.toml"))
    lists.load.cache_clear()
    with pytest.raises(BadSettings, match=r"MEDO_LISTS: .*none\.toml"):
        await checkup.check(with_medo())


async def test_a_share_that_is_not_mounted_yet_is_only_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    await checkup.check(with_medo(medo_in=tmp_path / "away", medo_out=tmp_path))
    told = [one.args for one in caplog.records]
    assert told == [("MEDO_IN", tmp_path / "away")]


async def test_schemas_that_check_no_message_stop_the_start(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    wanted = with_medo(medo_schemas=tmp_path)
    with pytest.raises(BadSettings, match="ни одна схема"):
        await checkup.check(wanted)
    (tmp_path / "broken.xsd").write_text("<", encoding="utf-8")
    (tmp_path / "other.xsd").write_text(XSD.format(root="letter"), encoding="utf-8")
    with pytest.raises(BadSettings, match=r"broken\.xsd"):
        await checkup.check(wanted)
    (tmp_path / "message.xsd").write_text(XSD.format(root="communication"), encoding="utf-8")
    await checkup.check(wanted)
    assert "urn:IEDMS:MESSAGE communication" in caplog.text


@pytest.mark.slow
def test_the_command_says_that_the_lists_are_bad(tmp_path: Path) -> None:
    folder = made.answer(tmp_path / "m")
    (tmp_path / "l.toml").write_text("[limits", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, str(Path("cli.py").resolve()), "medo", "read", str(folder), "--json"],
        capture_output=True, env={"PATH": "/usr/bin:/bin", "MEDO_LISTS": "l.toml"}, timeout=60,
        cwd=tmp_path,
    )  # fmt: skip
    assert b"Traceback" not in done.stderr
    assert (done.returncode, json.loads(done.stdout)["error"]["code"]) == (64, "medo_lists")
