"""A package fixture leaves a descriptor open."""

from __future__ import annotations

import os

import pytest


@pytest.fixture(scope="package")
def package_fixture():
    return os.open("/dev/zero", os.O_RDONLY)


def test_uses_package(package_fixture):
    pass
