"""What ``pytest --markers`` says of ours: every run shows or registers it, and few use them all."""

from __future__ import annotations

from typing import NamedTuple


class Text(NamedTuple):
    """How a marker is written, and what it does."""

    usage: str
    meaning: str


PLATFORMS = {"posix": "POSIX systems", "linux": "Linux", "macos": "macOS", "windows": "Windows"}

TEXTS: dict[str, Text] = {
    **{
        f"{word}_only": Text(
            f"{word}_only(reason=None)",
            f"a test for {title}, skipped elsewhere; in pytestmark: before the import",
        )
        for word, title in PLATFORMS.items()
    },
    "requires": Text(
        "requires(*words, reason=None)",
        "skip the test where the machine lacks one of the capabilities, in words that "
        "pytest --syskit-info lists",
    ),
    "requires_root": Text(
        "requires_root(reason=None)",
        "skip the test unless the superuser runs it",
    ),
    "requires_commands": Text(
        "requires_commands(*names, reason=None)",
        "skip the test where one of the programs is not on PATH",
    ),
    "leak_policy": Text(
        'leak_policy("off"|"warn"|"fail", kinds=None, grace=None, reason=None)',
        "what a leak of the test does, whatever the options say; kinds and grace as in "
        "--syskit-leak-kinds and --syskit-leak-grace",
    ),
    "allow_leaks": Text(
        "allow_leaks(*kinds, match=None, reason=...)",
        "the test may leave resources of these kinds (none named: any) whose label fits the "
        "pattern",
    ),
    "signal_timeout": Text(
        'signal_timeout(seconds, clock="real"|"cpu", scope="all"|"call", reason=None)',
        "set-up, call and teardown of the test may each take this long; scope limits the call "
        "alone",
    ),
    "run_in_fork": Text(
        "run_in_fork(timeout=None, user=None, reason=None)",
        "the whole test, its function-scoped fixtures included, runs in a forked child",
    ),
}

# Those that tell before the import whether a module can run here.
SKIPPING = frozenset(
    {"requires", "requires_root", "requires_commands", *(f"{word}_only" for word in PLATFORMS)}
)
