"""Tell where a script lies from where one stands.

Exercise C2.  A script: ``python script_home.py``; run it from two places.

 cwd            where you stand; relative names mean this
 sys.path[0]    where the script lies, for ``import``; with ``python -m`` and ``-c`` where you stand
 __file__       where this file lies, however it was started

Traps: a file beside the script that is looked for where one stands; ``sys.path[0]`` taken for the
script's home, which it is only for ``python script.py``, and not even then under ``python -P``; a
link to the script, beside which its files are not.
"""

from __future__ import annotations

import os
import sys

HOME = os.path.dirname(os.path.realpath(__file__))  # early: a relative name is right only now


def beside_script(name: str) -> str:
    """Return the path of a file that lies beside this script, wherever one stands."""
    return os.path.join(HOME, name)


def where_we_stand() -> str | None:
    """Return the working directory, or ``None`` if it was removed under our feet."""
    try:
        return os.getcwd()
    except FileNotFoundError:
        return None


def first_on_path() -> str | None:
    """Return the first place where ``import`` looks, absolute; ``None`` if there is no such place.

    An empty entry means the working directory.
    """
    if not sys.path:
        return None
    return os.path.abspath(sys.path[0]) if sys.path[0] else where_we_stand()


def main() -> int:
    """Show the places."""
    print(f"cwd: {where_we_stand()}")
    print(f"sys.path[0]: {first_on_path()}")
    print(f"script home: {HOME}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
