"""The walls of the house, read from the syntax trees."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "pytest_syskit"
FILES = sorted(PACKAGE.rglob("*.py"))

# room -> rooms it may import from, itself aside
MAY_IMPORT = {
    "plugin": {"hooks"},
    "hooks": {"detectors", "tools", "leaks", "host"},
    "detectors": {"leaks", "host"},
    "tools": {"leaks", "host"},
    "leaks": set(),
    "host": set(),
}
PURE_MAY_IMPORT = {
    "__future__",
    "collections",
    "dataclasses",
    "fnmatch",
    "functools",
    "re",
    "typing",
}


def room(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def name(path: Path) -> str:
    return str(path.relative_to(PACKAGE))


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """Yield (line, absolute dotted name) for each import of a file."""
    package = ["pytest_syskit", *path.relative_to(PACKAGE).parts[:-1]]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = [*base, *(node.module or "").split(".")] if node.module else base
            yield from ((node.lineno, ".".join([*module, alias.name])) for alias in node.names)


def attributes(path: Path) -> Iterator[tuple[int, str]]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            yield node.lineno, f"{node.value.id}.{node.attr}"


@pytest.mark.parametrize("path", FILES, ids=name)
def test_imports_go_down_only(path):
    own = room(path)
    for line, target in imports(path):
        parts = target.split(".")
        if parts[0] != "pytest_syskit" or own == "__init__" or len(parts) == 1:
            continue
        if parts[1] in MAY_IMPORT and parts[1] != own:
            assert parts[1] in MAY_IMPORT[own], f"{name(path)}:{line}: {own} imports {target}"


@pytest.mark.parametrize("path", FILES, ids=name)
def test_no_private_pytest(path):
    assert not [target for _, target in imports(path) if target.split(".")[0] == "_pytest"]


@pytest.mark.parametrize("path", [p for p in FILES if room(p) not in {"hooks", "plugin"}], ids=name)
def test_only_hooks_import_pytest(path):
    assert not [target for _, target in imports(path) if target.split(".")[0] == "pytest"]


@pytest.mark.parametrize("path", [p for p in FILES if room(p) == "leaks"], ids=name)
def test_leaks_are_pure(path):
    foreign = {target.split(".")[0] for _, target in imports(path)} - {"pytest_syskit"}
    assert foreign <= PURE_MAY_IMPORT


@pytest.mark.parametrize("path", [p for p in FILES if room(p) != "host"], ids=name)
def test_only_host_asks_which_system_this_is(path):
    asked = [
        f"{line}: {what}" for line, what in attributes(path) if what in {"sys.platform", "os.name"}
    ]
    text = path.read_text()
    if path.name == "fake_platform.py":  # its job is to pretend to be another system
        asked = []
    assert not asked
    assert "ctypes" not in {target.split(".")[0] for _, target in imports(path)}
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            assert not node.value.startswith("/proc"), f"{name(path)}:{node.lineno} reads /proc"


@pytest.mark.parametrize("path", FILES, ids=name)
def test_nothing_prints(path):
    calls = [n for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.Call)]
    assert not [c.lineno for c in calls if isinstance(c.func, ast.Name) and c.func.id == "print"]
