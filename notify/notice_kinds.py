"""What an organization can be told, as data: one entry a kind, in Russian and English; pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class NoticeKind:
    """A kind of notice (вид уведомления); templates take the notice's data by name."""

    subject_ru: str
    subject_en: str
    text_ru: str
    text_en: str
    is_mailed: bool = True
    """Also sent to the organization's own e-mail address, where it has one."""
    is_urgent: bool = False
    """Its letter does not wait for the end of quiet hours."""


NOTICE_KINDS: dict[str, NoticeKind] = {
    "due_in_3_days": NoticeKind(
        "Через три дня истекает срок", "A deadline in three days",
        "Срок исполнения документа истекает {due_on}. Откройте документ и ответьте.",
        "The document is due on {due_on}. Open it and answer.",
    ),
    "due_today": NoticeKind(
        "Сегодня истекает срок", "A deadline today",
        "Сегодня, {due_on}, истекает срок исполнения документа. Откройте документ и ответьте.",
        "The document is due today, {due_on}. Open it and answer.",
    ),
    "silent_list": NoticeKind(
        "Срок прошёл, есть не ответившие", "The deadline has passed, some are silent",
        "Срок исполнения прошёл. Не ответили организаций: {count}."
        " Их список — в контрольном листе документа.",
        "The deadline has passed. Organizations that have not answered: {count}."
        " See the document's control list.",
    ),
    "relay_overdue": NoticeKind(
        "Документ не передан ниже в срок", "A document was not passed on in time",
        "Документ ждёт передачи вышестоящей организацией. Не получили организаций: {count}."
        " Можно доставить им напрямую из контрольного листа.",
        "The document waits for a relay to pass it on. Organizations without it: {count}."
        " You can deliver to them directly from the control list.",
    ),
    "node_conflict": NoticeKind(
        "Два узла обмена заявили об одной организации", "Two nodes claim one organization",
        "Спорных организаций: {count}. Решите в настройках узла, каким узлом они обслуживаются.",
        "Organizations in dispute: {count}. Decide in the node's settings which node serves them.",
    ),
    "node_uid_reused": NoticeKind(
        "Узел прислал другое сообщение под прежним номером",
        "A node sent another message under a known uid",
        "Узел «{node}» прислал под идентификатором {uid} не то, что раньше. Сообщение отклонено;"
        " свяжитесь с администратором узла.",
        "The node {node} sent other content under the uid {uid}. It was refused; ask the node's"
        " administrator.",
    ),
    "escalated": NoticeKind(
        "Подчинённые не отвечают", "Subordinates do not answer",
        "Срок документа истёк {due_on}, подчинённые вам организации не ответили: {count}."
        " Свяжитесь с ними.",
        "A document was due on {due_on}; organizations below yours that have not answered: {count}."
        " Get in touch with them.",
    ),
    "escalated_further": NoticeKind(
        "Подчинённые долго не отвечают", "Subordinates have been silent for long",
        "Срок документа истёк {due_on}; организации ниже подчинённых вам не ответили: {count}."
        " Их вышестоящим об этом уже сказано.",
        "A document was due on {due_on}; organizations two levels below that have not answered:"
        " {count}. Their superiors have been told already.",
    ),
    "prolongation_asked": NoticeKind(
        "Просят продлить срок", "A prolongation is asked for",
        "Получатель просит продлить срок до {until}. Откройте документ и решите.",
        "A recipient asks for more time, until {until}. Open the document and decide.",
    ),
    "prolongation_granted": NoticeKind(
        "Срок продлён", "The deadline was prolonged",
        "Срок исполнения документа продлён до {until}.",
        "The document is now due on {until}.",
    ),
    "prolongation_refused": NoticeKind(
        "В продлении срока отказано", "The prolongation was refused",
        "Срок исполнения документа остаётся прежним: {until}. Причина — в карточке документа.",
        "The document stays due on {until}. The reason stands on its card.",
    ),
    "webhook_disabled": NoticeKind(
        "Вебхук отключён", "A webhook was disabled",
        "Вебхук на узел {host} отключён: он не принимает сообщения. Проверьте получателя,"
        " включите вебхук и отправьте пропущенное ещё раз.",
        "The webhook to {host} was disabled: it does not take messages. Check the receiver,"
        " enable the webhook and resend what was missed.",
    ),
    "dispatch_recalled": NoticeKind(
        "Документ отозван", "A document was recalled",
        "Отправитель отозвал документ. Не исполняйте его; он остался в журнале с отметкой.",
        "The sender recalled a document. Do not act on it; it stays in the journal, marked.",
        is_urgent=True,
    ),
    "answer_received": NoticeKind(
        "Получен ответ на документ", "An answer to a document",
        "На ваш документ пришёл ответ. Откройте контрольный лист.",
        "Your document was answered. Open the control list.",
        is_mailed=False,
    ),
    "delivery_refused": NoticeKind(
        "Получатель отказал", "A recipient refused",
        "Получатель отказался принять документ. Причина — в контрольном листе.",
        "A recipient refused the document. The control list says why.",
    ),
    "recipient_ceased": NoticeKind(
        "Получатель ликвидирован или объединён", "A recipient ceased",
        "Получатель документа закрыт или объединён с другим. Его доставка завершена или"
        " передана преемнику; итог контрольного листа не изменился.",
        "A recipient was closed or merged. Its delivery was ended or passed to the successor;"
        " the control list's total has not changed.",
        is_mailed=False,
    ),
    "signature_due": NoticeKind(
        "Документ ждёт вашей подписи", "A document awaits your signature",
        "Подошла очередь вашей организации подписать документ. Откройте его и подпишите"
        " или верните автору.",
        "It is your organization's turn to sign a document. Open it and sign it, or return it"
        " to its author.",
    ),
    "archive_alarm": NoticeKind(
        "Архив требует внимания", "The archive needs attention",
        "Повреждённых файлов: {damaged}. Отметок времени, не продлённых в срок: {overdue}. Ждут"
        " отметки дольше суток: {unstamped}. Списки — в разделе долговременного хранения.",
        "Damaged files: {damaged}. Time stamps not renewed in time: {overdue}. Waiting for a stamp"
        " for more than a day: {unstamped}. The lists stand under long life.",
    ),
    "log_alarm": NoticeKind(
        "Доказательный журнал требует внимания", "The evidence log needs attention",
        "Расхождений с событиями: {findings}. Свидетелей, видевших другой журнал: {refusing}."
        " Контрольных точек без отметки времени: {unstamped}. Отстаёт от событий: {behind}."
        " Что делать — в руководстве по журналу (docs/log.md).",
        "Differences from the events: {findings}. Witnesses that saw another log: {refusing}."
        " Checkpoints without a time stamp: {unstamped}. Behind the events: {behind}."
        " What to do stands in the guide to the log (docs/log.md).",
    ),
    "review_asked": NoticeKind(
        "Изображение ждёт решения юриста", "A picture awaits a lawyer's decision",
        "Редактор просит рассмотреть изображение до {due_on}. Откройте очередь рассмотрения.",
        "An editor asks for a review of a picture by {due_on}. Open the queue of reviews.",
    ),
    "review_decided": NoticeKind(
        "Юрист принял решение по изображению", "A lawyer has decided on a picture",
        "Решение по изображению: {decision}. Основание — в карточке рассмотрения.",
        "A picture was reviewed ({decision}). The reason stands in the review.",
    ),
    "review_overdue": NoticeKind(
        "Рассмотрение изображения просрочено", "A review of a picture is overdue",
        "Изображение не рассмотрено до {due_on}. Откройте очередь рассмотрения.",
        "A picture was not reviewed by {due_on}. Open the queue of reviews.",
    ),
    "review_expired": NoticeKind(
        "Рассмотрение изображения закрыто без решения", "A review ended without a decision",
        "Юрист не ответил. Изображение публиковать нельзя; попросите рассмотреть его ещё раз.",
        "No lawyer answered. The picture must not be published; ask for another review.",
    ),
    "picture_take_down": NoticeKind(
        "Снимите изображение с публикации", "Take a picture down",
        "Опубликованное изображение больше нельзя использовать. Место: {place}. Снимите его"
        " сегодня; причины — в карточке использования.",
        "A published picture may not be used any more. Place: {place}. Take it down today; the"
        " reasons stand in its use.",
        is_urgent=True,
    ),
    "picture_turning": NoticeKind(
        "Право на изображение скоро закончится", "The right to a picture ends soon",
        "С {on} опубликованное изображение использовать нельзя. Место: {place}. Продлите лицензию"
        " или замените изображение.",
        "From {on} on a published picture may not be used. Place: {place}. Renew the licence or"
        " replace the picture.",
    ),
    "medo_blocked": NoticeKind(
        "Отправка по МЭДО остановлена", "A МЭДО message was stopped",
        "Документ не отправлен по МЭДО. {reason}",
        "A document was not sent by МЭДО. {reason_en}",
    ),
    "medo_failed": NoticeKind(
        "Не доставлено по МЭДО", "Not delivered by МЭДО",
        "Пришла квитанция о недоставке. Причина — в карточке документа; отправьте его ещё раз или"
        " другим способом.",
        "A receipt says that a document was not delivered. The card says why; send it again or"
        " another way.",
    ),
    "medo_undelivered": NoticeKind(
        "Нет квитанции МЭДО", "No МЭДО receipt",
        "Квитанции о доставке нет уже {hours} ч. Уточните у адресата или отправьте документ другим"
        " способом; отправка не отменена.",
        "There has been no receipt for {hours} hours. Ask the addressee or send the document"
        " another way; it is still on its way.",
    ),
    "medo_reply_overdue": NoticeKind(
        "Срок ответа по МЭДО истёк", "An answer by МЭДО is overdue",
        "Адресат зарегистрировал документ под № {number}, ответа нет. Срок истёк {overdue_on}.",
        "The addressee registered the document under No. {number} and has not answered. It was due"
        " before {overdue_on}.",
    ),
    "medo_quarantined": NoticeKind(
        "Сообщение МЭДО в карантине", "A МЭДО message in quarantine",
        "Поступившее сообщение не принято автоматически ({reason}). Откройте журнал МЭДО и решите:"
        " принять или вернуть.",
        "A message was not taken in by itself ({reason}). Open the МЭДО journal and take it in or"
        " return it.",
    ),
    "appeal_overdue": NoticeKind(
        "Срок рассмотрения обращения истёк", "An appeal is overdue",
        "Срок рассмотрения обращения по 59-ФЗ истёк {overdue_on}. Откройте карточку.",
        "The term of an appeal under 59-FZ ended on {overdue_on}. Open the card.",
    ),
    "act_to_judge": NoticeKind(
        "Акт об уничтожении ждёт экспертную комиссию", "An act of destruction waits for votes",
        "Акт № {number} о выделении документов к уничтожению передан экспертной комиссии."
        " Члены комиссии голосуют на странице акта.",
        "Act No. {number} on destroying documents is before the expert commission. Its members vote"
        " on the page of the act.",
    ),
    "act_to_approve": NoticeKind(
        "Акт об уничтожении ждёт утверждения", "An act of destruction waits to be approved",
        "Экспертная комиссия согласовала акт № {number}. Его утверждает руководитель.",
        "The expert commission agreed to act No. {number}. The head approves it.",
    ),
    "act_executed": NoticeKind(
        "Акт об уничтожении исполнен", "An act of destruction was carried out",
        "По акту № {number} уничтожено документов: {documents}. Исключено дел: {dropped}.",
        "By act No. {number} documents were destroyed: {documents}. Cases taken out: {dropped}.",
    ),
    "reminded": NoticeKind(
        "Напоминание отправителя", "The sender reminds you",
        "Отправитель ждёт ответа по документу (срок: {due_on}). Откройте его и ответьте.",
        "The sender waits for your answer (due: {due_on}). Open the document and answer.",
    ),
    "question_asked": NoticeKind(
        "Вопрос по документу", "A question about a document",
        "Получатель задал вопрос по вашему документу. Откройте документ и ответьте.",
        "A recipient asks about your document. Open the document and answer.",
    ),
    "question_answered": NoticeKind(
        "Ответ на ваш вопрос", "An answer to your question",
        "Отправитель ответил на ваш вопрос по документу. Откройте документ.",
        "The sender has answered your question. Open the document.",
    ),
    "document_received": NoticeKind(
        "Новый входящий документ", "A new incoming document",
        "Получен новый документ. Откройте входящие.",
        "A new document has arrived. Open the inbox.",
    ),
}  # fmt: skip
"""Every kind by the name that is stored; names never change."""


class _Known(dict[str, Any]):
    """A value that an older notice lacks is shown as a dash, never as an error."""

    def __missing__(self, key: str) -> str:
        return "—"


def subjects_of(kind: str) -> tuple[str, str]:
    """The heading in Russian and English."""
    found = NOTICE_KINDS[kind]
    return found.subject_ru, found.subject_en


def texts_of(kind: str, data: Mapping[str, Any]) -> tuple[str, str]:
    """The text in Russian and English with the notice's data filled in."""
    found, known = NOTICE_KINDS[kind], _Known({name: str(item) for name, item in data.items()})
    return found.text_ru.format_map(known), found.text_en.format_map(known)
