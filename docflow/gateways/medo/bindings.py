"""Are the detached signatures of a message over the very bytes it brings; nothing of trust."""

from collections.abc import Iterator
from pathlib import Path

from docflow.gateways.medo import contents
from docflow.gateways.medo.findings import finding
from docflow.gateways.medo.messages import Container, Document, File, Finding, Kind, Message, Role
from docflow.gateways.medo.reading import read_folder
from signatures.validation import validate_detached

_MOST = 256 << 20


def mismatches(path: Path | str) -> list[Finding]:
    """Signatures of one message folder that bind other bytes, or none at all; run it apart.

    A signature stands over the exact bytes of its file; the container's over the passport and then
    all other files in the byte order of their names, itself left out (medo.md section 4.1).
    """
    message = read_folder(path)
    if message.errors:
        return []
    return [
        fault
        for signature, signed, data in _pairs(str(path), message)
        if (fault := _fault(str(path), message, signature, signed, data)) is not None
    ]


def _pairs(path: str, message: Message) -> Iterator[tuple[File, str, bytes]]:
    """Each signature with the name and bytes of what it should bind."""
    files = {file.name: file for file in message.files}
    document = message.document or Document()
    main = next((file for file in message.files if file.role is Role.DOCUMENT), None)
    if main is not None:
        names = [one.name for author in document.authors for signer in author.signers
                 for one in signer.signatures]  # fmt: skip
        data = _content(path, message, main)
        yield from ((files[name], main.name, data) for name in names if name in files)
    for file in message.files:
        for one in file.signatures:
            if one.name in files:
                yield files[one.name], file.name, _content(path, message, file)
    whole = next((one for one in message.files if one.role is Role.CONTAINER_SIGNATURE), None)
    if whole is not None and whole.size is not None:
        yield whole, (message.container or Container()).body, _everything(path, message)


def _everything(path: str, message: Message) -> bytes:
    passport = File(name=(message.container or Container()).passport)
    others = [file for file in message.files
              if file.role is not Role.CONTAINER_SIGNATURE and file.size is not None]  # fmt: skip
    others.sort(key=lambda file: (file.stored_as or file.name).encode())
    return b"".join(_content(path, message, file) for file in (passport, *others))


def _content(path: str, message: Message, file: File) -> bytes:
    body = ""
    if message.kind is Kind.CONTAINER and message.container is not None:
        body = message.container.body
    name = file.stored_as or file.name
    return contents.read_piece(path, name, body=body, most=_MOST)


def _fault(path: str, message: Message, signature: File, name: str, data: bytes) -> Finding | None:
    if signature.size is None:
        return None
    report = validate_detached(_content(path, message, signature), data=data)
    if not report.signatures:
        problem = ", ".join(report.file_reasons)
        return finding("signature_unreadable", signature.name, problem=problem)
    if all(one.intact and one.valid for one in report.signatures):
        return None
    unknown = [code for one in report.signatures for code in one.reasons
               if code == "unsupported_algorithm"]  # fmt: skip
    if unknown:
        return finding("signature_unreadable", signature.name, problem=unknown[0])
    return finding("signature_mismatch", signature.name, name=name)
