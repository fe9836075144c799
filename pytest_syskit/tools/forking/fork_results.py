"""How a forked child ended: one of five, each with what was seen of it.

match run_in_fork(parse, path):
    case Returned(value): ...
    case Raised(error): ...
    case Exited(code): ...
    case Killed(signal): ...
    case TimedOut(after): ...
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NoReturn, Union

from ...host.signals.signal_names import signal_name
from ..programs.process_errors import ending_in_words
from .fork_leftovers import Leftover
from .remote_errors import add_note, text_of, type_name

if TYPE_CHECKING:
    import resource

_SHOWN = 2000  # characters of stderr in a message: about the last thirty lines


class NoValue(RuntimeError):
    """The child ended without a value; ``result`` tells how."""

    def __init__(self, message: str, result: Evidence | None = None) -> None:
        super().__init__(message)
        self.result = result


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    r"""What was seen of a child, however it ended; no part of comparisons.

    Attributes:
        stdout: what it and its descendants wrote to descriptor 1, C code included; bytes that are
            no UTF-8 show as ``\xNN``.
        stderr: the same for descriptor 2; a crash, or a time-out that found it in Python code, adds
            the stack of every thread.
        duration: seconds from the fork until its end was seen.
        rusage: as from ``os.wait4``, or ``None`` when somebody else took the status.
        leaks: processes still there when it was done, descriptors it opened and left open, and
            children of its own that escaped from the function.  What a child that crashed or left
            by ``os._exit`` had open is gone with it; its processes are found by their group.
    """

    stdout: str = field(default="", repr=False, compare=False)
    stderr: str = field(default="", repr=False, compare=False)
    duration: float = field(default=0.0, repr=False, compare=False)
    rusage: resource.struct_rusage | None = field(default=None, repr=False, compare=False)
    leaks: tuple[Leftover, ...] = field(default=(), repr=False, compare=False)

    def unwrap(self) -> Any:
        """Return the value, or raise the child's error, ``TimeoutError`` or :class:`NoValue`."""
        raise NoValue(self._complaint(), self)

    def describe(self) -> str:
        """Say how the child ended, in words that follow "the child"."""
        raise NotImplementedError

    def _complaint(self) -> str:
        shown = self.stderr[-_SHOWN:].strip()
        said = f"; its stderr ends with:\n{shown}" if shown else "; its stderr is empty"
        return f"the child {self.describe()}, so there is no value{said}"


@dataclass(frozen=True, slots=True)
class Returned(Evidence):
    """The function returned ``value``, which was sent as a copy."""

    value: Any

    def unwrap(self) -> Any:
        """Return the value."""
        return self.value

    def describe(self) -> str:
        """Say what was returned, by type: values can be long."""
        return f"returned {type_name(self.value)}"


@dataclass(frozen=True, slots=True)
class Raised(Evidence):
    """The function raised ``error``.

    Attributes:
        error: the exception itself with its notes, cause and context, or a
            :class:`~pytest_syskit.RemoteError` for one that cannot travel.  A
            value that cannot be sent is a ``TypeError``.
        traceback_text: the traceback of the child, chained causes included.
    """

    error: BaseException
    traceback_text: str = field(default="", repr=False, compare=False)

    def unwrap(self) -> NoReturn:
        """Raise the error, with the child's traceback attached as a note."""
        note = f"Raised in a forked child:\n{self.traceback_text}"
        if note not in (getattr(self.error, "__notes__", None) or ()):
            add_note(self.error, note)
        raise self.error

    def describe(self) -> str:
        """Say what was raised."""
        return f"raised {type_name(self.error)}: {text_of(self.error)}"


@dataclass(frozen=True, slots=True)
class Exited(Evidence):
    """The function ended the process itself, by ``sys.exit`` or ``os._exit``.

    Attributes:
        code: what a shell would see, 0 to 255; ``None`` when it is lost because other code of this
            process waited for the child, or because SIGCHLD is ignored.  How the child ended is
            unknown then: it may as well have been killed.
    """

    code: int | None

    def describe(self) -> str:
        """Say with which status, or that it is lost."""
        return ending_in_words(self.code)


@dataclass(frozen=True, slots=True)
class Killed(Evidence):
    """A signal ended the process; ``signal`` is a ``signal.Signals`` where it has a name."""

    signal: int

    def describe(self) -> str:
        """Say by which signal."""
        return f"was killed by {signal_name(self.signal)}"


@dataclass(frozen=True, slots=True)
class TimedOut(Evidence):
    """The child did not end within ``after`` seconds; it was ended with all its descendants."""

    after: float

    def unwrap(self) -> NoReturn:
        """Raise ``TimeoutError``."""
        raise TimeoutError(self._complaint())

    def describe(self) -> str:
        """Say after how long."""
        return f"did not end within {self.after:g} seconds and was ended"


ForkResult = Union[Returned, Raised, Exited, Killed, TimedOut]  # noqa: UP007  # also used at run time
