"""Signal handlers, blocked signals, and the wakeup descriptor."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Hashable
from typing import Any

from ..host.state.signal_settings import BLOCKED, NO_FD, WAKEUP, SignalSettings
from ..host.user_frames import place_of_function
from ..leaks.resource import Snapshot
from .runner_limits import handler_beneath
from .state import StateDetector

_KEPT = 256  # handlers whose words are known after they have gone, the newest
_FIXED = {None: "set by C code", 0: "the default action", 1: "ignored"}  # SIG_DFL, SIG_IGN


class SignalDetector(StateDetector):
    """Finds handlers, blocked signals and a wakeup descriptor that are not the first ones.

    What C code sets with sigaction(2), faulthandler among it, and the masks of other threads are
    not seen.
    """

    kind = "signal"

    def __init__(self) -> None:
        self._settings = SignalSettings(handler_beneath)
        self._known_words: dict[Hashable, str] = {}
        super().__init__(self._settings)
        self._learn()

    def snapshot(self) -> Snapshot:
        """Return what differs from the first settings, and keep the words of what was found."""
        found = super().snapshot()
        self._learn()
        return found

    def _learn(self) -> None:
        for value in (self._now or {}).values():
            if isinstance(value, tuple):
                with contextlib.suppress(Exception):  # an object may refuse to say its name
                    self._handler_words(value)
        for value in list(self._known_words)[:-_KEPT]:
            del self._known_words[value]

    def tell(self, name: str, before: Any, now: Any) -> tuple[str, dict[str, Any]]:
        """Return handlers by name and place."""
        was, after = self._words(name, before), self._words(name, now)
        if was == after and before != now:
            was += " of another object"
        label = f"signal {name.removeprefix(BLOCKED)}  {after} (was {was})"
        return label, {"name": name, "before": was, "after": after}

    def _words(self, name: str, value: Any) -> str:
        if name == WAKEUP:
            return "none" if value in (None, NO_FD) else f"fd {value}"
        if name.startswith(BLOCKED):
            return "blocked" if value else "not blocked"
        return self._handler_words(value)

    def _handler_words(self, value: Any) -> str:
        if not isinstance(value, tuple):
            return _FIXED.get(value, str(value))
        if value not in self._known_words:
            try:
                handler = self._settings.handler(value)
            except LookupError:
                return "a handler that is gone"
            default = handler is signal.default_int_handler
            self._known_words[value] = "KeyboardInterrupt" if default else _told(handler)
        return self._known_words[value]


def _told(handler: Any) -> str:
    name = getattr(handler, "__qualname__", None) or type(handler).__qualname__
    place = place_of_function(handler)
    return f"handled by {name} at {place}" if place else f"handled by {name}"
