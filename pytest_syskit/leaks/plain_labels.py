"""Labels without what changes from run to run: numbers, addresses, random names, places.

Two runs of one fault must give one text, on another machine and under another Python too::

    fd 14  /tmp/pytest-of-ann/pytest-7/test_a0/x.log (write)  ─▶  <tmp_path>/test_a#/x.log (write)
    process 4711  running  0.3 s old  /opt/bin/python -m http.server  ─▶  <python> -m http.server

The price: two files whose names differ by a number alone are one label, told apart by their count.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

TMP, TMP_PATH = "<tmp>", "<tmp_path>"  # the directory for temporary files, and pytest's own in it

_WIDTH = 120  # characters of a command that tell it from others; longer ones only make diffs wide
_FORK = "a fork of this process"
# A forked child that has ended shows the name of what it was forked from.
_FORK_NAME = re.compile(r"\[(python[\d.]*|pytest.*)\]")

_STREAM = re.compile(r"fd [012]  (?:closed|replaced)")  # its number is what it is

# In this order: a name must be known as random before its digits are taken out.
_STEPS = (
    # The base directory of tmp_path, also that of an xdist worker.
    (re.compile(r"(?:[^\s()]*/)?pytest-of-[^/\s]+/pytest-[^/\s]+"), TMP_PATH),
    (re.compile(r"/popen-gw\d+"), ""),
    # Names in directories for temporary files are random as a rule; what they end in is not.
    (
        re.compile(
            rf"({TMP}|(?<![\w./])(?:/tmp|/var/tmp|/dev/shm))/[^/\s:()]+?(\.[a-z]{{1,5}})?(?=[/\s:()]|$)"
        ),
        r"\1/*\2",
    ),
    (re.compile(r"(?<=/)tmp[a-z0-9_]{8}(?=[/.\s)]|$)"), "tmp*"),  # tempfile, in another directory
    # How far a file was read is no identity.
    (re.compile(r", at byte \d+(?=[,)])| \(at byte \d+\)$|(?<=\()at byte \d+, "), ""),
    (re.compile(r"; it was .* before the tests$"), ""),  # standard input is not the same everywhere
    (re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"), "#"),  # a UUID
    (re.compile(r"\b0x[0-9a-fA-F]+\b"), "#"),
    (re.compile(r"(?<![0-9a-zA-Z])(?=[a-f]*\d)[0-9a-f]{8,}(?![0-9a-zA-Z])"), "#"),  # a digest
    (re.compile(r"(?<=@)[0-9a-f]{5}(?!\w)"), "#"),  # a socket's name, given by the kernel
    (
        re.compile(
            r"(?<![\d.])(127\.0\.0\.1|0\.0\.0\.0)(?![\d.])"
            r"|(?<=^fd )([012])(?=  (?:closed|replaced))"
            r"|\d+(?:\.\d+)*"
        ),
        lambda m: m[1] or m[2] or "#",
    ),
)


def escape(text: str) -> str:
    """Write what no line can carry, such as a line end or an undecodable byte, as an escape."""
    safe = text.encode("utf-8", "backslashreplace").decode()
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in safe)


class PlainLabels:
    r"""Makes labels plain, knowing what the places of this machine are called.

    >>> PlainLabels({"/home/ann/x": "<root>"}).label("fd", "fd 5  /home/ann/x/a.db (read)", {})
    '<root>/a.db (read)'
    """

    def __init__(self, places: Mapping[str, str] = {}) -> None:
        """Take paths and their names; the longest that fits is used."""
        self._places = [
            (re.compile(rf"(?<![\w.\-/#>*~]){re.escape(path)}(?![\w.\-*])"), name)
            for path, name in sorted(places.items(), key=lambda each: -len(each[0]))
            if len(path) > 1  # the root directory is in every path
        ]

    def label(self, kind: str, label: str, detail: Mapping[str, Any]) -> str:
        """Return the plain label of a resource, without its kind and number."""
        if kind == "process" and detail.get("argv"):
            return self._command(label, detail["argv"])
        if not _STREAM.match(label):
            label = re.sub(rf"^{re.escape(kind)} \d+  ", "", label)
        return escape(self.text(label)).strip()

    def _command(self, label: str, argv: Iterable[str]) -> str:
        """Name a process by its command: state and age depend on when one looks."""
        command = " ".join(argv)
        if label.endswith(f"  {_FORK}") or _FORK_NAME.fullmatch(command):
            return _FORK
        plain = escape(self.text(command))
        return plain if len(plain) <= _WIDTH else plain[: _WIDTH - 1] + "…"

    def text(self, text: str) -> str:
        """Return a text in plain form."""
        text = self.placed(text)
        for pattern, instead in _STEPS:
            text = pattern.sub(instead, text)
        return text

    def placed(self, text: str) -> str:
        """Return a text with the names of places for their paths, and nothing else changed."""
        for pattern, name in self._places:
            text = pattern.sub(name, text)
        return text
