"""Whose a frame is, whatever way its file is written."""

from __future__ import annotations

import json
import os
import sysconfig

from pytest_syskit.host import user_frames
from pytest_syskit.host.trace.places import Places


def test_a_library_is_known_by_a_roundabout_path():
    stdlib = sysconfig.get_path("stdlib")
    roundabout = os.path.join(stdlib, "..", os.path.basename(stdlib), "module.py")
    code = compile("0", roundabout, "exec")
    places = Places(os.getcwd())
    assert places.whose(code) == places.whose(json.dumps.__code__)
    assert not user_frames._is_users(roundabout)
