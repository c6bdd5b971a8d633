"""Checks: nobody is believed without a key that is good now, for exactly what was signed."""

import secrets
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import msgspec

from core import clock
from docflow.gateways.node import keys, messages
from docflow.gateways.node.kit import checking
from docflow.gateways.node.kit.checking import Bench, Check, Failed, receipt, require
from docflow.gateways.node.kit.line import Twist
from docflow.gateways.node.messages import Report, State
from docflow.gateways.node.signing import REQUEST

DAY = timedelta(days=1)


async def _identity(bench: Bench) -> None:
    first = await bench.line.asked_identity(secrets.token_hex(8))
    if first.status != 200 or not first.is_signed:
        raise Failed("ответ на вопрос «кто вы» не подписан названным в нём ключом",
                     "the answer is not signed by a key it names", first)  # fmt: skip
    peer = bench.line.peer
    if peer is None or messages.common_version(peer.versions, messages.VERSIONS) is None:
        raise Failed("нет общей версии протокола", "no version of the protocol in common", first)
    for one in peer.keys:
        keys.public_bytes(one)
    again = await bench.line.asked_identity(secrets.token_hex(8))
    if not again.is_signed or again.headers.get("signature") == first.headers.get("signature"):
        raise Failed("ответ не связан с вопросом", "the answer is not tied to its question", again)


def _refused(
    twist: Callable[[Bench], Twist], *codes: str, status: tuple[int, ...] = (401,)
) -> Callable[[Bench], Awaitable[None]]:
    """A check that a note spoilt like this is refused, and a good one is taken afterwards."""

    async def make(bench: Bench) -> None:
        note = bench.recall(bench.manifest())
        checking.require_refused(await bench.note(note, twist(bench)), *codes, status=status)
        require(receipt(await bench.note(note), note), "accepted")

    return make


async def _clock(bench: Bench) -> None:
    for skew in (DAY, -DAY):
        note = bench.recall(bench.manifest())
        reply = await bench.note(note, Twist(skew=skew))
        checking.require_refused(reply, "node_clock_skew")
        told = messages.decode(reply.content, dict).get("details") or {}
        try:
            datetime.fromisoformat(str(told.get("our_time")))
        except ValueError as problem:
            raise Failed("отказ не называет часы получателя (details.our_time)",
                         "the refusal does not tell the receiver's clock",
                         reply) from problem  # fmt: skip
        require(receipt(await bench.note(note), note), "accepted")


async def _key_expired(bench: Bench) -> None:
    stated = bench.statement()  # names the expired key, so nobody can say it is not known
    require(receipt(await bench.note(stated), stated), "accepted")
    note = bench.recall(bench.manifest())
    reply = await bench.note(note, Twist(key=bench.standing.expired))
    checking.require_refused(reply, "node_key_expired", "node_key_unknown")


async def _author_of_another(bench: Bench) -> None:
    manifest = bench.manifest(author=bench.recipient)
    require(receipt(await bench.send(manifest), manifest), "refused", reason="author_not_here")


async def _author_unknown(bench: Bench) -> None:
    manifest = bench.manifest(author=f"kit-{secrets.token_hex(6)}")
    require(receipt(await bench.send(manifest), manifest), "refused", reason="author_unknown")


async def _statement_of_another(bench: Bench) -> None:
    told = bench.statement()
    identity = msgspec.structs.replace(told.identity, node=clock.new_id())
    forged = msgspec.structs.replace(told, identity=identity)
    require(
        receipt(await bench.note(forged), forged), "refused", reason="statement_of_another"
    )  # fmt: skip


async def _report_of_stranger(bench: Bench) -> None:
    state = State(delivery=clock.new_id(), status="acknowledged", acknowledged_at=clock.now())
    told = Report(uid=clock.new_id(), document=clock.new_id(), states=(state,))
    require(receipt(await bench.note(told), told), "refused", reason="delivery_unknown")


def _less(component: str) -> Twist:
    return Twist(covered=tuple(one for one in REQUEST if one != component))


async def _less_covered(bench: Bench) -> None:
    for component in REQUEST:
        note = bench.recall(bench.manifest())
        reply = await bench.note(note, _less(component))
        if reply.status != 401:
            raise Failed(f"подпись без {component} принята",
                         f"a signature without {component} was taken", reply)  # fmt: skip


_SIGNATURE = ("node_signature_invalid",)

CHECKS = (
    Check("identity", "Узел называет себя и подписывает вопрос",
          "The node says who it is, signed over the question", _identity),
    Check("clock", "Часы соседа сбиты на сутки", "The neighbour's clock is a day off", _clock),
    Check("key_expired", "Ключ просрочен", "The key has expired", _key_expired),
    Check("key_unknown", "Ключ неизвестен", "The key is unknown",
          _refused(lambda _: Twist(key=keys.new_key()[0]), "node_key_unknown")),
    Check("node_unknown", "Узел неизвестен", "The node is unknown",
          _refused(lambda _: Twist(headers={"node-from": str(clock.new_id())}), "node_unknown")),
    Check("unsigned", "Запрос без подписи", "A request without a signature",
          _refused(lambda _: Twist(is_unsigned=True))),
    Check("signature_wrong", "Подпись испорчена", "The signature is wrong",
          _refused(lambda _: Twist(is_flipped=True), *_SIGNATURE)),
    Check("digest_wrong", "Содержание подменено в пути", "The content was changed on the way",
          _refused(lambda b: Twist(body=messages.encode(b.recall(b.manifest()))),
                   "node_digest_wrong")),
    Check("other_target", "Подписан другой адрес", "Another target was signed",
          _refused(lambda _: Twist(target="/messages"), *_SIGNATURE)),
    Check("other_node", "Письмо другому узлу", "Meant for another node",
          _refused(lambda _: Twist(headers={"node-to": str(clock.new_id())}),
                   "node_addressed_elsewhere")),
    Check("less_covered", "Подписано меньше, чем нужно", "Less is signed than is needed",
          _less_covered),
    Check("version", "Неизвестная версия протокола", "A version nobody speaks",
          _refused(lambda _: Twist(headers={"node-version": "99"}), "node_version_unsupported",
                   status=(422,))),
    Check("author_of_another", "Письмо от имени чужой организации",
          "A letter in the name of somebody else's organization", _author_of_another),
    Check("author_unknown", "Автора нет в справочнике", "The author is not in the registry",
          _author_unknown),
    Check("statement_of_another", "Заявление о чужом узле", "A statement about another node",
          _statement_of_another),
    Check("report_of_stranger", "Отчёт о том, чего не посылали",
          "A report on what was never sent", _report_of_stranger),
)  # fmt: skip
