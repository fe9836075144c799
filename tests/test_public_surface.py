"""What the package shows to the world, exactly."""

from __future__ import annotations

import subprocess
import sys

import pytest

import pytest_syskit


def test_every_public_name_can_be_imported():
    for name in pytest_syskit.__all__:
        assert getattr(pytest_syskit, name) is not None


def test_dir_shows_the_public_names_alone():
    assert dir(pytest_syskit) == sorted(pytest_syskit.__all__)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="has no attribute 'nonsense'"):
        pytest_syskit.nonsense  # noqa: B018  # asking is the test


def test_importing_the_package_loads_nothing_heavy():
    code = "import sys, pytest_syskit; print(sorted({'psutil', 'pytest', 'ctypes'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


POSIX_ONLY = "fcntl grp pty pwd resource termios tty"


def test_every_module_imports_where_posix_modules_are_missing():
    code = f"""
import importlib, pkgutil, sys
import psutil  # its Linux half needs resource; elsewhere another half is loaded
for name in {POSIX_ONLY!r}.split():
    sys.modules[name] = None
import pytest_syskit
failed = []
for module in pkgutil.walk_packages(pytest_syskit.__path__, "pytest_syskit."):
    if module.name.endswith(("stub_script", "terminal_entry")):
        continue  # programs for POSIX children, never imported
    try:
        importlib.import_module(module.name)
    except ImportError as error:
        failed.append((module.name, str(error)))
print(failed)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "[]", done.stdout + done.stderr
