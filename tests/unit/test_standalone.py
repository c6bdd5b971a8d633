"""The one file a court's expert is given: the parts put together, run as a stranger would."""

import ast
import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

from evidence.verifier import standalone
from tests import packages_made
from tests.packages_made import a_package

ROOT = Path(__file__).resolve().parents[2]


def run_alone(*words: str | Path) -> subprocess.CompletedProcess[str]:
    """The file as a stranger runs it: no environment of ours, no other file of ours."""
    return subprocess.run(
        [sys.executable, "-I", packages_made.verifier(), *words], capture_output=True, text=True,
        check=False, env={"PATH": "/usr/bin:/bin"}, cwd="/",
    )  # fmt: skip


@pytest.mark.slow
def test_the_file_runs_alone_and_says_it_in_words_and_json(tmp_path: Path) -> None:
    path = tmp_path / "package.zip"
    path.write_bytes(a_package().packed())
    words = run_alone(path)
    assert (words.returncode, words.stdout.splitlines()[0]) == (
        0, "ПАКЕТ ЦЕЛ И ПОДЛИНЕН / whole and true",
    ), words.stderr  # fmt: skip
    told = json.loads(run_alone(path, "--json").stdout)
    assert (told["verdict"], told["members"]) == ("whole", 7)
    path.write_bytes(packages_made.flipped(path.read_bytes(), 60))
    broken = run_alone(path, "--json")
    assert (broken.returncode, json.loads(broken.stdout)["verdict"]) == (1, "broken")
    missing = run_alone(tmp_path / "no.zip")
    assert (missing.returncode, missing.stdout) == (64, "")
    assert "Traceback" not in missing.stderr + run_alone(tmp_path).stderr


def test_the_file_is_its_parts_and_nothing_else() -> None:
    """All of a part but its imports stands in the file, in order; it takes nothing of ours."""
    whole = standalone.text()
    assert whole == standalone.text()
    assert "evidence.verifier" not in whole
    ours = [one for one in packages_made.imported(whole) if one not in sys.stdlib_module_names]
    assert ours == ["cryptography"]
    at = 0
    for name in standalone.PARTS:
        text = Path(standalone.__file__).with_name(f"{name}.py").read_text(encoding="utf-8")
        last = ast.parse(text).body
        taken = [one for one in last if isinstance(one, ast.Import | ast.ImportFrom)]
        body = "\n".join(text.splitlines()[taken[-1].end_lineno :]).strip()
        assert whole.find(body, at) > at, name
        at = whole.find(body, at)


def test_parts_that_cannot_stand_in_one_file_are_refused() -> None:
    trees = {"a": ast.parse("X = 1"), "b": ast.parse("def X(): ...")}
    with pytest.raises(standalone.NotOneFile, match="X stands in a and in b"):
        standalone._require_one_namespace(trees)
    for line in ("import json as j", "from a import b as c", "import evidence.verifier.der"):
        with pytest.raises(standalone.NotOneFile):
            standalone._require_one_namespace({"a": ast.parse(line)})


@pytest.mark.slow
def test_the_file_is_put_together_by_a_bare_python(tmp_path: Path) -> None:
    made = tmp_path / standalone.NAME
    for words, code in (([made], 0), ([], 1), ([tmp_path / "no" / "f.py"], 1)):
        done = subprocess.run(
            [sys.executable, "-I", "-S", standalone.__file__, *words], capture_output=True,
            text=True, check=False, cwd="/", env={"PATH": "/usr/bin:/bin"},
        )  # fmt: skip
        assert done.returncode == code, done.stderr
        assert "Traceback" not in done.stderr
    assert made.read_text(encoding="utf-8") == standalone.text()


@pytest.mark.slow
def test_the_command_writes_the_file_and_says_its_digest(tmp_path: Path) -> None:
    made = tmp_path / standalone.NAME
    for place, code in ((made, 0), (tmp_path / "no" / "f.py", 64), (tmp_path, 64)):
        done = subprocess.run(
            [sys.executable, ROOT / "cli.py", "evidence", "verifier", place, "--json"],
            capture_output=True, text=True, check=False, cwd=ROOT, env={"PATH": "/usr/bin:/bin"},
        )  # fmt: skip
        assert done.returncode == code, done.stderr
        assert "Traceback" not in done.stderr
        if code == 0:
            sha256 = hashlib.sha256(standalone.text().encode()).hexdigest()
            assert json.loads(done.stdout) == {"file": str(made), "sha256": sha256}
