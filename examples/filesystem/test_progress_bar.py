"""The bar is drawn for people, seldom, and goes away (exercise A12)."""

from __future__ import annotations

import io

import progress_bar as module
import pytest
from progress_bar import ProgressBar


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        """Say so."""
        return True


@pytest.mark.parametrize(
    ("done", "total", "line"),
    [
        (0, 10, "work   0% [..................]"),
        (5, 10, "work  50% [#########.........]"),
        (10, 10, "work 100% [##################]"),
        (11, 10, "work 100% [##################]"),
        (0, 0, "work 100% [##################]"),
    ],
)
def test_the_bar_shows_the_share_and_fits(done, total, line):
    assert ProgressBar("work", Terminal()).text(done, total, 31) == line


def test_a_narrow_terminal_has_the_number_alone():
    assert ProgressBar("work", Terminal()).text(1, 4, 20) == "work  25%"


def test_nothing_is_written_where_nobody_looks():
    stream = io.StringIO()
    with ProgressBar("work", stream) as bar:
        bar(1, 2)
        assert not bar.visible
    assert stream.getvalue() == ""


def test_it_is_drawn_at_most_ten_times_a_second(monkeypatch):
    stream, now = Terminal(), [100.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    with ProgressBar("work", stream) as bar:
        for number in range(1000):
            now[0] = 100 + number / 1000
            bar(number, 1000)
    assert 10 <= stream.getvalue().count("work") <= 11


def draw_and_fail(bar):
    with bar:
        bar(0, 1)
        _ = 1 / 0


def test_it_is_erased_after_an_error_too():
    stream = Terminal()
    bar = ProgressBar("work", stream)
    with pytest.raises(ZeroDivisionError):
        draw_and_fail(bar)
    assert stream.getvalue().endswith("\r\x1b[K")
    bar.erase()
    assert stream.getvalue().count("\x1b[K") == 2
