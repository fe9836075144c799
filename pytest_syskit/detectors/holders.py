"""Which resources a live object holds: through its attributes, items, closures and generators.

A connection pool that grows in a test belongs to the session fixture that owns the pool, and the
file of a failed test belongs to the traceback that Python keeps for post-mortem debugging.  Windows
of time cannot tell; the objects can.
"""

from __future__ import annotations

import gc
import types
from collections import deque
from collections.abc import Iterable, Iterator

from ..host import owning_objects
from ..leaks.resource import Resource

_LIMIT = 20_000  # objects looked at: a pool is a few hundred, a whole application is not searched
_OPAQUE = (type, types.ModuleType, types.CodeType, str, bytes, int, float)
_FOREIGN = ("_pytest.", "pluggy", "pytest_syskit")  # from these, everything can be reached


def held(roots: Iterable[object], resources: Iterable[Resource]) -> set[Resource]:
    """Return which of the resources are held by objects that the roots reach.

    Numbers alone hold nothing: a descriptor kept as an ``int`` must be closed by somebody.
    """
    wanted = {(resource.kind, resource.key[0]): resource for resource in resources}
    found = {wanted[name] for each in _reachable(roots) if (name := _name(each)) in wanted}
    return found


def _name(each: object) -> tuple[str, object] | None:
    fd = owning_objects.descriptor_of(each)
    if fd is not None:
        return "fd", fd
    pid = owning_objects.process_of(each)
    return None if pid is None else ("process", pid)


def _reachable(roots: Iterable[object]) -> Iterator[object]:
    queue = deque(roots)
    seen: set[int] = set()
    alive: list[object] = []  # keeps temporary dicts alive, so that no id is used twice
    while queue and len(seen) < _LIMIT:
        each = queue.popleft()
        if id(each) in seen or isinstance(each, _OPAQUE) or _is_foreign(each):
            continue
        seen.add(id(each))
        alive.append(each)
        yield each
        queue.extend(_parts(each))


def _is_foreign(each: object) -> bool:
    return type(each).__module__.startswith(_FOREIGN)


def _parts(each: object) -> Iterable[object]:
    """Return what an object is made of, leaving out the module globals of functions and frames."""
    if isinstance(each, types.FunctionType):
        return [*(each.__closure__ or ()), *(each.__defaults__ or ())]
    if isinstance(each, types.FrameType):
        return [] if _frame_is_foreign(each) else list(each.f_locals.values())
    if isinstance(each, types.TracebackType):
        return [each.tb_frame, each.tb_next]
    if isinstance(each, types.GeneratorType | types.CoroutineType):
        frame = each.gi_frame if isinstance(each, types.GeneratorType) else each.cr_frame
        return [frame]
    return gc.get_referents(each)


def _frame_is_foreign(frame: types.FrameType) -> bool:
    return str(frame.f_globals.get("__name__", "")).startswith(_FOREIGN)
