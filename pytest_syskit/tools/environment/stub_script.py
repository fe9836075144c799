"""The program behind a stubbed command: it records its call, then plays the part it was given.

``stub_plan.render`` writes this file's text, an interpreter line and one call of ``main`` into an
executable.  It runs wherever the caller is: without the test's packages, without ``site``, in a
single process that leaves nothing behind when it is killed.  So it imports only what starts fast;
``signal`` and ``select`` cost milliseconds and are loaded where they are used.

    call line in the log ─▶ stdin line ─▶ delay ─▶ stdout, stderr ─▶ script | signal | exit
"""

# No __future__ import: one more module to load, and it must be the file's first statement, which
# the interpreter lines that may precede this text make impossible.
import os
import stat
import sys
import time

TYPE_CHECKING = False  # importing `typing` costs more than all the rest
if TYPE_CHECKING:
    from typing import Any

STDIN_LIMIT = 8 * 1024 * 1024  # bytes; keeps `yes | stub` finite, far above what tests send
STDIN_TOTAL = 30.0  # seconds; ends a drip that never falls silent
CHUNK = 64 * 1024  # bytes; the usual size of a pipe
CANNOT_RECORD = 126  # what a shell says of a command that is there and cannot run

# Locales that Python itself puts into LC_CTYPE when it starts in the C locale (PEP 538).
COERCED = (b"C.UTF-8", b"C.utf8", b"UTF-8")


def main(
    *,
    stub: int,
    name: str | None,
    files: dict[str, str],
    patience: float | None,
    script: bytes | None,
    replies: "dict[str, list[Any]]",
) -> None:
    """Record this call under number ``stub``, then play it; never returns.

    A guard has no ``name``: it records the one it was called by, and says it.
    """
    command = os.fsencode(os.path.basename(sys.argv[0]) if name is None else name)
    arguments = [command, *map(os.fsencode, sys.argv[1:])]
    environment = caller_environment()
    try:
        turn, taken = record(files, stub, arguments, environment, patience)
        reply = {what: values[min(turn, len(values)) - 1] for what, values in replies.items()}
        play(reply, b"" if name else command + b": ")
        if script is not None:
            become(files, [b"sh", b"-c", script, *arguments], environment, taken)
    except KeyboardInterrupt:
        die_by(2)  # SIGINT, as a program without a handler would
    except BrokenPipeError:
        die_by(13)  # SIGPIPE, likewise
    if reply["signal"]:
        die_by(reply["signal"])
    os._exit(reply["exit_code"])


def record(
    files: dict[str, str],
    stub: int,
    arguments: list[bytes],
    environment: dict[bytes, bytes],
    patience: float | None,
) -> tuple[int, bytes]:
    """Write down the call, then its stdin; return which call this is (from 1), and the stdin."""
    try:
        turn = record_call(files, (stub, arguments, environment))
        taken, state = take_stdin(patience)
        append(files["log"], ("stdin", stub, turn, taken, state))
    except OSError as error:
        say(b"stand-in for %s cannot record its call: %s\n" % (arguments[0], str(error).encode()))
        os._exit(CANNOT_RECORD)
    return turn, taken


def play(reply: "dict[str, Any]", prefix: bytes) -> None:
    """Wait, then write."""
    time.sleep(reply["delay"])
    write_all(1, reply["stdout"])
    write_all(2, prefix + reply["stderr"])


def caller_environment() -> dict[bytes, bytes]:
    """Return the environment as the caller gave it, without what starting Python added.

    Python appends ``LC_CTYPE`` when the locale is C.  A caller who passes that very value, last
    and in the C locale, is not told apart.
    """
    given = dict(os.environb)
    if list(given)[-1:] != [b"LC_CTYPE"] or given[b"LC_CTYPE"] not in COERCED:
        return given
    if given.get(b"LC_ALL") or given.get(b"LANG", b"C") not in {b"", b"C", b"POSIX"}:
        return given
    del given[b"LC_CTYPE"]
    return given


def record_call(files: dict[str, str], what: tuple[int, list[bytes], dict[bytes, bytes]]) -> int:
    """Write the call line and return which call of its stub this is, counted from 1."""
    stub, arguments, environment = what
    fd = open_locked(files["log"])
    try:
        turn = next_turn(files["turns"])
        ids = (os.getpid(), os.getppid())
        write_line(fd, ("call", stub, turn, arguments, environment, here(), *ids))
    finally:
        os.close(fd)
    return turn


def append(log: str, entry: tuple[object, ...]) -> None:
    """Write one whole line under the lock."""
    fd = open_locked(log)
    try:
        write_line(fd, entry)
    finally:
        os.close(fd)


def open_locked(log: str) -> int:
    """Open the log alone; closing it, or dying, gives way to the next."""
    import fcntl  # noqa: PLC0415  # does not exist on Windows

    fd = os.open(log, os.O_RDWR | os.O_APPEND)
    fcntl.flock(fd, fcntl.LOCK_EX)
    return fd


def next_turn(turns: str) -> int:
    """Count this call: the file holds one byte for each call there was."""
    fd = os.open(turns, os.O_RDWR | os.O_APPEND)
    try:
        os.write(fd, b".")
        return os.fstat(fd).st_size
    finally:
        os.close(fd)


def write_line(fd: int, entry: tuple[object, ...]) -> None:
    """Append ``repr(entry)``; a line that a killed writer left unfinished is closed first."""
    size = os.fstat(fd).st_size
    torn = size > 0 and os.pread(fd, 1, size - 1) != b"\n"
    write_all(
        fd, (b"\n" if torn else b"") + repr(entry).encode("ascii", "backslashreplace") + b"\n"
    )


def here() -> bytes:
    """Return the working directory, empty when it was removed."""
    try:
        return os.getcwdb()
    except OSError:
        return b""


def take_stdin(patience: float | None) -> tuple[bytes, str]:
    """Return what stdin held and how far it was read: ``whole``, ``cut short`` or ``unread``.

    A file is read without moving its offset, which a shell loop may share with us.
    """
    try:
        kind = os.fstat(0).st_mode
    except OSError:
        return b"", "whole"  # closed: there is nothing
    if patience is None or os.isatty(0):
        return b"", "unread"
    try:
        return peek_file() if stat.S_ISREG(kind) else drain(patience)
    except OSError:
        return b"", "unread"  # a directory, or opened for writing only


def peek_file() -> tuple[bytes, str]:
    """Read the rest of a regular file."""
    taken = os.pread(0, STDIN_LIMIT + 1, os.lseek(0, 0, os.SEEK_CUR))
    return taken[:STDIN_LIMIT], "whole" if len(taken) <= STDIN_LIMIT else "cut short"


def drain(patience: float) -> tuple[bytes, str]:
    """Read to the end; give up after ``patience`` seconds of silence."""
    import select  # noqa: PLC0415  # costs start-up time

    taken, end = bytearray(), time.monotonic() + STDIN_TOTAL
    while len(taken) < STDIN_LIMIT and time.monotonic() < end:
        if not select.select([0], [], [], patience)[0]:
            break
        try:
            part = os.read(0, CHUNK)
        except BlockingIOError:
            continue  # somebody who shares this descriptor was faster
        if not part:
            return bytes(taken), "whole"
        taken += part
    return bytes(taken), "cut short"


def write_all(fd: int, data: bytes) -> None:
    """Write everything, also to a descriptor that does not block.

    To a descriptor that the caller closed nothing is written, as with any program.
    """
    while data:
        data = data[write_some(fd, data) :]


def write_some(fd: int, data: bytes) -> int:
    """Write what goes in; return how much that was."""
    try:
        return os.write(fd, data)
    except BlockingIOError:
        import select  # noqa: PLC0415  # rare

        select.select([], [fd], [])
        return 0
    except BrokenPipeError:
        raise
    except OSError:
        if fd > 2:  # noqa: PLR2004  # a call not recorded is an error, a full stdout is not
            raise
        return len(data)


def say(message: bytes) -> None:
    """Write to stderr, whoever still listens."""
    try:
        write_all(2, message)
    except BrokenPipeError:
        return


def become(
    files: dict[str, str],
    arguments: list[bytes],
    environment: dict[bytes, bytes],
    taken: bytes,
) -> None:
    """Turn into the script, with the stdin that we read already handed on."""
    import signal  # noqa: PLC0415  # costs start-up time

    for number in (signal.SIGPIPE, signal.SIGINT, getattr(signal, "SIGXFSZ", signal.SIGPIPE)):
        if signal.getsignal(number) is not signal.SIG_DFL:
            signal.signal(number, signal.SIG_DFL)  # what Python changed would outlive the exec
    if taken and not stat.S_ISREG(os.fstat(0).st_mode):
        refill_stdin(files["spool"], taken)
    os.execve(files["shell"], arguments, environment)  # noqa: S606  # the shell is the one we mean


def refill_stdin(spool: str, taken: bytes) -> None:
    """Put the bytes into a nameless file and make it descriptor 0."""
    path = os.path.join(spool, str(os.getpid()))
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    os.unlink(path)
    write_all(fd, taken)
    os.lseek(fd, 0, os.SEEK_SET)
    os.dup2(fd, 0)


def die_by(number: int) -> None:
    """End by a signal whose default action is taken, without a core file."""
    import resource  # noqa: PLC0415  # does not exist on Windows
    import signal  # noqa: PLC0415  # costs start-up time

    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    if number not in {signal.SIGKILL, signal.SIGSTOP}:
        signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {number})
    os.kill(os.getpid(), number)
