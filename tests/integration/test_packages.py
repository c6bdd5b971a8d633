"""Evidence packages over a real service: what is in them, that they hold, who may have them."""

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from core import db
from evidence.packages.states import ExportKind
from evidence.verifier import docflow_verify
from tests import ground, packages_stage, people

VERIFIER = Path(docflow_verify.__file__)


async def test_package_of_a_document_is_whole_and_true(database: str, tmp_path: Path) -> None:
    line = await ground.a_ground()
    clerk = await people.clerk_of(line.union)
    await people.give_key(line.union)
    document_id = await packages_stage.a_letter_sent(clerk, line.region, line.local)
    path = await packages_stage.a_package(
        line.union, tmp_path, kind=ExportKind.DOCUMENT, subject_id=document_id
    )
    report = docflow_verify.verify(path)
    assert report.as_dict()["verdict"] == "whole", report.as_dict()
    print(json.dumps(report.as_dict(), ensure_ascii=False, indent=1))
    with zipfile.ZipFile(path) as archive:
        print(*archive.namelist(), sep="\n")
        assert archive.testzip() is None
