"""How Piccolo finds this room's tables and migrations."""

from pathlib import Path

from piccolo.conf.apps import AppConfig, table_finder

APP_CONFIG = AppConfig(
    app_name="documents",
    migrations_folder_path=str(Path(__file__).parent / "piccolo_migrations"),
    table_classes=table_finder(
        ["docflow.documents.tables", "docflow.documents.records.tables"], exclude_imported=True
    ),
    migration_dependencies=["storage.piccolo_app", "directory.piccolo_app"],
)
