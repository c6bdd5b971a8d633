"""Names of states, kinds and events as people read them; the messages are translated when shown."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from core import db
from directory.states import DISTRICTS, KIND_NAMES, POST_NAMES, OrganizationKind, PostKind
from docflow.documents.checking import Check
from docflow.documents.kinds import DOCUMENT_KINDS
from docflow.documents.links import KINDS as LINK_KINDS
from docflow.routing.medo.checks import REASONS as STOPS
from docflow.routing.ways import REASONS
from evidence.packages.states import KIND_NAMES as EXPORT_KINDS
from evidence.packages.states import ExportKind
from web.translation import N_, gettext, spoken

DOCUMENT_STATUS: Mapping[str, str] = {
    "draft": N_("Draft"),
    "signing": N_("Awaiting signature"),
    "signed": N_("Signed"),
    "registered": N_("Registered"),
    "sent": N_("Sent"),
    "closed": N_("Filed"),
    "recalled": N_("Recalled"),
    "discarded": N_("Discarded"),
    "destroyed": N_("Destroyed by an act"),
}
DELIVERY_STATUS: Mapping[str, str] = {
    "awaiting_relay": N_("Waits for the chancery above"),
    "queued": N_("In the queue"),
    "delivered": N_("Delivered"),
    "opened": N_("Opened"),
    "acknowledged": N_("Acknowledged"),
    "executed": N_("Executed"),
    "refused": N_("Refused"),
    "failed": N_("Not delivered"),
    "recalled": N_("Withdrawn"),
    "void": N_("Recipient ceased"),
}
DELIVERY_TONE: Mapping[str, str] = {
    "awaiting_relay": "wait", "queued": "wait", "delivered": "new", "opened": "seen",
    "acknowledged": "good", "executed": "best", "refused": "bad", "failed": "bad",
    "recalled": "gone", "void": "gone",
}  # fmt: skip
BAR_ORDER = (
    "executed", "acknowledged", "opened", "delivered", "queued", "awaiting_relay", "refused",
    "failed", "recalled", "void",
)  # fmt: skip
"""How states stand in a bar of progress, from the best on."""
DOCUMENT_TONE: Mapping[str, str] = {
    "draft": "wait", "signing": "new", "signed": "seen", "registered": "good", "sent": "best",
    "closed": "gone", "recalled": "bad", "discarded": "gone", "destroyed": "gone",
}  # fmt: skip
BOXES: Mapping[str, str] = {
    "day": N_("Today"),
    "new": N_("New"),
    "open": N_("Opened, not answered"),
    "due": N_("With a deadline"),
    "done": N_("Done"),
    "all": N_("All"),
}
CHANNELS: Mapping[str, str] = {
    "internal": N_("in this system"),
    "email": N_("e-mail"),
    "node": N_("another installation"),
    "medo": N_("MEDO"),
    "voice": N_("telephone"),
    "paper": N_("paper"),
    "offline": N_("a package on a stick"),
    "nobody": N_("nothing leads there"),
}
WAY_TONE: Mapping[str, str] = {
    "internal": "good", "node": "best", "medo": "new", "email": "seen", "offline": "new",
    "voice": "wait", "paper": "gone", "nobody": "bad",
}  # fmt: skip
WAYS: tuple[str, ...] = tuple(WAY_TONE)
"""How channels stand in a bar, from the quickest on."""
MESSAGE_STATUS: Mapping[str, str] = {
    "waiting": N_("Waits for its turn"),
    "sending": N_("Is being sent"),
    "sent": N_("Awaits the receipt"),
    "done": N_("Has its answer"),
    "failed": N_("Waits for a person"),
    "void": N_("Not needed any more"),
}
PROLONGATION_STATUS: Mapping[str, str] = {
    "pending": N_("Not decided yet"),
    "granted": N_("Prolonged"),
    "refused": N_("Prolongation refused"),
    "withdrawn": N_("Withdrawn"),
    "lapsed": N_("Not decided in time"),
}
FIELDS: Mapping[str, str] = {
    "title": N_("Subject"),
    "addressee": N_("Addressee"),
    "due_on": N_("Answer by"),
    "executor_id": N_("Executor"),
    "file_index": N_("File index"),
    "body": N_("Body that decided"),
    "meeting_date": N_("Date of the meeting"),
    "present": N_("Members present"),
    "total": N_("Members in all"),
    "item": N_("Item of the agenda"),
    "period": N_("Period"),
    "medo_kind": N_("Kind, as the sender calls it"),
    "medo_signatories": N_("Signed by"),
    "medo_executor": N_("The sender's executor"),
    "medo_uid": N_("Identifier in MEDO"),
}
FIELD_TYPES: Mapping[str, str] = {"meeting_date": "date", "present": "number", "total": "number"}
LEVELS: tuple[str, ...] = (
    "center", "district", "territorial", "union", "regional", "local", "council", "primary",
    "outside",
)  # fmt: skip
BELOW: Mapping[str, str] = {
    "center": "union", "union": "regional", "regional": "local", "local": "primary",
    "territorial": "council",
}  # fmt: skip
"""Which level most often stands directly below."""
FILE_ROLES: Mapping[str, str] = {
    "main": N_("Main file"),
    "annex": N_("Annex"),
    "scan": N_("Scan"),
}
ROLES: Mapping[str, str] = {
    "clerk": N_("clerk"),
    "signatory": N_("signatory"),
    "editor": N_("editor"),
    "lawyer": N_("lawyer"),
    "administrator": N_("administrator"),
}
SIGNATURE_ROLES: Mapping[str, str] = {
    "approving": N_("approving signature"),
    "certifying": N_("certifying signature"),
    "endorsing": N_("endorsement"),
    "sealing": N_("seal of the organization"),
}
VERDICTS: Mapping[str, str] = {
    "valid": N_("The signature is good"),
    "invalid": N_("The signature does not hold"),
    "indeterminate": N_("It cannot be said for certain"),
}
PACKAGES: Mapping[str, str] = {
    "whole": N_("The evidence package is whole and true"),
    "broken": N_("The evidence package is broken or was changed"),
    "unclear": N_("Not everything in the evidence package could be checked"),
}
PACKAGE_TONE: Mapping[str, str] = {"whole": "good", "broken": "bad", "unclear": "wait"}
VERDICT_TONE: Mapping[str, str] = {"valid": "good", "invalid": "bad", "indeterminate": "wait"}
MESSAGE_TONE: Mapping[str, str] = {"good": "done", "bad": "problem", "wait": "warn"}
STEP_STATUS: Mapping[str, str] = {
    "waiting": N_("its turn has not come"),
    "due": N_("may sign now"),
    "signed": N_("has signed"),
    "skipped": N_("not needed any more"),
}
STEP_TONE: Mapping[str, str] = {
    "waiting": "gone",
    "due": "new",
    "signed": "good",
    "skipped": "gone",
}
EVENTS: Mapping[str, str] = {
    "document.created": N_("Draft created"),
    "document.corrected": N_("Card corrected"),
    "document.file_added": N_("File added"),
    "document.submitted": N_("Sent for signature"),
    "document.declined": N_("Returned without a signature"),
    "document.signature_added": N_("Signature added"),
    "document.signed": N_("Signed"),
    "document.registered": N_("Registered"),
    "document.registered_incoming": N_("Registered as incoming"),
    "document.linked": N_("Linked to another document"),
    "document.sent": N_("Sent to the recipients"),
    "document.sent_again": N_("Sent to further recipients"),
    "document.recalled": N_("Recalled by the sender"),
    "document.closed": N_("Filed"),
    "document.filed": N_("Filed in a case"),
    "document.refiled": N_("Moved to another case"),
    "document.destroyed": N_("Destroyed by an act"),
    "document.discarded": N_("Draft given up"),
    "document.read": N_("Read"),
    "delivery.passed_on": N_("Passed on to the organizations below"),
    "document.reminded": N_("The silent were reminded"),
    "delivery.question": N_("A recipient asked"),
    "delivery.question_answered": N_("The question was answered"),
    "signing.begun": N_("Signing begun"),
    "signing.finished": N_("Signing finished"),
    "signing.expired": N_("Signing session ran out"),
    "signing.cancelled": N_("Signing given up"),
    "signing.awaited": N_("A signature is due"),
    "signing.step_signed": N_("Signed in turn"),
    "signing.step_reset": N_("The signature has to be given anew"),
    "signing.step_skipped": N_("Signed without this signature"),
    "document.signers_set": N_("Signing order set"),
    "file.quarantined": N_("A file was refused and put into quarantine"),
    "medo.sent": N_("Handed to MEDO"),
    "medo.blocked": N_("MEDO: stopped"),
    "medo.queued_again": N_("MEDO: to be sent once more"),
    "medo.cancelled": N_("MEDO: recalled before it went"),
    "medo.delivered": N_("MEDO: a receipt of delivery has come"),
    "medo.failed": N_("MEDO: not delivered"),
    "medo.receipt_late": N_("MEDO: a receipt of failure came late"),
    "medo.undelivered": N_("MEDO: no receipt in time"),
    "medo.registered": N_("Registered by the addressee"),
    "medo.registered_again": N_("Registered by the addressee once more"),
    "medo.refused": N_("Refused by the addressee"),
    "medo.refused_late": N_("A refusal came after another answer"),
    "medo.executor_assigned": N_("The addressee has named an executor"),
    "medo.report_prepared": N_("The addressee has prepared a report"),
    "medo.report_sent": N_("The addressee has sent a report"),
    "medo.course_changed": N_("The addressee tells of its work"),
    "medo.published": N_("Published by the addressee"),
    "medo.answered": N_("The addressee has answered"),
    "medo.answered_again": N_("The addressee has answered once more"),
    "medo.number_entered": N_("The addressee's number was entered by hand"),
    "medo.term_extended": N_("The addressee prolonged its term"),
    "medo.received": N_("Received by MEDO"),
    "medo.released": N_("Taken out of quarantine"),
    "medo.receipt_sent": N_("Receipt sent by MEDO"),
    "medo.notification_sent": N_("The sender was told by MEDO"),
    "document.entered_outside": N_("Entered as it came from outside"),
    "appeal.started": N_("The term of the appeal runs"),
    "appeal.extended": N_("The term of the appeal was prolonged"),
    "appeal.portal_number": N_("The portal's number was entered"),
    "appeal.answered": N_("The appeal was answered"),
    "appeal.packaged": N_("Package for the state portal made"),
}
EXPORTS: Mapping[str, str] = {
    "queued": N_("Waits its turn"),
    "packing": N_("Is being made"),
    "ready": N_("Ready"),
    "failed": N_("Failed"),
    "expired": N_("Not kept any more"),
}
EXPORT_TONE: Mapping[str, str] = {
    "queued": "wait", "packing": "new", "ready": "good", "failed": "bad", "expired": "gone",
}  # fmt: skip
REQUEST_STATUS: Mapping[str, str] = {
    "open": N_("Waits for the answer"), "answered": N_("Answered"), "refused": N_("Refused"),
}  # fmt: skip
REQUEST_TONE: Mapping[str, str] = {"open": "new", "answered": "good", "refused": "bad"}
ERASURE_STATUS: Mapping[str, str] = {
    "proposed": N_("Waits for the commission"), "approved": N_("Approved"),
    "executing": N_("Is being carried out"), "done": N_("Carried out"), "cancelled": N_("Given up"),
}  # fmt: skip
ERASURE_TONE: Mapping[str, str] = {
    "proposed": "wait", "approved": "new", "executing": "new", "done": "good", "cancelled": "gone",
}  # fmt: skip
ERASURE_STOPS: Mapping[str, str] = {
    "legal_hold": N_("A legal hold stands against it."),
    "erasure_incomplete": N_("New documents name the person: give the act up and draw up another."),
}
ERASURE_STEPS: Mapping[str, str] = {
    "exports": N_("Packages let go"), "documents": N_("Documents and files"),
    "directory": N_("Cards of the directory"), "details": N_("Details of events"),
}  # fmt: skip
HELD: Mapping[str, str] = {
    "document": N_("Document"), "person": N_("Person"), "organization": N_("Organization"),
}  # fmt: skip
STUCK: Mapping[str, str] = {
    "failed": N_("Failed"),
    "retrying": N_("Will be tried again"),
    "worker_died": N_("The worker died"),
    "runs_long": N_("Runs unusually long"),
    "not_begun": N_("Not begun in time"),
}


def _tongue() -> int:
    return 0 if spoken() == "ru" else 1


def stop(code: str) -> str:
    """What stopped a message and what to do, or the other side's own words as they came."""
    return STOPS[code][_tongue()] if code in STOPS else code


def said(table: Mapping[str, str], key: str) -> str:
    """The word for `key` in the reader's language; the key itself where there is none."""
    return gettext(table[key]) if key in table else key


def kind(code: str) -> str:
    """The kind of a document."""
    found = DOCUMENT_KINDS.get(code)
    return code if found is None else (found.ru, found.en)[_tongue()]


def export_kind(code: str) -> str:
    """What an evidence package is about, with a capital."""
    name = EXPORT_KINDS[ExportKind(code)][_tongue()]
    return name[:1].upper() + name[1:]


def level(code: str) -> str:
    """The kind of an organization, with a capital."""
    try:
        name = KIND_NAMES[OrganizationKind(code)][_tongue()]
    except ValueError:
        return code
    return name[:1].upper() + name[1:]


def signer(step: db.Row) -> str:
    """Whose signature a step of the signing order awaits."""
    if step["person_id"] is not None:
        names = (step["last_name"], step["first_name"], step["middle_name"])
        return " ".join(part for part in names if part)
    if step["post"] is None:
        return gettext("any signatory of the organization")
    return post(step["post"])


def district(code: str) -> str:
    """A federal district."""
    return DISTRICTS[code][_tongue()]


def post(kind: str) -> str:
    """The name of a post, as the beginning of a line."""
    name = POST_NAMES[PostKind(kind)][_tongue()]
    return name[:1].upper() + name[1:]


def posts() -> list[tuple[str, str]]:
    """The posts of a person, for choosing."""
    return [(kind.value, names[_tongue()]) for kind, names in POST_NAMES.items()]


def districts() -> tuple[str, ...]:
    """The codes of the federal districts."""
    return tuple(DISTRICTS)


def link(code: str) -> str:
    """How two documents belong together."""
    return LINK_KINDS[code][_tongue()] if code in LINK_KINDS else code


def hindrances(found: Iterable[Mapping[str, str | None]]) -> str:
    """Which channels of an organization cannot be used, and why."""
    return "; ".join(
        f"{said(CHANNELS, str(one['channel']))}: {REASONS[str(one['reason'])][_tongue()]}"
        for one in found if one["reason"]
    )  # fmt: skip


def verdict(signature: db.Row) -> tuple[str, str]:
    """Tone and sentence on a signature: does it hold, and if not, why."""
    tongue = ("ru", "en")[_tongue()]
    reasons = " ".join(_sentence(one, tongue) for one in signature["report"].get("reasons", ()))
    if signature["verdict"] == "valid":
        return "good", gettext("The signature holds: the document has not changed since.")
    if signature["verdict"] == "invalid":
        return "bad", f"{gettext('The signature does not hold.')} {reasons}".strip()
    return "wait", f"{gettext('The signature could not be checked to the end.')} {reasons}".strip()


def checked(found: Check) -> list[dict[str, Any]]:
    """The signatures of a file that was just checked, as `verdict` would say them."""
    rows = []
    for one in found.raw.get("signatures", ()):
        tone, sentence = verdict({"verdict": one["verdict"], "report": one})
        proven = (one.get("timestamp") or {}).get("time") or one.get("signing_time")
        rows.append({
            "signer": one["signer"], "issuer": one.get("issuer"), "tone": tone,
            "sentence": sentence, "signed_at": proven and datetime.fromisoformat(proven),
        })  # fmt: skip
    return rows


def sentences(reasons: Iterable[Mapping[str, Any]]) -> list[str]:
    """Reasons in the reader's language."""
    return [_sentence(one, ("ru", "en")[_tongue()]) for one in reasons]


def qualified(signature: db.Row) -> str:
    """Was the certificate's authority accredited on that date? Said even when nobody can tell."""
    if signature["qualified"] is None:
        return gettext("Whether the signature is qualified is not known.")
    if signature["qualified"]:
        return gettext("Qualified signature.")
    return gettext("Not a qualified signature.")


def authority(signature: db.Row) -> str:
    """May the signer bind the organization, on what basis, and what stands in the way."""
    tongue = ("ru", "en")[_tongue()]
    said = signature["authority"]
    reasons = " ".join(_sentence(one, tongue) for one in said["reasons"])
    sentence = str(said[tongue])
    return f"{sentence[:1].upper()}{sentence[1:]}. {reasons}".strip()


def _sentence(reason: Mapping[str, Any], tongue: str) -> str:
    return str(reason.get(tongue) or reason.get("code", ""))
