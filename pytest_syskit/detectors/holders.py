"""Which resources a live object holds: through its attributes, items, closures and generators.

A connection pool that grows in a test belongs to the session fixture that owns the pool, and the
file of a failed test belongs to the traceback that Python keeps for post-mortem debugging.  Windows
of time cannot tell; the objects can.
"""

from __future__ import annotations

import gc
import sys
import threading
import types
from collections import deque
from collections.abc import Iterable, Iterator

from ..host.descriptors import owning_objects
from ..host.descriptors.owning_objects import is_a
from ..leaks.resource import Resource

_LIMIT = 20_000  # objects looked at: a pool is a few hundred, a whole application is not searched
_OPAQUE = (type, types.ModuleType, types.CodeType, str, bytes, int, float)
_FOREIGN = ("_pytest.", "pluggy", "pytest_syskit")  # from these, everything can be reached


def held(roots: Iterable[object], resources: Iterable[Resource]) -> set[Resource]:
    """Return which of the resources are held by objects that the roots reach.

    Numbers alone hold nothing: a descriptor kept as an ``int`` must be closed by somebody.
    """
    wanted = {(resource.kind, resource.key[0]): resource for resource in resources}
    return {wanted[name] for each in _reachable(roots) if (name := _name(each)) in wanted}


def _name(each: object) -> tuple[str, object] | None:
    fd = owning_objects.descriptor_of(each)
    if fd is not None:
        return "fd", fd
    if is_a(each, threading.Thread):
        return "thread", id(each)
    pid = owning_objects.process_of(each)
    return None if pid is None else ("process", pid)


def _reachable(roots: Iterable[object]) -> Iterator[object]:
    queue = deque(roots)
    seen: set[int] = set()
    alive: list[object] = []  # keeps temporary dicts alive, so that no id is used twice
    while queue and len(seen) < _LIMIT:
        each = queue.popleft()
        if id(each) in seen or is_a(each, *_OPAQUE) or _is_foreign(each):
            continue
        seen.add(id(each))
        alive.append(each)
        yield each
        queue.extend(_parts(each))


def _is_foreign(each: object) -> bool:
    return type(each).__module__.startswith(_FOREIGN)


def _parts(each: object) -> Iterable[object]:
    """Return what an object is made of, leaving out the module globals of functions and frames."""
    if is_a(each, types.FunctionType):
        return [*(each.__closure__ or ()), *(each.__defaults__ or ())]
    if is_a(each, types.FrameType):
        return [] if _frame_is_foreign(each) else list(each.f_locals.values())
    if is_a(each, types.TracebackType):
        return [each.tb_frame, each.tb_next]
    if is_a(each, types.GeneratorType):
        return [each.gi_frame]
    if is_a(each, types.CoroutineType):
        return [each.cr_frame]
    return gc.get_referents(each)


def _frame_is_foreign(frame: types.FrameType) -> bool:
    return str(frame.f_globals.get("__name__", "")).startswith(_FOREIGN)


_LEVELS = 8  # file ← buffer ← text wrapper ← attribute dict ← object ← variable, and some to spare
_CROWD = 500  # what is referred to by more than this is shared, and tells nothing


def held_by_tracebacks(resources: Iterable[Resource]) -> set[Resource]:
    """Return which resources are held by objects that only a traceback keeps alive.

    Python keeps the last one for post-mortem debugging, and plugins keep others.  Such an object is
    closed when its traceback goes, as it would have been if the test had not failed.  What a module
    holds as well is not among them.
    """
    wanted = {(resource.kind, resource.key[0]): resource for resource in resources}
    owners: dict[Resource, list[object]] = {}
    for each in gc.get_objects():
        if (name := _name(each)) in wanted:
            owners.setdefault(wanted[name], []).append(each)
    return {resource for resource, objects in owners.items() if _only_in_tracebacks(objects)}


def _only_in_tracebacks(objects: list[object]) -> bool:
    """Go from the objects to what refers to them, level by level."""
    namespaces = {id(vars(module)) for module in list(sys.modules.values()) if module is not None}
    running = set(_running_frames())
    level, seen, in_frame = objects, {id(each) for each in objects}, False
    for _ in range(_LEVELS):
        referrers = [each for each in gc.get_referrers(*level) if id(each) not in seen]
        if any(id(each) in namespaces for each in referrers):
            return False
        frames = [each for each in referrers if is_a(each, types.FrameType)]
        in_frame |= any(id(frame) not in running for frame in frames)
        seen |= {id(each) for each in referrers} | {id(referrers), id(level), id(frames)}
        level = [each for each in referrers if not is_a(each, *_OPAQUE, types.FrameType)]
        if not level or len(level) > _CROWD:
            break
    return in_frame


def _running_frames() -> Iterator[int]:
    frame = sys._getframe()  # noqa: SLF001  # the only way to one's callers
    while frame is not None:
        yield id(frame)
        frame = frame.f_back  # type: ignore[assignment]  # None ends the loop
