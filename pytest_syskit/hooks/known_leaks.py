"""``--syskit-baseline``: known leaks are excused, new ones are told, and those that have gone too.

Every process that runs tests reads the file and excuses for itself, one life of an owner at a time;
what it saw travels with its findings.  The controlling process alone knows the whole run, says what
has gone, and writes the file when that is wanted::

    worker: judge ─▶ excuse ─▶ findings + what this life left ──▶ controller: gone? written?
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Generator
from typing import Any

import pytest

from ..leaks import known
from ..leaks.known import KnownLeak, KnownLeaks
from .extent import Extent
from .facts import Facts
from .gathering import GATHERING
from .places import plain_labels
from .settings import KNOWN_LEAKS, KNOWN_LEAKS_FILE, SETTINGS

_SWITCH, _WRITE = "--syskit-baseline", "--syskit-baseline-write"
_SHOWN = 20  # lines of what has gone: a longer list is read in the file's own diff


def start(config: pytest.Config) -> None:
    """Read the file, so that the judge can excuse by it (raises ``pytest.UsageError``)."""
    settings = config.stash[SETTINGS]
    if not settings.baseline:
        raise pytest.UsageError(f"{_WRITE} needs {_SWITCH}=FILE, the file to write")
    path = _full_path(config, settings.baseline)
    counts = _read(path, settings.baseline, write=settings.baseline_write)
    excusable = None if settings.baseline_write else counts
    reason = f"in the baseline {settings.baseline}"
    config.stash[KNOWN_LEAKS] = KnownLeaks(excusable, reason, plain_labels(config))
    if GATHERING in config.stash:
        if settings.baseline_write:
            _check_writable(path, settings.baseline)
        file = KnownLeaksFile(config, path, counts)
        config.stash[KNOWN_LEAKS_FILE] = file
        config.pluginmanager.register(file, "syskit-known-leaks")


def _full_path(config: pytest.Config, path: str) -> str:
    """A path in an ini file is relative to the root of the run, another to where it was typed."""
    typed = config.getoption("syskit_baseline") or os.environ.get("SYSKIT_BASELINE")
    return os.path.realpath((config.invocation_params.dir if typed else config.rootpath) / path)


def _read(path: str, shown: str, *, write: bool) -> dict[KnownLeak, int]:
    try:
        with open(path, encoding="utf-8") as file:
            return known.parse(file.read())
    except FileNotFoundError:
        if write:
            return {}
        raise pytest.UsageError(
            f"{_SWITCH}={shown}: there is no such file; add {_WRITE} to a run to make it"
        ) from None
    except (known.Unreadable, UnicodeDecodeError) as error:
        raise pytest.UsageError(
            f"{_SWITCH}={shown}: this is no baseline that can be read ({error}); "
            f"mend it, or remove it and make it anew with {_WRITE}"
        ) from None
    except OSError as error:
        raise pytest.UsageError(f"{_SWITCH}={shown}: cannot be read: {error.strerror}") from None


def _check_writable(path: str, shown: str) -> None:
    """Check before the run that the file can be written after it: a new one takes its place."""
    folder = os.path.dirname(path)
    if not os.path.isdir(folder):
        raise pytest.UsageError(
            f"{_SWITCH}={shown}: the directory {folder} does not exist; make it"
        )
    if not os.access(folder, os.W_OK | os.X_OK):
        raise pytest.UsageError(
            f"{_SWITCH}={shown}: the directory {folder} cannot be written to; name another file"
        )


class KnownLeaksFile:
    """The list on disk, in the process that reports.

    Attributes:
        gone: how many of each line are there no more; empty if not all tests ran.
        written: whether the file was written.
    """

    def __init__(self, config: pytest.Config, path: str, counts: dict[KnownLeak, int]) -> None:
        self._config = config
        self._settings = config.stash[SETTINGS]
        self._path = path
        self._counts = counts
        self._extent = Extent(config)
        self._seen: dict[KnownLeak, int] = {}
        self._full = False
        self._trouble = ""
        self.gone: dict[KnownLeak, int] = {}
        self.written = False

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note which tests ran, and which of them to the end."""
        self._extent.note(report)

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_sessionfinish(
        self, session: pytest.Session, exitstatus: int
    ) -> Generator[None, Any, Any]:
        """Compare what was seen with the list, when the last account is closed; write it."""
        result = yield
        facts = self._config.stash[GATHERING].facts
        self._seen = known.most(map(_counts, facts.lists["tallies"]))
        self._full = self._extent.is_full(session, exitstatus)
        if self._full:
            judged = {record["owner"] for record in facts.lists["tallies"]}
            unheard = {record["owner"]["id"] for record in facts.lists["not_checked"]}
            open_ = {key for key in self._counts if self._extent.is_open(key, judged, unheard)}
            self.gone = known.gone(self._counts, self._seen, open_)
        if self._settings.baseline_write and not self._config.getoption("collectonly", False):
            self._write(session)
        facts.baseline = self._record(facts)
        return result

    def _write(self, session: pytest.Session) -> None:
        text = known.render(known.renewed(self._counts, self._seen, self.gone))
        try:
            _replace(self._path, text)
            self.written = True
        except OSError as error:
            self._trouble = f"the baseline {self._settings.baseline} was not written: {error}"
            session.exitstatus = pytest.ExitCode.INTERNAL_ERROR  # what was asked for is not there

    # -- for the reports ---------------------------------------------------------------------------

    def _excused(self, facts: Facts) -> int:
        list_ = self._config.stash[KNOWN_LEAKS]
        return sum(map(list_.excused, facts.leaks))

    def lines(self, facts: Facts) -> list[str]:
        """Return what the terminal says."""
        if self._trouble:
            return [self._trouble]
        return self._lines_written() if self.written else self._lines_read(facts)

    def _lines_read(self, facts: Facts) -> list[str]:
        number = self._excused(facts)
        are = "is" if number == 1 else "are"
        where = f"in the baseline {self._settings.baseline}"
        lines = [f"{_plural(number, 'leak')} {are} {where}"] if number else []
        lines += [
            f"gone: {key}{self._part(key)} is fixed; run with {_WRITE} to drop it"
            for key in sorted(self.gone)[:_SHOWN]
        ]
        more = len(self.gone) - _SHOWN
        return [*lines, f"gone: … and {more} more"] if more > 0 else lines

    def _part(self, key: KnownLeak) -> str:
        number, gone = self._counts[key], self.gone[key]
        return f" ({gone} of {number})" if gone < number or number > 1 else ""

    def _lines_written(self) -> list[str]:
        now = known.renewed(self._counts, self._seen, self.gone)
        added = sum(max(0, number - self._counts.get(key, 0)) for key, number in now.items())
        owners = len({key.owner for key in now})
        what = f"{_plural(sum(now.values()), 'leak')} of {_plural(owners, 'owner')}"
        changes = f"{added} added, {sum(self.gone.values())} dropped"
        partial = "" if self._full else "; not all tests ran, so the rest was kept"
        return [f"wrote {what} to the baseline {self._settings.baseline}: {changes}{partial}"]

    def _record(self, facts: Facts) -> dict[str, Any]:
        """Return the JSON form."""
        gone = [
            {"owner": key.owner, "kind": key.kind, "label": key.label, "count": number}
            for key, number in sorted(self.gone.items())
        ]
        return {
            "file": self._settings.baseline,
            "known": self._excused(facts),
            "gone": gone,
            "written": self.written,
        }


def _plural(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _counts(record: dict[str, Any]) -> dict[KnownLeak, int]:
    return {
        KnownLeak(record["owner"], kind, label): number for kind, label, number in record["lines"]
    }


def _replace(path: str, text: str) -> None:
    """Write a file as a whole or not at all; it keeps its permissions."""
    fd, new = tempfile.mkstemp(prefix=".syskit-baseline-", dir=os.path.dirname(path))
    try:
        with open(fd, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        os.chmod(new, _permissions(path))
        os.replace(new, path)
    except BaseException:
        with contextlib.suppress(OSError):  # whatever went wrong is told, not this
            os.unlink(new)
        raise


def _permissions(path: str) -> int:
    try:
        return os.stat(path).st_mode & 0o777
    except FileNotFoundError:
        mask = os.umask(0)  # there is no way to ask without setting it
        os.umask(mask)
        return 0o666 & ~mask
