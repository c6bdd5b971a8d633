"""Where Piccolo's own commands find the engine and the rooms' tables (name required by Piccolo)."""

from piccolo.conf.apps import AppRegistry

from core.db import DB

APP_REGISTRY = AppRegistry(
    apps=[
        "core.jobs.piccolo_app",
        "core.idempotency.piccolo_app",
        "core.limits.piccolo_app",
        "storage.piccolo_app",
        "audit.piccolo_app",
        "directory.piccolo_app",
        "signatures.piccolo_app",
        "notify.piccolo_app",
        "compliance.piccolo_app",
        "docflow.documents.piccolo_app",
        "docflow.routing.piccolo_app",
        "evidence.log.piccolo_app",
        "evidence.packages.piccolo_app",
        "evidence.privacy.piccolo_app",
    ]
)

__all__ = ["APP_REGISTRY", "DB"]
