"""What can be wrong between nodes, each with a stable code."""

from core.errors import Forbidden, InvalidInput, NotAuthenticated, Unavailable


class BadMessage(InvalidInput):
    """What came is not in the form the protocol asks for (422)."""

    code = "node_message_malformed"
    ru = (
        "Сообщение другого узла не соответствует протоколу обмена. Проверьте версию программы"
        " на том узле."
    )
    en = "A message of another node is not as the protocol asks. Check that node's version."


class BadSignature(NotAuthenticated):
    """The message signature is missing or does not hold (401); `reason` says why."""

    code = "node_signature_invalid"
    ru = "Подпись сообщения узла отсутствует или неверна: проверьте ключ узла и его подтверждение."
    en = "The node's message signature is missing or wrong: check the key and its confirmation."


class KeyRefused(NotAuthenticated):
    """The key is not, not yet or no longer accepted (401)."""

    code = "node_key_unknown"
    ru = "Ключ узла неизвестен или не подтверждён администратором. Сверьте отпечаток ключа."
    en = "The node's key is unknown or no administrator has confirmed it. Compare its fingerprint."


class ClockRefused(NotAuthenticated):
    """Signed too long ago, or in the future (401); `our_time` tells our clock."""

    code = "node_clock_skew"
    ru = "Время подписи сообщения слишком расходится с нашими часами. Проверьте часы узла."
    en = "The time of the message signature is too far from our clock. Check the node's clock."


class PeerRefused(Forbidden):
    """The node is known, but nothing is exchanged with it now (403)."""

    code = "node_not_active"
    ru = "Обмен с этим узлом не разрешён: узел ждёт подтверждения или приостановлен."
    en = "Nothing is exchanged with this node: it waits for confirmation or is suspended."


class VersionRefused(InvalidInput):
    """No version of the protocol that both sides speak (422); `versions` names ours."""

    code = "node_version_unsupported"
    ru = "Узел не поддерживает эту версию протокола обмена. Обновите программу на отставшем узле."
    en = "The node does not speak this version of the protocol. Update the older of the two."


class PeerSilent(Unavailable):
    """The other node did not answer, or not with a signed answer (503); `reason` says how."""

    code = "node_unreachable"
    ru = "Другой узел не ответил как следует. Отправка будет повторена."
    en = "The other node gave no proper answer. It will be tried again."
