"""What must never be committed: keys, tokens, passwords, paths of a machine, package registries.

A line that only looks like one says why: `leaks: ok (reason)`. Lock files are full of hashes and
have a check of their own, tools/locks.py.
"""

import math
import re
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from sources import ROOT, project_files

EXCUSE = re.compile(r"leaks: ok \(\S.+\)")
RULES = {
    "private key": re.compile("-----BEGIN [A-Z ]*PRIVATE KEY-----"),
    "token": re.compile(
        r"\b(AKIA[0-9A-Z]{16}|gh[pousr]_\w{30,}|glpat-[\w-]{20,}|xox[abprs]-[\w-]{10,})"
    ),
    "path of a machine": re.compile(r"(?<![\w./-])/(work|root|home/\w+|Users/\w+)/"),
    "package registry": re.compile(
        r"--(extra-)?index-url|\b(files\.pythonhosted\.org|[\w-]*(pypi|artifactory|devpi|nexus)"
        r"[\w-]*(\.[\w-]+)+/)",
        re.IGNORECASE,
    ),
}
PASSWORD = re.compile(
    r"""(?:password|passphrase|passwd|secret(?:_key)?|api_?key|access_?key|token)["']?\s*[:=]\s*"""
    r"""(?P<value>"[^"\s]{6,}"|'[^'\s]{6,}')""",
    re.IGNORECASE,
)
URL_PASSWORD = re.compile(r"\w://[\w.-]+:(?P<value>[^\s@/{}$<>…*:'\"%\[\]]+)@")
RANDOM = re.compile(r"(?<![\w/+=-])[\w/+-]{32,}={0,2}(?![\w/+=-])")
BITS = 4.3
"""Of entropy a character; a long word of mixed letters and digits above it counts as a secret."""


def leaks(name: str, text: str) -> Iterator[str]:
    """What in `text` must not be committed: file, line and kind, never the secret itself."""
    is_test = name.startswith("tests/")
    for number, line in enumerate(text.splitlines(), 1):
        if EXCUSE.search(line):
            continue
        for kind, rule in RULES.items():
            if rule.search(line):
                yield f"{name}:{number}: {kind}"
        if not is_test and any(_is_fixed(found["value"]) for found in PASSWORD.finditer(line)):
            yield f"{name}:{number}: password"
        if not is_test and URL_PASSWORD.search(line):
            yield f"{name}:{number}: password in an address"
        if any(_is_random(found[0]) for found in RANDOM.finditer(line)):
            yield f"{name}:{number}: looks like a secret"


def _is_fixed(value: str) -> bool:
    """A literal and not a place for one, as in `{name}`, `$NAME`, `<name>` or `/run/secrets/…`."""
    return re.search(r"[{}$<>…%/. ]", value) is None and _entropy(value.strip("\"'")) > 2.5


def _is_random(word: str) -> bool:
    kinds = (str.islower, str.isupper, str.isdigit)
    mixed = all(any(kind(character) for character in word) for kind in kinds)
    # a path or a name_of_many_words has separators all over it; a token rarely has
    return mixed and _entropy(word) > BITS and len(re.findall("[_/-]", word)) <= len(word) // 12


def _entropy(word: str) -> float:
    counts = Counter(word).values()
    return -sum(n / len(word) * math.log2(n / len(word)) for n in counts)


def main(root: Path = ROOT) -> int:
    """Print what must not be there; 1 when anything is."""
    found: list[str] = []
    for path in project_files(root):
        name = str(path.relative_to(root))
        if name.startswith("requirements/"):
            continue
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        found += leaks(name, text)
    for line in found:
        print(line)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
