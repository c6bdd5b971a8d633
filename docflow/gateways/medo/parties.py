"""Organizations, people, references and stamps out of the XML of any version."""

import dataclasses

from core.sandbox.trees import Node
from docflow.gateways.medo import values
from docflow.gateways.medo.findings import Notes
from docflow.gateways.medo.messages import Party, Reference, Signature, Stamp

_ANYONE = ("region", "organization", "department", "post", "person", "contactInfo", "comment")
_BODY = ("title", "region", "department", "address", "phone", "email")
_PERSON = ("name", "department", "post", "phone", "email")


def anyone(node: Node, notes: Notes, where: str) -> Party:
    """A party of the 2.x schema (type anyone), and of headers and indexes in every version."""
    words = values.texts(node, _ANYONE, notes, where)
    uid = values.guid(node.get("uid") or node.get("id"), notes, where)
    return Party(uid=uid, contact=words.pop("contactInfo"), **words)


def organization(node: Node | None, notes: Notes, where: str) -> Party:
    """An organization of a passport: a title inside, or the bare words of older senders."""
    if node is None:
        return Party()
    words = values.texts(node, _BODY, notes, where)
    uid = values.guid(node.get("id") or node.get("uid"), notes, where)
    return Party(organization=words.pop("title") or node.text, uid=uid, **words)


def person(node: Node | None, notes: Notes, where: str) -> Party:
    """A person of a passport."""
    if node is None:
        return Party()
    words = values.texts(node, _PERSON, notes, where)
    return Party(person=words.pop("name") or node.text, person_id=node.get("id"), **words)


def addressee(node: Node, notes: Notes, where: str) -> Party:
    """An addressee of a passport: one body, maybe a person in it, as one party."""
    body = organization(node.first("organization"), notes, f"{where}/organization")
    who = person(node.first("person"), notes, f"{where}/person")
    return Party(
        uid=body.uid, organization=body.organization, region=body.region, address=body.address,
        department=values.text(node, "department", notes, where) or who.department
        or body.department,
        post=who.post, person=who.person, person_id=who.person_id,
        phone=who.phone or body.phone, email=who.email or body.email,
    )  # fmt: skip


def reference(node: Node, notes: Notes, where: str) -> Reference:
    """A party with its number and date (foundation, correspondent, report …)."""
    num = node.first("num")
    return Reference(
        party=anyone(node, notes, where),
        number=values.value(num, "number"),
        date=values.day(values.value(num, "date"), notes, f"{where}/num/date"),
    )


def stamp(node: Node | None, notes: Notes, where: str) -> Stamp | None:
    """A stamp's picture and where it goes."""
    name = values.value(node, "localName")
    if node is None or not name:
        return None
    place = node.first("position")
    corner = place.first("topLeft") if place else None
    size = place.first("dimension") if place else None

    def number(at: Node | None, *names: str) -> int | None:
        return values.whole(values.value(at, *names), notes, f"{where}/position/{names[0]}")

    return Stamp(
        name=name, page=number(place, "page"), x=number(corner, "x"), y=number(corner, "y"),
        width=number(size, "w", "width"), height=number(size, "h", "height"),
    )  # fmt: skip


def signature(node: Node, notes: Notes, where: str) -> Signature | None:
    """A detached signature's file and its stamp."""
    name = values.value(node, "localName")
    if not name:
        notes.warn("missing_part", f"{where}/localName")
        return None
    mark = stamp(node.first("signatureStamp"), notes, f"{where}/signatureStamp")
    return Signature(name=name, kind=node.get("type"), stamp=mark)


def replaced(party: Party, **parts: str) -> Party:
    """The party with these parts changed."""
    return dataclasses.replace(party, **parts)
