"""Limits the heaps of glibc, which otherwise keeps one for almost every thread of a server."""

from __future__ import annotations

import ctypes
import os
import sys

_M_ARENA_MAX = -8  # mallopt(3)
_HEAPS = 2


def limit_heaps() -> bool:
    """Let all threads of this process allocate from two heaps; to be called before threads are started.

    A server has many threads, each of which would keep memory that the others cannot use. Nothing happens
    with another C library, or if the environment variable ``MALLOC_ARENA_MAX`` is set.

    Returns
    -------
    bool
        Whether there is a limit of this function now.
    """
    if sys.platform != "linux" or "MALLOC_ARENA_MAX" in os.environ:
        return False
    try:
        return bool(ctypes.CDLL(None).mallopt(_M_ARENA_MAX, _HEAPS))
    except (OSError, AttributeError):
        return False
