"""Names stay on their line, and scripts end in good manners (exercises A3, A4, A7, A8, A12)."""
# ruff: noqa: ANN202  # functions of one test

from __future__ import annotations

import io
import os
import sys

import pytest
from polite_script import complain, politely, say, shown, wording


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a file", "a file"),
        ("café", "café"),
        ("", "''"),
        (" edge", "' edge'"),
        ("two\nlines", r"'two\nlines'"),
        ("\x1b[2J", r"'\x1b[2J'"),
        (b"plain", "plain"),
        pytest.param(b"caf\xe9", r"b'caf\xe9'", marks=pytest.mark.posix_only),
    ],
)
def test_a_name_is_shown_on_one_line(name, text):
    assert shown(name) == text


def test_an_output_that_cannot_encode_a_name_is_no_error(monkeypatch):
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii", write_through=True)
    monkeypatch.setattr(sys, "stdout", stream)
    say("café")
    assert stream.buffer.getvalue().splitlines() == [b"caf\\xe9"]


def test_errors_name_the_program_and_the_file(capsys):
    complain("prog", FileNotFoundError(2, "No such file", "a\nb"))
    complain("prog", "something else")
    assert capsys.readouterr().err == "prog: 'a\\nb': No such file\nprog: something else\n"
    assert wording(OSError("only words")) == "only words"


def test_ctrl_c_is_a_status(capsys):
    @politely
    def main(argv=None):
        raise KeyboardInterrupt

    assert main() == 130
    assert capsys.readouterr().err == "interrupted\n"


@pytest.mark.posix_only
def test_a_reader_who_left_is_noticed_at_the_last_flush(fork_runner):
    @politely
    def main(argv=None):
        sys.stdout.write("into the void")
        return 0

    def without_reader():
        reader, writer = os.pipe()
        os.close(reader)
        sys.stdout = open(writer, "w")  # noqa: SIM115  # closed below
        status = main()
        sys.stdout.close()  # flushes into nowhere, without an error
        return status

    assert fork_runner.run(without_reader).unwrap() == 1


def test_other_errors_are_not_hidden():
    @politely
    def main(argv=None):
        raise RuntimeError("a bug")

    with pytest.raises(RuntimeError, match="a bug"):
        main()
