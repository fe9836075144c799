"""Events of ``sys.monitoring`` (PEP 669), which leaves profilers, debuggers and coverage alone.

All threads tell them.  Code of the test runner is switched off at its first event; lines are told
in the user's code alone.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import CodeType, FrameType
from typing import Any

from ..code_places import OWN, STDLIB, USER, Places
from .birth_watch import BirthWatch
from .event_source import is_own

_NAME = "pytest-syskit leak trace"
_TOOLS = (4, 3)  # numbers that PEP 669 gives to nobody
_monitoring: Any = getattr(sys, "monitoring", None)


class Monitoring:
    """Tells a watch of events."""

    def __init__(self, watch: BirthWatch, places: Places) -> None:
        self._watch = watch
        self._whose = places.whose
        self._is_runners_own = places.is_runners_own
        self._tool: int | None = None

    def start(self) -> str | None:
        """Begin; return what is in the way."""
        self._tool = next((n for n in _TOOLS if _monitoring.get_tool(n) is None), None)
        if self._tool is None:
            return "other tools use every free number of sys.monitoring"
        _monitoring.use_tool_id(self._tool, _NAME)
        events = _monitoring.events
        told = {
            events.CALL: self._call,
            events.C_RETURN: self._c_return,
            events.C_RAISE: self._c_raise,
            events.LINE: self._line,
            events.PY_START: self._enter,
            events.PY_RESUME: self._enter,
            events.PY_THROW: self._throw,
            events.PY_RETURN: self._leave,
            events.PY_YIELD: self._leave,
            events.PY_UNWIND: self._unwind,
        }
        for event, function in told.items():
            _monitoring.register_callback(self._tool, event, function)
        # Those of C calls come with CALL.
        _monitoring.set_events(self._tool, sum(told.keys() - {events.C_RETURN, events.C_RAISE}))
        return None

    def resume(self) -> str | None:
        """Go on if a test has freed our number."""
        if self._tool is None or _monitoring.get_tool(self._tool) == _NAME:
            return None
        self._watch.lost()
        return self.start() or "a test has freed a number of sys.monitoring that was not its own"

    def stop(self) -> None:
        """Tell nothing more."""
        if self._tool is not None and _monitoring.get_tool(self._tool) == _NAME:
            _monitoring.set_events(self._tool, 0)
            _monitoring.free_tool_id(self._tool)
        self._tool = None

    # -- events; each is called by the frame that it is about --------------------------------------

    def _call(self, code: CodeType, _offset: int, function: object, _first: object) -> object:
        if self._whose(code) >= OWN:
            return _monitoring.DISABLE
        return self._tell(self._watch.called, sys._getframe(1), function)  # noqa: SLF001  # see above

    def _c_return(self, code: CodeType, _offset: int, function: object, _first: object) -> object:
        if self._whose(code) >= OWN:
            return None
        return self._tell(self._watch.returned, sys._getframe(1), function)  # noqa: SLF001  # see above

    def _c_raise(self, code: CodeType, _offset: int, function: object, _first: object) -> object:
        if self._whose(code) >= OWN:
            return None
        return self._tell(self._watch.raised, sys._getframe(1), function)  # noqa: SLF001  # see above

    def _line(self, code: CodeType, line: int) -> object:
        if self._whose(code) != USER:
            return _monitoring.DISABLE
        return self._tell(self._watch.line, sys._getframe(1), line)  # noqa: SLF001  # see above

    def _enter(self, code: CodeType, _offset: int) -> object:
        if self._whose(code) >= OWN:
            return _monitoring.DISABLE
        return self._tell(self._watch.entered, sys._getframe(1))  # noqa: SLF001  # see above

    def _throw(self, code: CodeType, _offset: int, _error: object) -> object:
        if self._whose(code) >= OWN:
            return None
        return self._tell(self._watch.entered, sys._getframe(1))  # noqa: SLF001  # see above

    def _leave(self, code: CodeType, _offset: int, _value: object) -> object:
        if self._whose(code) >= OWN:
            return _monitoring.DISABLE
        return self._tell(self._watch.left, sys._getframe(1))  # noqa: SLF001  # see above

    def _unwind(self, code: CodeType, _offset: int, _error: object) -> object:
        if self._whose(code) >= OWN:
            return None
        return self._tell(self._watch.left, sys._getframe(1))  # noqa: SLF001  # see above

    def _tell(self, hear: Callable[..., None], frame: FrameType, *words: object) -> object:
        if self._tool is None or self._watch.is_deaf():
            return None
        if self._whose(frame.f_code) == STDLIB and self._is_runners_own(frame):
            return None
        try:
            hear(frame, *words)
        except BaseException as error:
            self._watch.lost()
            if not is_own(error):
                raise
        return None
