"""The channels «paper» and «voice»: a person carries them, so they are handed over at once and
wait in the lists to print; what became of them a clerk enters by the code.
"""

from datetime import timedelta

from docflow.routing.carriage import Channel, Consignment, Outcome, accepted

PAPER_NAME, VOICE_NAME = "paper", "voice"


async def _to_print(message: Consignment) -> Outcome:
    """It stands among the sheets to print."""
    return accepted({"waits": "printing"})


async def _to_call(message: Consignment) -> Outcome:
    """It stands in the list of calls."""
    return accepted({"waits": "call"})


PAPER = Channel(name=PAPER_NAME, send=_to_print, patience=timedelta(days=60))
VOICE = Channel(
    name=VOICE_NAME,
    send=_to_call,
    target_sql="""(SELECT o.id::text FROM organization AS o
                   WHERE o.id = v.recipient_id AND o.phone <> '')""",
    patience=timedelta(days=14),
)
