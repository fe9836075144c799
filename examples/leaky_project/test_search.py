"""Tests that only use a leaking fixture: the report blames the fixture, not its first user."""

from __future__ import annotations

import os


def test_index_is_a_file_of_ours(search_index):
    """Clean: the descriptor was born in the fixture's set-up."""
    assert os.fstat(search_index).st_uid == os.getuid()


def test_index_accepts_words(search_index):
    """Clean: a second user of the same index."""
    assert os.write(search_index, b"zombie") == len(b"zombie")
