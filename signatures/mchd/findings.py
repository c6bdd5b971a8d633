"""What can be said about authority to sign: stable codes with their weight and their words."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

State = Literal["confirmed", "refused", "indeterminate", "not_checked"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding; `state` is the best that authority with this finding can get."""

    code: str
    state: State
    ru: str
    en: str

    def as_dict(self) -> dict[str, str]:
        """The finding as it travels to people and programs."""
        return {"code": self.code, "ru": self.ru, "en": self.en}


def _refused(code: str, ru: str, en: str) -> Finding:
    return Finding(code, "refused", ru, en)


def _unclear(code: str, ru: str, en: str) -> Finding:
    return Finding(code, "indeterminate", ru, en)


def note(code: str, ru: str, en: str) -> Finding:
    """A remark that a reader must see and that spoils nothing."""
    return Finding(code, "confirmed", ru, en)


_ALL = (
    _unclear(
        "mchd_not_parsed",
        "Доверенность неизвестного формата: сохранена, но не разобрана. Проверьте её сами.",
        "The power of attorney has an unknown form: kept, not read. Look at it yourself.",
    ),
    _refused(
        "mchd_signature_invalid",
        "Подпись под доверенностью не подтверждена. Запросите подлинный файл с подписью.",
        "The signature of the power of attorney does not hold. Ask for the genuine files.",
    ),
    _unclear(
        "mchd_signature_unclear",
        "Подпись под доверенностью проверить до конца нельзя. Обновите корни и списки отзыва "
        "и загрузите доверенность ещё раз.",
        "The signature of the power of attorney cannot be checked to the end. Renew roots and "
        "CRLs and upload it again.",
    ),
    _refused(
        "mchd_signer_other_organization",
        "Доверенность подписана сертификатом не той организации, которая её выдала.",
        "The power of attorney is signed with another organization's certificate.",
    ),
    _refused(
        "mchd_signer_not_head",
        "Доверенность подписал не руководитель, названный в ней. Запросите подпись руководителя.",
        "The power of attorney is not signed by the head it names. Ask for the head's signature.",
    ),
    _unclear(
        "mchd_signer_unidentified",
        "Кто подписал доверенность, по номерам (ИНН, ОГРН, СНИЛС) установить нельзя.",
        "Who signed the power of attorney cannot be told by numbers (INN, OGRN, SNILS).",
    ),
    note(
        "mchd_head_by_name",
        "Руководитель под доверенностью опознан по фамилии и имени: номеров для сверки нет.",
        "The head under the power of attorney is known by name only: no numbers to compare.",
    ),
    _unclear(
        "mchd_head_differs",
        "В справочнике на день выдачи руководителем записан другой человек. Уточните справочник.",
        "On the day of issue the directory names another head. Check the directory.",
    ),
    _refused(
        "mchd_other_principal",
        "Доверенность выдана другой организацией. Нужна доверенность организации документа.",
        "Another organization gave the power of attorney. The document's own one must give it.",
    ),
    _unclear(
        "organization_unidentified",
        "В карточке организации нет ИНН и ОГРН, сверить не с чем. Заполните карточку.",
        "The organization's card has neither INN nor OGRN to compare. Fill it in.",
    ),
    _refused(
        "mchd_other_person",
        "Доверенность выдана другому человеку: СНИЛС или ИНН подписавшего не совпадает.",
        "The power of attorney is another person's: the signer's SNILS or INN differs.",
    ),
    _unclear(
        "signer_unidentified",
        "В сертификате подписавшего нет СНИЛС и ИНН, сверить с доверенностью нельзя.",
        "The signer's certificate has neither SNILS nor INN to compare.",
    ),
    _unclear(
        "mchd_organization_representative",
        "Представитель по доверенности — организация. Кто вправе подписать за неё, проверьте сами.",
        "The representative is an organization. Check yourself who may sign for it.",
    ),
    _unclear(
        "mchd_joint",
        "Представители действуют только совместно, одной подписи мало. Проверьте все подписи.",
        "The representatives act only together, one signature is not enough. Check them all.",
    ),
    _refused(
        "mchd_not_yet",
        "На момент подписания (по Москве) доверенность ещё не действовала.",
        "At the moment of signing (Moscow time) the power of attorney had not begun.",
    ),
    _refused(
        "mchd_expired",
        "На момент подписания (по Москве) срок доверенности истёк. Запросите новую.",
        "At the moment of signing (Moscow time) the power of attorney had ended. Ask for another.",
    ),
    _unclear(
        "moment_unproven",
        "Время подписания ничем не доказано, а на момент получения доверенность не действовала. "
        "Запросите подпись с меткой времени.",
        "Nothing proves when it was signed, and on receipt the power of attorney was not in force. "
        "Ask for a signature with a time stamp.",
    ),
    _unclear(
        "powers_unclear",
        "Охватывают ли полномочия этот вид документа, неизвестно. Прочитайте доверенность; "
        "администратор может добавить правило.",
        "Whether the powers cover this kind of document is unknown. Read the power of attorney; "
        "an administrator can add a rule.",
    ),
    _refused(
        "powers_not_covering",
        "Полномочия доверенности не охватывают этот вид документа. Нужна другая доверенность.",
        "The powers do not cover this kind of document. Another power of attorney is needed.",
    ),
    _unclear(
        "powers_limited",
        "Полномочие ограничено условиями. Прочитайте их в доверенности.",
        "The power is limited by conditions. Read them in the power of attorney.",
    ),
    _refused(
        "mchd_revoked",
        "К моменту подписания доверенность была отозвана.",
        "At the moment of signing the power of attorney had been revoked.",
    ),
    note(
        "revocation_not_checked",
        "Отзыв доверенности в реестре не проверялся: подключения к реестру нет.",
        "Revocation was not checked: there is no connection to a registry.",
    ),
    _unclear(
        "mchd_parent_missing",
        "Доверенность выдана в порядке передоверия, исходной нет. Загрузите и её.",
        "The power was passed on and the one it comes from is missing. Upload that too.",
    ),
    _refused(
        "mchd_delegation_forbidden",
        "Исходная доверенность не разрешает передоверие.",
        "The power of attorney it comes from does not allow passing it on.",
    ),
    _unclear(
        "mchd_delegation_unclear",
        "Разрешено ли передоверие, из исходной доверенности не понять.",
        "Whether passing on is allowed cannot be told from the power of attorney it comes from.",
    ),
    _refused(
        "mchd_delegator_differs",
        "Полномочия передал не тот, кто получил их по исходной доверенности.",
        "The power was passed on by somebody who had not received it.",
    ),
    _refused(
        "mchd_parent_expired",
        "Исходная доверенность на момент подписания не действовала.",
        "The power of attorney it comes from was not in force at the moment of signing.",
    ),
    _refused(
        "mchd_parent_revoked",
        "Исходная доверенность к моменту подписания была отозвана.",
        "The power of attorney it comes from had been revoked at the moment of signing.",
    ),
    _refused(
        "mchd_chain_loop",
        "Цепочка передоверия замкнута или слишком длинна.",
        "The chain of powers is a circle, or too long.",
    ),
)

FINDINGS: dict[str, Finding] = {finding.code: finding for finding in _ALL}

_RANK: dict[State, int] = {"confirmed": 0, "indeterminate": 1, "not_checked": 1, "refused": 2}


def worst_of(states: Iterable[State]) -> State:
    """The worst of several states; of none, confirmed."""
    return max(states, key=_RANK.__getitem__, default="confirmed")


def rank_of(state: State) -> int:
    """Smaller is better: for choosing among several powers of attorney."""
    return _RANK[state]
