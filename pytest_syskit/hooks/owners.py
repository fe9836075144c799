"""Who owns what: tests and fixtures as owners, named as a reader knows them."""

from __future__ import annotations

import inspect
import linecache
import os
from typing import Any

import pytest

from ..leaks.owner import Owner

# pytest turns set-up functions of modules and classes into fixtures with names of its own.
_SETUPS = {
    "_xunit_setup_module_fixture_": "setup_module",
    "_xunit_setup_class_fixture_": "setup_class",
    "_unittest_setUpClass_fixture_": "setUpClass",
    "_unittest_setUpModule_fixture_": "setUpModule",
}
CLASS_SETUPS = ("setup_class", "setUpClass")


def test_owner(item: pytest.Item) -> Owner:
    """Return a test as owner."""
    return Owner("test", item.nodeid)


def fixture_owner(fixturedef: Any, request: Any) -> Owner:
    """Return a fixture as owner; a parametrised one names its parameter."""
    name = fixturedef.argname
    for prefix, function in _SETUPS.items():
        if name.startswith(prefix):
            where = _set_up_place(request, function)
            return Owner("fixture", function, fixturedef.scope, where, _user(request))
    return Owner(
        "fixture",
        name + _parameter(request),
        fixturedef.scope,
        place(fixturedef.func, request.config),
        _user(request),
    )


def _user(request: Any) -> str | None:
    """Return the test for which a fixture is set up; pytest has no public name for it."""
    item = getattr(request, "_pyfuncitem", None)
    return getattr(item, "nodeid", None)


def _parameter(request: Any) -> str:
    index = getattr(request, "param_index", 0)
    return f"[{index}: {request.param!r}]"[:60] if hasattr(request, "param") else ""


def _set_up_place(request: Any, function: str) -> str | None:
    """Point at the user's set-up function; the fixture around it is pytest's."""
    for holder in (getattr(request, "cls", None), getattr(request, "module", None)):
        found = getattr(holder, function, None)
        if found is not None:
            return place(found, request.config)
    return None


def place(function: Any, config: pytest.Config) -> str | None:
    """Return ``path:line`` of a function's ``def``, relative to the root of the run."""
    code = getattr(inspect.unwrap(getattr(function, "__func__", function)), "__code__", None)
    if code is None:
        return None  # a callable object or a C function has no lines
    return f"{_relative(code.co_filename, config)}:{_def_line(code)}"


def _relative(path: str, config: pytest.Config) -> str:
    shown = os.path.relpath(path, config.rootpath)
    return path if shown.startswith("..") else shown


def _def_line(code: Any) -> int:
    """Skip the decorators, which belong to a function's first line."""
    line: int = code.co_firstlineno
    for number in range(line, line + 20):  # more decorators than that point at the first
        text = linecache.getline(code.co_filename, number).lstrip()
        if text.startswith(("def ", "async def ")):
            return number
    return line
