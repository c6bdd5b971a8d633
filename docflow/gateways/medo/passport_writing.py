"""The passport of a container as XML, in the order practice has it."""

from docflow.gateways.medo import lists
from docflow.gateways.medo.composing import day
from docflow.gateways.medo.lists import Version
from docflow.gateways.medo.markup import Markup
from docflow.gateways.medo.messages import (
    Author,
    Document,
    File,
    Link,
    Message,
    Party,
    Role,
    Signature,
    Signer,
    Stamp,
)  # fmt: skip

C = Markup("c")


def passport(message: Message, version: Version) -> bytes:
    """The passport of a container message; classifier codes only in 2.7.1."""
    document = message.document or Document()
    has_codes = version.passport_version == "2.7.1"
    main = next((file for file in message.files if file.role is Role.DOCUMENT), File(name=""))
    annexes = [file for file in message.files if file.role is Role.ATTACHMENT]
    return C.root(
        "container", version.passport_namespace, version.encoding,
        _requisites(document, has_codes=has_codes),
        C.branch("authors", *map(_author, document.authors)),
        C.branch("addressees", *map(_addressee, document.addressees)),
        C.branch(
            "document",
            C.leaf("pagesQuantity", document.pages),
            C.leaf("enclosurePagesQuantity", document.enclosure_pages),
            localName=main.name,
        ),
        C.branch("attachments", *map(_attachment, annexes, range(len(annexes)))),
        uid=document.uid, version=version.passport_version,
    )  # fmt: skip


def _requisites(document: Document, *, has_codes: bool) -> str:
    codes = lists.load().classifiers

    def coded(tag: str, text: str, code: str, otherwise: str = "") -> str:
        if not has_codes:
            return C.leaf(tag, text)
        return C.leaf(tag, text, id=code or (otherwise if text else ""))

    words = document.classification or (
        codes.names.get(document.classification_id or codes.ordinary, "") if has_codes else ""
    )
    place = coded("documentPlace", document.place, document.place_id) if has_codes else ""
    return C.branch(
        "requisites",
        coded("documentKind", document.kind, document.kind_id, codes.document_kind),
        place,
        coded("classification", words, document.classification_id,
              "" if document.classification else codes.ordinary),
        C.leaf("annotation", document.annotation),
        C.branch("links", *map(_link, document.links)),
    )  # fmt: skip


def _registration(number: str, day_: str, stamp: str) -> str:
    return C.branch("registration", C.leaf("number", number), C.leaf("date", day_), stamp)


def _link(link: Link) -> str:
    reference = link.reference
    return C.branch(
        "link",
        C.branch("organization", C.leaf("title", reference.party.organization)),
        _registration(reference.number, day(reference.date), ""),
        uid=link.uid,
    )


def _organization(party: Party) -> str:
    return C.branch(
        "organization",
        C.leaf("title", party.organization),
        C.leaf("address", party.address),
        C.leaf("phone", party.phone),
        C.leaf("email", party.email),
        id=party.uid,
    )


def _person(tag: str, party: Party | None) -> str:
    if party is None:
        return ""
    return C.branch(
        tag,
        C.leaf("post", party.post),
        C.leaf("name", party.person),
        C.leaf("phone", party.phone),
        C.leaf("email", party.email),
        id=party.person_id,
    )


def _author(author: Author) -> str:
    return C.branch(
        "author",
        _organization(author.organization),
        C.leaf("department", author.organization.department),
        _registration(author.number, day(author.date), _stamp("registrationStamp", author.stamp)),
        *map(_sign, author.signers),
        _person("executor", author.executor),
    )


def _sign(signer: Signer) -> str:
    signatures = [_signature("documentSignature", one, is_of_document=True)
                  for one in signer.signatures]  # fmt: skip
    return C.branch("sign", _person("person", signer.person), *signatures)


def _signature(tag: str, signature: Signature, *, is_of_document: bool) -> str:
    kind = signature.kind or (lists.load().signatures.kinds[0] if is_of_document else "")
    return C.branch(
        tag, _stamp("signatureStamp", signature.stamp), localName=signature.name, type=kind
    )


def _stamp(tag: str, stamp: Stamp | None) -> str:
    if stamp is None:
        return ""
    return C.branch(
        tag,
        C.branch(
            "position",
            C.leaf("page", stamp.page),
            C.branch("topLeft", C.leaf("x", stamp.x), C.leaf("y", stamp.y)),
            C.branch("dimension", C.leaf("w", stamp.width), C.leaf("h", stamp.height)),
        ),
        localName=stamp.name,
    )


def _addressee(party: Party) -> str:
    """The body, and the person in it; phone and e-mail go to the person where there is one."""
    has_person = bool(party.person or party.post)
    phone = "" if has_person else party.phone
    email = "" if has_person else party.email
    return C.branch(
        "addressee",
        C.branch(
            "organization",
            C.leaf("title", party.organization),
            C.leaf("address", party.address),
            C.leaf("phone", phone),
            C.leaf("email", email),
            id=party.uid,
        ),
        C.leaf("department", party.department),
        _person("person", party) if has_person else "",
    )


def _attachment(file: File, place: int) -> str:
    return C.branch(
        "attachment",
        C.leaf("order", place if file.order is None else file.order),
        C.leaf("description", file.description),
        *(_signature("signature", one, is_of_document=False) for one in file.signatures),
        localName=file.name,
    )
