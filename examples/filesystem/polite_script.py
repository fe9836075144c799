"""What every script here does alike: name odd files on one line, tell errors, end in good manners.

The traps it avoids: a file name with a line break or an escape sequence that changes what is on
the screen; a name or an output encoding that ends the script by UnicodeEncodeError; a traceback
when the reader of a pipe (``| head``) has seen enough, or at Ctrl-C.
"""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable, Sequence

Main = Callable[[Sequence[str] | None], int]
INTERRUPTED = 130  # what a shell reports for a program ended by Ctrl-C: 128 + SIGINT


def shown(name: str | bytes) -> str:
    r"""Write a file name on one line: as it is, or quoted when something in it would not show.

    >>> shown("a file"), shown("two\nlines"), shown(b"caf\xe9")
    ('a file', "'two\\nlines'", "b'caf\\xe9'")
    """
    text = os.fsdecode(name)
    if text.isprintable() and text == text.strip() and text:
        return text
    return repr(text) if _is_text(text) else repr(os.fsencode(text))


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:  # bytes that were no text in the file system's encoding
        return False
    return True


def say(text: str) -> None:
    """Print a line; characters that the output cannot encode become escapes."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    print(text.encode(encoding, "backslashreplace").decode(encoding))


def complain(program: str, problem: OSError | str) -> None:
    """Tell an error on stderr as ``program: file: what is wrong``."""
    print(f"{program}: {wording(problem)}", file=sys.stderr)


def wording(problem: OSError | str) -> str:
    """Say what went wrong, with the file it went wrong with."""
    if isinstance(problem, str):
        return problem
    what = problem.strerror or str(problem)
    return what if problem.filename is None else f"{shown(problem.filename)}: {what}"


def politely(main: Main) -> Callable[..., int]:
    """Decorate a ``main``: Ctrl-C and a reader who left end it with a status, not a traceback."""

    @functools.wraps(main)
    def wrapped(argv: Sequence[str] | None = None) -> int:
        try:
            status = main(argv)
            sys.stdout.flush()  # now, while a reader who left can still be told from a success
        except BrokenPipeError:
            _silence_stdout()
            return 1
        except KeyboardInterrupt:
            print("interrupted", file=sys.stderr)
            return INTERRUPTED
        return status

    return wrapped


def _silence_stdout() -> None:
    """Let the interpreter's own flush at exit have somewhere to go."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
