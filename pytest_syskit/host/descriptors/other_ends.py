"""Who holds the other end of a pipe, a FIFO or a socket.

Each end is an open descriptor of some process.  Linux shows all descriptors that we may see as
links below ``/proc/<pid>/fd``; both ends of a pipe have the same link text, and the access mode in
``/proc/<pid>/fdinfo`` tells them apart.  A socket's peer has a number of its own, which the kernel
tells through sock_diag(7) or ``/proc/net``.
"""

from __future__ import annotations

import os
import re
import socket
import stat
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from ..processes import proc
from ..real import read_file, real

_MODES = {os.O_RDONLY: "r", os.O_WRONLY: "w", os.O_RDWR: "rw"}
_ACCESS = os.O_RDONLY | os.O_WRONLY | os.O_RDWR
_PATIENCE = 0.2  # seconds for the kernel's answer, which comes at once or not at all


@dataclass(frozen=True, slots=True)
class Holder:
    """A process that has something open; ``mode`` is r, w or rw."""

    pid: int
    fd: int
    mode: str


def holders_of(target: str) -> list[Holder]:
    """List who has a pipe, FIFO, socket or file open, by the text of its link in ``/proc``.

    Processes that we may not look into are left out.
    """
    found = []
    for pid in proc.all_pids():
        for fd, link in _links(pid):
            if link == target:
                found.append(Holder(pid, fd, _mode(pid, fd)))
    return found


def other_ends(target: str, *, reading: bool) -> list[Holder]:
    """List who could end a wait on ``target``: writers for a reader, readers for a writer.

    For a socket these are the holders of its peer.
    """
    if inode := _socket_number(target):
        peer = _peer(inode)
        return holders_of(f"socket:[{peer}]") if peer else []
    wanted = "w" if reading else "r"
    return [holder for holder in holders_of(target) if wanted in holder.mode]


def has_two_ends(target: str) -> bool:
    """Say whether a link text is that of a pipe, a FIFO or a socket."""
    if target.startswith(("pipe:[", "socket:[")):
        return True
    try:
        return stat.S_ISFIFO(real.stat(target).st_mode)
    except OSError:
        return False  # an anonymous inode, a deleted file


def _links(pid: int) -> Iterator[tuple[int, str]]:
    try:
        names = real.listdir(f"/proc/{pid}/fd")
    except OSError:
        return  # ended, or somebody else's
    for name in names:
        try:
            yield int(name), real.readlink(f"/proc/{pid}/fd/{name}")
        except OSError:
            continue  # closed since it was listed, as our own view of the folder is


def _mode(pid: int, fd: int) -> str:
    try:
        text = read_file(f"/proc/{pid}/fdinfo/{fd}")
    except OSError:
        return "rw"  # closed meanwhile: either is possible
    flags = re.search(rb"^flags:\s*([0-7]+)", text, re.MULTILINE)
    return _MODES.get(int(flags[1], 8) & _ACCESS, "rw") if flags else "rw"


def _socket_number(target: str) -> int:
    match = re.fullmatch(r"socket:\[(\d+)\]", target)
    return int(match[1]) if match else 0


def _peer(inode: int) -> int | None:
    return _unix_peer(inode) or _tcp_peer(inode)


def _tcp_peer(inode: int) -> int | None:
    """Find the socket whose addresses are ours the other way round."""
    rows = {number: ends for table in ("tcp", "tcp6") for number, ends in _tcp_rows(table)}
    if inode not in rows:
        return None
    swapped = rows[inode][::-1]
    return next((number for number, ends in rows.items() if ends == swapped), None)


def _tcp_rows(table: str) -> Iterator[tuple[int, tuple[bytes, bytes]]]:
    try:
        lines = read_file(f"/proc/self/net/{table}").splitlines()[1:]
    except OSError:
        return  # a kernel without this protocol
    for line in lines:
        words = line.split()
        yield int(words[9]), (words[1], words[2])


def _unix_peer(inode: int) -> int | None:
    """Ask sock_diag(7) for the peer of a UNIX socket."""
    by_family, only_request, show_peer = 20, 1, 4  # linux/sock_diag.h, netlink.h, unix_diag.h
    any_cookie = 0xFFFFFFFF
    body = struct.pack(
        "=BBHIIIII", socket.AF_UNIX, 0, 0, any_cookie, inode, show_peer, any_cookie, any_cookie
    )
    head = struct.pack("=IHHII", 16 + len(body), by_family, only_request, 1, 0)
    diagnosis = 4  # NETLINK_SOCK_DIAG
    try:
        with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, diagnosis) as asking:
            asking.settimeout(_PATIENCE)
            asking.send(head + body)
            return _peer_in(asking.recv(4096), by_family)
    except (OSError, AttributeError):
        return None  # no such socket, or a kernel or container without sock_diag


def _peer_in(answer: bytes, by_family: int) -> int | None:
    if struct.unpack_from("=H", answer, 4)[0] != by_family:
        return None  # an error message
    offset, peer_attribute = 32, 2  # behind nlmsghdr and unix_diag_msg; UNIX_DIAG_PEER
    while offset + 4 <= len(answer):
        length, kind = struct.unpack_from("=HH", answer, offset)
        if kind == peer_attribute:
            peer: int = struct.unpack_from("=I", answer, offset + 4)[0]
            return peer
        offset += max(4, (length + 3) & ~3)
    return None
