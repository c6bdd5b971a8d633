"""What is said of the states of deliveries, messages, МЭДО and nodes."""

from datetime import timedelta

from core.machines import Machine, Watch
from docflow.routing import mending
from docflow.routing.medo import outgoing
from docflow.routing.nodes import notes

_DELIVERY = """SELECT v.id, s.organization_id, v.document_id, {since} AS since, {code} AS code,
    v.reason AS note, NULL::timestamptz AS next_at
    FROM delivery AS v JOIN dispatch AS s ON s.id = v.dispatch_id WHERE """

_MEDO = """SELECT id, organization_id, document_id, {since} AS since,
    coalesce(split_part(reason, ':', 1), status) AS code, reason AS note,
    NULL::timestamptz AS next_at FROM medo_message WHERE """

DELIVERIES = Machine(
    "delivery",
    ends=frozenset({"executed", "refused", "recalled", "void"}),
    rests={"acknowledged": "a named person has taken note; an answer is looked for on the list"},
    watches=(
        Watch(
            "relay_overdue", ("awaiting_relay",),
            "Документ не передан ниже в срок; его можно доставить напрямую из контрольного листа",
            "A relay has not passed it on in time; deliver directly from the control list",
            "relay", "due_on", "routing.remind",
            """SELECT via.id, s.organization_id, v.document_id, min(v.due_on)::timestamptz AS since,
                   'awaiting_relay' AS code, count(*)::text AS note, NULL::timestamptz AS next_at
               FROM delivery AS v JOIN delivery AS via ON via.id = v.via_id
               JOIN dispatch AS s ON s.id = v.dispatch_id
               WHERE v.status = 'awaiting_relay'
               AND v.due_on < ($1::timestamptz + coalesce($2::interval, '0'))::date
               GROUP BY via.id, s.organization_id, v.document_id""",
        ),
        Watch(
            "delivery_loose", ("queued",),
            "Отправка стоит в очереди, а её канал в этой установке не работает",
            "A delivery is queued for a channel that does not work in this installation",
            "administrator", timedelta(hours=1), "routing.consign_forgotten",
            _DELIVERY.format(since="v.updated_at", code="'channel_' || v.channel")
            + """v.status = 'queued' AND v.updated_at < $1::timestamptz - $2::interval
            AND NOT EXISTS (SELECT 1 FROM consignment_delivery AS l
                WHERE l.delivery_id = v.id AND l.outcome IS NULL)
            AND NOT EXISTS (SELECT 1 FROM medo_message AS m
                WHERE m.delivery_id = v.id AND m.direction = 'out')""",
        ),
        Watch(
            "delivery_silent", ("delivered", "opened"),
            "Получатель не ответил в срок", "The recipient has not answered in time",
            "recipient", "due_on", "routing.remind",
            seen="the list of the silent of each document, with reminders and escalation",
        ),
        Watch(
            "delivery_failed", ("failed",),
            "Не доставлено ни по одному каналу; выберите канал и отправьте ещё раз",
            "No channel has delivered it; choose one and send again",
            "sender", timedelta(0), "routing.sweep_consignments",
            _DELIVERY.format(since="v.updated_at", code="split_part(v.reason, ':', 1)")
            + """v.status = 'failed' AND v.updated_at <= $1::timestamptz - $2::interval
            AND NOT EXISTS (SELECT 1 FROM consignment_delivery AS l
                WHERE l.delivery_id = v.id AND l.outcome IS NULL)
            AND NOT EXISTS (SELECT 1 FROM medo_message AS m
                WHERE m.delivery_id = v.id AND m.direction = 'out')""",
            retry=mending.retry_delivery,
        ),
    ),
)  # fmt: skip

_MESSAGE = """SELECT id, sender_id AS organization_id, document_id, {since} AS since,
    coalesce(error_code, status) AS code, coalesce(error, channel) AS note,
    next_attempt_at AS next_at FROM consignment WHERE """

CONSIGNMENTS = Machine(
    "consignment",
    ends=frozenset({"done", "void"}),
    watches=(
        Watch(
            "message_late", ("waiting", "sending"),
            "Сообщение долго не уходит; служба пробует дальше, следующая попытка названа",
            "A message does not get through; it is tried on, the next try is named",
            "service", timedelta(hours=1), "routing.sweep_consignments",
            _MESSAGE.format(since="created_at") + """status IN ('waiting', 'sending')
            AND created_at < $1::timestamptz - $2::interval AND attempts > 0
            AND (error_code IS NOT NULL OR status = 'sending')""",
            retry=mending.retry,
        ),
        Watch(
            "receipt_late", ("sent",),
            "Квитанции нет в срок", "There is no receipt in time",
            "service", "limit_at", "routing.sweep_consignments",
            _MESSAGE.format(since="limit_at") + """status = 'sent'
            AND limit_at < $1::timestamptz + coalesce($2::interval, '0')""",
            retry=mending.retry,
        ),
        Watch(
            "message_failed", ("failed",),
            "Не доставлено, других каналов нет; устраните причину и отправьте ещё раз",
            "Not delivered and no other channel is left; mend the cause and send again",
            "sender", timedelta(0), "routing.sweep_consignments",
            _MESSAGE.format(since="updated_at")
            + "status = 'failed' AND updated_at <= $1::timestamptz - $2::interval",
            retry=mending.retry,
        ),
    ),
)  # fmt: skip

ATTEMPTS = Machine(
    "attempt",
    ends=frozenset({"sent", "failed", "refused"}),
    watches=(
        Watch(
            "attempt_open", ("claimed",),
            "Попытка не завершена: процесс остановился", "A try has no end: its process stopped",
            "service", timedelta(minutes=10), "routing.sweep_consignments",
            """SELECT a.id, m.sender_id AS organization_id, m.document_id, a.started_at AS since,
                   'claimed' AS code, m.channel AS note, NULL::timestamptz AS next_at
               FROM attempt AS a JOIN consignment AS m ON m.id = a.consignment_id
               WHERE a.status = 'claimed' AND a.started_at < $1::timestamptz - $2::interval""",
        ),
    ),
)  # fmt: skip

MEDO = Machine(
    "medo_message",
    ends=frozenset(
        {"cancelled", "answered", "refused", "taken", "restricted", "duplicate", "matched",
         "returned"}
    ),
    rests={
        "delivered": "not every body registers or answers; a letter's own deadline is watched",
        "unmatched": "kept in the journal; a later message may match it",
    },
    watches=(
        Watch(
            "medo_waiting", ("waiting",),
            "Сообщение МЭДО не передано транспорту; проверьте MEDO_OUT",
            "A МЭДО message was not handed to the transport; check MEDO_OUT",
            "administrator", timedelta(minutes=15), "medo.send",
            _MEDO.format(since="created_at")
            + "status = 'waiting' AND created_at < $1::timestamptz - $2::interval",
        ),
        Watch(
            "medo_blocked", ("blocked", "failed"),
            "Сообщение МЭДО остановлено; устраните причину и отправьте ещё раз",
            "A МЭДО message was stopped; mend the cause and send again",
            "sender", timedelta(0), "medo.watch",
            _MEDO.format(since="updated_at")
            + """status IN ('blocked', 'failed')
            AND updated_at <= $1::timestamptz - $2::interval""",
            retry=outgoing.retry,
        ),
        Watch(
            "medo_undelivered", ("sent",),
            "Нет квитанции МЭДО", "No МЭДО receipt",
            "sender", timedelta(hours=72), "medo.watch",
            _MEDO.format(since="sent_at") + """status = 'sent' AND delivery_id IS NOT NULL
            AND sent_at < $1::timestamptz - $2::interval""",
        ),
        Watch(
            "medo_unanswered", ("registered",),
            "Срок ответа по МЭДО истёк", "An answer by МЭДО is overdue",
            "sender", "overdue_on", "medo.watch",
            _MEDO.format(since="overdue_on::timestamptz")
            + """status = 'registered' AND direction = 'out'
            AND overdue_on <= ($1::timestamptz + coalesce($2::interval, '0'))::date""",
        ),
        Watch(
            "medo_quarantined", ("quarantined",),
            "Сообщение МЭДО в карантине ждёт решения", "A МЭДО message in quarantine waits",
            "recipient", timedelta(hours=4), "medo.watch",
            _MEDO.format(since="created_at")
            + "status = 'quarantined' AND created_at < $1::timestamptz - $2::interval",
        ),
    ),
)  # fmt: skip

NODES = (
    Machine(
        "node",
        ends=frozenset({"own"}),
        rests={"active": "messages go and come", "suspended": "until an administrator resumes"},
        watches=(
            Watch(
                "node_unconfirmed", ("waiting",),
                "Узел ждёт подтверждения ключа", "A node waits for its key to be confirmed",
                "administrator", timedelta(days=1), "nodes.sweep",
                """SELECT id, organization_id, NULL::uuid AS document_id, created_at AS since,
                   'waiting' AS code, name AS note, NULL::timestamptz AS next_at FROM node
                   WHERE status = 'waiting' AND created_at < $1::timestamptz - $2::interval""",
            ),
        ),
    ),
    Machine(
        "node_conflict",
        ends=frozenset({"withdrawn"}),
        rests={"decided": "until one of the two gives the claim up"},
        watches=(
            Watch(
                "node_conflict", ("open",),
                "Два узла считают организацию своей; решите, чья она",
                "Two nodes claim one organization; decide whose it is",
                "administrator", timedelta(0), "nodes.sweep",
                """SELECT id, NULL::uuid AS organization_id, NULL::uuid AS document_id,
                   created_at AS since, 'open' AS code, NULL::text AS note,
                   NULL::timestamptz AS next_at FROM node_conflict
                   WHERE status = 'open' AND created_at <= $1::timestamptz - $2::interval""",
            ),
        ),
    ),
    Machine(
        "node_message",
        ends=frozenset({"accepted"}),
        rests={"refused": "its sender was told why; sent again it is judged anew"},
    ),
    Machine(
        "node_note",
        ends=frozenset({"done", "void"}),
        watches=(
            Watch(
                "node_note_late", ("waiting",),
                "Узел не принимает сведения дольше часа", "A node takes no news for an hour",
                "service", timedelta(hours=1), "nodes.tell_due",
                """SELECT id, NULL::uuid AS organization_id, document_id, created_at AS since,
                   coalesce(error_code, kind) AS code, error AS note, next_attempt_at AS next_at
                   FROM node_note WHERE status = 'waiting'
                   AND created_at < $1::timestamptz - $2::interval""",
                retry=notes.retry, may_retry=("administrator",),
            ),
            Watch(
                "node_note_failed", ("failed",),
                "Узел не принял сведения; устраните причину и отправьте ещё раз",
                "A node did not take our news; mend the cause and send again",
                "administrator", timedelta(0), "nodes.sweep",
                """SELECT id, NULL::uuid AS organization_id, document_id, updated_at AS since,
                   coalesce(error_code, kind) AS code, error AS note,
                   NULL::timestamptz AS next_at FROM node_note WHERE status = 'failed'
                   AND updated_at <= $1::timestamptz - $2::interval""",
                retry=notes.retry, may_retry=("administrator",),
            ),
        ),
    ),
)  # fmt: skip

PROLONGATIONS = Machine(
    "prolongation",
    ends=frozenset({"granted", "refused", "withdrawn", "lapsed"}),
    watches=(
        Watch(
            "prolongation_pending", ("pending",),
            "Просьба о продлении срока ждёт решения", "A prolongation waits for a decision",
            "sender", timedelta(days=2), "routing.remind",
            """SELECT id, sender_id AS organization_id, document_id, created_at AS since,
                   'pending' AS code, 'до ' || wanted_on AS note, NULL::timestamptz AS next_at
               FROM prolongation WHERE status = 'pending'
               AND created_at < $1::timestamptz - $2::interval""",
        ),
    ),
)  # fmt: skip

MACHINES = (DELIVERIES, PROLONGATIONS, CONSIGNMENTS, ATTEMPTS, MEDO, *NODES)
