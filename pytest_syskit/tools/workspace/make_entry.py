"""Make one entry of a workspace; what must not exist yet, its parents must."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from typing import Any

from pytest_syskit.host.real import real

from .private_directory import make_private_directory
from .remove_tree import remove_tree
from .short_socket_dir import short_socket_dir
from .tree_cursor import flags
from .workspace_entries import Fifo, File, HardLink, Symlink, UnixSocket

HIDDEN = ".syskit-"  # beginning of names that exist only while entries are made
_DIRECTORY_MODE = 0o755
_NEW_FILE = flags(["O_WRONLY", "O_CREAT", "O_EXCL", "O_CLOEXEC", "O_BINARY"])
_NANOSECONDS = 1_000_000_000  # per second
_Socket = socket.socket  # bound now: test suites forbid networking by replacing the class
# What an entry needs, asked when this module is loaded, before a fake system can answer.
_ABSENT = {
    Fifo: None if hasattr(os, "mkfifo") else "os.mkfifo",
    UnixSocket: None if hasattr(socket, "AF_UNIX") else "socket.AF_UNIX",
}


def absent(value: object) -> str | None:
    """Say what this platform lacks for an entry, or ``None``."""
    return _ABSENT.get(type(value))


def make_entry(root: str, path: str, value: object) -> None:
    """Make an entry at ``path`` below ``root``, with its exact mode whatever the umask.

    Raises:
        OSError: the system refused; something half-made may be there.
    """
    if isinstance(value, HardLink):
        value = HardLink(os.path.join(root, os.fsdecode(value.target)))
    _MAKERS[type(value)](os.path.join(root, path), value)


def make_directory(path: str) -> None:
    """Make a directory of mode 0755."""
    real.mkdir(path, _DIRECTORY_MODE)
    real.chmod(path, _DIRECTORY_MODE)  # mkdir lets the umask have its way


def _make_file(path: str, value: File) -> None:
    fd = real.open(path, _NEW_FILE, 0o600)
    try:
        _write_all(fd, _encoded(value.content))
    finally:
        real.close(fd)
    real.chmod(path, value.mode)  # after writing, which clears set-id bits
    _set_times(path, value)


def _encoded(content: str | bytes) -> bytes:
    # Text that came out of os.fsdecode() goes back to the bytes it was.
    return content.encode("utf-8", "surrogateescape") if isinstance(content, str) else content


def _write_all(fd: int, content: bytes) -> None:
    rest = memoryview(content)
    while rest:
        rest = rest[real.write(fd, rest) :]


def _set_times(path: str, value: File) -> None:
    if value.mtime is None and value.atime is None:
        return
    modified = real.time() if value.mtime is None else value.mtime
    accessed = modified if value.atime is None else value.atime
    real.utime(path, ns=(round(accessed * _NANOSECONDS), round(modified * _NANOSECONDS)))


def _make_link(path: str, value: Symlink) -> None:
    real.symlink(os.fsdecode(value.target), path)


def _make_hard_link(path: str, value: HardLink) -> None:
    real.link(value.target, path)


def _make_fifo(path: str, value: Fifo) -> None:
    real.mkfifo(path, 0o600)
    real.chmod(path, value.mode)


def _make_socket(path: str, value: UnixSocket) -> None:
    """Bind by a short way round, for the address of a socket holds about a hundred bytes.

    short/way ──link──▶ a new directory beside the entry;  bind "short/way/s", then move it in place
    """
    parent = os.path.dirname(path)
    nest = make_private_directory(parent, HIDDEN)
    try:
        with short_socket_dir() as short, _Socket(socket.AF_UNIX) as endpoint:
            way = os.path.join(short, "way")
            real.symlink(nest, way)
            endpoint.bind(os.path.join(way, "s"))
        real.rename(os.path.join(nest, "s"), path)
    finally:
        remove_tree(nest)
    real.chmod(path, value.mode)


_MAKERS: dict[type, Callable[[str, Any], None]] = {
    File: _make_file,
    Symlink: _make_link,
    HardLink: _make_hard_link,
    Fifo: _make_fifo,
    UnixSocket: _make_socket,
}
