"""The working directory: another one, one that is put back, one that is removed."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest

from pytest_syskit.detectors.cwd import CwdDetector
from pytest_syskit.host.real import real
from pytest_syskit.leaks.resource import NotObservable


@pytest.fixture(autouse=True)
def _start(tmp_path, monkeypatch):
    """Begin in a directory of the test's own, and come back from wherever the test ends."""
    (tmp_path / "first").mkdir()
    monkeypatch.chdir(tmp_path / "first")


def test_a_directory_that_stays_is_nothing():
    detector = CwdDetector()
    assert detector.unchanged(True)
    assert detector.snapshot() == frozenset()


def test_another_directory_is_told_with_what_it_was(tmp_path):
    detector = CwdDetector()
    os.chdir(tmp_path)
    assert not detector.unchanged(False)
    (found,) = detector.snapshot()
    told = detector.describe(found)
    assert told.label == f"cwd  {tmp_path} (was {tmp_path / 'first'})"
    assert told.detail == {"before": str(tmp_path / "first"), "after": str(tmp_path)}


def test_coming_back_makes_it_vanish(tmp_path):
    detector = CwdDetector()
    os.chdir(tmp_path)
    detector.snapshot()
    os.chdir(tmp_path / "first")
    assert not detector.unchanged(False)
    assert detector.snapshot() == frozenset()
    assert detector.unchanged(True)


def test_a_directory_that_was_removed_is_said_to_be(tmp_path):
    detector = CwdDetector()
    (tmp_path / "gone").mkdir()
    os.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    (found,) = detector.snapshot()
    assert detector.describe(found).label.startswith(f"cwd  {tmp_path / 'gone'} (removed) (was ")


def test_reclaiming_goes_back(tmp_path):
    detector = CwdDetector()
    os.chdir(tmp_path)
    (found,) = detector.snapshot()
    detector.reclaim(detector.describe(found))
    assert os.getcwd() == str(tmp_path / "first")


def test_reclaiming_goes_to_what_the_owner_found(tmp_path):
    detector = CwdDetector()
    (tmp_path / "owner's").mkdir()
    os.chdir(tmp_path)
    (found,) = detector.snapshot()
    detector.reclaim(
        detector.describe(replace(found, detail={"before": str(tmp_path / "owner's")}))
    )
    assert os.getcwd() == str(tmp_path / "owner's")


def test_reclaiming_leaves_another_directory_alone(tmp_path):
    detector = CwdDetector()
    os.chdir(tmp_path)
    (found,) = detector.snapshot()
    os.chdir("/")
    detector.reclaim(detector.describe(found))
    assert os.getcwd() == "/"


def test_a_first_directory_that_is_gone_cannot_be_gone_back_to(tmp_path):
    detector = CwdDetector()
    os.chdir(tmp_path)
    (tmp_path / "first").rmdir()
    (found,) = detector.snapshot()
    detector.reclaim(detector.describe(found))
    assert os.getcwd() == str(tmp_path)


def test_what_cannot_be_read_is_not_observable(monkeypatch):
    detector = CwdDetector()

    def refused():
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(real, "getcwd", staticmethod(refused))
    assert not detector.unchanged(False)
    with pytest.raises(NotObservable, match="Permission denied"):
        detector.snapshot()


def test_a_put_back_value_is_described_as_gone(tmp_path):
    detector = CwdDetector()
    os.chdir(tmp_path)
    (found,) = detector.snapshot()
    os.chdir(tmp_path / "first")
    detector.snapshot()
    assert detector.describe(found).detail == {"state": "gone"}
