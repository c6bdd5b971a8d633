"""What each paper needs to be told; texts are shown as they are, never as markup."""

from dataclasses import dataclass
from typing import Literal

from core.papers.answer_forms import AnswerSheets, CallList
from core.papers.dossier_form import PictureDossier
from core.papers.evidence_form import EvidenceRegister
from core.papers.records_forms import CaseInventory, CasePlan, DestructionAct


@dataclass(frozen=True, kw_only=True, slots=True)
class Letter:
    """A letter on the organization's form (письмо на бланке, ГОСТ Р 7.0.97-2016)."""

    organization: str
    title: str
    """What the letter is about: «О проведении …»."""
    body: tuple[str, ...]
    """Paragraphs."""
    addressee: tuple[str, ...]
    """Lines: post, organization, name."""
    signer_post: str
    signer_name: str
    parent: str = ""
    """The organization above, in small letters over the name."""
    address: tuple[str, ...] = ()
    date: str = ""
    """Dates and numbers are text; an empty one leaves a line to be filled in."""
    number: str = ""
    reply_to_number: str = ""
    reply_to_date: str = ""
    salutation: str = ""
    annexes: tuple[str, ...] = ()
    executor: str = ""
    executor_phone: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Labelled:
    """A line such as «Председатель: Иванов И. И.»."""

    label: str
    value: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Signer:
    """Post and name under a paper."""

    post: str
    name: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Decision:
    """One item: what was heard, what was decided, how the vote went."""

    subject: str
    decided: tuple[str, ...]
    heard: tuple[str, ...] = ()
    vote: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Minutes:
    """Minutes or a resolution of an elected body (протокол, постановление)."""

    organization: str
    body_name: str
    """The elected body: «Президиум», «Профсоюзный комитет»."""
    kind: str
    """The word at the head: «Протокол», «Постановление»."""
    date: str
    number: str
    signers: tuple[Signer, ...]
    decisions: tuple[Decision, ...]
    parent: str = ""
    place: str = ""
    title: str = ""
    attendance: tuple[Labelled, ...] = ()
    preamble: tuple[str, ...] = ()
    agenda: tuple[str, ...] = ()
    decided_word: str = "Постановили"


@dataclass(frozen=True, kw_only=True, slots=True)
class Total:
    """How many recipients are in a state."""

    label: str
    count: int


@dataclass(frozen=True, kw_only=True, slots=True)
class ControlRow:
    """One final recipient."""

    recipient: str
    state: str
    at: str = ""
    person: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class ControlList:
    """Who got the document and in what state it is with each (контрольный список)."""

    organization: str
    document_number: str
    document_title: str
    made_at: str
    total: int
    totals: tuple[Total, ...]
    rows: tuple[ControlRow, ...]
    document_date: str = ""


Paper = (
    Letter | Minutes | ControlList | PictureDossier | EvidenceRegister | AnswerSheets | CallList
    | CasePlan | CaseInventory | DestructionAct
)  # fmt: skip
TemplateName = Literal[
    "letter", "minutes", "control_list", "picture_dossier", "evidence_register", "answer_sheets",
    "call_list", "case_plan", "case_inventory", "destruction_act",
]  # fmt: skip
FORMS: dict[str, type[Paper]] = {
    "letter": Letter,
    "minutes": Minutes,
    "control_list": ControlList,
    "picture_dossier": PictureDossier,
    "evidence_register": EvidenceRegister,
    "answer_sheets": AnswerSheets,
    "call_list": CallList,
    "case_plan": CasePlan,
    "case_inventory": CaseInventory,
    "destruction_act": DestructionAct,
}
"""Template (``templates/<name>.typ``) and what it needs; a new paper is one file and one line."""
