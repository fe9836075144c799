"""Signal a forked child that has said that it is ready: no sleeping, and no race.

Exercise B12.  Three traps.  A signal that comes before the handler is installed kills the child, so
the child reports first.  A sleep in the parent only makes that rare.  And a signal that comes
between the child's last look and ``signal.pause()`` is slept through, so the child waits on a
descriptor which the arrival of a signal makes readable, and stays so.

 parent                         child
 fork ───────────────────────▶  install the handler
 wait for the line "ready" ◀──  write "ready"
 kill(child, SIGUSR1) ───────▶  "Received USR1", exit 0
 waitpid ◀────────────────────
"""

from __future__ import annotations

import os
import select
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from forked_worker import fork_worker, wait_for
from wait_status import ChildStatus

READY = b"ready\n"
PATIENCE = 10.0  # seconds for the other side to act: only a dead or stopped one takes that long


def say(text: str) -> None:
    """Print a line at once; it is whole, for it goes out in one write."""
    sys.stdout.flush()
    os.write(sys.stdout.fileno(), f"{text}\n".encode())


def signal_when_ready(number: int = signal.SIGUSR1) -> ChildStatus:
    """Fork a child that handles ``number``, signal it once it is ready, and tell how it ended.

    Raises:
        ChildProcessError: the child ended, or hung, before it was ready.
    """
    reader, writer = os.pipe()
    try:
        try:
            pid = fork_worker(lambda: be_signalled(writer, number))
        finally:
            os.close(writer)  # the child's copy remains, so its death is the end of the stream
        return _signal_and_wait(pid, reader, number)
    finally:
        os.close(reader)


def be_signalled(ready_fd: int, number: int) -> int:
    """Be the child: install the handler, report, wait for the signal; return 0 if it came."""
    received: list[int] = []

    def note(came: int, frame: FrameType | None) -> None:
        received.append(came)  # nothing else: a handler runs in the middle of anything

    with _signal_arrivals() as arrivals:
        say("CHILD: Setting up signal handler")
        signal.signal(number, note)
        say("CHILD: Pausing to wait for signal")
        os.write(ready_fd, READY)
        select.select([arrivals], [], [], PATIENCE)
    if not received:
        return 1
    say(f"CHILD: Received {signal.Signals(received[0]).name.removeprefix('SIG')}")
    return 0


@contextmanager
def _signal_arrivals() -> Iterator[int]:
    """Yield a descriptor that any handled signal makes readable; main thread only."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)  # set_wakeup_fd insists
    before = signal.set_wakeup_fd(writer)
    try:
        yield reader
    finally:
        signal.set_wakeup_fd(before)
        os.close(reader)
        os.close(writer)


def _signal_and_wait(pid: int, reader: int, number: int) -> ChildStatus:
    say("PARENT: Waiting until the child is ready")
    if not _is_ready(reader):
        # It is not waited for yet, so the pid is still its own and nobody else can be hit.
        os.kill(pid, signal.SIGKILL)
        raise ChildProcessError(f"forked child {pid} never was ready: it {wait_for(pid)}")
    say("PARENT: Signaling child")
    os.kill(pid, number)
    return wait_for(pid)


def _is_ready(reader: int) -> bool:
    in_time = select.select([reader], [], [], PATIENCE)[0]
    return bool(in_time) and os.read(reader, len(READY)) == READY


def main() -> int:
    """Show the handshake; the status is that of the child."""
    status = signal_when_ready()
    say(f"PARENT: The child {status}")
    return 0 if status.succeeded else 1


if __name__ == "__main__":
    sys.exit(main())
