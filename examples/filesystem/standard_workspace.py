"""A place for one job: ``input/``, ``output/``, ``temp/`` and ``config.ini``, gone afterwards.

Exercise D22.  The context manager for programs; ``run_job`` is a program that works in such a
place, and in the one that the ``temp_workspace`` fixture makes by ``standard()`` as well.

The traps it avoids: a workspace that is never removed, because of an error, of Ctrl-C, of
``sys.exit``, or of a directory that may not be changed; results that go with it unless somebody
thought of taking them out.  Not even a context manager is heard when the process is killed.
"""

from __future__ import annotations

import configparser
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

DIRECTORIES = ("input", "output", "temp")
CONFIGURATION = {
    "paths": {name: name for name in DIRECTORIES},
    "settings": {"encoding": "utf-8", "log_level": "INFO", "dry_run": "no"},
}


@dataclass(frozen=True, slots=True)
class Workspace:
    """The paths of a workspace; the configuration says where the directories are."""

    root: Path
    input: Path
    output: Path
    temp: Path
    config: Path


@contextmanager
def standard_workspace(
    parent: str | os.PathLike[str] | None = None, *, results: str | os.PathLike[str] | None = None
) -> Iterator[Workspace]:
    """Make a workspace of mode 0700 for a block, and remove it whatever happens in there.

    Args:
        parent: where; by default where temporary files go.
        results: a directory to make of ``output`` when the block ends well.

    Raises:
        FileExistsError: ``results`` is there already; the block is not entered.
    """
    if results is not None and os.path.lexists(results):
        raise FileExistsError(f"there is something in the place of the results: {results}")
    # TemporaryDirectory, not mkdtemp: it also removes what was made read-only.
    with tempfile.TemporaryDirectory(prefix="workspace-", dir=parent) as root:
        for name in DIRECTORIES:
            os.mkdir(os.path.join(root, name))
        with open(os.path.join(root, "config.ini"), "w", encoding="utf-8") as file:
            _configuration().write(file)
        workspace = opened(root)
        yield workspace
        if results is not None:
            shutil.move(workspace.output, results)  # a copy, if that is another file system


def opened(root: str | os.PathLike[str]) -> Workspace:
    """Read ``config.ini`` of a workspace, whoever made it.

    Raises:
        FileNotFoundError: there is none.
        configparser.Error, KeyError: it does not say where the directories are.
    """
    place = Path(root)
    parser = configparser.ConfigParser(interpolation=None)
    with open(place / "config.ini", encoding="utf-8") as file:  # parser.read() passes over a miss
        parser.read_file(file)
    paths = parser["paths"]
    return Workspace(place, *(place / paths[name] for name in DIRECTORIES), place / "config.ini")


def run_job(workspace: Workspace) -> int:
    """Put the lines of each input file in order; returns the number of files.

    Each result is written in ``temp`` and moved to ``output`` when it is whole.
    """
    done = 0
    for source in sorted(workspace.input.glob("*.txt")):
        lines = source.read_bytes().splitlines(keepends=True)
        draft = workspace.temp / source.name
        draft.write_bytes(b"".join(sorted(lines)))
        os.replace(draft, workspace.output / source.name)
        done += 1
    return done


def _configuration() -> configparser.ConfigParser:
    parser = configparser.ConfigParser(interpolation=None)
    parser.read_dict(CONFIGURATION)
    return parser
