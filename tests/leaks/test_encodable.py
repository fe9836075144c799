"""Names of files hold any bytes; reports hold text."""

from __future__ import annotations

import pytest

from pytest_syskit.leaks.encodable import encodable, printable
from pytest_syskit.leaks.resource import Resource


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("fd 5  /a b/ü (read)", "fd 5  /a b/ü (read)"),
        ("a\udcffb", "a\\udcffb"),
        ("a\nb\tc\x1b[31m", "a\\nb\\tc\\x1b[31m"),
        ("\u202egnp.exe", "\\u202egnp.exe"),
    ],
)
def test_a_label_is_one_line_that_steers_nothing(text, shown):
    assert printable(text) == shown
    assert Resource("fd", (5,)).told(text, {}).label == shown


def test_details_keep_their_form_and_can_be_encoded():
    detail = {
        "argv": ["\udc80", "x"],
        "at": {"k\udcff": 1.5},
        "more": ("\udc81",),
        "none": None,
        "yes": True,
    }
    told = Resource("fd", (5,)).told("", detail).detail
    assert told == {
        "argv": ["\\udc80", "x"],
        "at": {"k\\udcff": 1.5},
        "more": ["\\udc81"],
        "none": None,
        "yes": True,
    }
    assert encodable("line\nfeeds stay in details") == "line\nfeeds stay in details"
