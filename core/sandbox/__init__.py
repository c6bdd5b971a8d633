"""Hostile input is parsed at arm's length: ``await sandbox.pool().run(function, data)``."""

from core.sandbox.errors import (
    HostileInput,
    SandboxAnswerTooLarge,
    SandboxCrash,
    SandboxFailure,
    SandboxMemory,
    SandboxTimeout,
)
from core.sandbox.pool import PRELOAD, Sandbox, pool

__all__ = [
    "PRELOAD",
    "HostileInput",
    "Sandbox",
    "SandboxAnswerTooLarge",
    "SandboxCrash",
    "SandboxFailure",
    "SandboxMemory",
    "SandboxTimeout",
    "pool",
]
