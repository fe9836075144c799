"""List the environment, and expand ``$NAME`` and ``~`` in a text without leaving any unexpanded.

Exercise D3; look-ups with and without a default are in ``environment_lookups.py``, changes that
children see in ``environment_for_children.py``, the folders that differ by system in
``user_folders.py``.

The traps it avoids: ``os.path.expandvars`` and ``expanduser`` leave what they do not know as it is,
so a directory named ``$CACHE`` is made, or one named ``~``; a secret that is printed with the rest;
a value with a line break that looks like two variables.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping

from environment_lookups import MissingVariable

_REFERENCE = re.compile(r"\$(?:\{(\w+)\}|(\w+))", re.ASCII)
# By name, as there is nothing else to go by; rather one too many than one too few.
_SECRET = re.compile(r"PASS|SECRET|TOKEN|KEY|CREDENTIAL", re.IGNORECASE)
HIDDEN = "(hidden)"


def all_variables() -> dict[str, str]:
    """Return a copy of the environment as it is now, sorted by name."""
    return dict(sorted(os.environ.items()))


def shown_variables(variables: Mapping[str, str]) -> Iterator[str]:
    r"""Yield one line for each variable, ``NAME='value'``, with secrets hidden.

    Values are quoted, so a line break in one shows as ``\n``; bytes that are no text show as
    surrogates, ``\udce9``.
    """
    for name, value in variables.items():
        yield f"{name}={HIDDEN if _SECRET.search(name) else ascii(value)}"


def expand_variables(text: str, variables: Mapping[str, str] | None = None) -> str:
    """Replace ``$NAME`` and ``${NAME}`` by values, once: what a value contains is not expanded.

    A dollar sign that no name follows stays.  The ``%NAME%`` of Windows is not known here: a text
    means the same on every system.

    Args:
        text: what to expand.
        variables: where the values are; the environment by default.

    Raises:
        MissingVariable: a name has no value.
    """
    values = os.environ if variables is None else variables

    def value(reference: re.Match[str]) -> str:
        name = reference[1] or reference[2]
        try:
            return values[name]
        except KeyError:
            raise MissingVariable(name) from None

    return _REFERENCE.sub(value, text)


def expand_home(path: str) -> str:
    """Replace ``~`` or ``~user`` at the beginning by a home directory.

    Raises:
        LookupError: there is no such user, or this one has no home.
    """
    expanded = os.path.expanduser(path)
    if path.startswith("~") and expanded == path:
        user = re.split(r"[/\\]", path[1:])[0]
        raise LookupError(f"{path!r}: no home directory of {user or 'this user'} is known")
    return expanded
