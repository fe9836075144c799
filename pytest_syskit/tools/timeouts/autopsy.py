"""Why does it hang?  The stacks, the tasks, the children, and who waits for whom.

>>> "MainThread" in autopsy()
True
"""

from __future__ import annotations

import linecache
import sys
import threading
from collections.abc import Iterator
from types import FrameType
from typing import Any

from pytest_syskit.host import capabilities
from pytest_syskit.host.descriptors.other_ends import has_two_ends, other_ends
from pytest_syskit.host.processes import children, proc
from pytest_syskit.host.processes.waiting import Wait, what_it_waits_for
from pytest_syskit.host.real import real

_DEEPEST = 20  # frames of a stack, the innermost: what lies farther out set up the scene
_MOST = 50  # processes and tasks; a longer list is cut with a count
_LONGEST = 120  # characters of a command line
_LOOKS = 5  # at a thread that seems to run or to wait for a lock
_PAUSE = 0.002  # seconds between them, in which a thread gets back into its call


def autopsy(*, boundary: str | None = None) -> str:
    """Describe what every thread, asyncio task and child of this process is doing right now.

    Each thread comes with its Python stack and, on Linux, the system call it waits in; for a pipe,
    a FIFO or a socket that somebody waits on, the holders of the other end are named.  Call it from
    a thread other than the one that hangs: in a signal handler the system call is over already.

    Args:
        boundary: the top-level module at whose frames a stack is cut off, such as ``"pluggy"``.
    """
    stacks = sys._current_frames()  # noqa: SLF001  # documented; there is no other way
    parts = [*_threads(stacks, boundary), *_tasks(stacks), *_children()]
    return "\n".join(parts)


def process_lines(pid: int, depth: int = 0) -> Iterator[str]:
    """Describe a process and its descendants, one line each, with what they wait for."""
    child = children.look_up(pid)
    if child is None:
        return
    command = " ".join(children.argv(pid)) or child.command
    if len(command) > _LONGEST:
        command = command[: _LONGEST - 1] + "…"
    indent = "  " * (depth + 1)
    if child.state == "zombie":
        yield f"{indent}pid {pid} zombie: ended, but nobody has waited for it: {command}"
        return
    wait = _waiting(pid)
    state = f" {wait.phrase}" if wait and child.state == "running" else f" {child.state}"
    yield f"{indent}pid {pid}{state}: {command}"
    yield from _ends(wait, indent + "    ")
    for grandchild in _children_of(pid):
        yield from process_lines(grandchild, depth + 1)


# -- threads -------------------------------------------------------------------------------------


def _threads(stacks: dict[int, FrameType], boundary: str | None) -> Iterator[str]:
    known = {thread.ident: thread for thread in threading.enumerate()}
    main = threading.main_thread().ident
    own = threading.get_ident()
    for ident in sorted(stacks, key=lambda ident: ident != main):
        if ident == own and ident != main:
            continue  # the observer itself
        thread = known.get(ident)
        yield from _thread_lines(thread, ident, stacks[ident], boundary)


def _thread_lines(
    thread: threading.Thread | None, ident: int, frame: FrameType, boundary: str | None
) -> Iterator[str]:
    name = f"thread {ident}" if thread is None else f"thread {thread.name}"
    native = getattr(thread, "native_id", None)
    wait = None
    if native is not None and ident != threading.get_ident():
        wait = _waiting_patiently(native)
    yield f"{name} {wait.phrase}:" if wait else f"{name}:"
    yield from _ends(wait, "    ")
    yield from _stack(frame, boundary)


def _stack(innermost: FrameType, boundary: str | None) -> Iterator[str]:
    frame: FrameType | None = innermost
    for _ in range(_DEEPEST):
        if frame is None:
            return
        module = str(frame.f_globals.get("__name__", ""))
        if boundary is not None and module.partition(".")[0] == boundary:
            return
        yield _place(frame)
        frame = frame.f_back
    if frame is not None:
        yield "  … and more, farther out"


def _place(frame: FrameType) -> str:
    path, line = frame.f_code.co_filename, frame.f_lineno
    source = linecache.getline(path, line, frame.f_globals).strip()
    return f"  {path}:{line} in {frame.f_code.co_name}" + (f": {source}" if source else "")


# -- who waits for whom --------------------------------------------------------------------------


def _waiting_patiently(thread: int) -> Wait | None:
    """Look again at a thread that may be on its way back into its call, or wait for the GIL."""
    for _ in range(_LOOKS):
        wait = _waiting(real.getpid(), thread)
        if wait is not None and not wait.is_lock:
            return wait
        real.sleep(_PAUSE)  # without the GIL, which that thread may want
    return wait


def _waiting(pid: int, task: int | None = None) -> Wait | None:
    if capabilities.missing("proc"):
        return None
    return what_it_waits_for(pid, task)


def _ends(wait: Wait | None, indent: str) -> Iterator[str]:
    """Name the holders of the end that would have to move."""
    if wait is None or wait.target is None or not has_two_ends(wait.target):
        return
    end = "other" if wait.target.startswith("socket:") else "write" if wait.reading else "read"
    holders = other_ends(wait.target, reading=wait.reading)
    if not holders:
        yield f"{indent}nobody that we can see holds the {end} end of {wait.target}"
    else:
        yield f"{indent}{end} end of {wait.target} is open in {_named(holders)}"


def _named(holders: list[Any]) -> str:
    own = real.getpid()
    processes: dict[int, list[str]] = {}
    for holder in sorted(holders, key=lambda holder: holder.pid != own):
        processes.setdefault(holder.pid, []).append(f"fd {holder.fd}")
    words = []
    for pid, numbers in processes.items():
        who = "this process" if pid == own else f"pid {pid} {_short_name(pid)}"
        words.append(f"{who} as {' and '.join(numbers)}")
    return ", in ".join(words)


def _short_name(pid: int) -> str:
    child = children.look_up(pid)
    return child.command if child is not None else "(ended)"


# -- asyncio -------------------------------------------------------------------------------------


def _tasks(stacks: dict[int, FrameType]) -> Iterator[str]:
    asyncio = sys.modules.get("asyncio")
    loops = [] if asyncio is None else [loop for f in stacks.values() if (loop := _loop(f))]
    for loop in loops:
        tasks = sorted(asyncio.all_tasks(loop), key=lambda task: task.get_name())  # type: ignore[union-attr]  # there are loops
        yield f"asyncio: {len(tasks)} task{'s' * (len(tasks) != 1)} not done"
        for task in tasks[:_MOST]:
            yield f"  {task.get_name()}:"
            yield from _awaiting(task.get_coro())
        if len(tasks) > _MOST:
            yield f"  … and {len(tasks) - _MOST} more"


def _loop(frame: FrameType | None) -> Any:
    """Find the event loop that runs in a stack."""
    while frame is not None:
        if frame.f_code.co_name == "run_forever" and hasattr(frame.f_locals.get("self"), "time"):
            return frame.f_locals["self"]
        frame = frame.f_back
    return None


def _awaiting(coroutine: Any) -> Iterator[str]:
    """Say where a coroutine is suspended, from its own frame to the innermost."""
    for _ in range(_DEEPEST):
        frame = getattr(coroutine, "cr_frame", None)
        if frame is None:
            return
        yield f"  {_place(frame)}"
        coroutine = getattr(coroutine, "cr_await", None)


# -- children ------------------------------------------------------------------------------------


def _children() -> Iterator[str]:
    try:
        pids = children.pids()
    except OSError as error:
        yield f"child processes: not known ({error})"
        return
    if pids:
        yield f"{len(pids)} child process{'es' * (len(pids) != 1)}:"
    for pid in pids[:_MOST]:
        yield from process_lines(pid)
    if len(pids) > _MOST:
        yield f"  … and {len(pids) - _MOST} more"


def _children_of(pid: int) -> list[int]:
    if not children.fast():
        return []
    try:
        return proc.read_children(pid)
    except OSError:
        return []  # ended meanwhile
