"""Record the signals that reach this process: which, in what order, when."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from types import FrameType
from typing import NamedTuple

from ...host.real import real
from ...host.signals.dispositions import Disposition, read_disposition, restore_disposition
from ...host.signals.signal_names import catchable_signal, signal_name
from ..channels.deadline import Deadline, checked_seconds
from .signal_state import require_main_thread

DEFAULT_TIMEOUT = 5.0  # seconds: a signal takes microseconds, a child that sends one starts in less
_FIRST_PAUSE = 0.001  # seconds between looks
_LAST_PAUSE = 0.01
_SHOWN = 10  # deliveries that a message lists


class Delivery(NamedTuple):
    """One signal that came.

    Attributes:
        signal: the member of ``signal.Signals``, or the number of a real-time signal without one.
        time: when Python ran the handler, in seconds of ``time.monotonic()``.
    """

    signal: int
    time: float


class SignalLog:
    """What :func:`signal_log` has recorded so far; iterate over it, or ask ``records``."""

    def __init__(self, numbers: tuple[int, ...], *, chain: bool, timeout: float) -> None:
        self._members = {number: _member(number) for number in numbers}
        self._chain = chain
        self._timeout = timeout
        self._began = real.monotonic()
        self._noted: list[Delivery] = []
        self._previous: dict[int, Disposition] = {}

    @property
    def signals(self) -> tuple[int, ...]:
        """The signals that are recorded."""
        return tuple(self._members.values())

    @property
    def records(self) -> tuple[Delivery, ...]:
        """Every delivery since the log began or was cleared, in order of time."""
        # A handler that interrupts another one may note its signal first.
        return tuple(sorted(self._noted.copy(), key=lambda delivery: delivery.time))

    def __iter__(self) -> Iterator[Delivery]:
        return iter(self.records)

    def __len__(self) -> int:
        return len(self._noted)

    def count(self, number: int | str | None = None) -> int:
        """Return how many deliveries came, of one signal or of all."""
        return len(self._matching(self._chosen(number)))

    def clear(self) -> None:
        """Forget what came so far."""
        self._noted.clear()

    def wait(
        self,
        count: int = 1,
        timeout: float | None = None,
        *,
        signal: int | str | None = None,
    ) -> tuple[Delivery, ...]:
        """Wait until ``count`` deliveries have come since the log began, and return the first ones.

        A signal that came before the call counts: none is lost.  The kernel merges equal signals
        that wait for delivery (except real-time ones), so two may arrive as one.

        Args:
            count: how many deliveries in all.
            timeout: seconds; the log's own limit unless given.
            signal: count only this one.

        Raises:
            TimeoutError: fewer came; the message says how many, which and when.
            ValueError: the signal is not recorded here, or ``count`` is no count.
        """
        chosen = self._chosen(signal)
        wanted = _checked_count(count)
        limit = Deadline.after(self._timeout if timeout is None else checked_seconds(timeout))
        pause = _FIRST_PAUSE
        # Looking is what works: a signal that the kernel gives to another thread wakes nobody here.
        while len(came := self._matching(chosen)) < wanted:
            if limit.over():
                raise TimeoutError(self._missing(wanted, chosen, limit.seconds))
            real.sleep(min(pause, limit.left()))
            pause = min(2 * pause, _LAST_PAUSE)
        return came[:wanted]

    def _install(self, number: int) -> None:
        self._previous[number] = read_disposition(number)
        signal.signal(number, self._note)

    def _restore(self, number: int) -> None:
        restore_disposition(self._previous[number])

    def _note(self, number: int, frame: FrameType | None) -> None:
        """Be the handler: append and leave, so that a signal in the middle of it does no harm."""
        self._noted.append(Delivery(self._members[number], real.monotonic()))
        if self._chain and callable(handler := self._previous[number].handler):
            handler(number, frame)

    def _chosen(self, value: int | str | None) -> set[int]:
        if value is None:
            return set(self._members)
        number = catchable_signal(value)
        if number not in self._members:
            raise ValueError(f"{signal_name(number)} is not recorded here; {self._names()} is")
        return {number}

    def _matching(self, chosen: set[int]) -> tuple[Delivery, ...]:
        return tuple(delivery for delivery in self.records if delivery.signal in chosen)

    def _names(self) -> str:
        return " or ".join(signal_name(number) for number in self._members)

    def _missing(self, wanted: int, chosen: set[int], seconds: float) -> str:
        names = " or ".join(map(signal_name, sorted(chosen)))
        times = "1 delivery" if wanted == 1 else f"{wanted} deliveries"
        parts = [f"signal_log waited {seconds:g} s for {times} of {names}; {self._what_came()}"]
        parts += [hint for number in sorted(chosen) for hint in self._hints(number)]
        return "; ".join(parts)

    def _what_came(self) -> str:
        came = self.records
        if not came:
            return "none came"
        told = [
            f"{signal_name(one.signal)} after {one.time - self._began:.3f} s"
            for one in came[:_SHOWN]
        ]
        rest = [f"{len(came) - _SHOWN} more"] if len(came) > _SHOWN else []
        return f"{len(came)} came: {', '.join(told + rest)}"

    def _hints(self, number: int) -> Iterator[str]:
        """Say why a signal may never show here."""
        handler = signal.getsignal(number)
        if handler != self._note:
            yield f"{signal_name(number)} has another handler by now: {handler!r}"
        if hasattr(signal, "pthread_sigmask") and number in signal.pthread_sigmask(
            signal.SIG_BLOCK, ()
        ):
            yield f"{signal_name(number)} is blocked in this thread"


@contextmanager
def signal_log(
    *signals: int | str, chain: bool = False, timeout: float = DEFAULT_TIMEOUT
) -> Iterator[SignalLog]:
    """Record deliveries of ``signals`` while the block runs, instead of acting on them.

    Args:
        signals: members of ``signal.Signals``, numbers, or names such as ``"SIGUSR1"``.
        chain: also call the Python handler that was there before (never a default action).
        timeout: seconds that :meth:`SignalLog.wait` may take unless told otherwise.

    Yields:
        The :class:`SignalLog`.

    Raises:
        TypeError: no signal was given, or something that is none.
        ValueError: there is no such signal, or nobody can catch it (SIGKILL, SIGSTOP).
        RuntimeError: this is not the main thread.

    It cannot tell who sent a signal, and times are those at which Python ran the handler: a long
    call into C delays it.

    >>> import signal
    >>> with signal_log(signal.SIGUSR1) as log:
    ...     signal.raise_signal(signal.SIGUSR1)
    ...     came = log.wait(count=1, timeout=1)
    >>> came[0].signal.name
    'SIGUSR1'
    """
    require_main_thread("signal_log()")
    if not signals:
        raise TypeError("signal_log() needs the signals to record, such as signal.SIGUSR1")
    numbers = tuple(dict.fromkeys(map(catchable_signal, signals)))
    log = SignalLog(numbers, chain=chain, timeout=checked_seconds(timeout))
    with ExitStack() as handlers:
        for number in numbers:
            log._install(number)  # noqa: SLF001  # one unit in two halves
            handlers.callback(log._restore, number)  # noqa: SLF001  # as above
        yield log


def _member(number: int) -> int:
    try:
        return signal.Signals(number)
    except ValueError:  # real-time signals between the first and the last have no member
        return number


def _checked_count(count: object) -> int:
    if isinstance(count, signal.Signals):
        raise TypeError(f"count={count!r} is a signal: write wait(signal=signal.{count.name})")
    if isinstance(count, bool) or not isinstance(count, int):
        raise TypeError(f"count={count!r}: a whole number of deliveries is expected")
    if count < 1:
        raise ValueError(f"count={count!r}: at least 1 delivery is expected")
    return count
