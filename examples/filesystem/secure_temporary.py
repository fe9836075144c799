"""A temporary file and a temporary directory that nobody else can look into.

Exercise D21.  0600 and 0700 hold from the first moment and under any umask; the names cannot be
guessed, and an existing entry is never opened.  Both vanish at the end of the block, also when it
fails and also when somebody removed them before.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


@contextmanager
def private_file(
    suffix: str = "", folder: str | os.PathLike[str] | None = None
) -> Iterator[tuple[Path, BinaryIO]]:
    """Give the path of a new empty file of mode 0600, and the file open for reading and writing."""
    fd, path = tempfile.mkstemp(suffix=suffix, dir=folder)
    try:
        with os.fdopen(fd, "w+b") as file:
            yield Path(path), file
    finally:
        with contextlib.suppress(FileNotFoundError):  # the block moved or removed it
            os.unlink(path)


@contextmanager
def private_directory(folder: str | os.PathLike[str] | None = None) -> Iterator[Path]:
    """Give the path of a new empty directory of mode 0700."""
    path = tempfile.mkdtemp(dir=folder)
    try:
        yield Path(path)
    finally:
        with contextlib.suppress(FileNotFoundError):  # as above
            shutil.rmtree(path)
