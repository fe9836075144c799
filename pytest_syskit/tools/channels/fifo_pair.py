"""Two ends of a named pipe that cannot dead-lock on open.

    the test                     the FIFO                   a program
    .reader  O_RDONLY|O_NONBLOCK ◀── .path ◀── open(path, "w")  finds a reader at once
    .writer  O_WRONLY|O_NONBLOCK ──▶ .path ──▶ open(path)       waits for the first .writer.write()

The reader is open from the start, so a program that opens the FIFO for writing never hangs.  The
writer opens at first use: an open writer that nobody uses would keep the end of the stream from the
reader.  When it opens, the pair's reader makes it succeed at once; after ``pair.reader.close()`` it
waits for another reader, with a limit.
"""

from __future__ import annotations

import errno
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from ...host.descriptors.stream import FifoStream
from ...host.real import real
from ..workspace.private_directory import make_private_directory
from ..workspace.remove_tree import remove_tree
from .channel_end import DEFAULT_TIMEOUT, ChannelEnd
from .channel_errors import ChannelTimeout
from .channel_pair import ChannelPair
from .channel_role import Role
from .deadline import Deadline

_READER = Role("fifo", "reader", "writer", "the writer was closed", writes=False)
_WRITER = Role("fifo", "writer", "reader", "the reader was closed", reads=False)
_PAUSE = 0.005  # seconds between two tries to open: the kernel tells nobody that a reader came
_FLAGS = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0)
_OWNER = 0o600
_Identity = tuple[int, int, int]  # device, inode and type: what a path meant when we made it


class FifoPair(ChannelPair):
    """What :func:`fifo_pair` gives.

    Attributes:
        path: where the FIFO is, absolute.  Code that opens it is one more reader or writer beside
            the ends here.  One that reads sees the end of the stream once no writer at all is open:
            all other programs have closed, and ``.writer`` was closed too if it was ever used.  If
            none was open yet, its ``open`` waits for one; so a FIFO whose writers come one after
            the other shows an end between them, unless ``.writer.open()`` holds it open.  One that
            writes gets no ``BrokenPipeError`` before ``.reader`` is closed, and bytes go to whoever
            reads first: close ``.reader`` while a program reads.
        reader: open from the start.
        writer: opens at first use.
    """

    def __init__(self, path: Path, timeout: float) -> None:
        super().__init__(timeout)
        self.path = path
        self.reader = self.add(_READER, self._open_for_reading).open()
        self.writer = self.add(_WRITER, self._open_for_writing)

    def open_reader(self) -> ChannelEnd:
        """Open one more reader; each byte reaches only one of them."""
        return self.add(_READER, self._open_for_reading).open()

    def open_writer(self, timeout: float | None = None) -> ChannelEnd:
        """Open one more writer; the stream ends when all of them have closed.

        Raises:
            ChannelTimeout: nobody has the FIFO open for reading.
        """
        return self.add(_WRITER, self._open_for_writing).open(timeout)

    def _open_for_reading(self, _limit: Deadline) -> FifoStream:
        return FifoStream(real.open(self.path, os.O_RDONLY | _FLAGS))  # never blocks

    def _open_for_writing(self, limit: Deadline) -> FifoStream:
        while True:
            try:
                return FifoStream(real.open(self.path, os.O_WRONLY | _FLAGS))
            except OSError as error:
                if error.errno != errno.ENXIO:  # which means that nobody reads, see fifo(7)
                    raise
            if limit.over():
                raise ChannelTimeout(
                    f"fifo writer waited {limit.seconds:g} s for somebody to open {self.path} for "
                    f"reading; nobody has it open{self._why_not_here()}"
                )
            real.sleep(min(_PAUSE, limit.left()))

    def _why_not_here(self) -> str:
        return ", and the pair's own reader was closed" if self.reader.closed else ""


@contextmanager
def fifo_pair(
    path: str | os.PathLike[str] | None = None,
    *,
    mode: int = 0o600,
    timeout: float = DEFAULT_TIMEOUT,
) -> Iterator[FifoPair]:
    r"""Make a FIFO, ``.path``, whose ends never wait longer than ``timeout`` seconds.

    A program may open ``.path`` for writing at any time.  One that opens it for reading goes on as
    soon as ``.writer`` is used (or ``.writer.open()`` is called).  Close the end of the test that a
    program takes over: ``.reader.close()`` before you test what a writer does without a reader,
    ``.writer.close()`` to let a reader see the end.  Where several programs write one after the
    other, call ``.writer.open()`` first: while it is open no end of the stream comes between them.
    To a program that reads give the path rather than a descriptor: its ``open`` waits for a writer.
    Code in this process that takes a plain, blocking descriptor gets ``end.blocking()``.

    Args:
        path: where to make it; in a private directory of its own unless given.
        mode: permissions, whatever the umask is.
        timeout: seconds for each call on an end that does not say otherwise.

    When the block ends all ends of this process are closed and the FIFO is removed; a program that
    still hangs in ``open`` is let go and finds the other end closed.  Nothing here can block.

    Raises:
        FileExistsError: there is something at ``path`` already.
        NotImplementedError: this platform has no FIFOs (Windows).

    >>> with fifo_pair() as pair:
    ...     _ = pair.writer.write(b"spam\n")
    ...     pair.writer.close()
    ...     pair.reader.read_line(), pair.reader.read_until_eof()
    (b'spam\n', b'')
    """
    with ExitStack() as cleaning:
        place = _private_place(cleaning) if path is None else _given_place(path)
        _make(place, cleaning)
        if path is None:
            directory = place.parent
            cleaning.callback(_unlock, directory, _identity(directory), real.getpid())
        pair = FifoPair(place, timeout)
        cleaning.callback(pair.close)
        real.chmod(place, mode)  # last: our own reader must be able to open it whatever the mode
        yield pair


def _given_place(path: str | os.PathLike[str]) -> Path:
    text = os.fspath(path)
    if not isinstance(text, str) or "\0" in text:
        raise ValueError(f"path={path!r}: a path as text, without NUL, is expected")
    return Path(os.path.abspath(text))  # resolve() would follow links


def _private_place(cleaning: ExitStack) -> Path:
    """Make a directory for this user alone, which goes with all that was put there."""
    root = os.path.abspath(tempfile.gettempdir())
    directory = Path(make_private_directory(root, "syskit-fifo-"))
    cleaning.callback(_remove_directory, directory, _identity(directory), real.getpid())
    return directory / "fifo"


def _make(path: Path, cleaning: ExitStack) -> None:
    try:
        real.mkfifo(path, _OWNER)
    except OSError as error:  # which does not say where
        raise type(error)(error.errno, error.strerror, str(path)) from None
    cleaning.callback(_remove_fifo, path, _identity(path), real.getpid())
    real.chmod(path, _OWNER)  # the umask may have taken our own rights


def _remove_fifo(path: Path, made: _Identity, maker: int) -> None:
    """Unlink the FIFO, and wake whoever still hangs in opening it."""
    if not _still_ours(path, made, maker):
        return
    fd = None
    with suppress(PermissionError):  # this process has become another user meanwhile
        real.chmod(path, _OWNER)
        fd = real.open(path, os.O_RDWR | _FLAGS)  # both at once neither blocks nor fails
    try:
        real.unlink(path)
    finally:
        if fd is not None:
            real.close(fd)


def _unlock(directory: Path, made: _Identity, maker: int) -> None:
    if _still_ours(directory, made, maker):
        real.chmod(directory, _OWNER | stat.S_IXUSR)  # the test may have closed it


def _remove_directory(directory: Path, made: _Identity, maker: int) -> None:
    if _still_ours(directory, made, maker):
        remove_tree(str(directory))


def _still_ours(path: Path, made: _Identity, maker: int) -> bool:
    """Say whether a path means what we made, and this is the process that made it.

    A forked child that leaves the block as well must not take the FIFO from its parent.
    """
    if real.getpid() != maker:
        return False
    try:
        return _identity(path) == made
    except (FileNotFoundError, NotADirectoryError):
        return False  # the test removed it, or what it was in


def _identity(path: Path) -> _Identity:
    """Return what is at a path, links not followed; with the type, since inodes are reused."""
    facts = real.lstat(path)
    return facts.st_dev, facts.st_ino, stat.S_IFMT(facts.st_mode)
