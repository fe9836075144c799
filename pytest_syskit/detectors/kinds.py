"""Which detector finds which kind; each is imported when somebody asks for it."""

from __future__ import annotations

import importlib

from ..leaks.resource import Detector

_PLACES = {
    "process": ("process", "ProcessDetector"),
    "fd": ("descriptor", "DescriptorDetector"),
    "thread": ("thread", "ThreadDetector"),
    "cwd": ("cwd", "CwdDetector"),
    "umask": ("umask", "UmaskDetector"),
    "env": ("env", "EnvDetector"),
    "signal": ("signals", "SignalDetector"),
    "timer": ("timer", "TimerDetector"),
}


def make(kind: str) -> Detector:
    """Return a new detector (``KeyError`` for a kind that does not exist).

    One that has a method ``start`` notes more when that was called, until its ``stop`` is.
    """
    module, name = _PLACES[kind]
    detector: Detector = getattr(importlib.import_module(f".{module}", __package__), name)()
    return detector
