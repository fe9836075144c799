"""What a descriptor is, in words and in values."""

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass

from ..real import real
from . import descriptors

_ANONYMOUS = {"eventpoll": "epoll", "inotify": "inotify", "fanotify": "fanotify"}
_TYPES = {
    stat.S_IFDIR: "directory",
    stat.S_IFSOCK: "socket",
    stat.S_IFBLK: "device",
    stat.S_IFCHR: "device",
    stat.S_IFREG: "file",
}
_MODES = {os.O_RDONLY: "r", os.O_WRONLY: "w", os.O_RDWR: "rw"}
MODE_WORDS = {"r": "read", "w": "write", "rw": "read and write", "": ""}


@dataclass(frozen=True, slots=True)
class DescriptorFacts:
    """One descriptor, described.

    Attributes:
        fd: its number.
        what: ``file``, ``directory``, ``pipe``, ``fifo``, ``socket``, ``pty``, ``device``,
            ``memfd``, ``epoll``, ``eventfd``, ``timerfd``, ``signalfd``, ``inotify``, ``pidfd``
            and whatever else the kernel names.
        target: path, addresses, or the kernel's name for it.
        mode: ``r``, ``w`` or ``rw``; empty if unknown.
        inheritable: whether children receive it.
        offset: position in bytes of a regular file that was read or written, else ``None``.
    """

    fd: int
    what: str
    target: str
    mode: str
    inheritable: bool
    offset: int | None = None


def describe(fd: int) -> DescriptorFacts:
    """Describe an open descriptor (raises ``OSError`` when it is closed)."""
    facts = real.fstat(fd)
    link = descriptors.link_text(fd)
    what = _what(facts.st_mode, link)
    target = _socket_addresses(fd) if what == "socket" else link or _path(fd)
    return DescriptorFacts(
        fd, what, target, _mode(fd), descriptors.inheritable(fd), _offset(fd, what)
    )


def _what(mode: int, link: str) -> str:
    if match := re.match(r"anon_inode:\[?([\w-]+)", link):
        return _ANONYMOUS.get(match[1], match[1])
    if link.startswith("/memfd:"):
        return "memfd"
    if link.startswith(("/dev/pts/", "/dev/ptmx")):
        return "pty"
    if stat.S_ISFIFO(mode):
        return "fifo" if link.startswith("/") else "pipe"
    return _TYPES.get(stat.S_IFMT(mode), "unknown")


def _mode(fd: int) -> str:
    try:
        import fcntl  # noqa: PLC0415  # absent on Windows

        return _MODES.get(real.fcntl(fd, fcntl.F_GETFL) & 3, "")
    except (ImportError, OSError):
        return ""


def _offset(fd: int, what: str) -> int | None:
    if what != "file":
        return None
    try:
        return real.lseek(fd, 0, os.SEEK_CUR) or None
    except OSError:
        return None  # closed meanwhile, or a file without positions


def _path(fd: int) -> str:
    """Ask for the path where no link tells it: macOS by a call, others through psutil."""
    try:
        import fcntl  # noqa: PLC0415  # absent on Windows

        if hasattr(fcntl, "F_GETPATH"):
            raw: bytes = real.fcntl(fd, fcntl.F_GETPATH, b"\0" * 1024)
            return os.fsdecode(raw.rstrip(b"\0"))
    except (ImportError, OSError):
        pass  # pipes and sockets have no path
    return _psutil_path(fd)


def _psutil_path(fd: int) -> str:
    try:
        import psutil  # noqa: PLC0415  # slow, and needed for leaks on other systems only

        return next((f.path for f in psutil.Process().open_files() if f.fd == fd), "")
    except Exception:  # noqa: BLE001  # a full table, a fake file system: a path is a courtesy
        return ""


def _socket_addresses(fd: int) -> str:
    """Tell a socket's addresses and state without a second descriptor, which may not be had."""
    import _socket  # noqa: PLC0415  # the C class: plugins replace the Python one

    try:
        endpoint = _socket.socket(fileno=fd)
    except OSError:
        return descriptors.link_text(fd)
    try:
        return _socket_text(endpoint)
    finally:
        endpoint.detach()


def _socket_text(endpoint: object) -> str:
    own, peer = _address(endpoint, "getsockname"), _address(endpoint, "getpeername")
    if peer == own == "unnamed":
        return "(connected to an unnamed peer)"
    if peer:
        return f"{own or 'unnamed'} -> {peer}"
    own = "" if own == "unnamed" else own
    state = "listening" if _listens(endpoint) else ("bound" if own else "not connected")
    return f"{own} ({state})" if own else f"({state})"


def _address(endpoint: object, question: str) -> str:
    try:
        return _address_text(getattr(endpoint, question)())
    except OSError:
        return ""  # not connected, or a family without addresses


def _address_text(address: object) -> str:
    if isinstance(address, tuple) and len(address) >= 2:  # noqa: PLR2004  # host and port
        host, port = address[0], address[1]
        return "" if not port else f"[{host}]:{port}" if ":" in str(host) else f"{host}:{port}"
    if isinstance(address, bytes):
        return "@" + os.fsdecode(address.lstrip(b"\0")) if address else "unnamed"
    return str(address) or "unnamed"


def _listens(endpoint: object) -> bool:
    import _socket  # noqa: PLC0415  # see above

    try:
        return bool(endpoint.getsockopt(_socket.SOL_SOCKET, _socket.SO_ACCEPTCONN))  # type: ignore[attr-defined]  # a socket by construction
    except OSError:
        return False
