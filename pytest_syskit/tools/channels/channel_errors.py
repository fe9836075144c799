"""What can go wrong between two ends."""

from __future__ import annotations


class ChannelTimeout(TimeoutError):
    """An end waited as long as it may.

    Attributes:
        received: the bytes that had arrived.
        written: how many bytes had gone out.
    """

    def __init__(self, message: str, *, received: bytes = b"", written: int = 0) -> None:
        super().__init__(message)
        self.received = received
        self.written = written


class EndOfStream(EOFError):
    """The other end was closed before all that was wanted had come.

    Attributes:
        received: the bytes that had arrived.
    """

    def __init__(self, message: str, *, received: bytes = b"") -> None:
        super().__init__(message)
        self.received = received


class NobodyReads(BrokenPipeError):
    """The last reader has gone (EPIPE; the signal SIGPIPE never comes of it).

    Attributes:
        written: how many bytes had gone out before.
    """

    def __init__(self, message: str, *, written: int = 0) -> None:
        super().__init__(message)
        self.written = written
