"""`docflow demo` as a newcomer runs it, and once more on the data of the first time."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core.embedded import data_home

ROOT = Path(__file__).resolve().parents[2]
TAKEN = ("DATABASE_", "S3_", "SECRET_KEY", "QUIET_HOURS", "SANDBOX_")
"""Settings of the test run's own engines; the demo starts its own."""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture
def folder() -> Iterator[Path]:
    made = data_home() / f"test-demo-{os.getpid()}"
    yield made
    shutil.rmtree(made, ignore_errors=True)


def run(folder: Path) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, ROOT / "cli.py", "demo", "--scale", "S", "--data", folder],
        capture_output=True, text=True, check=False, cwd=ROOT,
        env={name: value for name, value in os.environ.items() if not name.startswith(TAKEN)},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


def test_the_main_job_is_done_twice_on_the_same_data(folder: Path) -> None:
    numbers = set()
    for _ in range(2):
        told = run(folder)
        assert told["ok"], told
        assert told["control"]["total"] == told["deliveries"] > 0
        assert told["tampered"]["refused"]
        outcomes = [
            told["pictures"][name]["outcome"] for name in ("licensed", "crop_of_claimed", "unknown")
        ]
        assert outcomes == ["clear", "blocked", "needs_licence"]
        assert told["ministry"]["answer"]["verdict"] == "valid"
        assert told["evidence_check"]["verdict"] == "whole"
        assert told["evidence_check"]["one_byte_changed"] == "broken"
        numbers.add(told["number"])
    assert len(numbers) == 2
