"""The channel «offline»: packages written into a folder, from where they are copied to sticks."""

from datetime import timedelta

from core import db
from core.actor import RULE
from core.errors import InvalidInput
from core.settings import settings
from docflow.routing import ways
from docflow.routing.carriage import Channel, Consignment, Outcome, accepted, broken, retry
from docflow.routing.offline import packages


async def send(message: Consignment) -> Outcome:
    """Put the message into its recipient's package in OFFLINE_OUT; one that lies there suffices.

    Without the folder it waits for the clerk who asks for the package. Accepted either way: that
    it arrived only an answer can tell.
    """
    row = await db.row(
        """SELECT d.mark, (
               SELECT i.package_id FROM offline_item AS i
               JOIN offline_package AS p ON p.id = i.package_id
               WHERE i.delivery_id = $2 AND i.uid = $3 AND p.sha256 <> '' LIMIT 1) AS lies_in
           FROM document AS d WHERE d.id = $1""",
        message.document_id, message.deliveries[0].delivery_id, message.id,
    )  # fmt: skip
    if row is None or packages.NAME in ways.forbidden(row["mark"]):
        return broken("mark_forbids", ways.REASONS["mark_forbids"][0])
    folder = settings().ways.offline_out
    if folder is None:
        return accepted({"waits": "clerk"})
    if row["lies_in"] is not None:
        return accepted({"package": str(row["lies_in"])})
    try:
        made = await packages.make(
            RULE.acting_for(message.sender_id), message.deliveries[0].recipient_id, folder=folder,
            is_named_by_place=True,
        )  # fmt: skip
    except InvalidInput as problem:
        # recalled or answered meanwhile: the sweep ends the message
        return retry(problem.error_code)
    except OSError as problem:
        return retry("offline_folder", f"папка OFFLINE_OUT: {problem.strerror or problem}")
    if message.id not in made.uids:
        return retry("offline_full")
    return accepted({"package": str(made.id), "sequence": made.sequence})


OFFLINE = Channel(
    name=packages.NAME,
    send=send,
    parallel=8,
    per_target=1,
    timeout=timedelta(minutes=10),
    patience=timedelta(days=45),
)
