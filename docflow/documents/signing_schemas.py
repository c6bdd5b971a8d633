"""What signing looks like on the wire."""

import uuid
from datetime import datetime
from typing import Any

import msgspec

from docflow.documents.schemas import SignatureView
from docflow.documents.signing_entry import Form, SignatureRole
from docflow.documents.signing_steps import StepInput


class SealInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to sign with the organization's key; the main file when none is named."""

    file_id: uuid.UUID | None = None
    role: SignatureRole = "approving"


class SigningInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The certificate whose key the client holds, and its chain.

    `certificate` is DER in base64; `certificate_base64` may be PEM too, or broken into lines, as
    plug-ins export it. `form`: embedded (`pades`) or detached (`cades`); by the file unless named.
    """

    certificate: bytes = b""
    certificate_base64: str = ""
    chain: list[bytes] = []
    file_id: uuid.UUID | None = None
    role: SignatureRole | None = None
    form: Form | None = None


class WarningView(msgspec.Struct, frozen=True):
    """What the person should know before signing."""

    code: str
    ru: str
    en: str


class SigningView(msgspec.Struct, frozen=True):
    """A signing session: what is signed, and what the person is to be shown of it.

    `attributes` (DER, base64) is what a bare signature value signs; `digest` (base64) and
    `hash_hex` are what a whole CMS signs. `download_url` gives the very bytes.
    """

    id: uuid.UUID
    session_id: uuid.UUID
    status: str
    document_id: uuid.UUID
    document_version: int
    title: str
    file_id: uuid.UUID
    revision: int
    file_name: str
    media_type: str
    pages: int | None
    size: int
    sha256: str
    form: Form
    role: str
    hash_algorithm: str
    hash_hex: str
    digest: bytes
    attributes: bytes
    download_url: str
    expires_at: datetime
    warnings: list[WarningView]


class SignatureInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The raw signature over `attributes`, or a whole detached CMS; base64."""

    signature: bytes


class AnswerInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Either a detached CMS as plug-ins give it (base64, PEM), or the bare value (base64)."""

    cms_base64: str = ""
    signature: bytes = b""


class DetachedInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A detached signature made elsewhere over one file; base64 of the file as it is."""

    signature: bytes
    file_id: uuid.UUID | None = None
    role: SignatureRole = "approving"


class EnteredView(msgspec.Struct, frozen=True):
    """The signatures that were entered, each with its report; `id` is the last one's."""

    id: uuid.UUID
    signatures: list[SignatureView]


class SignersInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who is to sign, and in which order; the same position means in parallel."""

    steps: list[StepInput] = []


class StepView(msgspec.Struct, frozen=True):
    """One expected signature and where it stands."""

    id: uuid.UUID
    position: int
    role: str
    person_id: uuid.UUID | None
    post: str | None
    status: str
    last_name: str | None
    first_name: str | None
    middle_name: str | None
    updated_at: datetime


class DetachedForm(msgspec.Struct, frozen=True):
    """The fields of an uploaded signature beside its file."""

    file_id: uuid.UUID | None = None
    role: SignatureRole = "approving"


def plain(value: dict[str, Any]) -> dict[str, Any]:
    """The fields of a form that were filled in."""
    return {name: item for name, item in value.items() if item not in ("", None)}
