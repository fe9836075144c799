"""As much of JSON Schema as ``report.schema.json`` uses; a keyword it does not know is an error."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

_TYPES: dict[str, Callable[[Any], bool]] = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
}
_COMMENTS = {"$schema", "$id", "$defs", "title", "description"}

Schema = dict[str, Any]


def complaints(value: Any, schema: Schema, root: Schema, at: str = "$") -> Iterator[str]:
    """Yield what is wrong with a value, each with its place."""
    for keyword, wanted in schema.items():
        if keyword not in _COMMENTS:
            yield from _CHECKS[keyword](value, wanted, (schema, root, at))


Place = tuple[Schema, Schema, str]


def _ref(value: Any, wanted: str, place: Place) -> Iterator[str]:
    _, root, at = place
    yield from complaints(value, root["$defs"][wanted.removeprefix("#/$defs/")], root, at)


def _type(value: Any, wanted: Any, place: Place) -> Iterator[str]:
    names = [wanted] if isinstance(wanted, str) else wanted
    if not any(_TYPES[name](value) for name in names):
        yield f"{place[2]}: {value!r} is not {' or '.join(names)}"


def _enum(value: Any, wanted: list[Any], place: Place) -> Iterator[str]:
    if value not in wanted:
        yield f"{place[2]}: {value!r} is not one of {wanted}"


def _const(value: Any, wanted: Any, place: Place) -> Iterator[str]:
    yield from _enum(value, [wanted], place)


def _minimum(value: Any, wanted: float, place: Place) -> Iterator[str]:
    if value < wanted:
        yield f"{place[2]}: {value!r} is less than {wanted}"


def _required(value: Any, wanted: list[str], place: Place) -> Iterator[str]:
    if isinstance(value, dict):
        yield from (f"{place[2]}: {name} is missing" for name in wanted if name not in value)


def _properties(value: Any, wanted: Schema, place: Place) -> Iterator[str]:
    if isinstance(value, dict):
        for name in wanted.keys() & value.keys():
            yield from complaints(value[name], wanted[name], place[1], f"{place[2]}.{name}")


def _additional(value: Any, wanted: Any, place: Place) -> Iterator[str]:
    schema, root, at = place
    extra = value.keys() - schema.get("properties", {}).keys() if isinstance(value, dict) else ()
    for name in extra:
        if wanted is False:
            yield f"{at}: {name} is not described"
        else:
            yield from complaints(value[name], wanted, root, f"{at}.{name}")


def _items(value: Any, wanted: Schema, place: Place) -> Iterator[str]:
    for number, each in enumerate(value if isinstance(value, list) else ()):
        yield from complaints(each, wanted, place[1], f"{place[2]}[{number}]")


def _any_of(value: Any, wanted: list[Schema], place: Place) -> Iterator[str]:
    tried = [list(complaints(value, each, place[1], place[2])) for each in wanted]
    if all(tried):
        yield f"{place[2]}: fits none of {len(wanted)} forms; the nearest: {min(tried, key=len)}"


def _not(value: Any, wanted: Schema, place: Place) -> Iterator[str]:
    if not list(complaints(value, wanted, place[1], place[2])):
        yield f"{place[2]}: {value!r} must not fit {wanted}"


_CHECKS: dict[str, Callable[[Any, Any, Place], Iterator[str]]] = {
    "$ref": _ref,
    "type": _type,
    "enum": _enum,
    "const": _const,
    "minimum": _minimum,
    "required": _required,
    "properties": _properties,
    "additionalProperties": _additional,
    "items": _items,
    "anyOf": _any_of,
    "not": _not,
}
