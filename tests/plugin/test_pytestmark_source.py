"""What pytestmark of a module will be, read from its source."""

from __future__ import annotations

import textwrap
import warnings

import pytest

from pytest_syskit.hooks.marker_reading import MARKERS
from pytest_syskit.hooks.pytestmark_source import pytestmark_of

NAMES = frozenset(MARKERS)


def read(source):
    return pytestmark_of(textwrap.dedent(source).encode(), NAMES)


def names(source):
    return [written.mark.name for written in read(source)]


@pytest.mark.parametrize(
    "source",
    [
        "import pytest\npytestmark = pytest.mark.windows_only",
        "import pytest\npytestmark = pytest.mark.windows_only()",
        "import os, pytest, sys\npytestmark = [pytest.mark.windows_only]",
        "import pytest\npytestmark = (pytest.mark.windows_only, pytest.mark.slow)",
        "import pytest\npytestmark = [pytest.mark.slow(1), pytest.mark.windows_only]",
        "import pytest\npytestmark = [pytest.mark.skipif(f(), reason=''), pytest.mark.windows_only]",
        "import pytest as pt\npytestmark = pt.mark.windows_only",
        "from pytest import mark\npytestmark = mark.windows_only",
        "from pytest import fixture, mark as m\npytestmark = m.windows_only",
        "import pytest\nfrom typing import Any\npytestmark: Any = pytest.mark.windows_only",
        "import pytest\npytestmark = []\npytestmark += [pytest.mark.windows_only]",
        "import pytest\npytestmark = [pytest.mark.windows_only]\npytestmark += other",
        "import pytest\npytestmark = [pytest.mark.slow] + [pytest.mark.windows_only]",
        "import pytest\nonly = pytest.mark.windows_only\npytestmark = [only]",
        "import pytest\nCOMMON = [pytest.mark.windows_only]\npytestmark = [*COMMON]",
        "import pytest\nmark = pytest.mark\npytestmark = mark.windows_only",
        "import pytest\nother = pytestmark = pytest.mark.windows_only",
        "import pytest\npytestmark = pytest.mark.linux_only\npytestmark = pytest.mark.windows_only",
        "# -*- coding: latin-1 -*-\nimport pytest\npytestmark = pytest.mark.windows_only",
        "\ufeffimport pytest\npytestmark = pytest.mark.windows_only",
        "import pytest\npytestmark = pytest.mark.windows_only\ndef f(): pytestmark = 1; mark = 2",
        "import pytest\npytestmark = pytest.mark.windows_only\nclass C: pytestmark = []",
        "import pytest\npytestmark = pytest.mark.windows_only\nif x: import fcntl",
        (
            "'''doc'''\nfrom __future__ import annotations\nimport pytest\n"
            "pytestmark = pytest.mark.windows_only"
        ),
    ],
)
def test_a_mark_is_found(source):
    assert names(source) == ["windows_only"]


@pytest.mark.parametrize(
    "source",
    [
        "",
        "import pytest",
        "import pytest\npytestmark = pytest.mark.slow",
        "pytestmark = pytest.mark.windows_only",
        "from other import pytest\npytestmark = pytest.mark.windows_only",
        "import other as pytest\npytestmark = pytest.mark.windows_only",
        "from . import pytest\npytestmark = pytest.mark.windows_only",
        "import pytest\npytestmark = pytest.windows_only",
        "import pytest\nmark.windows_only = 1\npytestmark = mark.windows_only",
        "import pytest\n@pytest.mark.windows_only\ndef test_a(): pass",
        "import pytest\nclass TestA:\n    pytestmark = pytest.mark.windows_only",
        "import pytest\ndef pytestmark(): pytest.mark.windows_only",
        "import pytest\npytestmark = pytest.mark.windows_only\npytestmark = []",
        "import pytest\npytestmark = pytest.mark.windows_only\npytestmark = other()",
        "import pytest\npytestmark = pytest.mark.windows_only\npytestmark, x = y",
        "import pytest\npytestmark = pytest.mark.windows_only\ndel pytestmark",
        "import pytest\npytestmark = pytest.mark.windows_only\nfrom x import pytestmark",
        "import pytest\npytestmark = pytest.mark.windows_only if x else []",
        "import pytest\nif x:\n    pytestmark = pytest.mark.windows_only",
        "import pytest\ntry:\n    pytestmark = pytest.mark.windows_only\nfinally: pass",
        "import pytest\npytestmark = pytest.mark.windows_only\nif x:\n    pytestmark = []",
        "import pytest\nif x:\n    import other as pytest\npytestmark = pytest.mark.windows_only",
        "import pytest\npytestmark = pytest.mark.requires(*WORDS)",
        "import pytest\npytestmark = pytest.mark.requires(WORD)",
        "import pytest\npytestmark = [pytest.mark.windows_only for _ in x]",
        "import pytest\npytestmark: list",
        "import pytest\npytestmark.append(pytest.mark.windows_only)",
        "import pytest\n'pytestmark = pytest.mark.windows_only'",
        "import pytest\npytestmark = pytest.mark.windows_only\nthis is no python",
        "import pytest\npytestmark = pytest.mark.windows_only\n\0",
        "import pytest\npytestmark = pytest.mark.windows_only\nx = " + "(" * 5000 + ")" * 5000,
    ],
)
def test_what_is_decided_when_the_module_runs_is_left_to_it(source):
    assert names(source) == []


def test_constants_are_read_and_the_line_is_that_of_the_mark():
    windows, needs = read("""
        import pytest

        pytestmark = [
            pytest.mark.slow,
            pytest.mark.windows_only(reason="reads the registry"),
            pytest.mark.requires("fork", "pty", reason=None),
        ]
    """)
    assert (windows.line, windows.mark.args, windows.mark.kwargs) == (
        6,
        (),
        {"reason": "reads the registry"},
    )
    assert (needs.line, needs.mark.args, needs.mark.kwargs) == (
        7,
        ("fork", "pty"),
        {"reason": None},
    )


def test_a_reason_that_is_computed_is_left_out():
    (only,) = read("""
        import pytest
        pytestmark = pytest.mark.windows_only(reason=f"x{1}")
    """)
    assert only.mark.kwargs == {}


def test_a_reader_does_not_warn_about_the_source():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert names(r"""
            import pytest
            pytestmark = pytest.mark.windows_only
            pattern = "\d"
        """) == ["windows_only"]


def test_nothing_of_the_source_is_run():
    assert names("""
        import pytest
        raise SystemExit("run")
        pytestmark = [pytest.mark.windows_only, exit()]
    """) == ["windows_only"]
