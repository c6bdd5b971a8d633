"""Checks: how a node takes bad answers to its own notes. They need the kit's ear.

The kit makes the node tell it something: a delivery waits for a chancery, then is set free, and a
report of that is due. Whatever else the node tells meanwhile will do as well.
"""

from collections.abc import Awaitable, Callable

import msgspec

from core import clock
from docflow.gateways.node.kit.checking import (
    Bench,
    Check,
    Failed,
    NotMade,
    receipt,
    require,
)
from docflow.gateways.node.kit.listener import Heard, Listener, Manner
from docflow.gateways.node.messages import Recipient


async def provoke(bench: Bench) -> None:
    """Make the node report: who waited for a chancery does so no longer."""
    waiting = Recipient(delivery=clock.new_id(), to=bench.recipient, via=clock.new_id(), waits=True)
    first = bench.manifest(recipients=(waiting,))
    found = require(receipt(await bench.send(first), first), "accepted")
    if found.waiting != (waiting.delivery,):
        raise Failed("ждущий канцелярию не назван в waiting",
                     "who waits for a chancery is not told as waiting", found)  # fmt: skip
    free = msgspec.structs.replace(waiting, waits=False)
    then = bench.manifest(card=first.card, recipients=(free,))
    require(receipt(await bench.send(then), then), "accepted")


def _ear(bench: Bench) -> Listener:
    if bench.listener is None:
        raise NotMade("набор не слушает: --listen", "the kit does not listen: --listen")
    return bench.listener


def _told_again(*manners: Manner) -> Callable[[Bench], Awaitable[None]]:
    """A check that a note answered so badly comes again, the same to the byte."""

    async def make(bench: Bench) -> None:
        ear = _ear(bench)
        ear.script.clear()
        ear.script.extend(manners)
        start = len(ear.heard)
        await provoke(bench)
        first = await ear.next_after(start, seconds=bench.patience)
        if first is None:
            raise NotMade(
                f"узел ничего не сообщил за {bench.patience:.0f} с",
                f"the node has told nothing in {bench.patience:.0f} s",
            )
        try:
            for _ in manners:
                await _again(bench, ear, first)
        finally:
            ear.script.clear()

    return make


async def _again(bench: Bench, ear: Listener, first: Heard) -> None:
    """The next try of the note; another note that comes between is let through."""
    number = 1 + max(
        place for place, one in enumerate(ear.heard) if one.uid == first.uid
    )  # fmt: skip
    while True:
        heard = await ear.next_after(number, seconds=bench.patience)
        if heard is None and first.uid in ear.patient:
            return
        if heard is None:
            raise Failed(
                f"сообщение не повторено за {bench.patience:.0f} с",
                f"the note was not sent again in {bench.patience:.0f} s", first.manner,
            )  # fmt: skip
        if heard.uid == first.uid:
            break
        number += 1
    if heard.body != first.body:
        raise Failed("повтор отличается от первого", "the repeat is another one", heard.uid)


CHECKS = (
    Check("answer_lost", "Ответ соседа потерян", "The neighbour's answer is lost",
          _told_again("lost"), "answers"),
    Check("answer_unsigned", "Квитанция без подписи", "A receipt without a signature",
          _told_again("unsigned"), "answers"),
    Check("answer_foreign", "Квитанция о другом сообщении", "A receipt about another message",
          _told_again("foreign"), "answers"),
    Check("answer_wrong_key", "Квитанция подписана чужим ключом",
          "A receipt signed by somebody else's key", _told_again("wrong_key"), "answers"),
    Check("answer_busy", "Сосед занят (503)", "The neighbour is busy (503)", _told_again("busy"),
          "answers"),
    Check("answer_late", "Ответ пришёл после тайм-аута", "The answer comes after the time-out",
          _told_again("late"), "answers"),
)  # fmt: skip
