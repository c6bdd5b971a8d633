"""Locked dependencies: exact versions with hashes, no addresses, and the same ones installed."""

import re
import sys
import tomllib
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from sources import ROOT

PINNED = re.compile(r"^([\w.-]+)(?:\[[\w,-]+\])?==([\w.!+-]+)(?:\s*;.*)?$")


def canonical(name: str) -> str:
    """A package's name as registries compare it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def entries(text: str) -> dict[str, tuple[str, int]]:
    """The pinned packages of a lock file: name to version and number of SHA-256 hashes."""
    found: dict[str, tuple[str, int]] = {}
    for entry in re.split(r"(?<!\\)\n(?=[^\s#])", text):
        head, *rest = entry.split("\\\n")
        if pinned := PINNED.match(head.strip()):
            hashes = re.findall(r"--hash=sha256:[0-9a-f]{64}\b", "\n".join(rest))
            found[canonical(pinned[1])] = (pinned[2], len(hashes))
    return found


def mistakes(name: str, text: str) -> Iterator[str]:
    """What makes a lock file unsafe or tied to one machine."""
    for number, line in enumerate(text.splitlines(), 1):
        bare = line.strip()
        if "://" in bare or (bare.startswith("-") and not bare.startswith("--hash=sha256:")):
            yield f"{name}:{number}: an address or an option: {bare[:60]}"
        elif line[:1] not in ("", " ", "#", "-") and not PINNED.match(bare.rstrip("\\").strip()):
            yield f"{name}:{number}: not pinned to one version: {bare[:60]}"
    for package, (version, hashes) in entries(text).items():
        if not hashes:
            yield f"{name}: {package}=={version}: no hash"


def _between(runtime: str, dev: str, project: str) -> Iterator[str]:
    """The two files agree with each other and hold all that pyproject.toml asks for."""
    base, full = entries(runtime), entries(dev)
    for package, (version, _) in base.items():
        if full.get(package, ("",))[0] != version:
            yield f"requirements: {package}=={version} of runtime.txt differs in dev.txt"
    settings = tomllib.loads(project)
    asked = {"runtime": settings["project"]["dependencies"]}
    asked["dev"] = settings["dependency-groups"]["dev"]
    for name, found in (("runtime", base), ("dev", full)):
        for requirement in asked[name]:
            package = canonical(re.split(r"[\[=<>!~; ]", requirement)[0])
            if package not in found:
                yield f"requirements/{name}.txt: {package} is missing; run `make lock`"


def _installed(dev: str) -> Iterator[str]:
    """Packages of this environment that are not the locked ones."""
    present = {canonical(d.metadata["Name"]): d.version for d in metadata.distributions()}
    for package, (version, _) in entries(dev).items():
        if package in present and present[package] != version:
            yield f"installed {package} {present[package]}, locked {version}; run `make setup`"


def main(root: Path = ROOT) -> int:
    """Print what is wrong; 1 when anything is."""
    texts = {
        name: (root / "requirements" / f"{name}.txt").read_text(encoding="utf-8")
        for name in ("runtime", "dev")
    }
    found = [line for name in texts for line in mistakes(f"requirements/{name}.txt", texts[name])]
    project = (root / "pyproject.toml").read_text(encoding="utf-8")
    found += _between(texts["runtime"], texts["dev"], project)
    found += _installed(texts["dev"])
    for line in found:
        print(line)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
