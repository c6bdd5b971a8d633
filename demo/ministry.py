"""A ministry that is none: it stands at the other end of the МЭДО transport's folders.

It takes what we put into the outgoing folder and puts its own messages into the incoming one, as
the transport would: receipts, numbers, refusals, executors, reports, answers, letters. Everything
is a real folder with real GOST signatures; its certificates come from an authority made for a test.
"""

import shutil
import uuid
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from core import clock
from demo.gost import GostAuthority, Signer
from docflow.gateways.medo import messages as wire
from docflow.gateways.medo.messages import Event, Kind, Message, Party
from docflow.gateways.medo.reading import read_folder
from docflow.gateways.medo.writing import write_folder

EVENTS = {
    Event.ACCEPTED: "Зарегистрирован",
    Event.REFUSED: "Отказано в регистрации",
    Event.EXECUTOR: "Назначен исполнитель",
    Event.REPORT_PREPARED: "Доклад подготовлен",
    Event.REPORT_SENT: "Доклад направлен",
    Event.COURSE: "Исполнение",
    Event.PUBLISHED: "Опубликование",
}
MINISTER = Party(person="Министров Министр Министрович", post="Министр")


@dataclass(frozen=True)
class Ministry:
    """One body with its participant's uid, its transport address and its key."""

    uid: uuid.UUID
    name: str
    address: str
    us: Party
    """Whom it writes to: our uid and name."""
    folder: Path
    """The transport's: `in` is where we receive, `out` where we send from."""
    authority: GostAuthority
    signer: Signer
    version: str = "2.7.1"

    @property
    def inbox(self) -> Path:
        """Where the service looks for what came."""
        return self.folder / "in"

    @property
    def outbox(self) -> Path:
        """Where the service puts what is to go."""
        return self.folder / "out"

    def sign(self, content: bytes) -> bytes:
        """A detached CAdES-BES by GOST R 34.10-2012."""
        return self.authority.sign_detached(content, self.signer)

    def collected(self, kind: Kind | None = None) -> list[Message]:
        """What waits to go to it, oldest first; taken away, as the transport does.

        A message that cannot be read is a defect of ours: ValueError.
        """
        found = []
        for folder in sorted(self.outbox.iterdir(), key=lambda one: one.stat().st_mtime_ns):
            message = read_folder(folder)
            if not message.is_readable:
                raise ValueError(f"the service sent what nobody can read: {message.errors}")
            if kind is None or message.kind is kind:
                found.append(message)
                shutil.rmtree(folder)
        return found

    def put(
        self, message: Message, sources: dict[str, bytes] | None = None, name: str = ""
    ) -> Path:
        """Let the transport put a message into our incoming folder."""
        folder = self.inbox / (name or message.header_uid or str(uuid.uuid4()))
        write_folder(message, folder, sources=sources or {}, scratch=self.folder)
        return folder

    def said(self, kind: Kind, **more: Any) -> Message:
        """A message of its to us, of the kind."""
        facts: dict[str, Any] = {
            "version": self.version, "header_uid": str(uuid.uuid4()),
            "source": Party(uid=str(self.uid), organization=self.name),
            "destinations": (self.us,),
            "envelope": wire.Envelope(addresses=(self.address,), name="envelope.ltr"),
        }  # fmt: skip
        return Message(kind=kind, **(facts | more))

    def receipt(
        self, uid: str, *, accepted: bool = True, comment: str = "", **more: Any
    ) -> Message:
        """The transport's answer to the message `uid`."""
        told = wire.Receipt(uid=uid, time=clock.now(), is_accepted=accepted, comment=comment)
        return self.said(Kind.RECEIPT, receipt=told, **more)

    def notification(
        self, uid: str, event: Event, *, message: dict[str, Any] | None = None, **more: Any
    ) -> Message:
        """The office's answer; `message` changes the message around it."""
        facts: dict[str, Any] = {"type": EVENTS[event], "uid": uid, "time": clock.now()}
        told = wire.Notification(event=event, **(facts | more))
        return self.said(Kind.NOTIFICATION, notification=told, **(message or {}))

    def letter(
        self,
        pdf: bytes,
        *,
        number: str = "14-2/В-100",
        signature: bytes | None = None,
        links: tuple[wire.Link, ...] = (),
        day: date | None = None,
        document: dict[str, Any] | None = None,
        **more: Any,
    ) -> tuple[Message, dict[str, bytes]]:
        """A letter of its as a container with its sources, signed unless a signature is given."""
        mark = wire.Signature(name="sign.p7s", kind="Утверждающая")
        author = wire.Author(
            organization=Party(uid=str(self.uid), organization=self.name), number=number,
            date=day or clock.today(),
            signers=(wire.Signer(person=MINISTER, signed=clock.today(), signatures=(mark,)),),
        )  # fmt: skip
        facts: dict[str, Any] = {
            "uid": str(uuid.uuid4()), "number": number, "date": day or clock.today(),
            "kind": "Письмо", "annotation": "Ответ на ваше письмо", "pages": 1,
            "authors": (author,), "links": links,
            "addressees": (Party(uid=self.us.uid, organization=self.us.organization,
                                 person="Председателю"),),
        }  # fmt: skip
        made = self.said(
            Kind.CONTAINER, document=wire.Document(**(facts | (document or {}))),
            container=wire.Container(),
            files=(
                wire.File(name="document.pdf", role=wire.Role.DOCUMENT, pages=1),
                wire.File(name="sign.p7s", role=wire.Role.SIGNATURE),
            ),
            **more,
        )  # fmt: skip
        signed = self.sign(pdf) if signature is None else signature
        return made, {"document.pdf": pdf, "sign.p7s": signed}

    def registers(self, letter: Message, *, number: str, on: date | None = None) -> None:
        """Receipt, then its number and date."""
        self.put(self.receipt(letter.header_uid))
        self.put(
            self.notification(
                letter.header_uid, Event.ACCEPTED, number=number, date=on or clock.today(),
                foundation=self._ours(letter),
            )
        )  # fmt: skip

    def refuses(self, letter: Message, *, reason: str, comment: str = "") -> None:
        """Receipt, then a refusal with its reason."""
        self.put(self.receipt(letter.header_uid))
        self.put(
            self.notification(letter.header_uid, Event.REFUSED, reason=reason, comment=comment)
        )

    def assigns(self, letter: Message, *, executor: str) -> None:
        """An official who is to answer."""
        self.put(
            self.notification(
                letter.header_uid, Event.EXECUTOR,
                executor=Party(person=executor, organization=self.name),
                manager=Party(person="Руководителев Р. Р.", organization=self.name),
                secretary=Party(person="Секретарева С. С.", organization=self.name),
            )
        )  # fmt: skip

    def reports(self, letter: Message, *, number: str) -> None:
        """A report prepared, then sent."""
        self.put(
            self.notification(letter.header_uid, Event.REPORT_PREPARED,
                              signatory=Party(person=MINISTER.person, organization=self.name))
        )  # fmt: skip
        report = wire.Reference(
            party=Party(organization=self.name), number=number, date=clock.today()
        )
        self.put(self.notification(letter.header_uid, Event.REPORT_SENT, report=report))

    def answers(self, letter: Message, pdf: bytes, *, number: str) -> Message:
        """A letter in answer, tied to ours by its uid, number and date."""
        document = letter.document or wire.Document()
        link = wire.Link(kind="В ответ на", uid=document.uid, reference=self._ours(letter))
        made, sources = self.letter(pdf, number=number, links=(link,))
        self.put(made, sources)
        return made

    def _ours(self, letter: Message) -> wire.Reference:
        document = letter.document or wire.Document()
        return wire.Reference(
            party=Party(organization=self.us.organization), number=document.number,
            date=document.date,
        )  # fmt: skip
