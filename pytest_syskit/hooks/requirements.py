"""``requires``, ``requires_root``, ``requires_commands``: skip where a test cannot run."""

from __future__ import annotations

import difflib
import shutil
from functools import partial

from pytest_syskit.host import capabilities

from .marker_arguments import Marker, Need, WrongArguments, optional_reason, texts


def _lack_of_words(words: tuple[str, ...]) -> str | None:
    found = [(word, capabilities.missing(word)) for word in words]
    lacks = [
        f"needs {word} ({capabilities.purpose(word)}): {why}"
        for word, why in found
        if why is not None
    ]
    return "; ".join(lacks) or None


def _lack_of_commands(commands: tuple[str, ...]) -> str | None:
    absent = [command for command in commands if shutil.which(command) is None]
    if not absent:
        return None
    noun = "command" if len(absent) == 1 else "commands"
    return f"needs the {noun} {', '.join(absent)}: not found on PATH"


def _check_word(word: str) -> None:
    known = capabilities.names()
    if word in known:
        return
    near = difflib.get_close_matches(word, known, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else "."
    raise WrongArguments(f"does not know {word!r}{hint} The words are {', '.join(known)}")


def _requires(*words: object, reason: object = None) -> Need:
    asked = texts(words, "capability word", "fork")
    for word in asked:
        _check_word(word)
    return Need(partial(_lack_of_words, asked), optional_reason(reason))


def _requires_root(*, reason: object = None) -> Need:
    return Need(partial(_lack_of_words, ("root",)), optional_reason(reason))


def _requires_commands(*commands: object, reason: object = None) -> Need:
    asked = texts(commands, "command name", "git")
    return Need(partial(_lack_of_commands, asked), optional_reason(reason))


MARKERS = (
    Marker("requires", _requires),
    Marker("requires_root", _requires_root),
    Marker("requires_commands", _requires_commands),
)
