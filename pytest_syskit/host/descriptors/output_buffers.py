"""Writing out what is still buffered, in Python's streams and in the C library's."""

from __future__ import annotations

import ctypes
import functools
import sys
from collections.abc import Iterable

from .. import libc


def python_streams() -> list[object]:
    """Return the standard output streams, the replaced ones and the originals, each once."""
    streams = (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__)
    return list({id(each): each for each in streams if each is not None}.values())


def flush_python(streams: Iterable[object]) -> None:
    """Flush streams; one that cannot be flushed is skipped, for it is not ours to repair."""
    for stream in streams:
        try:
            stream.flush()  # type: ignore[attr-defined]  # whatever tests put into sys.stdout
        except Exception:  # noqa: BLE001, S112  # closed, broken or no stream: any error
            continue


def flush_c() -> None:
    """Flush the C library's ``stdout``.

    Not all of its streams at once: that waits for a thread that is just reading ``stdin``.
    """
    stream = _c_stdout()
    if stream is not None:
        libc.library().fflush(stream)


@functools.cache
def _c_stdout() -> ctypes.c_void_p | None:
    for name in ("stdout", "__stdoutp"):  # glibc and musl; macOS and the BSDs
        try:
            return ctypes.c_void_p.in_dll(libc.library(), name)
        except ValueError:
            continue  # another C library's name
    return None
