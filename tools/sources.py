"""Which files belong to the project: what git knows or would take, else what lies in the folder."""

import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
NOT_OURS = {".git", ".venv", ".docflow", "__pycache__", "node_modules", "build"}


def project_files(root: Path = ROOT) -> list[Path]:
    """All files of the project, sorted; without ignored ones, links and deleted ones."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=root,
        capture_output=True,
        check=False,
    )
    if listed.returncode == 0:
        found = [root / name for name in listed.stdout.decode().split("\0") if name]
    else:
        found = [path for path in root.rglob("*") if not NOT_OURS.intersection(path.parts)]
    return sorted({path for path in found if path.is_file() and not path.is_symlink()})


def python_files(root: Path = ROOT) -> list[Path]:
    """The project's Python files, sorted."""
    return [path for path in project_files(root) if path.suffix == ".py"]
