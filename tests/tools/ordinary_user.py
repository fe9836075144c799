"""Run a block as an ordinary user when the tests run as root, in a directory of that user."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

NOBODY = 65534


@contextmanager
def ordinary_user() -> Iterator[Path]:
    """Give a directory that the user of the block owns; root's privileges rest meanwhile."""
    folder = tempfile.mkdtemp(prefix="syskit-test-")
    superuser = os.geteuid() == 0
    if superuser:
        os.chown(folder, NOBODY, -1)
        os.seteuid(NOBODY)
    try:
        yield Path(folder)
    finally:
        if superuser:
            os.seteuid(0)
        open_up(folder)
        shutil.rmtree(folder)


def open_up(folder: str) -> None:
    """Let every directory be removed, each before it is looked into."""
    os.chmod(folder, 0o700)
    for place, names, _ in os.walk(folder):
        for path in (os.path.join(place, name) for name in names):
            if not os.path.islink(path):
                os.chmod(path, 0o700)
