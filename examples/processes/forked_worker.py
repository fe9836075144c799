"""Fork a child that does one thing and can never run on into its parent's code.

Exercises B1, B2, B12, B14 and B15 stand on this.  A bare ``if os.fork() == 0:`` has three traps.
An exception in the child climbs into the parent's code, which then runs twice.  ``sys.exit`` in the
child runs the parent's clean-up.  And text that waits in a buffer at the fork is written twice.
"""

from __future__ import annotations

import operator
import os
import sys
import traceback
from collections.abc import Callable
from typing import NoReturn, TextIO

from wait_status import ChildStatus, decode

UNCAUGHT = 1  # the exit status of a Python program that ends by an exception


def fork_worker(work: Callable[[], int | None]) -> int:
    """Run ``work`` in a forked child and return the child's pid; waiting for it is the caller's.

    The child's exit status is what ``work`` returns (``None`` counts as 0), or 1 after an
    exception, whose traceback goes to standard error.  So it is if ``work`` returns no number, or
    if its output cannot be written.

    Raises:
        OSError: no further process can be had.
    """
    sys.stdout.flush()  # else both processes hold a copy of what waits there, and both write it
    sys.stderr.flush()
    pid = os.fork()
    if pid == 0:
        _work_and_leave(work)
    return pid


def _work_and_leave(work: Callable[[], int | None]) -> NoReturn:
    status = UNCAUGHT
    try:
        code = (
            operator.index(work() or 0) & 0xFF
        )  # all that the kernel keeps; os._exit takes no more
        sys.stdout.flush()
        status = code  # only now: output that is lost is no success
    except BaseException:  # noqa: BLE001  # SystemExit, too, must not reach the parent's code
        traceback.print_exc()
    finally:
        try:
            sys.stderr.flush()
            sys.stdout.flush()  # what it had written before it failed
        finally:
            os._exit(status)  # no atexit functions, no clean-up that is the parent's to do


def wait_for(pid: int) -> ChildStatus:
    """Wait until the child has ended, take its status off the kernel's hands, and return it.

    Raises:
        ChildProcessError: this is no child of ours, or somebody else has waited for it.
    """
    return decode(os.waitpid(pid, 0)[1])


def ask_worker(work: Callable[[], str]) -> str:
    """Run ``work`` in a forked child, wait for its end, and return the text it returned.

    Raises:
        ChildProcessError: the child failed; its traceback is on standard error.
    """
    reader, writer = os.pipe()
    with open(reader, encoding="utf-8") as answers, open(writer, "w", encoding="utf-8") as answer:
        pid = fork_worker(lambda: _send(work(), answer))
        try:
            answer.close()  # ours: while it is open, the end of the stream cannot come
            text = answers.read()  # before waiting: a child with a long answer waits for us
        finally:
            status = wait_for(pid)
    if not status.succeeded:
        raise ChildProcessError(f"forked child {pid} {status}")
    return text


def _send(text: str, stream: TextIO) -> int:
    stream.write(text)
    stream.flush()
    return 0
