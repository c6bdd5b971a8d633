"""Fixtures of the integration tests that several files share."""

from job_queue import queue_database, queue_db

__all__ = ["queue_database", "queue_db"]
