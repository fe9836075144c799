"""Look at the variables of the shell, change one, and see who is told.

Exercise C3.  A script: ``python shell_variables.py``, or with ``NAME VALUE``.

 shell ──copy──▶ this process ──copy──▶ child
  old             new                    new           a change goes down and never up

Traps: ``os.environ["USER"]`` where nobody has set it, as under cron and in containers: a KeyError;
``TMPDIR``, which few systems set; a change that somebody expects to find in the shell afterwards.
"""

from __future__ import annotations

import argparse
import getpass
import os
import sys
import tempfile
from collections.abc import Sequence

from environment_for_children import value_in_child, variable
from environment_lookups import get_variable, printable_variable


def variable_names() -> list[str]:
    """Return the names of all variables, sorted."""
    return sorted(os.environ)


def user_name() -> str:
    """Return the user's name: LOGNAME or USER, or what the system's list says, or the number."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # neither variables nor an entry (by Python version)
        return str(os.getuid())


def temporary_directory() -> str:
    """Return where temporary files go: TMPDIR if that is set, or what the system has."""
    return get_variable("TMPDIR") or tempfile.gettempdir()


def _printable(text: str | None) -> str | None:
    return None if text is None else os.fsencode(text).decode("utf-8", "backslashreplace")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the script; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="shell_variables", description="Show the shell's variables, and change one."
    )
    parser.add_argument("name", nargs="?", default="SPAM", help="default: %(default)s")
    parser.add_argument("value", nargs="?", default="changed", help="default: %(default)s")
    wanted = parser.parse_args(argv)
    if not wanted.name or "=" in wanted.name:
        parser.error(f"{wanted.name!r} cannot be the name of a variable")
    print(f"variables: {_printable(' '.join(variable_names()))}")
    print(f"user: {user_name()}")
    print(f"temporary files: {temporary_directory()}")
    print(f"{wanted.name} before: {printable_variable(wanted.name)}")
    with variable(wanted.name, wanted.value):
        print(f"{wanted.name} here: {printable_variable(wanted.name)}")
        print(f"{wanted.name} in a child: {_printable(value_in_child(wanted.name))}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
