"""One message in the many spellings of other systems: the same sense in other bytes.

Each variant changes a good folder; reading it must give the same facts, at most with a warning.
"""

import re
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from tests import medo_folders as made

Change = Callable[[Path], None]


def _texts(folder: Path, change: Callable[[str], str], *, encoding: str = "") -> None:
    """Every XML of the folder, the passport in its zip included, as text in its own encoding."""

    def changed(data: bytes) -> bytes:
        own = re.search(rb'encoding="([^"]+)"', data)
        named = own.group(1).decode() if own else "utf-8"
        return change(data.decode(named)).encode(encoding or named, "xmlcharrefreplace")

    for path in folder.glob("*.xml"):
        path.write_bytes(changed(path.read_bytes()))
    for path in folder.glob("*.zip"):
        with zipfile.ZipFile(path) as archive:
            members = {name: archive.read(name) for name in archive.namelist()}
        path.write_bytes(
            made.packed(
                {name: changed(data) if name.endswith(".xml") else data
                 for name, data in members.items()}
            )
        )  # fmt: skip


def xml(change: Callable[[str], str], *, encoding: str = "") -> Change:
    """A change of every XML text."""
    return lambda folder: _texts(folder, change, encoding=encoding)


def declared(words: str, encoding: str = "") -> Change:
    """Another declaration; the bytes are in `encoding`, or as they were."""
    return xml(lambda text: re.sub(r"<\?xml[^>]*\?>", words, text, count=1), encoding=encoding)


def ini(change: Callable[[str], str], *, encoding: str = "windows-1251") -> Change:
    """A change of the envelope."""

    def apply(folder: Path) -> None:
        path = next(one for one in folder.iterdir() if one.suffix in (".ini", ".ltr"))
        text = path.read_bytes().decode("windows-1251")
        new = change(text)
        path.write_bytes(new.encode(encoding))

    return apply


def _prefix(new: str) -> Callable[[str], str]:
    def change(text: str) -> str:
        for old in ("xdms", "c"):
            text = re.sub(rf"(</?|\s|xmlns:){old}(?=[:=])", rf"\g<1>{new}", text)
        return text

    return change


def _default_namespace(text: str) -> str:
    """No prefix anywhere: attributes then belong to no namespace at all."""
    text = re.sub(r"xmlns:(xdms|c)=", "xmlns=", text)
    return re.sub(r"(</?|\s)(xdms|c):", r"\1", text)


def _default_for_elements(text: str) -> str:
    """Elements in the default namespace, attributes qualified: both declared on the root."""
    text = re.sub(r"xmlns:(xdms|c)=(\"[^\"]+\")", r"xmlns=\2 xmlns:\1=\2", text)
    return re.sub(r"(</?)(xdms|c):", r"\1", text)


def _declared_again(text: str) -> str:
    """Some writers declare the namespace on every element."""
    space = re.search(r'xmlns:(xdms|c)="[^"]+"', text)
    if space is None:
        return text
    words = space.group(0)
    return re.sub(r"<((?:xdms|c):(?!communication|container)\w+)", rf"<\1 {words}", text)


def _reversed_children(text: str) -> str:
    """Children in the opposite order, all the way down; facts that repeat keep theirs."""
    from lxml import etree

    root = etree.fromstring(text.encode("utf-8").replace(b'encoding="windows-1251"', b""))
    once = ("header", "document", "num", "reference", "documentAccepted", "documentRefused",
            "requisites", "registration", "position", "author", "container", "communication",
            "sign", "person", "organization", "source", "notification", "acknowledgment",
            "file")  # fmt: skip
    for node in root.iter():
        if etree.QName(node).localname in once:
            node[:] = list(node)[::-1]
    words: str = etree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="windows-1251"?>\n{words}'


def _empty_parts(text: str) -> str:
    """Optional elements that hold nothing: forbidden, and written by half of the world."""
    for holder, parts in (
        ("header", ("operator", "comment")), ("document", ("specialMark", "urgency")),
        ("source", ("comment",)), ("person", ("phone", "email")),
        ("requisites", ("classification",)),
    ):  # fmt: skip
        for prefix in ("xdms", "c"):
            empty = "".join(f"<{prefix}:{part}/>" for part in parts)
            text = text.replace(f"</{prefix}:{holder}>", f"{empty}</{prefix}:{holder}>")
    return text


def _renamed(rename: Callable[[str], str]) -> Change:
    """Files under other names on disk, and the envelope naming them so or as before."""

    def apply(folder: Path) -> None:
        for path in list(folder.iterdir()):
            path.rename(path.with_name(rename(path.name)))

    return apply


def _cyrillic_names(folder: Path) -> None:
    """The description in Cyrillic, named so by the envelope."""
    (old,) = folder.glob("*.xml")
    old.rename(folder / "Описание сообщения.xml")
    ini(lambda text: text.replace(old.name, "Описание сообщения.xml"))(folder)


def _cut(section: str) -> Callable[[str], str]:
    return lambda text: re.sub(rf"\[{section}\][^\[]*", "", text)


def _only_files(text: str) -> str:
    return "[ФАЙЛЫ]" + text.partition("[ФАЙЛЫ]")[2]


VARIANTS: Final[Mapping[str, Change]] = {
    "another prefix": xml(_prefix("ns2")),
    "a prefix in Cyrillic": xml(_prefix("мэдо")),
    "no prefix": xml(_default_namespace),
    "elements without a prefix": xml(_default_for_elements),
    "namespace on every element": xml(_declared_again),
    "mark of utf-8": declared('<?xml version="1.0" encoding="UTF-8"?>', "utf-8-sig"),
    "mark of utf-8 and windows-1251 declared": xml(lambda text: text, encoding="utf-8-sig"),
    "utf-16": declared('<?xml version="1.0" encoding="UTF-16"?>', "utf-16"),
    "utf-16 without a mark": declared('<?xml version="1.0" encoding="UTF-16LE"?>', "utf-16-le"),
    "koi8-r": declared('<?xml version="1.0" encoding="KOI8-R"?>', "koi8-r"),
    "lies: utf-8 declared": declared('<?xml version="1.0" encoding="utf-8"?>', "windows-1251"),
    "lies: windows-1251 declared": xml(lambda text: text, encoding="utf-8"),
    "lies: an encoding nobody knows": declared(
        '<?xml version="1.0" encoding="x-unknown"?>', "utf-8"
    ),
    "lies: an encoding of Latin letters": declared(
        '<?xml version="1.0" encoding="ISO-8859-1"?>', "windows-1251"
    ),
    "no declaration": declared("", "utf-8"),
    "declaration in single quotes": declared("<?xml version='1.0' encoding='windows-1251'?>"),
    "declared cp1251": declared('<?xml version="1.0" encoding="CP1251"?>'),
    "standalone": declared('<?xml version="1.0" encoding="windows-1251" standalone="yes"?>'),
    "blanks before the declaration": xml(lambda text: "\r\n \t" + text),
    "comments and instructions": xml(
        lambda text: text.replace("?>\n", "?>\n<!-- МЭДО -->\n<?xml-stylesheet href='a.xsl'?>\n", 1)
    ),
    "CRLF": xml(lambda text: text.replace("\n", "\r\n")),
    "one line": xml(lambda text: re.sub(r">\s+<", "><", text)),
    "indented": xml(lambda text: re.sub(r">\s*<", ">\n\t<", text)),
    "children in another order": xml(_reversed_children),
    "empty elements": xml(_empty_parts),
    "something behind the end": xml(lambda text: text + "\n\x00\x00\x00"),
    "names in capitals on disk": _renamed(str.upper),
    "the description in Cyrillic": _cyrillic_names,
    "envelope in utf-8 with a mark": ini(lambda text: text, encoding="utf-8-sig"),
    "envelope with LF": ini(lambda text: text.replace("\r\n", "\n")),
    "envelope with blanks": ini(lambda text: text.replace("=", " = ")),
    "envelope numbered from one": ini(lambda text: re.sub(
        r"(?m)^(\d+)=", lambda found: f"{int(found.group(1)) + 1}=", text)),
    "envelope with quoted names": ini(lambda text: re.sub(
        r"(?m)^(\d+)=(.+?)(\r?)$", r'\1="\2"\3', text)),
    "envelope in small letters": ini(str.lower),
    "envelope with remarks": ini(lambda text: "; письмо\r\n" + text),
    "envelope without its first section": ini(_cut("ПИСЬМО КП ПС СЗИ")),
    "envelope without addresses": ini(_cut("АДРЕСАТЫ")),
    "envelope with files alone": ini(_only_files),
    "envelope without files": ini(lambda text: text.partition("[ФАЙЛЫ]")[0]),
    "envelope with paths": ini(lambda text: re.sub(r"(?m)^(\d+)=(.+\.\w+)", r"\1=.\\\2", text)),
}  # fmt: skip
