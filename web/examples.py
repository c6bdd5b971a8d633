"""Examples of request bodies for the description of the API, one for each struct."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from compliance import schemas as register
from compliance.publishing import publication_schemas as publications
from compliance.publishing.publications import PictureInput, PublicationCard
from compliance.registers.claimants import ClaimantCard
from compliance.registers.licences import Terms
from compliance.registers.own_works import Consent
from directory import access_schemas as access
from directory import schemas as directory
from directory.people import Holders
from directory.purposes import Purpose
from directory.selection import Selector
from directory.states import Line, OrganizationKind, PostKind
from docflow.documents import appeal_schemas as appeal
from docflow.documents import authority_schemas as authority
from docflow.documents import hold_controllers as hold
from docflow.documents import schemas as documents
from docflow.documents import signing_schemas as signing
from docflow.documents.cards import CardInput
from docflow.documents.longevity import schemas as longevity
from docflow.documents.reader_schemas import ReaderInput
from docflow.documents.records import schemas as records
from docflow.documents.records.cases import CaseInput
from docflow.documents.records.retention import ArticleInput, ListInput
from docflow.documents.signing_steps import StepInput
from docflow.routing import medo_schemas as medo
from docflow.routing import message_schemas as messages
from docflow.routing import question_controllers as questions
from docflow.routing import schemas as routing
from docflow.routing.dispatch import DispatchInput
from docflow.routing.medo.partners import PartnerInput
from docflow.routing.nodes import schemas as nodes
from docflow.routing.offline import schemas as offline
from docflow.routing.paper import schemas as paper_schemas
from docflow.routing.paper.sheets import PrintInput
from evidence.log import schemas as log
from evidence.packages import schemas as evidence
from evidence.privacy import schemas as privacy
from notify import schemas as notify
from signatures import schemas as trust

CENTER = UUID("019a0000-0000-7000-8000-000000000001")
REGIONAL = UUID("019a0000-0000-7000-8000-000000000138")
PERSON = UUID("019a0000-0000-7000-8000-00000000a001")
ACCOUNT = UUID("019a0000-0000-7000-8000-00000000b001")
DOCUMENT = UUID("019a0000-0000-7000-8000-00000000c001")
FILE = UUID("019a0000-0000-7000-8000-00000000d001")
JOURNAL = UUID("019a0000-0000-7000-8000-00000000e001")

_PHRASE = "берёза якорь маяк озеро парус"
_INVITATION = "dfi_3b5c8f0e6a"

_ACCESS = (
    access.LogIn(login="petrova", password=_PHRASE, code="492039"),
    access.ChooseOrganization(organization_id=REGIONAL),
    access.ChangePassword(current=_PHRASE, new="тополь гавань ветер камень искра"),
    access.BeginSecondFactor(password=_PHRASE),
    access.ConfirmSecondFactor(code="492039"),
    access.CreateToken(name="Выгрузка в 1С", scopes=["documents:read", "documents:write"], days=90),
    access.Invite(organization_id=REGIONAL, role="clerk", email="profkom@example.org"),
    access.AcceptInvitation(
        token=_INVITATION, last_name="Петрова", first_name="Анна", middle_name="Сергеевна",
        login="petrova", password=_PHRASE,
    ),
    access.JoinOrganization(token=_INVITATION),
    access.GiveRole(account_id=ACCOUNT, role="signatory"),
)  # fmt: skip

_NODES = (
    nodes.NodeInput(name="Узел ЦК профсоюза", base_url="https://node.example.org"),
    nodes.PeerInput(base_url="https://region.example.org"),
    nodes.FingerprintInput(
        fingerprint="5f3a 09c1 77e0 4b2d 8812 6cfe 01aa 9d34 "
        "e5b7 2c90 4f18 63dd b0a2 7e55 19c6 f483"
    ),
    nodes.RotationInput(starts_at=datetime(2026, 12, 1, 9, 0, tzinfo=UTC)),
    nodes.ServeInput(selector=Selector(subtree_of=REGIONAL, with_root=True)),
    nodes.ReleaseInput(organizations=(REGIONAL,)),
    nodes.DecisionInput(for_node=CENTER),
    nodes.ReconcileInput(since=datetime(2026, 11, 22, 3, 0, tzinfo=UTC)),
)

_DIRECTORY = (
    directory.OrganizationInput(
        code="38-07-0412", kind=OrganizationKind.PRIMARY,
        name="Первичная профсоюзная организация городской больницы № 3",
        short_name="ППО ГБ № 3", branch_code="07", region_code="38", district_code="siberian",
        address="664003, г. Иркутск, ул. Ленина, д. 1", phone="+7 (3952) 00-00-00",
        email="ppo3@example.org", time_zone="Asia/Irkutsk", channels=("internal", "email"),
        opened_on=date(2026, 1, 15), parents={Line.BRANCH: REGIONAL},
    ),
    directory.MoveInput(line=Line.BRANCH, parent_id=REGIONAL, as_of=date(2027, 1, 1)),
    directory.CloseInput(as_of=date(2027, 1, 1)),
    directory.NewcomerInput(
        last_name="Орлова", first_name="Мария", middle_name="Сергеевна",
        email="orlova@example.org", phone="+7 (3952) 00-00-01", post=PostKind.CHAIRMAN,
        since=date(2026, 11, 23),
    ),
    directory.MergeInput(into_id=REGIONAL, as_of=date(2027, 1, 1)),
    Holders(organizations=Selector(kinds=(OrganizationKind.REGIONAL,), districts=("siberian",))),
    Selector(subtree_of=CENTER, kinds=(OrganizationKind.PRIMARY,), districts=("siberian",)),
)  # fmt: skip

_DOCUMENTS = (
    CardInput(
        kind="circular",
        title="О представлении сведений о первичных профсоюзных организациях",
        addressee="Председателям региональных организаций",
    ),
    documents.Reason(reason="В тексте указан прошлогодний срок, исправьте."),
    documents.CloseInput(file_index="02-14"),
    documents.LinkInput(to_id=DOCUMENT, kind="reply_to"),
    signing.SealInput(),
    signing.SigningInput(certificate_base64="MIIDDzCCAregAwIBAgIU"),
    signing.SignatureInput(signature=b"\x5a\x17\x9c\x04"),
    signing.AnswerInput(cms_base64="MIIFoQYJKoZIhvcNAQcCoIIFkjCC"),
    signing.SignersInput(
        steps=[StepInput(position=1, role="endorsing", post="legal"),
               StepInput(position=2, person_id=PERSON)],
    ),
    ReaderInput(person_id=PERSON, may_take_original=True),
    documents.RegisterInput(journal_id=JOURNAL, variables={"index": "12"}),
    documents.JournalInput(
        code="out-2027", title="Исходящие письма", direction="out", kinds=["letter", "circular"],
        template="{index}-{n}",
    ),
)  # fmt: skip

_AUTHORITY = (
    authority.MchdInput(xml="<Доверенность/>".encode(), signature=b"\x30\x82\x05\xa1"),
    authority.RevocationInput(
        effective_at=datetime(2026, 11, 20, 9, 0, tzinfo=UTC),
        ground="Уведомление доверителя от 20.11.2026 № 14",
    ),
    authority.AuthorityInput(),
    authority.RuleInput(matched_by="text", pattern="подпис писем", kinds=["letter", "circular"]),
    authority.PersonCertificateInput(person_id=PERSON, certificate=b"\x30\x82\x03\x0f"),
)

_LONGEVITY = (
    longevity.AlgorithmInput(
        source="Решение оператора по рекомендациям регулятора",
        ends_at=datetime(2031, 1, 1, tzinfo=UTC),
    ),
)

_ROUTING = (
    DispatchInput(
        selector=Selector(subtree_of=CENTER, line=Line.BRANCH), mode="chancery",
        deadlines={"regional": date(2026, 12, 21), "primary": date(2026, 12, 10)},
    ),
    routing.AcknowledgeFor(person_id=PERSON),
    routing.RelayInput(resolution="Довести до сведения первичных организаций под роспись."),
    routing.AnswerInput(document_id=DOCUMENT),
    questions.QuestionText(text="Нужно ли прикладывать протокол собрания?"),
    messages.Again(channel="paper"),
    messages.AskProlongation(until=date(2026, 12, 20), reason="Ждём данные первичных организаций"),
    messages.DecideProlongation(is_granted=True),
    PartnerInput(participant_uid=DOCUMENT, address="MINTRUD~MEDOGU"),
    medo.LookAgain(reason="Подпись подтверждена адресатом по телефону, служебная записка № 3."),
    medo.ReturnInput(reason="Ошибка адресации", comment="Вопрос не относится к нашему ведению."),
    medo.TheirNumber(number="14-2/В-77", on=date(2026, 11, 20)),
    medo.ExtensionInput(days=30, notice="Уведомление № 14-2/ОГ-77 от 01.12.2026"),
    appeal.AppealExtension(days=30, notice="Уведомление заявителю № 12 от 01.12.2026, почтой"),
    appeal.PortalNumber(number="ОГ-2026-000123", on=date(2026, 12, 1)),
)  # fmt: skip

_EVIDENCE = (
    evidence.ExportInput(
        kind="document", subject_id=DOCUMENT, purpose="Проверка контрольно-ревизионной комиссии",
        basis="Запрос комиссии от 20.11.2026 № 17", recipient="Председатель комиссии",
    ),
    hold.HoldInput(
        kind="document", subject_id=DOCUMENT, until=date(2027, 6, 30),
        reason="Иск по делу № А19-100/2026, определение от 16.11.2026",
    ),
    hold.HoldRelease(reason="Дело прекращено, определение от 20.05.2027"),
)  # fmt: skip

_PRIVACY = (
    Purpose(
        code="membership", title="Учёт членов профсоюза", basis="consent",
        law="152-ФЗ, ст. 6 ч. 1 п. 1", subjects="Члены профсоюза",
        categories="ФИО, дата рождения, место работы, телефон",
        actions="сбор, запись, хранение, уничтожение", kept="до выхода из профсоюза",
    ),
    privacy.TextInput(
        text="Даю согласие на обработку моих фамилии, имени, отчества, телефона и адреса "
        "электронной почты в справочнике организаций до прекращения моих полномочий."
    ),
    privacy.ConsentInput(purpose="directory", version=1),
    privacy.WithdrawalInput(purpose="directory"),
    privacy.RequestInput(
        person_id=PERSON, kind="access", reference="вх. № 17 от 20.11.2026",
        received_on=date(2026, 11, 20),
    ),
    privacy.NoticeInput(text="Уведомление исх. № 31 от 27.11.2026"),
    privacy.CorrectionInput(
        answer="Исправлено, письмо исх. № 32 от 27.11.2026", values={"last_name": "Петрова"}
    ),
    privacy.ErasureInput(
        person_id=PERSON, ground="consent_withdrawn", basis="Заявление вх. № 17 от 20.11.2026",
        since=date(2026, 11, 20), members=[ACCOUNT, JOURNAL],
        documents=[privacy.Decided(document_id=DOCUMENT, decision="destroy")],
    ),
)  # fmt: skip

_NOTIFY = (
    notify.NewWebhook(
        url="https://hooks.example.org/docflow",
        event_types=["document.received", "delivery.acknowledged"],
    ),
    notify.ReadNotices(ids=[UUID("019a0000-0000-7000-8000-00000000f001")]),
)

_PUBLICATIONS = (
    PublicationCard(
        kind="page",
        channel="site",
        place="https://profsoyuz.example.org/news/2026/117",
        title="Итоги отчётно-выборной конференции",
        planned_on=date(2026, 11, 23),
    ),
    PictureInput(caption="Фото: А. Смирнов. CC BY 4.0"),
    publications.Reason(reason="Правообладатель прислал претензию."),
)

_TERMS = Terms(
    kind="contract", holder="ООО «Фотоархив»", number="14/2026", reach="subtree",
    channels=("site", "newspaper"), since=date(2026, 1, 1), until=date(2027, 12, 31),
    attribution="Фото: И. Петров / Фотоархив",
)  # fmt: skip

_PICTURES = (
    register.Why(reason="Внесено дважды."),
    register.LicenceInput(terms=_TERMS, document=b"%PDF-1.7"),
    register.ConfirmInput(terms=_TERMS),
    register.RevokeInput(on=date(2027, 2, 1), reason="Письмо правообладателя от 20.01.2027 № 3"),
    register.SeatInput(seat="petrova"),
    register.OwnWorkInput(
        consent=Consent(author="Анна Петрова", attribution="Фото: А. Петрова"),
        document=b"%PDF-1.7",
    ),
    register.WithdrawInput(on=date(2027, 2, 1)),
    ClaimantCard(name="Иван Истцов", aliases=("I. Istsov",), since=date(2024, 1, 1)),
    register.WorkInput(picture_id=FILE),
    register.AskInput(question="Договор есть, скан приложим.", due_on=date(2026, 12, 1)),
    register.DecideInput(
        verdict="cleared", reason="Есть договор с автором № 5.", until=date(2027, 6, 30)
    ),
    register.UseRecord(check_id=DOCUMENT, place="https://profsoyuz.example.org/news/17"),
)

_TRUST = (
    trust.RetireInput(reason="Удостоверяющий центр сообщил о компрометации ключа."),
    trust.SourceInput(url="http://crl.example.org/ca-2026.crl", name="УЦ Федерации"),
    trust.StampServiceInput(name="Служба отметок времени", url="http://tsa.example.org/tsp"),
)

_LOG = (
    log.WitnessInput(
        url="https://witness.example.org",
        key="witness.example.org/w1+fb8824b3"
        "+BM4s1zpVtjSWnp8xdM8NzMRX2PPxHKOCnQ9LKc9mfGeV",  # leaks: ok (a public key)
    ),
)

_WAYS = (
    PrintInput(document_id=DOCUMENT, regions=("38", "75")),
    paper_schemas.AnswerByCode(person_id=PERSON),
    offline.PackInput(organization_id=REGIONAL),
    offline.TrustInput(public="4d" * 32, organization_id=REGIONAL),
)

_RECORDS = (
    ListInput(
        code="own", edition="Перечень организации 2026 года", title="Перечень документов",
        source="Постановление президиума от 20.12.2025 № 12-4", valid_from=date(2026, 1, 1),
        articles=[ArticleInput(article="1", title="Учётные карточки", term_kind="until_need",
                               mark="read")],
    ),
    records.ConfirmArticle(source="Официальное издание, сверено 20.11.2026, с. 14"),
    records.PlanInput(year=2027),
    records.CopyInput(from_year=2026, to_year=2027),
    records.ApprovePlan(agreement="Протокол ЭК от 18.12.2026 № 4"),
    CaseInput(
        index="01-12", section="01. Аппарат", years=5, protocol="Протокол ЭК от 18.12.2026 № 4",
        title="Переписка с первичными профсоюзными организациями",
    ),
    records.CloseCase(on=date(2026, 11, 20)),
    records.Appraisal(protocol="Протокол ЭК от 18.12.2026 № 4", keep=False),
    records.FileInput(document_id=DOCUMENT),
    records.InventoryInput(year=2025, kind="permanent", number="1"),
    records.ApproveInventory(protocol="Протокол ЭПК от 02.02.2026 № 3"),
    records.CommissionInput(
        members=[ACCOUNT, PERSON, REGIONAL], chair_id=ACCOUNT, basis="Приказ от 10.01.2026 № 3"
    ),
    records.ActInput(case_ids=[DOCUMENT], basis="Приказ Росархива от 20.12.2019 № 236"),
    records.VoteInput(is_for=True),
    records.ApproveAct(protocol="Протокол ЭК от 12.01.2026 № 1"),
    records.CancelAct(reason="Составлен с ошибкой в заголовке."),
)  # fmt: skip

EXAMPLES: Mapping[type, Any] = {
    type(one): one
    for one in (
        *_ACCESS,
        *_DIRECTORY,
        *_DOCUMENTS,
        *_AUTHORITY,
        *_LONGEVITY,
        *_RECORDS,
        *_ROUTING,
        *_WAYS,
        *_NODES,
        *_EVIDENCE,
        *_PRIVACY,
        *_LOG,
        *_NOTIFY,
        *_PUBLICATIONS,
        *_TRUST,
        *_PICTURES,
    )
}
"""By the struct that a route takes as its body."""

CHANGES: Mapping[str, Any] = {"phone": "+7 (3952) 00-00-01", "email": "ppo3@example.org"}
"""The body of the one route that takes any of the contact fields instead of a struct."""

CARD_HEADER = "%7B%22kind%22%3A%22letter%22%2C%22title%22%3A%22%D0%9E%D1%82%D0%B2%D0%B5%D1%82%22%7D"
"""A card in the header X-Card: URL-encoded JSON."""
