"""Memory that is given back: how the C library's allocator is to behave in a long-lived process."""

import ctypes
import logging

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8  # <malloc.h> of glibc
_MEGABYTE = 1024 * 1024

log = logging.getLogger(__name__)


def return_freed() -> None:
    """Let buffers of an upload go back to the system as soon as they are freed.

    By default glibc raises its own threshold after the first large buffer and keeps an arena for
    every thread, so that a process that passed one gigabyte through stays swollen. Other C
    libraries have no such switch; then nothing changes. Call it before threads start.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):
        log.info("this C library has no mallopt")
        return
    mallopt(_ARENA_MAX, 2)
    mallopt(_MMAP_THRESHOLD, _MEGABYTE)
    mallopt(_TRIM_THRESHOLD, 2 * _MEGABYTE)
