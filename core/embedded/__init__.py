"""Engines for one machine: a real PostgreSQL and a real S3 store as our own child processes."""

from core.embedded.services import Services, data_home, running, start

__all__ = ["Services", "data_home", "running", "start"]
