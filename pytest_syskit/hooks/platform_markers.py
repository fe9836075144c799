"""``posix_only``, ``linux_only``, ``macos_only``, ``windows_only``: skip a test elsewhere."""

from __future__ import annotations

from functools import partial

from pytest_syskit.host import platforms

from .marker_arguments import Marker, Need, optional_reason
from .marker_texts import PLATFORMS


def _lack(word: str) -> str | None:
    if word in platforms.words_here():
        return None
    return f"for {PLATFORMS[word]} only, and this is {platforms.title()}"


def _marker(word: str) -> Marker:
    def parse(*, reason: object = None) -> Need:
        return Need(partial(_lack, word), optional_reason(reason))

    return Marker(f"{word}_only", parse)


MARKERS = tuple(map(_marker, platforms.WORDS))
