"""What libraries keep for ever is known by the object that owns it."""

from __future__ import annotations

import os
import sys
import types
from multiprocessing import resource_tracker

from pytest_syskit.detectors.descriptor import DescriptorDetector
from pytest_syskit.detectors.infrastructure import reason_to_stay
from pytest_syskit.leaks.resource import Resource


def test_the_resource_tracker_is_known_by_its_pid_and_descriptor(monkeypatch):
    fake = types.SimpleNamespace(_pid=4711, _fd=12)
    monkeypatch.setattr(resource_tracker, "_resource_tracker", fake)
    assert "resource tracker" in reason_to_stay(Resource("process", (4711, 1)))
    assert "resource tracker" in reason_to_stay(Resource("fd", (12, 0, 0, 0, 0, "")))
    assert reason_to_stay(Resource("process", (12, 1))) is None
    assert reason_to_stay(Resource("process", (4712, 1))) is None


def test_a_library_that_is_not_imported_claims_nothing(monkeypatch):
    monkeypatch.delitem(sys.modules, "multiprocessing.resource_tracker", raising=False)
    assert reason_to_stay(Resource("process", (4711, 1))) is None


def test_libuvs_lock_is_a_pipe_with_one_byte_in_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "uvloop", types.ModuleType("uvloop"))
    detector = DescriptorDetector()
    before = detector.snapshot()
    ends = os.pipe()
    try:
        os.write(ends[1], b"*")
        found = detector.snapshot() - before
        assert len(found) == 2
        assert all("libuv" in reason_to_stay(each) for each in found)
        os.write(ends[1], b"*")
        assert not any(map(reason_to_stay, found))
    finally:
        for end in ends:
            os.close(end)
