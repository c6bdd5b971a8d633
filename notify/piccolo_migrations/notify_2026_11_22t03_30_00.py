"""What the sending of mail and the end of a webhook leave behind for whoever looks into them."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from core.migrations import run_sql

ID = "2026-11-22T03:30:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "reasons and next attempts"

SQL = """
ALTER TABLE webhook
    ADD COLUMN disabled_reason text CONSTRAINT webhook_disabled_reason
        CHECK (disabled_reason IN ('by_administrator', 'gone', 'failing'));

ALTER TABLE notice
    ADD COLUMN email_attempts integer NOT NULL DEFAULT 0,
    ADD COLUMN email_next_at timestamptz,
    ADD COLUMN email_error text,
    ADD CONSTRAINT notice_email_next CHECK ((email_status = 'waiting') = (email_next_at IS NOT NULL));
CREATE INDEX notice_email_due ON notice (email_next_at) WHERE email_status = 'waiting';

CREATE INDEX webhook_message_old ON webhook_message (created_at) WHERE status <> 'waiting';
"""


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="notify", description=DESCRIPTION)

    async def run() -> None:
        await run_sql(SQL)

    manager.add_raw(run)
    return manager
