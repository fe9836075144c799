"""What goes wrong with a started program, and how its end is put into words."""

from __future__ import annotations

from pytest_syskit.host.signals.signal_names import signal_name


class ProcessError(Exception):
    """A started program did not do what the test asked of it."""


class ProcessNotStarted(ProcessError):
    """The program could not be started at all."""


class ProcessExited(ProcessError):
    """The program ended while the test still counted on it."""


class ProcessTimeout(ProcessError, TimeoutError):
    """The program runs, but did not do in time what the test waited for."""


def ending_in_words(returncode: int | None) -> str:
    """Put an exit status into words that follow "it"; a negative one is a signal's number.

    ``None`` stands for a status that is lost because somebody else waited for the process.
    """
    if returncode is None:
        return (
            "ended, but its exit status is lost: other code of this process waited for it "
            "(os.waitpid(-1, …)?), or SIGCHLD is ignored"
        )
    if returncode < 0:
        return f"was killed by {signal_name(-returncode)}"
    return f"exited with status {returncode}"
