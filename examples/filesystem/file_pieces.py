"""Read a file piece by piece, and notice when it is not what it was.

Exercise A12, the reading.  The traps it avoids: a file read whole into memory; a link that is
followed, or a FIFO that is waited for, because it has taken the place of a file since the directory
was listed; an error of a descriptor that does not say which file it is about.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator

_PIECE = 64 * 1024  # bytes: larger ones are no faster, and each would be mapped and unmapped
# Never a link, never waiting for the writer of a FIFO that has taken the file's place.
OPEN_FLAGS = os.O_RDONLY | sum(
    getattr(os, name, 0) for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_NOCTTY", "O_BINARY")
)


def pieces(path: str, length: int, *, whole: bool) -> Iterator[bytes]:
    """Yield the first ``length`` bytes of a file, piece by piece; with ``whole`` it must end there.

    Raises:
        OSError: it cannot be read, or is shorter or longer than it should be; has the file's name.
    """
    fd = os.open(path, OPEN_FLAGS)
    try:
        left = length + whole  # one byte more than there should be shows that a file has grown
        while left > whole:
            piece = os.read(fd, _PIECE if left > _PIECE + 1 else left)
            left -= len(piece)
            if not piece or left < whole:
                raise changed(path)
            yield piece
    except OSError as error:
        raise named(error, path) from error
    finally:
        os.close(fd)


def changed(path: str) -> OSError:
    """Make the error for a file that is no longer what it was."""
    return OSError(errno.ESTALE, "it changed while it was being looked at", path)


def named(error: OSError, path: str) -> OSError:
    """Give an error the name of the file, which calls on descriptors do not know."""
    return error if error.filename else OSError(error.errno, error.strerror, path)
