"""The room's place in Piccolo's registry."""

from pathlib import Path

from piccolo.conf.apps import AppConfig

from storage.tables import Blob, BlobDamage

APP_CONFIG = AppConfig(
    app_name="storage",
    migrations_folder_path=Path(__file__).parent / "piccolo_migrations",
    table_classes=[Blob, BlobDamage],
)
