"""How Piccolo finds this room's tables and migrations."""

from pathlib import Path

from piccolo.conf.apps import AppConfig, table_finder

APP_CONFIG = AppConfig(
    app_name="privacy",
    migrations_folder_path=str(Path(__file__).parent / "piccolo_migrations"),
    table_classes=table_finder(["evidence.privacy.tables"], exclude_imported=True),
    migration_dependencies=["docflow.documents.piccolo_app", "compliance.piccolo_app"],
)
