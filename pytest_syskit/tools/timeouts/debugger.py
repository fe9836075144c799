"""Is a person at a debugger's prompt, for whom no clock should run?"""

from __future__ import annotations

import sys

# The first part of the module that the trace function lives in: pdb and its children trace through
# bdb; PyCharm and VS Code through pydevd, whose compiled part has a name of its own.
_TRACERS = frozenset({"bdb", "pdb", "pydevd", "_pydevd_bundle", "pydevd_frame_evaluator"})


def debugger_active() -> bool:
    """Say whether a debugger traces this thread, by ``settrace`` or as a monitoring tool (3.12)."""
    module = getattr(sys.gettrace(), "__module__", None) or ""
    if module.partition(".")[0] in _TRACERS:
        return True
    monitoring = getattr(sys, "monitoring", None)  # PEP 669
    return bool(monitoring and monitoring.get_tool(monitoring.DEBUGGER_ID))
