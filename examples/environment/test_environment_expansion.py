"""Nothing stays unexpanded, nothing is expanded twice, no secret is shown (exercise D3)."""

from __future__ import annotations

import os

import pytest
from environment_expansion import (
    HIDDEN,
    all_variables,
    expand_home,
    expand_variables,
    shown_variables,
)
from environment_lookups import MissingVariable


def test_all_variables_are_listed_by_name(fake_env):
    fake_env.set("B", "2")
    fake_env.set("A", "1")
    variables = all_variables()
    assert variables == dict(os.environ)
    assert list(variables) == sorted(variables)


def test_the_list_is_a_copy(fake_env):
    all_variables()["NEW"] = "x"
    assert "NEW" not in os.environ


def test_each_variable_has_one_line_and_secrets_are_hidden():
    shown = shown_variables({"A": "one\ntwo", "DB_PASSWORD": "swordfish", "aws_key": "k"})
    assert list(shown) == ["A='one\\ntwo'", f"DB_PASSWORD={HIDDEN}", f"aws_key={HIDDEN}"]


def test_a_value_that_is_no_text_can_be_printed():
    (line,) = shown_variables({"PLACE": "caf\udce9"})
    assert line.encode() == rb"PLACE='caf\udce9'"


@pytest.mark.parametrize(
    ("text", "expanded"),
    [
        ("$NAME/x", "value/x"),
        ("${NAME}s", "values"),
        ("$NAME$NAME", "valuevalue"),
        ("$EMPTY|", "|"),
        ("no reference", "no reference"),
        ("5 $ and $", "5 $ and $"),
        ("%NAME%", "%NAME%"),
        ("${NAME", "${NAME"),
    ],
)
def test_references_become_values(fake_env, text, expanded):
    fake_env.set("NAME", "value")
    fake_env.set("EMPTY", "")
    assert expand_variables(text) == expanded


def test_a_value_is_not_expanded_again(fake_env):
    fake_env.set("OUTER", "$INNER")
    fake_env.set("INNER", "x")
    assert expand_variables("$OUTER") == "$INNER"


@pytest.mark.parametrize("text", ["/tmp/$MISSING/x", "${MISSING}", "$MISSINGs"])
def test_a_missing_variable_is_named_and_not_left_in_the_text(fake_env, text):
    fake_env.unset("MISSING")
    assert os.path.expandvars(text) == text  # the trap
    with pytest.raises(MissingVariable, match=r"'MISSINGs?' is not set"):
        expand_variables(text)


def test_values_may_come_from_elsewhere(fake_env):
    assert expand_variables("$ONLY_HERE", {"ONLY_HERE": "x"}) == "x"


def test_the_tilde_is_the_home_of_the_environment(fake_env):
    assert expand_home("~/notes") == str(fake_env.home / "notes")
    assert expand_home("~") == str(fake_env.home)


@pytest.mark.parametrize("path", ["a/~", "./~x", "x~"])
def test_a_tilde_elsewhere_is_part_of_a_name(fake_env, path):
    assert expand_home(path) == path


@pytest.mark.posix_only(reason="reads the list of accounts")
def test_the_home_of_a_user_and_of_nobody(fake_env):
    import pwd  # noqa: PLC0415  # POSIX only

    me = pwd.getpwuid(os.getuid())
    assert expand_home(f"~{me.pw_name}/x") == f"{me.pw_dir.rstrip('/')}/x"
    with pytest.raises(LookupError, match="'~no-such-user/x': no home directory of no-such-user"):
        expand_home("~no-such-user/x")


@pytest.mark.posix_only(reason="asks the list of accounts")
def test_without_home_the_list_of_accounts_is_asked(fake_env):
    import pwd  # noqa: PLC0415  # POSIX only

    fake_env.unset("HOME")
    assert expand_home("~") == (pwd.getpwuid(os.getuid()).pw_dir.rstrip("/") or "/")
