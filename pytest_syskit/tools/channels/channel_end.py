"""One end of a FIFO, pipe, socket or terminal: every read and write has a time limit.

Nothing is read ahead: what the program under test reads next from the same descriptor is exactly
what comes next.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from ...host.descriptors.stream import Stream
from ...host.real import real
from .channel_errors import ChannelTimeout, EndOfStream, NobodyReads
from .channel_role import Role, Wanted
from .channel_words import (
    counted,
    ended_text,
    holder_text,
    nobody_reads_text,
    read_timeout_text,
    write_timeout_text,
)
from .deadline import Deadline, checked_seconds
from .plain_descriptors import PlainDescriptors

DEFAULT_TIMEOUT = 5.0  # seconds: a busy machine starts a Python program in one, a deadlock lasts
_CHUNK = 1 << 16  # bytes: what a Linux pipe holds
# What had arrived by the deadline counts even if reading it takes longer; the largest pipe that an
# ordinary user may have holds 1 MiB (/proc/sys/fs/pipe-max-size).
_LARGEST_BUFFER = 1 << 20


class ChannelEnd:
    """One end; get it from ``fifo_pair``, ``pipe_pair``, ``pty_pair`` or ``socket_pair``.

    Args:
        role: names for messages.
        opener: opens the end within a limit, at first use.
        timeout: seconds that each call may take unless it says otherwise.
        facing: returns the ends of this process that face this one.
    """

    def __init__(
        self,
        role: Role,
        opener: Callable[[Deadline], Stream],
        *,
        timeout: float = DEFAULT_TIMEOUT,
        facing: Callable[[], Sequence[ChannelEnd]] = tuple,
    ) -> None:
        self.role = role
        self.timeout = checked_seconds(timeout)
        self._opener = opener
        self._facing = facing
        self._stream: Stream | None = None
        self._closed_by: str | None = None
        self._plain = PlainDescriptors()

    def open(self, timeout: float | None = None) -> ChannelEnd:
        """Open the end now rather than at first use, and return it."""
        self._usable(self._limit(timeout))
        return self

    def close(self, reason: str = "close() was called") -> None:
        """Close this process's descriptor; once is enough, twice does no harm."""
        stream, self._stream = self._stream, None
        self._closed_by = self._closed_by or reason
        if stream is not None:
            stream.close()
        self._plain.close()

    @property
    def closed(self) -> bool:
        """Whether the end was closed here."""
        return self._closed_by is not None

    @property
    def closed_because(self) -> str | None:
        """Why the end was closed here, or ``None``."""
        return self._closed_by

    @property
    def open_fd(self) -> int | None:
        """The descriptor if the end is open already; opens nothing."""
        return self._plain.open_one() if self._stream is None else self._stream.fd

    @property
    def fd(self) -> int:
        """The descriptor: close-on-exec, and non-blocking unless it is a socket."""
        return self._usable(self._limit(None)).fd

    def fileno(self) -> int:
        """Return the descriptor, for ``select`` and the like."""
        return self.fd

    def __enter__(self) -> ChannelEnd:  # noqa: PYI034  # typing.Self is newer than Python 3.10
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        state = "not open yet" if self._stream is None else f"fd {self._stream.fd}"
        return f"<{self.role}: {'closed' if self.closed else state}>"

    def read_exactly(self, count: int, timeout: float | None = None) -> bytes:
        """Read ``count`` bytes.

        Raises:
            ChannelTimeout: fewer came in time; ``.received`` has them.
            EndOfStream: the other end was closed first; ``.received`` has what came.
        """
        if isinstance(count, bool) or not isinstance(count, int) or count < 0:
            raise ValueError(f"count={count!r}: a number of bytes from 0 up is expected")
        wanted = Wanted(counted(count, "byte"), lambda got: count - len(got), total=count)
        return self._collect(wanted, timeout)

    def read_line(self, timeout: float | None = None) -> bytes:
        r"""Read up to and including the next ``b"\n"`` (raises as :meth:`read_exactly` does)."""
        return self.read_until(b"\n", timeout)

    def read_until(self, marker: bytes, timeout: float | None = None) -> bytes:
        """Read up to and including ``marker`` (raises as :meth:`read_exactly` does)."""
        mark = bytes(_checked_bytes(marker))
        if not mark:
            raise ValueError("marker=b'': at least one byte is expected")
        # Byte by byte, because what follows the marker is for whoever reads next.
        name = "a line" if mark == b"\n" else f"{mark!r}"
        return self._collect(Wanted(name, lambda got: not got.endswith(mark)), timeout)

    def read_until_eof(self, timeout: float | None = None) -> bytes:
        """Read until every writer has closed.

        Raises:
            ChannelTimeout: somebody still holds the other end open; ``.received`` has what came.
        """
        return self._collect(Wanted("the end", lambda _: _CHUNK, to_the_end=True), timeout)

    def read_available(self) -> bytes:
        """Return what is there now without waiting: ``b""`` when nothing is, or at the end.

        At most 1 MiB, so that a writer who never stops cannot hold us.
        """
        stream = self._readable(self._limit(None))
        arrived = bytearray()
        while len(arrived) < _LARGEST_BUFFER and (chunk := stream.receive(_CHUNK)):
            arrived += chunk
        return bytes(arrived)

    def unread(self) -> int:
        """Return how many bytes wait to be read at this end."""
        return self._readable(self._limit(None)).unread()

    def write(self, data: bytes | bytearray | memoryview, timeout: float | None = None) -> int:
        """Write all of ``data`` and return its length.

        Raises:
            ChannelTimeout: nobody made room in time; ``.written`` counts what went out.
            NobodyReads: every reader has closed (a ``BrokenPipeError``; SIGPIPE kills nobody here).
        """
        rest = _checked_bytes(data)
        limit = self._limit(timeout)
        stream = self._writable(limit)
        done = 0
        while done < len(rest):
            sent = self._send(stream, rest, done)
            done += sent
            if not sent and (limit.over() or not stream.wait_writable(limit.left())):
                raise self._write_timeout(limit, done, len(rest))
        return done

    @contextmanager
    def inheritable(self) -> Iterator[int]:
        """Lend this end to a child: yield a blocking descriptor that children inherit.

        It is closed here when the block ends; start the child inside, with
        ``subprocess.Popen(..., pass_fds=[fd])`` or ``stdout=fd``.  This end stays open here too, so
        the child's closing is not the end of the stream: see :meth:`handed_over`.  While the block
        runs, a program started by another thread inherits the descriptor as well.

        Raises:
            NotImplementedError: this platform cannot give a child a blocking end while ours, the
                same open file, stays non-blocking.
        """
        fd = self._usable(self._limit(None)).shared()
        if fd is None:
            raise NotImplementedError(
                f"{self.role}: this end cannot be shared with a child here; "
                "use handed_over(), which gives it away"
            )
        with _lent(fd):
            yield fd

    @contextmanager
    def handed_over(self) -> Iterator[int]:
        r"""Give this end to a child: as :meth:`inheritable`, and this end is closed afterwards.

        So the child's closing, or its death, is the end of the stream.

        >>> import subprocess
        >>> from pytest_syskit.tools.channels.pipe_pair import pipe_pair
        >>> with pipe_pair() as pair:
        ...     with pair.writer.handed_over() as fd:
        ...         child = subprocess.Popen(["echo", "spam"], stdout=fd)
        ...     text = pair.reader.read_until_eof()
        ...     status = child.wait()
        >>> text, status
        (b'spam\n', 0)
        """
        try:
            with _lent(self._usable(self._limit(None)).given_away()) as fd:
                yield fd
        finally:
            self.close("it was handed over to a child")

    def blocking(self) -> int:
        r"""Give this end to code under test in this process: return a plain, blocking descriptor.

        For functions that take a descriptor and know nothing of limits.  From then on this end
        itself neither reads nor writes; ``blocking()`` may be called once.  The code may close the
        descriptor (the other end sees it at once); if it does not, it is closed with the pair, or
        by :meth:`close`, so a file object made of it must not outlive them.  It is close-on-exec.

        Nothing limits what the code does with it: ``signal_timeout`` does.  A writer that nobody
        reads from ends in ``BrokenPipeError`` as usual.  A FIFO reader for which no writer has come
        reads the end at once, where ``open(pair.path)`` would wait for one.

        Raises:
            ChannelTimeout: the writer of a FIFO that nobody has open for reading.
            ValueError: the end is closed.

        >>> from pytest_syskit.tools.channels.pipe_pair import pipe_pair
        >>> with pipe_pair() as pair:
        ...     with open(pair.writer.blocking(), "w") as file:
        ...         _ = file.write("spam\n")
        ...     pair.reader.read_until_eof()
        b'spam\n'
        """
        fd = self._plain.add(self._usable(self._limit(None)).given_away())
        stream, self._stream = self._stream, None
        self._closed_by = f"blocking() gave it to the code under test as fd {fd}"
        if stream is not None:
            stream.close()
        return fd

    def _limit(self, timeout: float | None) -> Deadline:
        return Deadline.after(self.timeout if timeout is None else checked_seconds(timeout))

    def _usable(self, limit: Deadline) -> Stream:
        if self._closed_by is not None:
            raise ValueError(f"{self.role} is closed: {self._closed_by}")
        if self._stream is None:
            self._stream = self._opener(limit)
        if not self._stream.intact():
            raise ValueError(
                f"{self.role}: other code closed or replaced its descriptor, fd {self._stream.fd}"
            )
        return self._stream

    def _readable(self, limit: Deadline) -> Stream:
        if not self.role.reads:
            raise ValueError(f"{self.role} cannot read: read from the {self.role.other}")
        return self._usable(limit)

    def _writable(self, limit: Deadline) -> Stream:
        if not self.role.writes:
            raise ValueError(f"{self.role} cannot write: write to the {self.role.other}")
        return self._usable(limit)

    def _collect(self, wanted: Wanted, timeout: float | None) -> bytes:
        limit = self._limit(timeout)
        stream = self._readable(limit)
        arrived = bytearray()
        late = 0
        while (room := wanted.missing(arrived)) > 0:
            chunk = self._receive(stream, room, limit)
            if chunk == b"":
                return self._ended(wanted, bytes(arrived))
            arrived += chunk or b""
            late += len(chunk or b"") if limit.over() else 0
            if chunk is None or late > _LARGEST_BUFFER:
                raise self._read_timeout(stream, limit, wanted, bytes(arrived))
        return bytes(arrived)

    @staticmethod
    def _receive(stream: Stream, room: int, limit: Deadline) -> bytes | None:
        """Return the next bytes, ``b""`` at the end, ``None`` when the time is up."""
        while (chunk := stream.receive(min(room, _CHUNK))) is None:
            if limit.over() or not stream.wait_readable(limit.left()):
                return stream.receive(min(room, _CHUNK))  # it may have come with the last tick
        return chunk

    def _send(self, stream: Stream, rest: memoryview, done: int) -> int:
        try:
            return stream.send(rest[done : done + _CHUNK])
        except BrokenPipeError as error:
            text = nobody_reads_text(self.role, done, len(rest), self._facing())
            raise NobodyReads(text, written=done) from error

    def _read_timeout(
        self, stream: Stream, limit: Deadline, wanted: Wanted, arrived: bytes
    ) -> ChannelTimeout:
        holder = holder_text(self.role, self._facing(), met=stream.met)
        text = read_timeout_text(self.role, limit.seconds, wanted, arrived, holder)
        return ChannelTimeout(text, received=arrived)

    def _write_timeout(self, limit: Deadline, done: int, total: int) -> ChannelTimeout:
        holder = holder_text(self.role, self._facing())
        text = write_timeout_text(self.role, limit.seconds, done, total, holder)
        return ChannelTimeout(text, written=done)

    def _ended(self, wanted: Wanted, arrived: bytes) -> bytes:
        if wanted.to_the_end:
            return arrived
        raise EndOfStream(ended_text(self.role, wanted, arrived), received=arrived)


@contextmanager
def _lent(fd: int) -> Iterator[int]:
    try:
        real.set_inheritable(fd, True)
        yield fd
    finally:
        real.close(fd)


def _checked_bytes(data: object) -> memoryview:
    if isinstance(data, str):
        raise TypeError(f"{data[:20]!r} is text: encode it, as in 'text'.encode()")
    if not isinstance(data, (bytes, bytearray, memoryview)):
        raise TypeError(f"bytes are expected, not {type(data).__name__}")
    return memoryview(data).cast("B")
