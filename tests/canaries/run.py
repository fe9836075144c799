"""Run the bad tests, and succeed only if every one is reported, and nobody else is.

Usage: ``python tests/canaries/run.py``.  The exit status is 0 when the reported owners are exactly the
expected ones, serially and on two workers (where pytest-xdist is installed), in fail and in warn mode,
and when nothing that a canary started is alive at the end.
"""

# ruff: noqa: T201  # a command speaks on its standard output
from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, NamedTuple

import psutil

HERE = Path(__file__).resolve().parent
LIMIT = 120  # seconds for one run; it takes about ten, most of it grace given to suspects
MARK = "SYSKIT_CANARY_RUN"  # in the environment of all that a run starts, so that it can be found
LINUX = sys.platform.startswith("linux")


class Canary(NamedTuple):
    """One owner that must be reported, with what it must be reported for.

    ``detail`` maps keys of the report's detail to their values; ``count`` is the number of resources.
    """

    owner: str
    kind: str
    detail: dict[str, object]
    count: int = 1
    linux: bool = False


def _process(name: str, state: str, *, orphan: bool = False) -> Canary:
    # Only Linux can adopt orphans, so only there they are seen.
    return Canary(
        f"canary_processes.py::test_{name}",
        "process",
        {"state": state, "orphan": orphan},
        linux=orphan,
    )


def _fd(name: str, what: str, count: int = 1, *, linux: bool = False) -> Canary:
    return Canary(f"canary_descriptors.py::test_{name}", "fd", {"what": what}, count, linux)


def _fixture(name: str, scope: str, count: int = 1) -> Canary:
    return Canary(f"fixture {scope} {name}", "fd", {"what": "device"}, count)


CANARIES = (
    _process("zombie", "zombie"),
    _process("zombie_of_popen", "zombie"),
    _process("running_child", "running"),
    _process("running_child_of_popen", "running"),
    _process("stopped_child", "stopped"),
    _process("orphan_by_double_fork", "running", orphan=True),
    _process("orphan_without_exec", "running", orphan=True),
    _process("orphan_of_a_shell", "running", orphan=True),
    _process("child_forked_in_a_thread", "running"),
    _process("child_that_ignores_term", "running"),
    _fd("file", "file"),
    _fd("directory", "directory"),
    _fd("deleted_file", "file"),
    _fd("device", "device"),
    _fd("pipe", "pipe", 2),
    _fd("fifo", "fifo"),
    _fd("socket", "socket"),
    _fd("unix_socket_pair", "socket", 2),
    _fd("pty", "pty", 2),
    _fd("duplicate", "file"),
    _fd("epoll", "epoll", linux=True),
    _fd("eventfd", "eventfd", linux=True),
    _fd("timerfd", "timerfd", linux=True),
    _fd("signalfd", "signalfd", linux=True),
    _fd("inotify", "inotify", linux=True),
    _fd("memfd", "memfd", linux=True),
    _fd("pidfd", "pidfd", linux=True),
    # A function fixture lives and ends with its test, which therefore owns what it leaves.
    Canary("canary_fixtures.py::test_uses_function", "fd", {"what": "device"}),
    _fixture("class_fixture", "class"),
    _fixture("module_fixture", "module"),
    _fixture("session_fixture", "session"),
    _fixture("parametrised_fixture*one*", "module"),
    _fixture("parametrised_fixture*two*", "module"),
    _fixture("half_way_fixture", "module"),
    _fixture("inner_fixture", "module"),
    _fixture("fixture_asked_for_by_name", "module"),
    _fixture("teardown_fixture", "module"),
    _fixture("package_fixture", "package"),
    _fixture("setUpClass", "class"),
    _fixture("setup_class", "class"),
    _fixture("setup_module", "module"),
)
EXPECTED = tuple(canary for canary in CANARIES if LINUX or not canary.linux)
# These only use what leaks: they are no canaries themselves, and must not be blamed.
USERS = "*::test_uses_*"


def pytest(options: list[str], environ: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run pytest over the canaries, with no plugin but ours and those that ``options`` name."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("SYSKIT_", "PYTEST_"))}
    command = [sys.executable, "-m", "pytest", "-p", "syskit", "-p", "no:cacheprovider", "-q"]
    return subprocess.run(
        [*command, *options],
        cwd=HERE,
        env={**clean, **environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
    )


def owner_name(owner: dict[str, Any]) -> str:
    """Name an owner as the table above does."""
    if owner["type"] == "test":
        return str(owner["id"])
    return f"fixture {owner['scope']} {owner['id']}"


def complaints(leaks: list[dict[str, Any]], copies: int) -> Iterator[str]:
    """Compare reported leaks with the table; each of ``copies`` workers may set a fixture up once."""
    reported = Counter(owner_name(leak["owner"]) for leak in leaks)
    known: set[str] = set()
    for canary in EXPECTED:
        owners = [owner for owner in reported if fnmatch(owner, canary.owner)]
        known.update(owners)
        most = canary.count * (copies if canary.owner.startswith("fixture ") else 1)
        found = sum(reported[owner] for owner in owners)
        if not canary.count <= found <= most:
            yield f"{canary.owner}: {found} leaks were reported, {canary.count} expected"
        yield from (
            f"{canary.owner}: reported as {leak['kind']} {leak['detail']}, "
            f"expected {canary.kind} with {canary.detail}"
            for leak in leaks
            if owner_name(leak["owner"]) in owners
            and not (
                leak["kind"] == canary.kind and canary.detail.items() <= leak["detail"].items()
            )
        )
    yield from (
        f"{owner}: blamed, but nothing is expected of it" for owner in reported.keys() - known
    )


def unlisted() -> Iterator[str]:
    """Yield the collected tests that the table forgot."""
    listing = pytest(["--collect-only"], {})
    tests = [line for line in listing.stdout.splitlines() if "::" in line]
    listed = {canary.owner for canary in CANARIES}
    if not tests:
        yield f"no canary was collected:\n{listing.stdout}{listing.stderr}"
    yield from (
        f"{test}: not in the table of run.py"
        for test in tests
        if test not in listed and not fnmatch(test, USERS)
    )


def survivors(mark: str) -> Iterator[str]:
    """End and name every living process that a run started."""
    for process in psutil.process_iter():
        with suppress(psutil.Error):  # ended meanwhile, or of another user
            if process.pid != os.getpid() and process.environ().get(MARK) == mark:
                yield f"process {process.pid} outlived --syskit-reap=leaked: {process.cmdline()}"
                process.kill()


def attempt(name: str, options: list[str], copies: int = 1) -> list[str]:
    """Run the canaries once; return what was wrong."""
    mark = uuid.uuid4().hex
    with tempfile.TemporaryDirectory(prefix="syskit-canaries-") as folder:
        report = Path(folder) / "report.json"
        reporting = ["--syskit-reap=leaked", f"--syskit-report={report}"]
        done = pytest([*options, *reporting], {MARK: mark})
        wrong = list(survivors(mark))
        # One fixture fails on purpose, so that the status is 1 in warn mode too.
        if done.returncode != 1:
            wrong.append(f"the exit status was {done.returncode}, 1 expected")
        if report.exists():
            wrong += complaints(json.loads(report.read_text(encoding="utf-8"))["leaks"], copies)
        else:
            wrong.append("no report was written")
    print(f"{name}: {len(EXPECTED)} canaries, {'all reported' if not wrong else 'WRONG'}")
    print("".join(f"  {line}\n" for line in wrong), end="")
    if wrong:
        print(done.stdout[-20_000:], done.stderr[-5_000:], sep="\n")  # enough for the whole report
    return wrong


def main() -> int:
    """Run all the ways; return the exit status."""
    wrong = list(unlisted())
    print("".join(f"{line}\n" for line in wrong), end="")
    wrong += attempt("fail", ["--syskit-leaks=fail"])
    wrong += attempt("warn", ["--syskit-leaks=warn"])
    if importlib.util.find_spec("xdist"):
        wrong += attempt("fail -n 2", ["--syskit-leaks=fail", "-p", "xdist", "-n", "2"], copies=2)
    else:
        print("fail -n 2: not run, pytest-xdist is not installed")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
