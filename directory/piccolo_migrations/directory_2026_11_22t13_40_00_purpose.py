"""What personal data is processed for, by version, and the texts people consent to."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from core.migrations import run_sql

ID = "2026-11-22T13:40:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "purpose"

SQL = """
CREATE TABLE processing_purpose (
    code text NOT NULL CONSTRAINT processing_purpose_code CHECK (code ~ '^[a-z][a-z_]{1,39}$'),
    version integer NOT NULL CONSTRAINT processing_purpose_version CHECK (version > 0),
    title text NOT NULL CONSTRAINT processing_purpose_title CHECK (title <> ''),
    title_en text NOT NULL DEFAULT '',
    basis text NOT NULL CONSTRAINT processing_purpose_basis CHECK (basis IN ('consent', 'law', 'contract')),
    law text NOT NULL DEFAULT '',
    subjects text NOT NULL,
    categories text NOT NULL,
    actions text NOT NULL,
    recipients text NOT NULL DEFAULT '',
    kept text NOT NULL,
    is_open boolean NOT NULL DEFAULT true,
    changed_by uuid,
    changed_at timestamptz NOT NULL,
    PRIMARY KEY (code, version)
);

CREATE TABLE consent_text (
    purpose text NOT NULL,
    version integer NOT NULL CONSTRAINT consent_text_version CHECK (version > 0),
    text text NOT NULL CONSTRAINT consent_text_text CHECK (text <> ''),
    published_by uuid,
    published_at timestamptz NOT NULL,
    PRIMARY KEY (purpose, version)
);

INSERT INTO processing_purpose (code, version, title, title_en, basis, law, subjects, categories, actions, recipients, kept, changed_at) VALUES
('directory', 1, 'Справочник организаций и выборных лиц', 'Directory of organizations and officers', 'consent',
 '152-ФЗ, ст. 6 ч. 1 п. 1', 'Выборные лица и работники профсоюзных организаций',
 'ФИО, должность, организация, телефон, адрес электронной почты',
 'сбор, запись, хранение, показ внутри системы, блокирование, уничтожение', 'Вышестоящие и нижестоящие организации',
 'до прекращения полномочий или отзыва согласия', now()),
('documents', 1, 'Документооборот и подписание документов', 'Documents and their signing', 'law',
 '152-ФЗ, ст. 6 ч. 1 п. 2; 63-ФЗ; 125-ФЗ', 'Подписанты, исполнители, адресаты, заявители',
 'ФИО, должность, сведения сертификата (ИНН, СНИЛС), содержание документов',
 'сбор, запись, хранение, передача адресатам, блокирование, уничтожение', 'Адресаты документов',
 'срок хранения документа по номенклатуре дел', now()),
('accounts', 1, 'Учётные записи и безопасность', 'Accounts and security', 'law',
 '152-ФЗ, ст. 19; приказ ФСТЭК № 21', 'Пользователи системы',
 'ФИО, имя для входа, роли, журнал действий', 'сбор, запись, хранение, уничтожение', '',
 'срок хранения журнала событий', now()),
('pictures', 1, 'Использование изображений и произведений авторов', 'Use of authors'' pictures', 'consent',
 '152-ФЗ, ст. 6 ч. 1 п. 1, ст. 10.1; ГК РФ, ст. 152.1', 'Авторы и изображённые лица',
 'ФИО автора, изображение, условия согласия', 'сбор, запись, хранение, распространение, уничтожение',
 'Неограниченный круг лиц в пределах согласия', 'срок согласия', now());
"""


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="directory", description=DESCRIPTION)

    async def run() -> None:
        await run_sql(SQL)

    manager.add_raw(run)
    return manager
