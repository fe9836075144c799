"""Tell today's date, turn moments into timestamps and back, and measure how long something takes.

Exercise C1.  A script: ``python elapsed_time.py``.  The traps it avoids.  A difference of
timestamps turned into a date of 1970, whose ``second`` begins again at 60 and whose ``hour`` is
that of the time zone; a span is a ``timedelta``.  A span measured by the clock on the wall, which
somebody may set; the monotonic clock only goes on.  And a moment without a time zone, which is an
hour off, or two moments, when the clocks are changed.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta, timezone

LONGEST = 3600  # seconds that the script may sleep: enough to see that minutes are counted


def today() -> date:
    """Return the date, here and now."""
    return now().date()


def now() -> datetime:
    """Return the moment, with the time zone of this place."""
    return moment_of(time.time())


def timestamp_of(moment: datetime) -> float:
    """Return the seconds from the beginning of 1970 in UTC.

    Raises:
        ValueError: the moment has no time zone, so it may be any of some thirty.
    """
    if moment.tzinfo is None:
        raise ValueError(f"{moment!r} has no time zone; give it one, as by .astimezone()")
    return moment.timestamp()


def moment_of(timestamp: float) -> datetime:
    """Return the moment of a timestamp, with the time zone of this place."""
    return datetime.fromtimestamp(timestamp, timezone.utc).astimezone()


def measure(work: Callable[[], object]) -> timedelta:
    """Call a function and return how long that took."""
    began = time.monotonic_ns()
    work()
    return timedelta(microseconds=(time.monotonic_ns() - began) / 1000)


def measure_sleep(seconds: float) -> timedelta:
    """Sleep, and return how long it really was: never less, often a little more."""
    return measure(lambda: time.sleep(seconds))


def seconds_and_microseconds(span: timedelta) -> tuple[int, int]:
    """Take a span apart into all its whole seconds, days included, and the microseconds left."""
    seconds, rest = divmod(span, timedelta(seconds=1))
    return seconds, rest.microseconds


def main(argv: Sequence[str] | None = None) -> int:
    """Run the script; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="elapsed_time", description="Tell the date, and measure how long a sleep is."
    )
    parser.add_argument("--sleep", type=float, default=0.1, help="seconds (default: 0.1)")
    wanted = parser.parse_args(argv)
    if not 0 <= wanted.sleep <= LONGEST:
        parser.error(f"--sleep {wanted.sleep:g}: 0 to {LONGEST} is expected")
    moment = now()
    timestamp = timestamp_of(moment)
    print(f"today: {moment.date().isoformat()}")
    print(f"timestamp: {timestamp:.6f}")
    print(f"back again: {moment_of(timestamp).isoformat()}")
    seconds, microseconds = seconds_and_microseconds(measure_sleep(wanted.sleep))
    print(f"slept {seconds} seconds and {microseconds} microseconds")
    return 0


if __name__ == "__main__":
    sys.exit(main())
