"""What this machine can do, asked of the machine itself and remembered.

Ask "can it?", never "who is it?": containers, kernels and users differ more than platforms do.
The questions stand in ``file_probes``, ``process_probes`` and ``channel_probes``.
"""

from __future__ import annotations

import functools
from subprocess import SubprocessError

from .descriptors import channel_probes
from .files import file_probes
from .probing import PROBES
from .processes import process_probes

__all__ = ["channel_probes", "file_probes", "missing", "names", "process_probes", "purpose"]


def names() -> list[str]:
    """List the words that ``requires(...)`` knows."""
    return sorted(PROBES)


def purpose(name: str) -> str:
    """Say what a capability is good for (``KeyError`` for an unknown word)."""
    return PROBES[name][1]


@functools.cache
def missing(name: str) -> str | None:
    """Return why this machine lacks a capability, or ``None`` when it has it (asked once).

    The answer is a phrase that follows "because".  It is the answer for this process and its user
    at the time of the first question; a child that changes its user inherits it as it is.

    Raises:
        KeyError: no probe of that name.
    """
    probe, _ = PROBES[name]
    try:
        return probe()
    except (OSError, NotImplementedError, SubprocessError) as error:
        return str(error)  # refused here: that is the answer
