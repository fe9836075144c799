"""Environment variables: set, changed, deleted, secret, and those of the run itself."""

from __future__ import annotations

import os
import subprocess
from unittest import mock

import pytest

from pytest_syskit.detectors.env import EnvDetector


@pytest.fixture(autouse=True)
def _variables():
    with mock.patch.dict(os.environ):
        os.environ["HERE"] = "old"
        os.environ.pop("NEW", None)
        yield


@pytest.fixture
def detector():
    return EnvDetector()


def labels(detector):
    return sorted(detector.describe(each).label for each in detector.snapshot())


def test_variables_that_stay_are_nothing(detector):
    assert detector.unchanged(True)
    assert labels(detector) == []


@pytest.mark.parametrize(
    ("change", "label"),
    [
        ({"NEW": "1"}, "env NEW  '1' (was not set)"),
        ({"HERE": "new"}, "env HERE  'new' (was 'old')"),
        ({"HERE": ""}, "env HERE  '' (was 'old')"),
        ({"HERE": None}, "env HERE  deleted (was 'old')"),
        ({"NEW": "x" * 100}, f"env NEW  '{'x' * 59}…' (was not set)"),
        ({"NEW": "a\nb"}, r"env NEW  'a\nb' (was not set)"),
    ],
)
def test_a_change_is_told_with_what_it_was(detector, change, label):
    for name, value in change.items():
        os.environ.pop(name, None)
        if value is not None:
            os.environ[name] = value
    assert not detector.unchanged(False)
    assert labels(detector) == [label]


def test_putting_it_back_makes_it_vanish(detector):
    os.environ["HERE"] = "new"
    detector.snapshot()
    os.environ["HERE"] = "old"
    assert not detector.unchanged(False)
    assert labels(detector) == []


@pytest.mark.parametrize(
    "name",
    ["API_TOKEN", "my_secret", "DB_PASSWORD", "PGPASS", "AWS_ACCESS_KEY_ID", "AUTH", "CREDENTIALS"],
)
def test_secrets_are_not_shown(detector, name):
    os.environ[name] = "hunter2"
    (found,) = detector.snapshot()
    told = detector.describe(found)
    assert told.label == f"env {name}  *** (was not set)"
    assert told.detail == {"name": name, "before": None, "after": "***"}


def test_a_changed_secret_shows_neither_value(detector):
    os.environ["HERE_TOKEN"] = "hunter1"
    detector = EnvDetector()
    os.environ["HERE_TOKEN"] = "hunter2"
    assert labels(detector) == ["env HERE_TOKEN  *** (was ***)"]


def test_user_and_password_of_an_address_are_not_shown(detector):
    os.environ["NEW"] = "postgres://me:hunter2@db.example/x"
    assert labels(detector) == ["env NEW  'postgres://***@db.example/x' (was not set)"]


@pytest.mark.parametrize(
    "name", ["PYTEST_CURRENT_TEST", "PYTEST_X", "SYSKIT_X", "COVERAGE_PROCESS_START", "COV_CORE_X"]
)
def test_variables_of_the_run_are_left_out(detector, name):
    with mock.patch.dict(os.environ, {name: "new"}):
        assert labels(detector) == []


def test_the_name_of_the_present_test_changes_nothing(detector):
    os.environ["PYTEST_CURRENT_TEST"] = "another (call)"
    assert detector.unchanged(True)
    del os.environ["PYTEST_CURRENT_TEST"]
    assert detector.unchanged(True)


def test_another_mapping_in_place_of_os_environ_is_read(detector):
    with mock.patch("os.environ", {**os.environ, "NEW": "1"}):
        assert not detector.unchanged(False)
        assert labels(detector) == ["env NEW  '1' (was not set)"]
        assert detector.unchanged(True)
    assert labels(detector) == []


@pytest.mark.parametrize("change", [{"NEW": "1"}, {"HERE": "new"}, {"HERE": None}])
def test_reclaiming_puts_it_back_for_children_too(detector, change):
    for name, value in change.items():
        os.environ.pop(name, None)
        if value is not None:
            os.environ[name] = value
    (found,) = detector.snapshot()
    detector.reclaim(detector.describe(found))
    script = 'echo "$HERE ${NEW-unset}"'
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "old unset\n"


def test_names_and_values_that_are_no_text_are_read(detector):
    os.environb[b"NEW"] = b"\xff"
    assert labels(detector) == [r"env NEW  '\udcff' (was not set)"]


def test_what_c_code_sets_is_not_seen(detector):
    os.putenv("NEW_IN_C", "1")
    try:
        assert detector.unchanged(True)
        assert labels(detector) == []
    finally:
        os.unsetenv("NEW_IN_C")
