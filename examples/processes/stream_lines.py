"""Read a command's output line by line while it runs, both streams at the same time.

Exercise D7.  ``Popen`` has no ``capture_output``, and reading one pipe to its end while the other
fills up stops both sides for ever; here a selector reads whichever has something.  Leaving the
block early ends the command with its group.
"""

from __future__ import annotations

import os
import selectors
import subprocess
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from command_group import end_group, start_group

_CHUNK = 1 << 16  # bytes: what a pipe holds on Linux


class Line(NamedTuple):
    """One line without its end; bytes that are no UTF-8 show as backslash escapes."""

    stream: str
    text: str


class LineStream:
    r"""The lines of a running command; ``status`` is known when they are all read."""

    def __init__(self, process: subprocess.Popen[bytes], silence: float | None) -> None:
        self._process = process
        self._silence = silence
        self._rest = {"stdout": b"", "stderr": b""}
        self._lines = self._read()

    @property
    def status(self) -> int | None:
        """Return the exit status, ``-N`` when signal N ended the command."""
        return self._process.returncode

    def __iter__(self) -> Iterator[Line]:
        return self._lines

    def close(self) -> None:
        """Read no more; what a half-read stream had open is closed."""
        self._lines.close()

    def _read(self) -> Generator[Line, None, None]:
        with selectors.DefaultSelector() as selector:
            for name in self._rest:
                selector.register(getattr(self._process, name), selectors.EVENT_READ, name)
            while selector.get_map():
                for key, _ in self._ready(selector):
                    chunk = os.read(key.fd, _CHUNK)
                    if not chunk:
                        selector.unregister(key.fileobj)
                    yield from self._cut(key.data, chunk)
        self._process.wait(self._silence)

    def _ready(self, selector: selectors.BaseSelector) -> list[tuple[selectors.SelectorKey, int]]:
        events = selector.select(self._silence)
        if not events:
            raise subprocess.TimeoutExpired(self._process.args, self._silence or 0)
        return events

    def _cut(self, name: str, chunk: bytes) -> Iterator[Line]:
        """Cut what came into lines; a last one without an end comes when the stream is over."""
        *whole, self._rest[name] = (self._rest[name] + chunk).split(b"\n")
        if not chunk and self._rest[name]:
            whole.append(self._rest[name])
        for line in whole:
            yield Line(name, line.decode("utf-8", "backslashreplace"))


@contextmanager
def streamed(
    argv: Sequence[str | os.PathLike[str]],
    *,
    silence: float | None = None,
    grace: float = 1.0,
    env: Mapping[str, str] | None = None,
    cwd: str | os.PathLike[str] | None = None,
) -> Iterator[LineStream]:
    """Start a command and give its lines as they come.

    Args:
        argv: the command.
        silence: seconds that may pass without a word (``subprocess.TimeoutExpired``).
        grace: seconds between TERM and KILL when the block is left before the command has ended.
        env: its whole environment.
        cwd: where it runs.
    """
    pipe = subprocess.PIPE
    with start_group(
        argv, stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe, env=env, cwd=cwd
    ) as process:
        lines = LineStream(process, silence)
        try:
            yield lines
        finally:
            lines.close()
            if process.returncode is None:
                end_group(process, grace)
