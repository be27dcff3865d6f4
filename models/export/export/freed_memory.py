"""Memory of arrays that are not needed any more goes back to the system."""

from __future__ import annotations

import ctypes
import platform

MMAP_THRESHOLD = -3
LARGE = 1024 * 1024


def give_back_freed() -> None:
    """Where a large array has been freed, glibc keeps others of up to its size, at most 32 MB, for arrays to come: a module's
    parameters would count beside the next one's."""
    if platform.libc_ver()[0] == "glibc":
        ctypes.CDLL(None).mallopt(MMAP_THRESHOLD, LARGE)
