"""Change the environment of this process, and see what a child process sees of it.

Exercise B3.  Traps.  ``os.putenv`` changes what children see but not ``os.environ``, so only the
latter is used.  A change for the sake of one child belongs into the ``env`` of that child.  And
removed is something else than empty, which a shell's ``echo`` cannot tell apart.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

# An unset variable is exit status 1; a set one is written byte for byte.
_TELL = """\
import os, sys
value = os.environ.get(sys.argv[1])
if value is None:
    sys.exit(1)
sys.stdout.buffer.write(os.fsencode(value))
"""
_UNSET = 1


def value_in_child(name: str, env: Mapping[str, str] | None = None) -> str | None:
    """Return the value that a child process sees, or ``None`` when it sees none.

    Args:
        name: the variable.
        env: the child's whole environment; by default it inherits ours.

    Raises:
        subprocess.CalledProcessError: the child failed.
    """
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", _TELL, name],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        env=env,
        check=False,
    )
    if done.returncode == _UNSET:
        return None
    done.check_returncode()
    return os.fsdecode(done.stdout)


@contextmanager
def variable(name: str, value: str | None) -> Iterator[None]:
    """Set a variable, or remove it with ``None``, for this process and its children, for a block.

    Environment and threads do not go together: other threads see the change, too.
    """
    before = os.environ.get(name)
    _put(name, value)
    try:
        yield
    finally:
        _put(name, before)


def _put(name: str, value: str | None) -> None:
    if value is None:
        os.environ.pop(name, None)
    else:
        os.environ[name] = value


def _show(label: str, name: str) -> None:
    print(f"{label} value: {os.environ.get(name)}")
    print(f"Child process:\n{value_in_child(name) or ''}")


def main() -> int:
    """Show a variable that is unset, changed, and removed, here and in a child."""
    name = "TESTVAR"
    _show("Initial", name)
    with variable(name, "THIS VALUE WAS CHANGED"):
        print()
        _show("Changed", name)
        with variable(name, None):
            print()
            _show("Removed", name)
    return 0


if __name__ == "__main__":
    sys.exit(main())
