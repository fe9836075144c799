"""Variables that are there, missing, empty, or no text (exercise A10)."""

from __future__ import annotations

import os

import pytest
from environment_lookups import (
    MissingVariable,
    get_variable,
    printable_variable,
    require_variable,
    variable_bytes,
)


def test_a_variable_that_is_set_is_found_by_every_look_up(fake_env):
    fake_env.set("EDITOR", "ed")
    assert get_variable("EDITOR") == require_variable("EDITOR") == "ed"
    assert (variable_bytes("EDITOR"), printable_variable("EDITOR")) == (b"ed", "ed")


def test_a_missing_variable_is_none_or_the_default(fake_env):
    fake_env.unset("EDITOR")
    assert get_variable("EDITOR") is None
    assert get_variable("EDITOR", "vi") == "vi"
    assert variable_bytes("EDITOR") is None
    assert printable_variable("EDITOR") is None


def test_an_empty_variable_is_not_a_missing_one(fake_env):
    fake_env.set("EDITOR", "")
    assert get_variable("EDITOR", "vi") == ""
    assert require_variable("EDITOR") == ""
    assert variable_bytes("EDITOR") == b""


def test_a_required_variable_that_is_missing_is_named(fake_env):
    fake_env.unset("EDITOR")
    with pytest.raises(MissingVariable, match="'EDITOR' is not set; set it") as caught:
        require_variable("EDITOR")
    assert caught.value.name == "EDITOR"


@pytest.mark.posix_only
def test_a_value_that_is_no_text_keeps_its_bytes_and_can_be_printed(fake_env):
    fake_env.set("PLACE", os.fsdecode(b"caf\xe9"))
    assert variable_bytes("PLACE") == b"caf\xe9"
    assert printable_variable("PLACE") == "caf\\xe9"
    with pytest.raises(UnicodeEncodeError, match="surrogates not allowed"):
        get_variable("PLACE").encode()  # what print() would do


def test_values_are_those_of_now(fake_env):
    fake_env.set("STATE", "before")
    assert get_variable("STATE") == "before"
    fake_env.set("STATE", "after")
    assert get_variable("STATE") == "after"
