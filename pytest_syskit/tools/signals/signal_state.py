"""Put signal handlers, mask, wakeup fd and timers back as they were."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from ...host.signals.dispositions import Disposition, read_disposition, restore_disposition
from ...host.signals.interval_timers import IntervalTimer, read_timers, start_again, stop_if_changed
from ...host.signals.signal_names import catchable_signals, signal_name

_NO_FD = -1  # what set_wakeup_fd gives and takes for "none"


def require_main_thread(tool: str) -> None:
    """Refuse to go on in a thread that may not set handlers.

    Raises:
        RuntimeError: this is not the main thread.
    """
    thread = threading.current_thread()
    if thread is not threading.main_thread():
        raise RuntimeError(
            f"{tool} works in the main thread only, and this is thread {thread.name!r}: "
            "Python sets and runs signal handlers in the main thread; enter it there"
        )


@dataclass(frozen=True, slots=True)
class SignalState:
    """What the process does with signals, as it was at one moment.

    Attributes:
        dispositions: handler, flags and mask of each signal that can be caught.
        blocked: the signals that the main thread held back.
        pending: those of them that were waiting to be delivered.
        wakeup_fd: the descriptor of ``signal.set_wakeup_fd``, -1 for none.
        timers: the interval timers (ITIMER_REAL, ITIMER_VIRTUAL, ITIMER_PROF).
    """

    dispositions: tuple[Disposition, ...]
    blocked: frozenset[int]
    pending: frozenset[int]
    wakeup_fd: int
    timers: tuple[IntervalTimer, ...]

    @classmethod
    def read(cls) -> SignalState:
        """Read the present state (main thread only)."""
        require_main_thread("SignalState.read()")
        return cls(
            dispositions=tuple(read_disposition(number) for number in catchable_signals()),
            blocked=_blocked(),
            pending=_pending(),
            wakeup_fd=_read_wakeup_fd(),
            timers=tuple(read_timers()),
        )

    def restore(self) -> None:
        """Put it back (main thread only): timers stop first and start last, so none rings late.

        Signals that were held back meanwhile and still wait are thrown away: the handlers they were
        meant for are gone.  A Ctrl-C typed at the terminal is passed on.
        """
        require_main_thread("SignalState.restore()")
        due = [(timer, stop_if_changed(timer)) for timer in self.timers]
        interrupted = _discard(_pending() - self.pending - self.blocked)
        for saved in self.dispositions:
            restore_disposition(saved)
        _set_blocked(self.blocked)
        _set_wakeup_fd(self.wakeup_fd)
        for timer, seconds in due:
            if seconds:
                start_again(timer, seconds)
        if interrupted:
            signal.raise_signal(signal.SIGINT)

    def handler(self, number: int) -> object:
        """Return what ``signal.getsignal`` said of a signal."""
        for saved in self.dispositions:
            if saved.number == number:
                return saved.handler
        raise KeyError(f"{signal_name(number)} cannot be caught, so it has no handler")


@contextmanager
def signal_state() -> Iterator[SignalState]:
    """Restore handlers, mask, wakeup fd and interval timers when the block ends, come what may.

    Handlers that C code installed survive: those from before are put back (also when the block
    replaced them), and those that C code installs inside the block are left alone.  A timer that
    ran before goes on with the time it has left by then.

    Yields:
        The :class:`SignalState` that will be restored.

    Raises:
        RuntimeError: this is not the main thread.

    It cannot restore masks of other threads, POSIX timers (``timer_create``), nor the
    ``warn_on_full_buffer`` flag of a wakeup fd, which Python does not tell.

    >>> import signal
    >>> with signal_state():
    ...     _ = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    >>> signal.getsignal(signal.SIGTERM).name
    'SIG_DFL'
    """
    require_main_thread("signal_state()")
    state = SignalState.read()
    try:
        yield state
    finally:
        state.restore()


def _blocked() -> frozenset[int]:
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        return frozenset()
    return frozenset(map(int, signal.pthread_sigmask(signal.SIG_BLOCK, ())))


def _set_blocked(numbers: frozenset[int]) -> None:
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_SETMASK, numbers)


def _pending() -> frozenset[int]:
    return (
        frozenset(map(int, signal.sigpending())) if hasattr(signal, "sigpending") else frozenset()
    )


def _discard(numbers: frozenset[int]) -> bool:
    """Take waiting signals out of the queue; say whether a Ctrl-C was among them."""
    interrupted = False
    for number in numbers:
        while number in signal.sigpending():
            interrupted |= _take(number)
    return interrupted


def _take(number: int) -> bool:
    """Take one waiting signal; say whether it is a SIGINT that the terminal sent."""
    if not hasattr(signal, "sigtimedwait"):  # macOS
        signal.sigwait([number])
        return False
    # No time: another thread may have been quicker, and then there is nothing to take.
    taken = signal.sigtimedwait([number], 0)
    # sigaction(2): si_code is positive when the kernel sent it, 0 for kill().
    return taken is not None and number == signal.SIGINT and taken.si_code > 0


def _read_wakeup_fd() -> int:
    fd = signal.set_wakeup_fd(_NO_FD)
    if fd != _NO_FD:
        _set_wakeup_fd(fd)
    return fd


def _set_wakeup_fd(fd: int) -> None:
    # A descriptor that was closed meanwhile cannot be set again; none is then the best there is.
    with suppress(OSError, ValueError):
        if signal.set_wakeup_fd(_NO_FD) == fd == _NO_FD:
            return
        signal.set_wakeup_fd(fd, warn_on_full_buffer=False)
