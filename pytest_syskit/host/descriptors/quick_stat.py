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


def same_files(files: Iterable[tuple[int, int, int]]) -> bool:
    """Say whether descriptors are open and lead to files of these devices and inodes."""
    fstat = real.fstat
    try:
        for fd, device, inode in files:
            facts = fstat(fd)
            if facts.st_ino != inode or facts.st_dev != device:
                return False
    except OSError:
        return False  # closed
    return True


class Comparison:
    """The same question, and whether a directory has kept its size, at the price of the calls.

    Each answer is written two words behind the one before, and so over all of it but its device and
    inode; the directory's is the last and stays whole::

        device │ inode │ device │ inode │ … │ device │ inode │ … │ size

    Args:
        function: the C library's ``fstat``.
        files: descriptors with their devices and inodes.
        folder: the directory's descriptor, and the size that it should have.
    """

    def __init__(
        self, function: Quick, files: Iterable[tuple[int, int, int]], folder: tuple[int, int]
    ) -> None:
        import ctypes  # noqa: PLC0415  # see quick_fstat

        known = tuple(files)
        words = room(2 * len(known) + WORDS)
        self._function = function
        self._numbers = (*(fd for fd, _, _ in known), folder[0])
        self._places = [ctypes.byref(words, 2 * _WORD * n) for n in range(len(known) + 1)]
        self._found = memoryview(words).cast("B")[: _WORD * (2 * len(known) + SIZE + 1)]
        any(map(function, self._numbers, self._places))  # what is between inode and size stays
        identities = [word for _, device, inode in known for word in (device, inode)]
        words[: len(identities)] = identities
        words[len(identities) + SIZE] = folder[1]
        self._expected = self._found.tobytes()

    def holds(self) -> bool:
        """Say whether all are open and the same, and the directory as full as it was."""
        if any(map(self._function, self._numbers, self._places)):
            return False  # closed
        return self._found.tobytes() == self._expected
