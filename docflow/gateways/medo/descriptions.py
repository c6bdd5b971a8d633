"""The XML description of a message and everything in it; files are matched elsewhere."""

import re
from typing import Any

from core.sandbox import trees
from core.sandbox.errors import HostileInput
from core.sandbox.trees import Node
from docflow.gateways.medo import answers, documents, lists, parties, values
from docflow.gateways.medo.findings import Notes, words
from docflow.gateways.medo.limits import Limits
from docflow.gateways.medo.messages import Container, Kind, Message, Party
from docflow.gateways.medo.texts import Decoded, decode_xml

_CONTENTS = {
    "document": Kind.DOCUMENT,
    "container": Kind.CONTAINER,
    "notification": Kind.NOTIFICATION,
    "acknowledgment": Kind.RECEIPT,
    "acknowledgement": Kind.RECEIPT,
}
_CODES = ("broken_xml", "xml_dtd", "xml_depth", "xml_too_large")
_BARE = re.compile(r"&(?!(?:amp|lt|gt|quot|apos|#\d{1,7}|#x[0-9a-fA-F]{1,6});)")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


def read_tree(data: bytes, name: str, notes: Notes, limits: Limits) -> Node | None:
    """The root of a description or passport, mended where hand-built; None when refused."""
    decoded = decode_xml(data)
    if not decoded.is_as_declared:
        notes.warn("declared_encoding", name, declared=decoded.declared, actual=decoded.actual)
    if not decoded.is_whole:
        notes.warn("undecodable", name)
    try:
        return _parsed(decoded, name, notes, limits)
    except HostileInput as problem:
        notes.refuse(problem.error_code, name, problem=problem.details.get("problem", ""))
        if problem.details.get("truncated"):
            notes.lack("broken_xml")
        return None


def _parsed(decoded: Decoded, name: str, notes: Notes, limits: Limits) -> Node:
    """The tree of the text as it came, else of the text without what no XML may hold."""
    bounds = trees.TreeLimits(
        size=limits.xml_bytes, elements=100_000, text=limits.xml_bytes, attributes=64
    )
    plain = {
        code: words()[code] for code in ("broken_xml", "xml_dtd", "xml_depth", "xml_too_large")
    }
    known = lists.namespaces()
    try:
        return trees.read(decoded.text, words=plain, limits=bounds, vocabularies=known)
    except HostileInput as problem:
        if problem.error_code != "broken_xml":
            raise
        first = problem
    mended = _CONTROL.sub("", _BARE.sub("&amp;", decoded.text)).lstrip()
    for has_spaces in (True, False):
        try:
            root = trees.read(
                mended, words=plain, limits=bounds, vocabularies=known, with_namespaces=has_spaces
            )
        except HostileInput as problem:
            if problem.error_code != "broken_xml":
                raise
            continue
        notes.warn("xml_repaired" if mended != decoded.text else "xml_prefixes", name)
        return root
    raise first


def read_description(root: Node, name: str, notes: Notes) -> Message:
    """Header, content and index; `files` are only named, a container is not opened."""
    if root.name != "communication":
        notes.refuse("not_medo", name, name=root.name)
        return Message(kind=Kind.UNKNOWN, version="", description=name)
    version = _version(root, name, notes)
    header = root.first("header")
    if header is None:
        notes.warn("missing_part", "communication/header")
        header = Node("header", root.namespace, {})
    kind, content = _content(root, notes)
    said = values.value(header, "type")
    _check_type(said, kind, notes)
    source = header.first("source")
    return Message(
        kind=kind,
        version=version,
        header_uid=_header_uid(header, notes),
        header_type=said,
        created=values.moment(values.value(header, "created"), notes, "header/@created"),
        source=parties.anyone(source, notes, "header/source") if source else _no_source(notes),
        operator=values.value(header, "operator"),
        comment=values.text(header, "comment", notes, "header"),
        destinations=_destinations(root, version, notes),
        description=name,
        **_contents(kind, content, root, notes),
    )


def _no_source(notes: Notes) -> Party:
    notes.warn("missing_part", "header/source")
    return Party()


def _version(root: Node, name: str, notes: Notes) -> str:
    """By the attribute; by the namespace where it is missing."""
    said = values.value(root, "version")
    known = lists.load()
    if root.namespace not in lists.namespaces():
        notes.warn("unknown_namespace", name, namespace=root.namespace)
    found = known.version(said)
    if found is None:
        if not said:
            notes.warn("missing_part", "communication/@version")
            by_space = [one for one, it in known.versions.items() if it.namespace == root.namespace]
            return by_space[-1] if len(by_space) == 1 else ""
        notes.warn("unknown_version", name, version=said)
        return said[:20]
    if found[1].namespace != root.namespace and root.namespace in lists.namespaces():
        notes.warn("namespace_of_version", name, namespace=root.namespace, version=found[0])
    return found[0]


def _header_uid(header: Node, notes: Notes) -> str:
    said = values.value(header, "uid")
    if not said:
        notes.warn("uid_missing", "header/@uid")
    return values.guid(said, notes, "header/@uid")


def _content(root: Node, notes: Notes) -> tuple[Kind, Node | None]:
    found = [child for child in root.children if child.name in _CONTENTS]
    if len(found) > 1:
        notes.warn("several_contents", "communication")
    if found:
        return _CONTENTS[found[0].name], found[0]
    if root.first("files"):
        notes.warn("missing_part", "communication/document")
        return Kind.DOCUMENT, Node("document", root.namespace, {})
    notes.refuse("no_content", "communication")
    return Kind.UNKNOWN, None


def _check_type(said: str, kind: Kind, notes: Notes) -> None:
    """The header's words are compared, and the content goes before them."""
    due = lists.load().header_types.get(kind)
    if not said:
        notes.warn("missing_part", "header/@type")
    elif due and said.casefold() != due.casefold():
        notes.warn("header_type", "header/@type", type=said, kind=kind.value)


def _destinations(root: Node, version: str, notes: Notes) -> tuple[Party, ...]:
    """Addressees of this copy: doubly nested by the format, singly by some senders."""
    index = root.first("deliveryIndex")
    if index is None:
        if version == "2.7.1":
            notes.warn("no_destination", "communication/deliveryIndex")
        return ()
    found = []
    for outer in index.all("destination"):
        inner = list(outer.all("destination"))
        if not inner:
            notes.warn("destination_single", "deliveryIndex/destination")
        found += [parties.anyone(one, notes, "destination") for one in inner or [outer]]
    return tuple(found)


def _contents(kind: Kind, node: Node | None, root: Node, notes: Notes) -> dict[str, Any]:
    if node is None:
        return {}
    if kind is Kind.DOCUMENT:
        document = documents.read_document(node, notes)
        return {"document": document, "files": documents.read_files(root.first("files"), notes)}
    if kind is Kind.CONTAINER:
        return {"container": _container(node, notes)}
    if kind is Kind.NOTIFICATION:
        return {"notification": answers.read_notification(node, notes)}
    return {"receipt": answers.read_receipt(node, notes)}


def _container(node: Node, notes: Notes) -> Container:
    body = values.value(node, "body")
    if not body:
        notes.warn("missing_part", "container/body")
    return Container(
        body=body,
        type=values.value(node, "type"),
        signature=values.value(node, "signature"),
        passport="",
    )
