"""Official XML schemas, where the operator has them: none can be had publicly, none is shipped."""

from functools import lru_cache
from pathlib import Path
from typing import Any

from core.sandbox.trees import Node
from docflow.gateways.medo.findings import Notes

_MOST_FILES = 100
_MOST_REMARKS = 20


def check(data: bytes, root: Node, folder: str, name: str, notes: Notes) -> None:
    """Compare with the schema in `folder` whose target is the root's namespace, if there is one.

    Departures are warnings: others' messages are read by their sense. Nothing is fetched; the bytes
    must have passed `trees.read`, which takes no DTD.
    """
    if not folder:
        return
    from lxml import etree  # noqa: PLC0415 - 4 MB that a process without XSD files never needs

    schema, problem = _schema(folder, root.namespace, root.name)
    if problem:
        notes.warn("xsd_unusable", folder, problem=problem)
    if schema is None:
        return
    try:
        tree = etree.fromstring(data, _parser())
    except etree.XMLSyntaxError as broken:
        notes.warn("xsd", name, problem=broken.msg)
        return
    if not schema.validate(tree):
        for entry in list(schema.error_log)[:_MOST_REMARKS]:
            notes.warn("xsd", f"{name}:{entry.line}", problem=entry.message)


def overview(folder: str) -> tuple[list[str], list[str]]:
    """Which messages a folder of XSD files can check («namespace root»), and what is wrong in it.

    Run it in the sandbox: the files come from outside.
    """
    from lxml import etree  # noqa: PLC0415 - as above

    usable, problems = [], []
    for path in sorted(Path(folder).rglob("*.xsd"))[:_MOST_FILES]:
        try:
            tree = etree.parse(str(path), _parser())
            etree.XMLSchema(tree)
        except (OSError, etree.LxmlError) as broken:
            problems.append(f"{path.name}: {broken}"[:300])
            continue
        space, roots = _declared(tree.getroot())
        usable += [f"{space} {root}" for root in ("communication", "container") if root in roots]
    return sorted(set(usable)), problems[:_MOST_REMARKS]


def _declared(top: Any) -> tuple[str, set[str]]:
    """Target namespace of a schema and the elements it names."""
    named = {one.get("name") for one in top.iter("{http://www.w3.org/2001/XMLSchema}element")}
    return top.get("targetNamespace", ""), named


def _parser() -> Any:
    from lxml import etree  # noqa: PLC0415 - as above

    return etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_pis=True
    )


@lru_cache(maxsize=16)
def _schema(folder: str, namespace: str, root: str) -> tuple[Any, str]:
    """The first file that declares this root in this namespace; and why one could not be used."""
    from lxml import etree  # noqa: PLC0415 - as above

    problem = ""
    for path in sorted(Path(folder).rglob("*.xsd"))[:_MOST_FILES]:
        try:
            tree = etree.parse(str(path), _parser())
        except (OSError, etree.XMLSyntaxError) as broken:
            problem = f"{path.name}: {broken}"
            continue
        space, declared = _declared(tree.getroot())
        if space != namespace or root not in declared:
            continue
        try:
            return etree.XMLSchema(tree), ""
        except etree.XMLSchemaParseError as broken:
            problem = f"{path.name}: {broken}"
    return None, problem
