"""Run a group of programs for the length of a block: when it is left, everything is gone.

Exercise D30.  That holds after an exception, after Ctrl-C and after SIGTERM, which would otherwise
end this process on the spot and leave its programs running.  The programs are in sessions of their
own, so that Ctrl-C reaches this process alone, which ends them in order.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

from process_supervisor import Supervisor
from supervised_program import Program


@contextmanager
def supervised_group(programs: Mapping[str, Program]) -> Iterator[Supervisor]:
    """Start programs by name, give their supervisor, and end them all.

    Example::

        with supervised_group({"web": Program(["python3", "-m", "http.server"])}) as group:
            print(group.list())

    Raises:
        OSError: one cannot be started; those before it have been ended.
        SystemExit: SIGTERM came (main thread only); everything has been ended.
    """
    with _terminable(), Supervisor() as supervisor:
        for name, program in programs.items():
            supervisor.start(name, program)
        yield supervisor


@contextmanager
def _terminable() -> Iterator[None]:
    """Turn SIGTERM into an exception, as Python does with Ctrl-C; only the main thread can."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    previous = signal.signal(signal.SIGTERM, _leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous)


def _leave(number: int, frame: FrameType | None) -> NoReturn:
    raise SystemExit(128 + number)
