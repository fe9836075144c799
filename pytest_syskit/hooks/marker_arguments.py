"""What our markers share: reading their arguments, and saying where one is wrong."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from .marker_texts import TEXTS
from .pytestmark_source import pytestmark_of


class WrongArguments(ValueError):
    """Arguments that a marker does not take; the text says why, and what would be right."""


class Marker(NamedTuple):
    """One marker and the function that reads its arguments.

    ``parse`` has the marker's own signature, returns what the marker means, and raises
    ``WrongArguments``.
    """

    name: str
    parse: Callable[..., Any]

    def read(self, mark: pytest.Mark) -> Any:
        """Return what a mark means.

        Raises:
            WrongArguments: the mark was used with arguments that the marker does not take.
        """
        try:
            inspect.signature(self.parse).bind(*mark.args, **mark.kwargs)
        except TypeError as error:
            raise WrongArguments(f"{error}; use it as {TEXTS[self.name].usage}") from None
        return self.parse(*mark.args, **mark.kwargs)


class Need(NamedTuple):
    """What a marked test needs of the machine: ``lack`` says why it is not there, or ``None``."""

    lack: Callable[[], str | None]
    reason: str | None = None

    def skip_reason(self) -> str | None:
        """Return why the test cannot run here with the author's reason, or ``None`` if it can."""
        lack = self.lack()
        return f"{lack} ({self.reason})" if lack and self.reason else lack


def optional_reason(reason: object) -> str | None:
    """Return a ``reason=`` that is a text with something in it, or was not given."""
    if reason is not None and not (isinstance(reason, str) and reason.strip()):
        raise WrongArguments(f"reason={reason!r}: takes a text that says why")
    return reason


def texts(values: tuple[object, ...], what: str, example: str) -> tuple[str, ...]:
    """Return positional arguments that must be texts, at least one of them."""
    if not values:
        raise WrongArguments(f"takes at least one {what}, such as {example!r}")
    if wrong := [value for value in values if not (isinstance(value, str) and value)]:
        raise WrongArguments(f"takes each {what} as a text, not {wrong[0]!r}")
    return tuple(map(str, values))


def spelled(mark: pytest.Mark) -> str:
    """Write a mark as its author did, constants shown by ``repr``."""
    parts = [repr(value) for value in mark.args]
    parts += [f"{key}={value!r}" for key, value in mark.kwargs.items()]
    return f"pytest.mark.{mark.name}({', '.join(parts)})" if parts else f"pytest.mark.{mark.name}"


def complaint(place: str, mark: pytest.Mark, problem: WrongArguments) -> str:
    """Return the whole message about one wrong mark: where, which, what, what would be right."""
    return f"{place}: {spelled(mark)}: {problem}"


def place_of(item: pytest.Item, mark: pytest.Mark) -> str:
    """Return ``path:line`` of a mark that a test carries, with the name of what is marked.

    The line is that of the function's or class's first decorator, and of the mark itself where it
    stands in ``pytestmark`` of a module in a form that can be read from the source.
    """
    carrier = _carrier(item, mark)
    if isinstance(carrier, pytest.Module) and (line := _line_in_module(carrier.path, mark)):
        return f"{shown(carrier.path, item.config)}:{line}"
    node: Any = carrier if isinstance(carrier, pytest.Class) else item
    path, above, _ = node.reportinfo()
    where = "" if above is None else f":{above + 1}"
    return f"{shown(Path(path), item.config)}{where}: {node.name}"


def _carrier(item: pytest.Item, mark: pytest.Mark) -> object:
    carriers = [node for node in item.listchain() if any(own is mark for own in node.own_markers)]
    return carriers[0] if carriers else item


def _line_in_module(path: Path, mark: pytest.Mark) -> int | None:
    def same(other: pytest.Mark) -> bool:
        return (other.args, dict(other.kwargs)) == (mark.args, dict(mark.kwargs))

    try:
        written = pytestmark_of(path.read_bytes(), frozenset({mark.name}))
    except OSError:
        return None  # moved since it was imported
    return next((one.line for one in written if same(one.mark)), None)


def shown(path: Path, config: pytest.Config) -> str:
    """Return a path as node ids show it: below the root directory where it is, whole elsewhere."""
    root = config.rootpath
    return str(path.relative_to(root) if path.is_relative_to(root) else path)
