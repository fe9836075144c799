"""Descriptors of pipes, FIFOs, sockets and terminals, read and written without ever blocking.

``receive`` and ``send`` return at once; ``wait`` is the only call that waits, and it has a limit.
"""

from __future__ import annotations

import errno
import math
import os
import select
import sys

from ..real import real
from ..signals.dispositions import broken_pipe_as_error
from .descriptors import identity, same

_LONGEST_POLL = 2**31 - 1  # milliseconds: poll(2) takes a C int
_poll = getattr(select, "poll", None)  # unlike select(2), it takes descriptors above 1023


class Stream:
    """One end of a pipe.

    Attributes:
        fd: the descriptor; it is non-blocking.
        met: whether somebody has ever been at the other end (see :class:`FifoStream`).
    """

    def __init__(self, fd: int) -> None:
        self.fd = fd
        self.met = True
        self._identity = identity(fd)
        self._prepare()

    def receive(self, limit: int) -> bytes | None:
        """Return up to ``limit`` bytes, ``b""`` at the end, ``None`` when nothing is there yet."""
        try:
            chunk: bytes = real.read(self.fd, limit)
        except BlockingIOError:
            return None
        return chunk

    def send(self, data: memoryview) -> int:
        """Return how many bytes went out, 0 when there is no room.

        Raises:
            BrokenPipeError: nobody reads any more.
        """
        try:
            with broken_pipe_as_error():
                sent: int = real.write(self.fd, data)
        except BlockingIOError:
            return 0
        return sent

    def wait_readable(self, seconds: float) -> bool:
        """Wait for bytes or the end; say whether there is something to read."""
        return bool(self._events(select.POLLIN, seconds))

    def wait_writable(self, seconds: float) -> bool:
        """Wait for room; say whether writing gets on (or fails at once)."""
        return bool(self._events(select.POLLOUT, seconds))

    def unread(self) -> int:
        """Return how many bytes wait to be read here."""
        import termios  # noqa: PLC0415  # not on Windows

        answer = real.ioctl(self.fd, termios.FIONREAD, b"\0\0\0\0")
        return int.from_bytes(answer, sys.byteorder)

    def shared(self) -> int | None:
        """Return a blocking descriptor of the same end, or ``None`` if it would unblock ours too.

        Whether reads block is a trait of the open file, which ``dup`` shares; so the end is opened
        a second time through ``/proc`` (Linux).
        """
        flags = os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC | self._access()
        try:
            fd: int = real.open(f"/proc/self/fd/{self.fd}", flags)
        except OSError:
            return None
        real.set_blocking(fd, True)
        return fd

    def given_away(self) -> int:
        """Return a blocking descriptor of the same end; ours is of no use afterwards."""
        fd = self.shared()
        if fd is None:
            fd = real.dup(self.fd)
            real.set_blocking(fd, True)
        return fd

    def intact(self) -> bool:
        """Say whether the descriptor is still ours, and its number not another file's by now."""
        return same(self.fd, self._identity)

    def close(self) -> None:
        """Close the descriptor, unless its number belongs to another file by now."""
        if self.intact():
            real.close(self.fd)

    def _prepare(self) -> None:
        real.set_blocking(self.fd, False)

    def _access(self) -> int:
        import fcntl  # noqa: PLC0415  # not on Windows

        flags: int = real.fcntl(self.fd, fcntl.F_GETFL)
        return flags & os.O_ACCMODE

    def _events(self, wanted: int, seconds: float) -> int:
        if _poll is None:
            raise NotImplementedError("select.poll does not exist on this platform")
        poller = _poll()
        poller.register(self.fd, wanted)
        # Rounded up: a wait that ends a fraction early would come back again and again.
        found = poller.poll(min(math.ceil(seconds * 1000), _LONGEST_POLL))
        return found[0][1] if found else 0


class FifoStream(Stream):
    """One end of a FIFO, where "no writer yet" must be told from "no writer any more".

    Both read as ``b""``.  The kernel hangs a reader up only after a writer has come and gone
    (Linux, fs/pipe.c: it compares the count of writers so far with that at the reader's open).
    """

    def receive(self, limit: int) -> bytes | None:
        """Return up to ``limit`` bytes, ``b""`` at the end, ``None`` when nothing is there yet."""
        chunk = super().receive(limit)
        if chunk == b"" and not self._hung_up():
            self.met = False
            return None
        self.met = True
        return chunk

    def _hung_up(self) -> bool:
        # A writer may come, write and go between the read and this look: then there is more.
        return self._events(select.POLLIN, 0) & (select.POLLHUP | select.POLLIN) == select.POLLHUP


class TerminalStream(Stream):
    """One side of a pseudo-terminal, where Linux says EIO once the other side has been hung up."""

    def receive(self, limit: int) -> bytes | None:
        """Return up to ``limit`` bytes, ``b""`` at the end, ``None`` when nothing is there yet."""
        try:
            return super().receive(limit)
        except OSError as error:
            if error.errno != errno.EIO:
                raise
            return b""

    def send(self, data: memoryview) -> int:
        """Return how many bytes went out, 0 when there is no room."""
        try:
            return super().send(data)
        except OSError as error:
            if error.errno != errno.EIO:
                raise
            raise BrokenPipeError(errno.EPIPE, "the other side has been hung up") from error


class ControllerStream(TerminalStream):
    """The controlling side, which cannot be opened twice: that would make another terminal."""

    def shared(self) -> int | None:
        """Return ``None``."""
        return None


class SocketStream(Stream):
    """One end of a socket pair; the descriptor itself stays blocking, each call asks not to wait.

    So what a child or a ``dup`` gets behaves as programs expect.
    """

    def _prepare(self) -> None:
        # The C type, because plugins that forbid sockets put a guard in place of the Python class.
        import _socket  # noqa: PLC0415  # loaded when sockets are used

        self._socket = _socket.socket(fileno=self.fd)
        # A default time-out (socket.setdefaulttimeout) would make the descriptor non-blocking.
        self._socket.settimeout(None)
        self._flags = _socket.MSG_DONTWAIT | getattr(_socket, "MSG_NOSIGNAL", 0)
        self._stop_writing = _socket.SHUT_WR

    def receive(self, limit: int) -> bytes | None:
        """Return up to ``limit`` bytes, ``b""`` at the end, ``None`` when nothing is there yet."""
        try:
            return self._socket.recv(limit, self._flags)
        except BlockingIOError:
            return None
        except ConnectionResetError:
            return b""  # the other end was closed before it had read everything

    def send(self, data: memoryview) -> int:
        """Return how many bytes went out, 0 when there is no room."""
        try:
            return self._socket.send(data, self._flags)
        except BlockingIOError:
            return 0
        except ConnectionResetError as error:
            raise BrokenPipeError(errno.EPIPE, "the other end was closed") from error

    def finish_writing(self) -> None:
        """Tell the other end that nothing more will come."""
        self._socket.shutdown(self._stop_writing)

    def shared(self) -> int:
        """Return a duplicate; it blocks, as ours does."""
        fd: int = real.dup(self.fd)
        return fd

    def close(self) -> None:
        """Close the descriptor, unless its number belongs to another file by now."""
        self._socket.detach()
        super().close()


def socket_streams() -> tuple[SocketStream, SocketStream]:
    """Make a connected pair of UNIX stream sockets."""
    import _socket  # noqa: PLC0415  # loaded when sockets are used

    if not hasattr(_socket, "socketpair"):
        raise NotImplementedError("socketpair does not exist on this platform")
    left, right = _socket.socketpair(_socket.AF_UNIX, _socket.SOCK_STREAM)
    return SocketStream(left.detach()), SocketStream(right.detach())


def pipe_streams() -> tuple[Stream, Stream]:
    """Make a pipe: the reading and the writing end."""
    if _poll is None:
        raise NotImplementedError("select.poll does not exist on this platform")
    reading, writing = real.pipe()
    return Stream(reading), Stream(writing)
