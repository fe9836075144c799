"""Start a program on the terminal it has as standard input; run as a script, never imported.

    Popen(start_new_session=True) ──▶ this: take the terminal ──▶ exec: the program, same process

A session has no terminal until its leader takes one, which no option of ``subprocess`` can do.
A function between fork and exec could, but it is not safe in a process that has threads.

Arguments: ``unset`` or ``=value``, what LC_CTYPE was before this interpreter changed it for itself
(PEP 538), then the program and its arguments.
"""

import fcntl
import os
import signal
import sys
import termios

_CANNOT_START = 127  # as a shell says it


def _main(lc_ctype: str, *argv: str) -> None:
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    os.environ.pop("LC_CTYPE", None)
    if lc_ctype != "unset":
        os.environ["LC_CTYPE"] = lc_ctype[1:]
    for name in ("SIGPIPE", "SIGXFSZ"):  # which this interpreter ignores for itself
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_DFL)
    try:
        os.execvp(argv[0], argv)  # noqa: S606  # no shell is wanted
    except OSError as error:
        sys.stderr.write(f"{argv[0]}: {error.strerror}\n")
        sys.stderr.flush()
        os._exit(_CANNOT_START)


if __name__ == "__main__":
    _main(*sys.argv[1:])
