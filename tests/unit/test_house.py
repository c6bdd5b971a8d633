"""The house's own rules: each checker finds a planted violation and passes what is right."""

import ast
import re
import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))

import budgets  # noqa: E402  # reason: the tools folder is no package
import glossary  # noqa: E402  # reason: as above
import leaks  # noqa: E402  # reason: as above
import locks  # noqa: E402  # reason: as above
import sources  # noqa: E402  # reason: as above

ROOF = {"litestar_app", "worker", "cli", "wiring", "installation", "piccolo_conf", "demo"}
FURNITURE = {"tests", "bench", "docs", "docker", "tools", "requirements"}
HASH = "--hash=sha256:" + "0f" * 32


def test_file_and_function_within_budget_pass() -> None:
    body = "    x = 1\n" * 49
    assert list(budgets.over_budget("a.py", f"def f():\n{body}" + "y = 2\n" * 350)) == []


def test_long_file_and_long_function_are_named() -> None:
    body = "    x = 1\n" * 50
    found = list(budgets.over_budget("a.py", f"async def f():\n{body}" + "y = 2\n" * 350))
    assert found == [
        "a.py: 401 lines, the budget is 400",
        "a.py:1: f has 51 lines, the budget is 50",
    ]


def _tables(title: str) -> list[glossary.TableClass]:
    source = f'class Hop(Table, tablename="hop"):\n    """{title}."""\n'
    return list(glossary.table_classes("tables.py", source))


@pytest.mark.parametrize(
    "title", ["A relay's passing on (этап прохождения)", "Этап прохождения (a hop)"]
)
def test_table_with_its_term_passes(title: str) -> None:
    assert list(glossary.mistakes(_tables(title), "| `Hop` | этап прохождения | x |")) == []


@pytest.mark.parametrize(
    ("title", "row", "mistake"),
    [
        ("A relay's passing on", "| `Hop` | этап | x |", "no Russian term"),
        ("A passing on (этап)", "", "not in docs/glossary.md"),
        ("A passing on (этап)", "| `Hop` | шаг | x |", "says 'шаг'"),
        ("A passing on (этап)", "| `Hop` | этап | x |\n| `Gone` | нет | x |", "no such table"),
    ],
)
def test_table_and_glossary_that_differ_are_named(title: str, row: str, mistake: str) -> None:
    [found] = glossary.mistakes(_tables(title), row)
    assert mistake in found


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("-----BEGIN " + "PRIVATE KEY-----", "private key"),
        ("-----BEGIN EC " + "PRIVATE KEY-----", "private key"),
        ("key = AKIA" + "ABCDEFGHIJKLMNOP", "token"),
        ('path = "/ro' + 'ot/project"', "path of a machine"),
        ('path = "/wo' + 'rk/project"', "path of a machine"),
        ("pip install --index" + "-url x", "package registry"),
        ("https://py" + "pi.example.org/simple", "package registry"),
        ("pass" + 'word = "hunter42"', "password"),
        ("SECRET_" + "KEY: 'changeme-now'", "password"),
        ("postgres://user:hunter" + "42@db/base", "password in an address"),
        ("x = mJ8qT2vXbL9" + "rK4wZsY7nHcD3fGpQ6eA1uV5iB0o", "looks like a secret"),
    ],
)
def test_planted_leak_is_found(line: str, kind: str) -> None:
    assert list(leaks.leaks("a.py", f"x = 1\n{line}\n")) == [f"a.py:2: {kind}"]


@pytest.mark.parametrize(
    "line",
    [
        'url = f"postgresql://{role}:{password}@{host}/{base}"',
        "S3_SECRET_KEY_FILE: /run/secrets/s3_secret_key",
        'kept["secret_key"] = secrets.token_hex(32)',
        "sha256 = " + "0f" * 32,
        "def test_what_a_long_name_of_a_Test_says_in_2026_about_letters_of_the_centre():",
        "pass" + 'word = "hunter42"  # leaks: ok (an example of the documentation)',
    ],
)
def test_innocent_line_passes(line: str) -> None:
    assert list(leaks.leaks("a.py", line)) == []


def test_excuse_without_a_reason_counts_for_nothing() -> None:
    line = "pass" + 'word = "hunter42"  # leaks: ok ()'
    assert list(leaks.leaks("a.py", line)) == ["a.py:1: password"]


def test_locked_package_passes() -> None:
    assert list(locks.mistakes("r.txt", f"minio==7.2.20 \\\n    {HASH}\n    # via docflow\n")) == []


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ("minio==7.2.20\n", "no hash"),
        (f"minio>=7 \\\n    {HASH}\n", "not pinned"),
        (f"minio @ https://example.org/minio.whl \\\n    {HASH}\n", "an address"),
        ("--extra-index" + f"-url x\nminio==7.2.20 \\\n    {HASH}\n", "an option"),
    ],
)
def test_unsafe_lock_is_named(text: str, mistake: str) -> None:
    [found] = locks.mistakes("r.txt", text)
    assert mistake in found


@cache
def _modules() -> dict[str, ast.Module]:
    return {
        str(path.relative_to(ROOT)): ast.parse(path.read_text(encoding="utf-8"))
        for path in sources.python_files(ROOT)
        if "piccolo_migrations" not in path.parts
    }


def _imported(tree: ast.Module) -> set[str]:
    """The top-level names a module imports, wherever the import stands."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.partition(".")[0])
    return found


def test_nothing_but_the_roof_imports_the_roof() -> None:
    trespassers = {
        name: sorted(_imported(tree) & ROOF)
        for name, tree in _modules().items()
        if name.partition("/")[0].removesuffix(".py") not in ROOF | FURNITURE
    }
    assert {name: found for name, found in trespassers.items() if found} == {}


def test_every_room_is_under_the_import_contracts() -> None:
    rooms = {
        path.parent.name
        for path in sources.python_files(ROOT)
        if path.name == "__init__.py" and path.parent.parent == ROOT
    } - FURNITURE
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
    assert set(settings["importlinter"]["root_packages"]) == rooms
    typed = rooms | ({"bench"} if (ROOT / "bench").exists() else set())
    assert typed <= set(settings["mypy"]["files"])


@pytest.mark.parametrize("word", ["utils", "helpers", "common", "manager"])
def test_no_module_has_a_name_that_says_nothing(word: str) -> None:
    assert [name for name in _modules() if word in Path(name).stem or "base_" in name] == []


def test_planted_import_against_the_direction_is_reported(tmp_path: Path) -> None:
    """The contracts of pyproject.toml hold on a small copy of the house with one wrong line."""
    settings = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    (tmp_path / "pyproject.toml").write_text(settings, encoding="utf-8")
    for room in tomllib.loads(settings)["tool"]["importlinter"]["root_packages"]:
        (tmp_path / room).mkdir()
        (tmp_path / room / "__init__.py").touch()
    (tmp_path / "docflow" / "documents.py").write_text("import minio\n", encoding="utf-8")
    (tmp_path / "docflow" / "routing.py").touch()
    (tmp_path / "storage" / "blobs.py").write_text("import docflow.documents\n", encoding="utf-8")
    for contract in tomllib.loads(settings)["tool"]["importlinter"]["contracts"]:
        for container in contract.get("containers", []):
            for layer in re.findall(r"\w+", " ".join(contract["layers"])):
                place = tmp_path / container.replace(".", "/") / layer
                if not place.exists() and not place.with_suffix(".py").exists():
                    place.mkdir()
                    (place / "__init__.py").touch()
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run(
        [linter, "--no-cache"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    broken = re.findall(r"^(.+) BROKEN", done.stdout, re.MULTILINE)
    assert (done.returncode, broken) == (
        1,
        ["Rooms stand on each other in one direction", "Only storage knows minio"],
    ), done.stdout + done.stderr


def test_makefile_lists_every_command_a_reader_is_promised() -> None:
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    promised = {"setup", "demo", "run", "test", "check", "prove", "bench", "fmt", "clean", "help"}
    assert promised <= set(re.findall(r"^([a-z]+):.*## ", text, re.MULTILINE))


def test_decisions_are_numbered_without_gaps_and_say_what_enforces_them() -> None:
    records = sorted((ROOT / "docs" / "adr").glob("*.md"))
    assert [int(path.name[:4]) for path in records] == list(range(1, len(records) + 1))
    sections = ["Context", "Decision", "Consequences", "Alternatives", "What enforces it"]
    for path in records:
        text = path.read_text(encoding="utf-8")
        assert text.startswith(f"# {path.name[:4]}. "), path.name
        assert [s for s in re.findall("^## (.+)$", text, re.MULTILINE) if s in sections] == sections


def test_operator_guide_names_every_setting() -> None:
    source = (ROOT / "core" / "settings.py").read_text(encoding="utf-8")
    guide = (ROOT / "docs" / "operator.md").read_text(encoding="utf-8")
    known = set(re.findall(r'_(?:read|number)\("([A-Z0-9_]+)"', source))
    assert known != set()
    assert {name for name in known if f"`{name}`" not in guide} == set()


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "docs/operator.md"])
def test_links_and_commands_of_a_page_exist(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", text) if "://" not in link]
    assert [link for link in links if not (ROOT / page).parent.joinpath(link).exists()] == []
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    named = re.findall(r"(?:`|^    )make ([a-z]+)", text, re.MULTILINE)
    assert [name for name in named if f"\n{name}:" not in makefile] == []
