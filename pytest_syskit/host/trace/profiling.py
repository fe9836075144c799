"""Events of ``sys.setprofile``, and lines by ``sys.settrace``, for Python before 3.12.

A thread has one profile and one trace function.  Where somebody else's is there already it stays,
and where a test sets its own it wins; from then on, less is known.  Tests that ask whether they are
profiled or traced are told what they would be told without us.
"""

from __future__ import annotations

import functools
import sys
import threading
from collections.abc import Callable
from types import FrameType, ModuleType
from typing import Any

from ..code_places import OWN, STDLIB, USER, Places
from .birth_watch import BirthWatch
from .event_source import is_own


class Profiling:
    """Tells a watch of events."""

    def __init__(self, watch: BirthWatch, places: Places) -> None:
        self._watch = watch
        self._whose = places.whose
        self._is_runners_own = places.is_runners_own
        self._profile = _Slot("profile", self._on_profile)
        self._trace = _Slot("trace", self._on_trace)
        self._interrupted = False
        self._hear: dict[str, Callable[[FrameType, Any], None]] = {
            "call": lambda frame, _: watch.entered(frame),
            "return": lambda frame, _: watch.left(frame),
            "c_call": watch.called,
            "c_return": watch.returned,
            "c_exception": watch.raised,
        }

    def start(self) -> str | None:
        """Begin; return what is in the way."""
        taken = [slot.name for slot in (self._profile, self._trace) if not slot.take()]
        if not taken:
            return None
        what = " and ".join(f"a {name} function" for name in taken)
        return f"{what} {'was' if len(taken) == 1 else 'were'} set before the tests"

    def resume(self) -> str | None:
        """Go on where a test has set a function of its own, or none."""
        lost = [slot.name for slot in (self._profile, self._trace) if slot.is_lost()]
        if not lost:
            return None
        self._watch.lost()
        self.start()
        interrupted, self._interrupted = self._interrupted, False
        return None if interrupted else f"the {' and the '.join(lost)} function was set or unset"

    def stop(self) -> None:
        """Tell nothing more."""
        self._profile.free()
        self._trace.free()

    def _on_profile(self, frame: FrameType, event: str, argument: Any) -> None:
        whose = self._whose(frame.f_code)
        if whose < OWN and not (whose == STDLIB and self._is_runners_own(frame)):
            self._tell(self._hear[event], frame, argument)

    def _on_trace(self, frame: FrameType, _event: str, _argument: Any) -> Any:
        """Hear that a frame begins: only the user's are followed line by line."""
        if self._whose(frame.f_code) != USER:
            return None
        if not self._profile.is_ours():
            self._tell(self._hear["call"], frame, None)
        return self._on_line

    def _on_line(self, frame: FrameType, event: str, _argument: Any) -> Any:
        if event == "line":
            self._tell(self._watch.line, frame, frame.f_lineno)
        elif event == "return" and not self._profile.is_ours():
            self._tell(self._hear["return"], frame, None)
        return self._on_line

    def _tell(self, hear: Callable[..., None], *words: object) -> None:
        if self._watch.is_deaf():
            return
        try:
            hear(*words)
        except BaseException as error:
            self._watch.lost()
            if not is_own(error):
                self._interrupted = True  # Python unsets the function that raises
                raise


class _Slot:
    """The place for one function, in this thread and in those that are started from now on."""

    def __init__(self, name: str, function: Callable[..., Any]) -> None:
        self.name = name
        self._function = function
        self._held = False
        self._get, self._set = getattr(sys, f"get{name}"), getattr(sys, f"set{name}")
        self._hidden: list[tuple[ModuleType, Any, Any]] = []

    def is_ours(self) -> bool:
        """Say whether this thread calls our function."""
        return self._get() is self._function

    def is_lost(self) -> bool:
        """Say whether the function that we had set is set no more."""
        return self._held and not self.is_ours()

    def take(self) -> bool:
        """Set our function, unless there is another; say whether it is set now."""
        if self._get() is not None:
            return self.is_ours()
        self._set_for_threads(None, self._function)
        self._set(self._function)
        self._held = True
        if not self._hidden:
            self._hide(sys)
            self._hide(threading)
        return True

    def free(self) -> None:
        """Unset our function where it is set, and let the getters tell the truth again."""
        if self.is_ours():
            self._set(None)
        self._set_for_threads(self._function, None)
        for module, original, stand_in in self._hidden:
            if getattr(module, f"get{self.name}") is stand_in:
                setattr(module, f"get{self.name}", original)
        self._held, self._hidden = False, []

    def _set_for_threads(self, expected: object, function: Any) -> None:
        if _true(getattr(threading, f"get{self.name}"))() is expected:
            getattr(threading, f"set{self.name}")(function)

    def _hide(self, module: ModuleType) -> None:
        """Let a module's getter tell what it would tell without us."""
        original = getattr(module, f"get{self.name}")

        @functools.wraps(original)
        def get() -> Any:
            found = original()
            return None if found is self._function else found

        setattr(module, f"get{self.name}", get)
        self._hidden.append((module, original, get))


def _true(getter: Callable[[], Any]) -> Callable[[], Any]:
    """Return a getter as it was before we hid behind it."""
    true: Callable[[], Any] = getattr(getter, "__wrapped__", getter)
    return true
