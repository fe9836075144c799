"""What a process or a thread waits for, as Linux tells it.

``/proc/<pid>/syscall`` gives the number and the arguments of the system call that a task is in, and
``/proc/<pid>/wchan`` the kernel function that it sleeps in (proc(5)).  The first may be read for
processes that we may trace, which our own threads and children are.  Elsewhere nothing is known.
"""

from __future__ import annotations

import functools
import os
import struct
from dataclasses import dataclass

from ..real import read_file, real

# Calls that block, by number: x86_64, aarch64 (asm/unistd_64.h, asm-generic/unistd.h); -1: none.
_NUMBERS = {
    "read": (0, 63), "readv": (19, 65), "pread64": (17, 67), "recvfrom": (45, 207),
    "recvmsg": (47, 212), "accept": (43, 202), "accept4": (288, 242), "write": (1, 64),
    "writev": (20, 66), "sendto": (44, 206), "sendmsg": (46, 211), "connect": (42, 203),
    "flock": (73, 32), "fcntl": (72, 25), "splice": (275, 76), "sendfile": (40, 71),
    "poll": (7, -1), "ppoll": (271, 73), "select": (23, -1), "pselect6": (270, 72),
    "epoll_wait": (232, -1), "epoll_pwait": (281, 22), "epoll_pwait2": (441, 441),
    "wait4": (61, 260), "waitid": (247, 95), "futex": (202, 98), "nanosleep": (35, 101),
    "clock_nanosleep": (230, 115), "open": (2, -1), "openat": (257, 56), "pause": (34, -1),
    "rt_sigsuspend": (130, 133), "rt_sigtimedwait": (128, 137), "semop": (65, 193),
    "semtimedop": (220, 192), "msgrcv": (70, 188), "restart_syscall": (219, 128),
}  # fmt: skip
_COLUMN = {"x86_64": 0, "aarch64": 1}

_READING = frozenset({"read", "readv", "pread64", "recvfrom", "recvmsg", "splice"})
_WRITING = frozenset({"write", "writev", "sendto", "sendmsg", "sendfile"})
_PHRASES = {
    "accept": "waits for a connection on", "accept4": "waits for a connection on",
    "connect": "waits to be connected by", "flock": "waits for a file lock on",
    "fcntl": "waits for a file lock on", "epoll_wait": "waits for events of",
    "epoll_pwait": "waits for events of", "epoll_pwait2": "waits for events of",
    "poll": "waits for any of several descriptors", "ppoll": "waits for any of several descriptors",
    "select": "waits for any of several descriptors",
    "pselect6": "waits for any of several descriptors", "wait4": "waits for a child process",
    "waitid": "waits for a child process", "futex": "waits for a lock or for another thread",
    "nanosleep": "sleeps", "clock_nanosleep": "sleeps", "restart_syscall": "sleeps",
    "pause": "waits for a signal", "rt_sigsuspend": "waits for a signal",
    "rt_sigtimedwait": "waits for a signal", "semop": "waits for a semaphore",
    "semtimedop": "waits for a semaphore", "msgrcv": "waits for a message queue",
}  # fmt: skip
_DESCRIPTOR_PHRASES = frozenset(
    {"accept", "accept4", "connect", "flock", "fcntl", "epoll_wait", "epoll_pwait", "epoll_pwait2"}
)
# Calls on many descriptors: which argument is their number.
_MANY = {"select": 0, "pselect6": 0, "poll": 1, "ppoll": 1}
# Kernel functions, for processes whose system call is hidden: start of the name -> phrase.
_CHANNELS = (
    ("wait_for_partner", "opens a FIFO that nobody has open at the other end"),
    ("pipe_read", "waits to read from a pipe"), ("anon_pipe_read", "waits to read from a pipe"),
    ("fifo_pipe_read", "waits to read from a FIFO"),
    ("pipe_write", "waits to write to a pipe"), ("anon_pipe_write", "waits to write to a pipe"),
    ("fifo_pipe_write", "waits to write to a FIFO"),
    ("do_wait", "waits for a child process"), ("kernel_wait", "waits for a child process"),
    ("futex", "waits for a lock or for another thread"),
    ("hrtimer_nanosleep", "sleeps"), ("do_nanosleep", "sleeps"),
    ("ep_poll", "waits for events"), ("do_poll", "waits for any of several descriptors"),
    ("do_select", "waits for any of several descriptors"),
    ("poll_schedule", "waits for any of several descriptors"),
    ("inet_csk_accept", "waits for a connection"), ("unix_wait", "waits for a socket"),
    ("sk_wait_data", "waits to read from a socket"),
    ("unix_stream_read", "waits to read from a socket"), ("do_signal_stop", "is stopped"),
    ("sigsuspend", "waits for a signal"), ("do_sigtimedwait", "waits for a signal"),
    ("locks_lock", "waits for a file lock"), ("flock", "waits for a file lock"),
    ("n_tty_read", "waits to read from a terminal"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Wait:
    """What a task waits for.

    Attributes:
        phrase: a predicate for the task, such as ``waits to read from fd 3``.
        fd: the descriptor that the call is about, if it is about one.
        target: what that descriptor is, as its link in ``/proc`` says: ``pipe:[4711]``, a path.
        reading: whether the other end of the target would have to write.
    """

    phrase: str
    fd: int | None = None
    target: str | None = None
    reading: bool = False

    @property
    def is_lock(self) -> bool:
        """Whether it is a lock of the process, which may be the interpreter's own."""
        return self.phrase == _PHRASES["futex"]


def what_it_waits_for(pid: int, task: int | None = None) -> Wait | None:
    """Say what a process, or one of its threads, waits for; ``None`` when it runs or hides it."""
    folder = f"/proc/{pid}" if task is None else f"/proc/{pid}/task/{task}"
    channel = _channel(folder)
    name, arguments = _call(folder)
    if name is None:
        phrase = next((text for start, text in _CHANNELS if channel.startswith(start)), None)
        return None if phrase is None else Wait(phrase)
    return _wait(pid, name, arguments, channel)


def _wait(pid: int, name: str, arguments: list[int], channel: str) -> Wait:
    fd = arguments[0]
    if name in _READING | _WRITING:
        verb = "read from" if name in _READING else "write to"
        return _about(pid, f"waits to {verb}", fd, reading=name in _READING)
    if name in _DESCRIPTOR_PHRASES:
        about = _about(pid, _PHRASES[name], fd, reading=True)
        return Wait(about.phrase, fd)  # these have no other end that could be named
    if name in {"open", "openat"}:
        address, flags = arguments[name == "openat" :][:2]  # openat's first one is a folder
        return _opening(pid, address, flags, channel)
    if name in _MANY and not arguments[_MANY[name]]:
        return Wait("sleeps")  # on no descriptor at all, as time.sleep does before Python 3.11
    if name == "wait4" and _signed(fd) > 0:
        return Wait(f"waits for child process {fd}")
    return Wait(_PHRASES[name])


def _opening(pid: int, address: int, flags: int, channel: str) -> Wait:
    path = _text_at(pid, address)
    verb = "waits for the other end of" if channel.startswith("wait_for_partner") else "opens"
    reading = flags & (os.O_WRONLY | os.O_RDWR) == 0
    return Wait(f"{verb} {path or 'a file'}", target=path, reading=reading)


def _about(pid: int, phrase: str, fd: int, *, reading: bool) -> Wait:
    try:
        target = real.readlink(f"/proc/{pid}/fd/{fd}")
    except OSError:
        return Wait(f"{phrase} fd {fd}", fd)  # closed meanwhile, or hidden
    return Wait(f"{phrase} fd {fd} ({target})", fd, target, reading)


@functools.cache
def _names() -> dict[int, str]:
    column = _COLUMN.get(os.uname().machine)
    return {} if column is None else {both[column]: name for name, both in _NUMBERS.items()}


def _call(folder: str) -> tuple[str | None, list[int]]:
    """Read the system call: ``number arg … stack counter``, ``running`` or ``-1 …``."""
    try:
        words = read_file(f"{folder}/syscall").split()
        number = int(words[0])
    except (OSError, ValueError, IndexError):
        return None, []  # gone, hidden, or running
    return _names().get(number), [int(word, 16) for word in words[1:7]]


def _channel(folder: str) -> str:
    try:
        return read_file(f"{folder}/wchan").decode("ascii", "replace").removeprefix("__")
    except OSError:
        return ""  # gone or hidden


def _signed(value: int) -> int:
    number: int = struct.unpack("i", struct.pack("I", value & 0xFFFFFFFF))[0]
    return number


def _text_at(pid: int, address: int) -> str | None:
    """Read a path out of a process's memory."""
    try:
        fd = real.open(f"/proc/{pid}/mem", os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))
    except OSError:
        return None  # hidden: only who may trace a process may read its memory
    try:
        raw: bytes = os.pread(fd, 256, address)
    except (OSError, OverflowError):
        return None  # the page ends within 256 bytes, or the call has ended
    finally:
        real.close(fd)
    return os.fsdecode(raw.split(b"\0")[0]) or None
