"""The passport of a container, `passport.xml` of 2.7 and 2.7.1."""

import dataclasses

from core.sandbox.trees import Node
from docflow.gateways.medo import parties, values
from docflow.gateways.medo.documents import is_restricted
from docflow.gateways.medo.findings import Notes
from docflow.gateways.medo.messages import (
    Author,
    Document,
    File,
    Link,
    Reference,
    Role,
    Signature,
    Signer,
)  # fmt: skip


def read_passport(root: Node, notes: Notes) -> tuple[Document, tuple[File, ...]]:
    """The document's facts, and the files the passport names, the document first."""
    requisites = root.first("requisites")
    if requisites is None:
        notes.warn("missing_part", "container/requisites")
    authors = tuple(_author(one, notes) for one in _many(root, "authors", "author"))
    if not authors:
        notes.warn("missing_part", "container/authors/author")
    first = authors[0] if authors else Author()
    body = root.first("document")
    document = dataclasses.replace(
        _requisites(requisites, notes),
        uid=values.guid(root.get("uid"), notes, "container"),
        number=first.number,
        date=first.date,
        authors=authors,
        addressees=tuple(
            parties.addressee(one, notes, "addressee")
            for one in _many(root, "addressees", "addressee")
        ),
        pages=_pages(body, "pagesQuantity", notes),
        enclosure_pages=_pages(body, "enclosurePagesQuantity", notes),
        links=tuple(_link(one, notes) for one in _many(requisites, "links", "link")),
    )
    return document, _files(root, body, document, notes)


def _many(node: Node | None, group: str, name: str) -> list[Node]:
    if node is None:
        return []
    found = [one for holder in node.all(group) for one in holder.all(name)]
    return found or list(node.all(name))


def _pages(node: Node | None, name: str, notes: Notes) -> int | None:
    return values.whole(values.value(node, name), notes, f"container/document/{name}")


def _code(node: Node | None, name: str) -> str:
    child = node.first(name) if node is not None else None
    return child.get("id") if child is not None else ""


def _requisites(node: Node | None, notes: Notes) -> Document:
    where = "container/requisites"
    words = values.text(node, "classification", notes, where)
    code = _code(node, "classification")
    return Document(
        kind=values.needed(node, "documentKind", notes, where),
        kind_id=_code(node, "documentKind"),
        place=values.text(node, "documentPlace", notes, where),
        place_id=_code(node, "documentPlace"),
        classification=words,
        classification_id=code,
        is_restricted=is_restricted(code, words),
        annotation=values.needed(node, "annotation", notes, where),
    )


def _link(node: Node, notes: Notes) -> Link:
    where = "requisites/link"
    holder = node.first("document", "reference") or node
    registration = holder.first("registration", "num")
    reference = Reference(
        party=parties.organization(holder.first("organization"), notes, where),
        number=values.value(registration, "number"),
        date=values.day(values.value(registration, "date"), notes, f"{where}/date"),
    )
    uid = values.guid(node.get("uid") or holder.get("uid"), notes, where)
    kind = values.value(node, "linkType", "type")
    return Link(uid=uid, id=node.get("id"), kind=kind, reference=reference)


def _author(node: Node, notes: Notes) -> Author:
    where = "author"
    body = parties.organization(node.first("organization"), notes, f"{where}/organization")
    if department := values.text(node, "department", notes, where):
        body = parties.replaced(body, department=department)
    registration = node.first("registration")
    if registration is None:
        notes.warn("missing_part", f"{where}/registration")
    date = values.value(registration, "date")
    executor = node.first("executor")
    mark = registration.first("registrationStamp") if registration is not None else None
    return Author(
        organization=body,
        number=values.value(registration, "number"),
        date=values.day(date, notes, f"{where}/registration/date"),
        stamp=parties.stamp(mark, notes, f"{where}/registrationStamp"),
        signers=tuple(_signer(one, notes) for one in node.all("sign")),
        executor=parties.person(executor, notes, f"{where}/executor") if executor else None,
    )


def _signer(node: Node, notes: Notes) -> Signer:
    where = "author/sign"
    found = [
        parties.signature(one, notes, f"{where}/documentSignature")
        for one in node.all("documentSignature")
    ]
    who = parties.person(node.first("person"), notes, f"{where}/person")
    return Signer(person=who, signatures=tuple(one for one in found if one is not None))


def _files(root: Node, body: Node | None, document: Document, notes: Notes) -> tuple[File, ...]:
    found: list[File] = []
    main = values.value(body, "localName")
    if main:
        found.append(File(name=main, role=Role.DOCUMENT, pages=document.pages))
    else:
        notes.refuse("missing_part", "container/document/localName")
    for one in _many(root, "attachments", "attachment"):
        name = values.value(one, "localName")
        if not name:
            notes.warn("missing_part", "attachment/localName")
            continue
        found.append(_attachment(one, name, notes))
    return tuple(found)


def _attachment(node: Node, name: str, notes: Notes) -> File:
    where = f"attachment/{name}"
    read = [
        parties.signature(one, notes, f"{where}/signature")
        for one in node.all("signature", "documentSignature")
    ]
    return File(
        name=name,
        role=Role.ATTACHMENT,
        order=values.whole(values.value(node, "order"), notes, f"{where}/order"),
        description=values.text(node, "description", notes, where),
        signatures=tuple(one for one in read if one is not None),
    )


def named_by(document: Document, files: tuple[File, ...]) -> tuple[File, ...]:
    """Signatures and stamps the passport names, as files of their own, each once."""
    found: dict[str, File] = {}

    def take(name: str, role: Role) -> None:
        found.setdefault(name, File(name=name, role=role))

    signed: list[Signature] = []
    for author in document.authors:
        if author.stamp is not None:
            take(author.stamp.name, Role.STAMP)
        signed += [one for signer in author.signers for one in signer.signatures]
    signed += [one for file in files for one in file.signatures]
    for one in signed:
        take(one.name, Role.SIGNATURE)
        if one.stamp is not None:
            take(one.stamp.name, Role.STAMP)
    return tuple(found.values())
