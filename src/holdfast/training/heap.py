"""The C library's memory: what one step of training frees is kept for the next."""

import ctypes
import sys
from collections.abc import Generator
from contextlib import contextmanager
from functools import cache
from typing import Any, Final

# Parameters of mallopt(3), glibc's malloc.h.
_TRIM_THRESHOLD: Final = -1
_MMAP_THRESHOLD: Final = -3
_MMAP_MAX: Final = -4
_WITHIN: Final = {_MMAP_MAX: 0, _TRIM_THRESHOLD: -1}
"""No block is mapped by itself, and none is given back."""
_AFTER: Final = {_MMAP_MAX: 65_536, _MMAP_THRESHOLD: 32 << 20, _TRIM_THRESHOLD: 64 << 20}
"""glibc's default number, and the thresholds that it comes to by itself once large blocks have been freed."""


@contextmanager
def kept() -> Generator[None]:
    """Within, memory that is freed stays with the process; after it, what is free goes back to the kernel.

    Left alone, glibc maps each block of 32 MB and more by itself and unmaps it once freed, so that the kernel zeroes
    every activation and gradient of a large network anew, page by page, in every step: up to a third of a step's time
    (`docs/scale.md`). Elsewhere than on glibc, nothing changes.
    """
    library = _glibc()
    if library is None:
        yield
        return
    for parameter, value in _WITHIN.items():
        library.mallopt(parameter, value)
    try:
        yield
    finally:
        for parameter, value in _AFTER.items():
            library.mallopt(parameter, value)
        library.malloc_trim(0)


@cache
def _glibc() -> Any:
    """The C library of this process, if it is glibc."""
    if sys.platform != "linux":
        return None
    library = ctypes.CDLL(None)
    return library if hasattr(library, "gnu_get_libc_version") and hasattr(library, "mallopt") else None
