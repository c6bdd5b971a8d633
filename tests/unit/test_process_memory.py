"""What a process keeps in memory must not be what another process needs (scale-out)."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("core", "storage", "audit", "directory", "signatures", "notify", "compliance", "docflow",
         "evidence", "web")  # fmt: skip

KEPT = {
    "core/clock.py:_last": "orders the ids of one process; between processes the clock does",
    "docflow/routing/nodes/intake.py:_met": "spares a question; the node is judged anew each time",
    "core/jobs/registry.py:JOBS": "declared at import, the same in every process",
    "core/jobs/registry.py:ALLOWED": "declared at import, the same in every process",
    "core/sandbox/pool.py:_own": "the worker processes of this process",
    "directory/passwords.py:_waiting": "how busy this process's own hashing threads are",
    "signatures/tokens.py:_locks": "a PKCS#11 library is loaded once a process",
    "signatures/tokens.py:_sessions": "one log-in of this process to a token",
    "signatures/revocation.py:_verified": "a signature over given bytes holds or not, for ever",
    "signatures/keeping.py:_cache": "trust by version; the version is asked of the database",
    "signatures/keys.py:_loaded": "keys by the hash of their bytes",
    "signatures/vault.py:_loaded": "keys by row; whether the row is in use is asked each time",
    "evidence/packages/keys.py:_loaded": "keys by row; whether it is in use is asked each time",
    "docflow/routing/nodes/own.py:_opened": "keys by id; whether it is in force is asked each time",
    "compliance/searching/register_index.py:_held": "follows register_change before each search",
    "compliance/searching/references.py:_ready": "the picture asked last, in a sandbox process",
    "compliance/command.py:_ready": "the command line's own process",
}
"""Every thing a module can change after its import, and why another process does not miss it."""


def changing() -> Iterator[str]:
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            if "piccolo_migrations" in path.parts:
                continue
            tree = ast.parse(path.read_text("utf-8"))
            where = path.relative_to(ROOT).as_posix()
            for node in ast.walk(tree):
                if isinstance(node, ast.Global):
                    yield from (f"{where}:{name}" for name in node.names)
            for node in tree.body:
                target, value = _assigned(node)
                if target and _is_empty_container(value):
                    yield f"{where}:{target}"


def _assigned(node: ast.stmt) -> tuple[str | None, ast.expr | None]:
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        return node.target.id, node.value
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
        return node.targets[0].id, node.value
    return None, None


def _is_empty_container(value: ast.expr | None) -> bool:
    if isinstance(value, ast.Dict):
        return not value.keys
    if isinstance(value, ast.List | ast.Set):
        return not value.elts
    return (
        isinstance(value, ast.Call)
        and isinstance(value.func, ast.Name)
        and value.func.id in ("dict", "list", "set", "deque", "OrderedDict", "defaultdict")
        and not value.args
    )


def test_nothing_is_kept_in_memory_that_another_process_needs() -> None:
    assert sorted(set(changing())) == sorted(KEPT)
