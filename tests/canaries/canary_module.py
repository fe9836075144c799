"""A set-up of the whole module leaves a descriptor open."""

from __future__ import annotations

import os


def setup_module():
    os.open("/dev/zero", os.O_RDONLY)


def test_uses_setup_module():
    pass
