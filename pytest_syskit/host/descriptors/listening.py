"""Who listens where, read from the kernel's tables so that the server notices nothing.

A server that accepts exactly one client would take a trial connection for that client.
"""

from __future__ import annotations

import os

import psutil

from ..real import read_file, real

_TABLE_LIMIT = 1 << 24  # bytes, about 100,000 connections; what follows is not looked at
_LISTEN = b"0A"  # TCP_LISTEN in the kernel's net/tcp_states.h
_DATAGRAM = b"0002"  # SOCK_DGRAM; such a socket hears everybody once it is bound
_ACCEPTS = 0x10000  # __SO_ACCEPTCON in the kernel's net.h


def port_listens(port: int) -> bool | None:
    """Say whether anything on this machine listens on a TCP port; ``None``: no table tells."""
    answers = [_listed(table, port) for table in ("/proc/net/tcp", "/proc/net/tcp6")]
    return None if answers == [None, None] else any(answers)


def _listed(table: str, port: int) -> bool | None:
    try:
        rows = read_file(table, _TABLE_LIMIT).splitlines()[1:]
    except OSError:
        return None  # another system, or a kernel without this protocol
    address_end = b":%04X" % port
    columns = (row.split(None, 4) for row in rows)
    return any(row[3] == _LISTEN and row[1].endswith(address_end) for row in columns if row[4:])


def unix_socket_listens(path: str) -> bool | None:
    """Say whether the UNIX socket bound as ``path`` accepts clients; ``None``: no table tells.

    The table has the name that the server gave to ``bind``: a relative one is not recognised.
    """
    try:
        rows = read_file("/proc/net/unix", _TABLE_LIMIT).splitlines()[1:]
    except OSError:
        return None  # another system
    wanted = os.fsencode(os.path.abspath(path))
    columns = (row.split(None, 7) for row in rows)
    named = [row for row in columns if row[7:] == [wanted]]
    return (
        any(int(row[3], 16) & _ACCEPTS or row[4] == _DATAGRAM for row in named) if named else None
    )


def port_holder(port: int) -> str | None:
    """Name the process that listens on a TCP port, as far as this user may know."""
    try:
        table = psutil.net_connections("tcp")
    except (psutil.Error, OSError):
        return None  # macOS shows it to root only
    # An address is a (host, port) tuple, or empty.
    listeners = [
        row.pid for row in table if row.status == psutil.CONN_LISTEN and row.laddr[1:] == (port,)
    ]
    return next((_named(pid) for pid in listeners if pid), None)


def _named(pid: int) -> str:
    if pid == real.getpid():
        return f"this very process ({pid})"
    try:
        return f"process {pid} ({' '.join(psutil.Process(pid).cmdline())[:80]})"
    except psutil.Error:
        return f"process {pid}"  # ended meanwhile, or may not be read
