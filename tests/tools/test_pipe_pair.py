from __future__ import annotations

import os

import pytest

from pytest_syskit.tools.channels.channel_errors import ChannelTimeout
from pytest_syskit.tools.channels.pipe_pair import pipe_pair


def test_both_ends_are_open_from_the_start():
    with pipe_pair() as pair:
        assert os.get_blocking(pair.reader.fileno()) is False
        assert os.get_blocking(pair.writer.fileno()) is False
        assert repr(pair.reader) == f"<pipe reader: fd {pair.reader.fd}>"


def test_a_writer_held_elsewhere_is_told_from_one_held_here():
    with pipe_pair(timeout=0.05) as pair:
        with pair.writer.handed_over() as fd:
            elsewhere = os.dup(fd)  # stands for a descriptor that is not ours
        try:
            with pytest.raises(
                ChannelTimeout,
                match="nothing arrived; no writer is open in this process, so another process",
            ):
                pair.reader.read_exactly(1)
        finally:
            os.close(elsewhere)
