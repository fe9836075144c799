"""The few calls that Python does not offer, through the C library.

``ctypes`` is imported by the first call: a run that needs none does not pay for it.
"""
# ruff: noqa: PLC0415  # see above

from __future__ import annotations

import functools
import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ctypes

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
PR_GET_CHILD_SUBREAPER = 37


@functools.cache
def library() -> ctypes.CDLL:
    """Return the C library this interpreter runs on (loaded once)."""
    import ctypes

    return ctypes.CDLL(None, use_errno=True)


def prctl(option: int, argument: object) -> None:
    """Call Linux ``prctl(option, argument)``.

    Raises:
        OSError: the kernel refused, or this is not Linux.
    """
    if not sys.platform.startswith("linux"):
        raise OSError(f"prctl is a Linux call; this is {sys.platform}")
    if library().prctl(option, argument, 0, 0, 0) != 0:
        import ctypes

        error = ctypes.get_errno()
        raise OSError(error, f"prctl({option}): {os.strerror(error)}")


def is_subreaper() -> bool:
    """Say whether orphaned descendants are handed to this process."""
    import ctypes

    value = ctypes.c_int(0)
    prctl(PR_GET_CHILD_SUBREAPER, ctypes.byref(value))
    return value.value != 0


def set_subreaper(enabled: bool) -> None:
    """Ask the kernel to hand orphaned descendants to this process, or to stop doing so."""
    prctl(PR_SET_CHILD_SUBREAPER, int(enabled))
