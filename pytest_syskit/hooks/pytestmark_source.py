"""Read what ``pytestmark`` of a module will be from its source, without running any of it."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import pytest


@dataclass(frozen=True, slots=True)
class WrittenMark:
    """A mark as it stands in the source, and its line."""

    mark: pytest.Mark
    line: int


Marks = tuple[WrittenMark, ...]
_PYTEST: Final = "the module pytest"
_MARK: Final = "pytest.mark"


def pytestmark_of(source: bytes, names: frozenset[str]) -> Marks:
    """Return those marks of a module's ``pytestmark`` that are among ``names``.

    Understood are top-level statements: imports of ``pytest`` and ``pytest.mark`` under any name,
    plain and annotated assignments (the last one wins), ``+=`` and ``+`` (added), lists, tuples,
    names assigned before, and calls with constants.  A keyword argument that is no constant is left
    out; a mark with any other argument that is no constant is not seen.  What is assigned inside
    ``if``, ``try``, ``for``, ``with`` is decided only when the module runs: such a name counts as
    having no marks from there on.  Source that does not parse has no marks; the import will say so.
    """
    reader = _Reader(names)
    for statement in _statements(source):
        reader.execute(statement)
    marks = reader.values.get("pytestmark", ())
    return marks if isinstance(marks, tuple) else ()


def _statements(source: bytes) -> list[ast.stmt]:
    try:
        with warnings.catch_warnings():  # the import will warn about the source, once
            warnings.simplefilter("ignore")
            return ast.parse(source).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []  # no Python, null bytes, too deep: for the import to report


class _Reader:
    """The module's names so far: marks, or one of the two modules that marks come from."""

    def __init__(self, names: frozenset[str]) -> None:
        self._names = names
        self.values: dict[str, Marks | str] = {}

    def execute(self, statement: ast.stmt) -> None:
        match statement:
            case ast.Import(names=imported):
                for alias in imported:
                    self._bind_module(alias)
            case ast.ImportFrom(module=module, names=imported):
                for alias in imported:
                    known = module == "pytest" and alias.name == "mark"
                    self.values[alias.asname or alias.name] = _MARK if known else ()
            case ast.Assign(targets=targets, value=value):
                for target in targets:
                    self._bind(target, self._value(value))
            case ast.AnnAssign(target=target, value=ast.expr() as value):
                self._bind(target, self._value(value))
            case ast.AugAssign(target=ast.Name(id=name), value=value):
                self.values[name] = (*self._marks(statement.target), *self._marks(value))
            case (
                ast.FunctionDef(name=name)
                | ast.AsyncFunctionDef(name=name)
                | ast.ClassDef(name=name)
            ):
                self.values[name] = ()
            case _:
                self.values.update(dict.fromkeys(_bound_in(statement), ()))

    def _bind_module(self, alias: ast.alias) -> None:
        name = alias.asname or alias.name.partition(".")[0]
        self.values[name] = _PYTEST if alias.name == "pytest" else ()

    def _bind(self, target: ast.expr, value: Marks | str) -> None:
        if isinstance(target, ast.Name):
            self.values[target.id] = value
        else:  # a, b = …: which gets what is not followed
            self.values.update(dict.fromkeys(_bound_in(target), ()))

    def _marks(self, expression: ast.expr) -> Marks:
        value = self._value(expression)
        return value if isinstance(value, tuple) else ()

    def _value(self, expression: ast.expr) -> Marks | str:
        match expression:
            case ast.Name(id=name):
                return self.values.get(name, ())
            case ast.Attribute(value=owner, attr=name):
                return self._attribute(self._value(owner), name, expression.lineno)
            case ast.Call(func=function):
                return self._called(self._marks(function), expression)
            case _:
                return tuple(mark for part in _parts(expression) for mark in self._marks(part))

    def _attribute(self, owner: Marks | str, name: str, line: int) -> Marks | str:
        if owner == _PYTEST and name == "mark":
            return _MARK
        if owner == _MARK and name in self._names:
            return (WrittenMark(getattr(pytest.mark, name).mark, line),)
        return ()

    def _called(self, marks: Marks, call: ast.Call) -> Marks:
        arguments = _constants(call)
        if len(marks) != 1 or arguments is None:
            return ()
        decorator = getattr(pytest.mark, marks[0].mark.name)
        positional, named = arguments
        return (WrittenMark(decorator.with_args(*positional, **named).mark, marks[0].line),)


def _parts(expression: ast.expr) -> list[ast.expr]:
    """Return the expressions whose marks an expression joins."""
    match expression:
        case ast.List(elts=elements) | ast.Tuple(elts=elements):
            return elements
        case ast.Starred(value=inner):
            return [inner]
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return [left, right]
        case _:
            return []


def _constants(call: ast.Call) -> tuple[list[Any], dict[str, Any]] | None:
    try:
        positional = [ast.literal_eval(argument) for argument in call.args]
    except ValueError:
        return None
    named = {}
    for keyword in call.keywords:
        if keyword.arg is not None and isinstance(keyword.value, ast.Constant):
            named[keyword.arg] = keyword.value.value
    return positional, named


def _bound_in(block: ast.AST) -> Iterator[str]:
    """Yield each name that something in a block assigns, imports, defines or deletes."""
    for node in ast.walk(block):
        match node:
            case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
                yield name
            case ast.alias(name=name, asname=asname):
                yield asname or name.partition(".")[0]
            case _:
                pass
