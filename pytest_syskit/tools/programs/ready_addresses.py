"""The conditions of readiness that a port or a path can meet.

The kernel is asked first: a trial connection would be a client that the program did not expect.
"""

from __future__ import annotations

import errno
import socket
import stat

from pytest_syskit.host.descriptors.listening import port_holder, port_listens, unix_socket_listens
from pytest_syskit.host.real import real

from .process_errors import ProcessNotStarted

_CONNECT_LIMIT = 1.0  # seconds for one attempt; a host that drops packets must not hold us
_LAST_PORT = 65535


def checked_port(port: int) -> int:
    """Return a port that exists (``ValueError`` for any other number)."""
    if not 0 < port <= _LAST_PORT:
        raise ValueError(f"a TCP port is a number from 1 to {_LAST_PORT}, got {port!r}")
    return port


class PortListens:
    """Somebody listens on a TCP port of this machine."""

    def __init__(self, port: int) -> None:
        self._port = port

    def refuse_early(self) -> None:
        """Refuse a port that is in use."""
        if self.holds():
            raise _port_taken(self._port)

    def holds(self, _program: object = None) -> bool:
        """Read the kernel's table, or connect where there is none."""
        listed = port_listens(self._port)
        if listed is not None:
            return listed
        return any(_refuses((host, self._port)) is None for host in ("127.0.0.1", "::1"))

    def lack(self) -> str:
        """Name the port."""
        return f"nobody listens on TCP port {self._port}"


class AddressAnswers:
    """A TCP connection to an address succeeds."""

    def __init__(self, host: str, port: int) -> None:
        self._address = (host, port)
        self._refusal: OSError | None = None

    def refuse_early(self) -> None:
        """Refuse an address where somebody else answers already."""
        if self.holds():
            raise _port_taken(self._address[1])

    def holds(self, _program: object = None) -> bool:
        """Connect, and hang up."""
        self._refusal = _refuses(self._address)
        return self._refusal is None

    def lack(self) -> str:
        """Name the address and the last refusal."""
        host, port = self._address
        return f"no connection to {host}:{port} ({self._refusal})"


def _refuses(address: tuple[str, int]) -> OSError | None:
    try:
        socket.create_connection(address, _CONNECT_LIMIT).close()
    except OSError as error:
        return error
    return None


def _port_taken(port: int) -> ProcessNotStarted:
    holder = port_holder(port) or "a process that this user may not see"
    return ProcessNotStarted(
        f"TCP port {port} is taken before the start, by {holder}; "
        "it would pass for the program being ready: choose a free port"
    )


class PathReady:
    """A path exists; if it is a UNIX socket, it takes connections."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._state = "does not exist"
        # Somebody listens under this name whose file is gone: the table cannot tell him from ours.
        self._table_lies = unix_socket_listens(path) is True

    def refuse_early(self) -> None:
        """Refuse a path that is there, unless it is a socket that nobody serves any more."""
        if self.holds():
            raise ProcessNotStarted(
                f"{self._path!r} {self._state} before the start; it would pass for the program "
                "being ready: remove it, or choose another path"
            )

    def holds(self, _program: object = None) -> bool:
        """Look at the path, and connect to a socket only if no table tells whether it listens."""
        try:
            mode = real.stat(self._path).st_mode
        except OSError as error:
            self._state = "does not exist" if error.errno == errno.ENOENT else str(error)
            return False
        if not stat.S_ISSOCK(mode):
            self._state = "exists"
            return True
        listens = None if self._table_lies else unix_socket_listens(self._path)
        ready = self._connects() if listens is None else listens
        self._state = "takes connections" if ready else "is a socket that takes no connections"
        return ready

    def _connects(self) -> bool:
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(_CONNECT_LIMIT)
            try:
                client.connect(self._path)
            except OSError as error:
                return error.errno == errno.EPROTOTYPE  # a datagram socket: bound means ready
        return True

    def lack(self) -> str:
        """Name the path and what it is now."""
        return f"{self._path!r} {self._state}"
