"""The `document` and `files` elements of 2.0 to 2.6."""

from core.sandbox.trees import Node
from docflow.gateways.medo import lists, parties, values
from docflow.gateways.medo.findings import Notes
from docflow.gateways.medo.messages import (
    Author,
    Clause,
    Document,
    File,
    Link,
    Party,
    Reference,
    Role,
    Signature,
    Signer,
)  # fmt: skip

_WORDS = ("kind", "type", "classification", "urgency", "comment")


def read_document(node: Node, notes: Notes) -> Document:
    """The registration card the sender sends along."""
    where = "document"
    num = node.first("num")
    if num is None:
        notes.warn("missing_part", f"{where}/num")
    number = values.value(num, "number")
    date = values.day(values.value(num, "date"), notes, f"{where}/num/date")
    executor = node.first("executor")
    author = Author(
        number=number,
        date=date,
        signers=tuple(_signer(one, notes) for one in _many(node, "signatories", "signatory")),
        executor=parties.anyone(executor, notes, f"{where}/executor") if executor else None,
    )
    if not author.signers:
        notes.warn("missing_part", f"{where}/signatories/signatory")
    words = values.texts(node, _WORDS, notes, where)
    return Document(
        **words,
        uid=values.guid(node.get("uid"), notes, where),
        id=node.get("id"),
        number=number,
        date=date,
        annotation=values.needed(node, "annotation", notes, where),
        special_mark=values.text(node, "specialMark", notes, where),
        is_restricted=is_restricted("", words["classification"]),
        pages=_pages(node, "pages", notes, where),
        enclosure_pages=_pages(node, "enclosuresPages", notes, where),
        authors=(author,),
        addressees=tuple(
            parties.anyone(one, notes, f"{where}/addressee")
            for one in _many(node, "addressees", "addressee")
        ),
        correspondents=tuple(
            parties.reference(one, notes, f"{where}/correspondent")
            for one in _many(node, "correspondents", "correspondent")
        ),
        links=tuple(_link(one, notes) for one in _many(node, "links", "link")),
        clauses=tuple(_clause(one, notes) for one in _many(node, "clauses", "clause")),
    )


def is_restricted(code: str, words: str) -> bool:
    """Restricted content is known by this mark only (order 611/96 of 12.07.2024)."""
    known = lists.load().restricted
    said = words.casefold()
    return code.upper() in known.ids or any(
        said == mark or (len(mark) > 5 and mark in said) for mark in known.words
    )


def _many(node: Node, group: str, name: str) -> list[Node]:
    """Elements in their group, or without it as some senders write them."""
    found = [one for holder in node.all(group) for one in holder.all(name)]
    return found or list(node.all(name))


def _pages(node: Node, name: str, notes: Notes, where: str) -> int | None:
    return values.whole(values.value(node, name), notes, f"{where}/{name}")


def _signer(node: Node, notes: Notes) -> Signer:
    where = "document/signatory"
    signed = values.day(values.value(node, "signed"), notes, f"{where}/signed")
    return Signer(person=parties.anyone(node, notes, where), signed=signed)


def _link(node: Node, notes: Notes) -> Link:
    where = "document/link"
    inner = node.first("reference", "document")
    reference = parties.reference(inner, notes, where) if inner else Reference()
    return Link(
        kind=values.value(node, "linkType"), reference=reference, id=node.get("id"),
        uid=values.guid(node.get("uid") or values.value(inner, "uid"), notes, where),
    )  # fmt: skip


def _clause(node: Node, notes: Notes) -> Clause:
    where = "document/clause"

    def people(group: str, *names: str) -> tuple[Party, ...]:
        holder = node.first(group) or node
        return tuple(parties.anyone(one, notes, f"{where}/{group}") for one in holder.all(*names))

    return Clause(
        id=node.get("id"),
        local_id=node.get("localId"),
        designation=values.text(node, "designation", notes, where),
        text=values.text(node, "text", notes, where),
        deadline=values.day(values.value(node, "deadline"), notes, f"{where}/deadline"),
        principals=people("principals", "principal"),
        # The schema itself misspells the word.
        participants=people("parcipants", "parcipant", "participant")
        or people("participants", "participant"),
        comment=values.text(node, "comment", notes, where),
    )


def read_files(node: Node | None, notes: Notes) -> tuple[File, ...]:
    """The loose files; the first that is no attachment is the document itself."""
    found: list[File] = []
    for one in node.all("file") if node is not None else ():
        name = values.value(one, "localName", "name")
        if not name:
            notes.warn("missing_part", "files/file/localName")
            continue
        has_document = any(file.role is Role.DOCUMENT for file in found)
        found.append(_file(one, name, notes, has_document=has_document))
    if not found:
        notes.warn("no_files", "files")
    return tuple(found)


def _file(node: Node, name: str, notes: Notes, *, has_document: bool) -> File:
    group = values.text(node, "group", notes, f"files/{name}")
    return File(
        name=name,
        role=_role(group, has_document=has_document),
        type=node.get("type"),
        group=group,
        description=values.text(node, "description", notes, f"files/{name}"),
        pages=values.whole(values.value(node, "pages"), notes, f"files/{name}/pages"),
        order=values.whole(values.value(node, "localId"), notes, f"files/{name}/localId"),
        signatures=_signatures(node),
    )


def _role(group: str, *, has_document: bool) -> Role:
    """One document, and everything else is an attachment, whatever its group is called."""
    is_annex = "прилож" in group.casefold()
    return Role.ATTACHMENT if is_annex or has_document else Role.DOCUMENT


def _signatures(node: Node) -> tuple[Signature, ...]:
    """Signed loose files: signedData/signerInfo/@signature names a detached CMS."""
    infos = [one for holder in node.all("signedData") for one in holder.all("signerInfo")]
    names = [values.value(one, "signature") for one in infos]
    return tuple(Signature(name=name) for name in names if name)
