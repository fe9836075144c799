"""Fixtures and set-ups that leave a descriptor open; the tests only use them."""

from __future__ import annotations

import os
import unittest

import pytest


def leak():
    return os.open("/dev/zero", os.O_RDONLY)


@pytest.fixture
def function_fixture():
    return leak()


@pytest.fixture(scope="class")
def class_fixture():
    return leak()


@pytest.fixture(scope="module")
def module_fixture():
    return leak()


@pytest.fixture(scope="session")
def session_fixture():
    return leak()


@pytest.fixture(scope="module", params=["one", "two"])
def parametrised_fixture():
    return leak()


@pytest.fixture(scope="module")
def half_way_fixture():
    leak()
    raise RuntimeError("half-way")


@pytest.fixture(scope="module")
def outer_fixture(inner_fixture):
    """Clean: what it needs leaks, it does not."""
    return inner_fixture


@pytest.fixture(scope="module")
def inner_fixture():
    return leak()


@pytest.fixture(scope="module")
def fixture_asked_for_by_name():
    return leak()


@pytest.fixture(scope="module")
def teardown_fixture():
    yield
    leak()


def test_uses_function(function_fixture):
    pass


class TestUsesClass:
    def test_uses_class(self, class_fixture):
        pass


def test_uses_module(module_fixture):
    pass


def test_uses_session(session_fixture):
    pass


def test_uses_parametrised(parametrised_fixture):
    pass


def test_uses_half_way(half_way_fixture):
    pass


def test_uses_nested(outer_fixture):
    pass


def test_uses_by_name(request):
    request.getfixturevalue("fixture_asked_for_by_name")


def test_uses_teardown(teardown_fixture):
    pass


class TestUnittest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        leak()

    def test_uses_set_up_class(self):
        pass


class TestXunit:
    @classmethod
    def setup_class(cls):
        leak()

    def test_uses_setup_class(self):
        pass
