"""fstat(2) at the price of the system call alone.

``os.fstat`` spends most of its time on nineteen Python numbers of which a look at descriptors needs
two or three.  The C function fills a buffer instead::

    struct stat │ device │ inode │ …five more… │ size │ …      on 64-bit Linux; checked before use

The interpreter's lock is let go during the call, as ``os.fstat`` does: a file system in user space
may be served by a thread of this very process.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterable
from typing import Any

from ..real import real

WORDS = 32  # of eight bytes: room for a struct stat of any processor, the largest has eighteen
DEVICE, INODE, SIZE = 0, 1, 6  # which word says what
_WORD = 8  # bytes

Quick = Callable[[Any, Any], int]  # descriptor and place, as C values; 0 for success


@functools.cache
def quick_fstat() -> Quick | None:
    """Return the C function, or ``None`` where it is absent or fills in something else."""
    import ctypes  # noqa: PLC0415  # for runs that have tests

    try:
        function: Any = ctypes.CDLL(None)["fstat"]  # absent from the GNU library before 2.33
        fd = real.open("/proc/self/exe", os.O_RDONLY | os.O_CLOEXEC)  # its numbers are not 0
    except (AttributeError, OSError, TypeError):
        return None
    try:
        words = room(WORDS)
        facts = real.fstat(fd)
        told = function(fd, words) == 0 and (words[DEVICE], words[INODE], words[SIZE])
        return function if told == (facts.st_dev, facts.st_ino, facts.st_size) else None
    finally:
        real.close(fd)


def room(words: int) -> Any:
    """Make an array of words that a C function can fill."""
    import ctypes  # noqa: PLC0415  # see quick_fstat

    return (ctypes.c_uint64 * words)()


def same_files(
    files: Iterable[tuple[int, int, int]], quick: Quick | None = None
) -> Callable[[], bool]:
    """Return what asks whether numbers still lead to the files that they led to.

    Args:
        files: descriptors with their devices and inodes.
        quick: the C library's ``fstat``, where it may be used.
    """
    known = tuple(files)
    return functools.partial(_are_same, known) if quick is None else _Comparison(quick, known).holds


def _are_same(files: tuple[tuple[int, int, int], ...]) -> bool:
    fstat = real.fstat
    try:
        for fd, device, inode in files:
            facts = fstat(fd)
            if facts.st_ino != inode or facts.st_dev != device:
                return False
    except OSError:
        return False  # closed
    return True


class _Comparison:
    """Asks all of them, and compares all answers at once.

    Each answer is written two words behind the one before, and so over all of it but its device and
    inode.
    """

    def __init__(self, function: Quick, files: tuple[tuple[int, int, int], ...]) -> None:
        import ctypes  # noqa: PLC0415  # see quick_fstat

        self._function = function
        self._room = room(2 * len(files) + WORDS)
        self._asked = [
            (ctypes.c_int(fd), ctypes.byref(self._room, 2 * _WORD * place))
            for place, (fd, _, _) in enumerate(files)
        ]
        expected = room(2 * len(files))
        expected[:] = [word for _, device, inode in files for word in (device, inode)]
        self._expected = bytes(expected)
        self._found = memoryview(self._room).cast("B")[: len(self._expected)]

    def holds(self) -> bool:
        """Say whether all are open and the same."""
        function = self._function
        for number, place in self._asked:
            if function(number, place):
                return False  # closed
        return self._found.tobytes() == self._expected
