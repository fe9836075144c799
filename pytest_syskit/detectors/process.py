"""Child processes: running, stopped, ended but never waited for, and adopted orphans."""

from __future__ import annotations

import shlex
from collections.abc import Callable

from ..host.processes import children, parentage
from ..host.processes.children import Child
from ..host.processes.orphans import OrphanSearch
from ..host.processes.parentage import NOTES
from ..host.processes.proc import ProcStat
from ..host.real import real
from ..leaks.resource import NotObservable, Resource, Snapshot

_WIDTH = 80  # characters of a command line that fit beside the rest of a report line


class ProcessDetector:
    """Finds the children of this process by pid and start time.

    An adopted orphan that has ended is no leak: without us its status would have gone to init.  A
    child that was forked and has not yet called exec shows the command line of its parent.

    Args:
        orphans: the search for orphans, where there is one.
        childless: what says at once that there are no children.
    """

    kind = "process"

    def __init__(
        self,
        orphans: OrphanSearch | None = None,
        childless: Callable[[], bool] = children.none,
    ) -> None:
        self._orphans = orphans
        self._childless = childless
        self._strays: list[ProcStat] = []
        self._pids: list[int] = []
        self._last: Snapshot = frozenset()
        self._argv: dict[Resource, list[str]] = {}
        self._ours: set[Resource] = set()
        self._ended: set[Resource] = set()

    def unchanged(self, closely: bool) -> bool:
        """Say whether the last snapshot still holds, without making a new one.

        A close look also notices an orphan that has ended: it has the same pid and is no leak.
        """
        if self._pids:
            return not closely and not self._orphans_moved() and self._same_children()
        if closely and self._strays:
            return False
        return not self._orphans_moved() and self._childless()

    def _orphans_moved(self) -> bool:
        return self._orphans is not None and self._orphans.moved(NOTES.forks)

    def _same_children(self) -> bool:
        try:
            return children.pids() == self._pids
        except OSError:
            return False

    def snapshot(self) -> Snapshot:
        """Return the children that somebody should wait for (raises ``NotObservable``)."""
        try:
            present = children.children()
            self._strays = self._orphans.look() if self._orphans else []
        except OSError as error:
            raise NotObservable(f"processes cannot be listed: {error}") from error
        self._pids = [child.pid for child in present]
        waiting = [_resource(child) for child in present if not self._is_spent(child)]
        strays = [Resource(self.kind, (stat.pid, stat.started)) for stat in self._strays]
        self._last = frozenset([*waiting, *strays])
        self._remember()
        return self._last

    def _remember(self) -> None:
        """Keep the command lines of the living: zombies have none."""
        self._argv = {
            resource: self._argv.get(resource) or children.argv(_pid(resource))
            for resource in self._last
        }
        self._ours &= self._last
        NOTES.forget(set(self._pids))

    def _is_spent(self, child: Child) -> bool:
        return child.state == "zombie" and self._adopted(child)

    def _adopted(self, child: Child) -> bool:
        """Ask once for children of our own; a *no* may change while ``Popen`` is being made."""
        resource = _resource(child)
        if resource in self._ours:
            return False
        if any(stat.pid == child.pid for stat in self._strays):
            return True
        if parentage.adopted(child.pid, child.session):
            return True
        self._ours.add(resource)
        return False

    def tidy(self) -> None:
        """Reap adopted orphans that have ended; call it between tests only.

        Those that we cannot prove to be adopted get until the next call to be waited for by whoever
        may have started them.
        """
        if not self._pids or children.none():
            return
        spent = {_resource(child): child for child in children.children() if self._is_spent(child)}
        for resource, child in spent.items():
            if parentage.foreign_session(child.pid, child.session) or resource in self._ended:
                children.reap(child.pid)
        self._ended = set(spent)

    def describe(self, resource: Resource) -> Resource:
        """Add state, age, parentage and command line."""
        pid = _pid(resource)
        child = children.look_up(pid)
        if child is None or child.started != resource.key[1] or self._is_spent(child):
            return resource.told(f"process {pid}  ended meanwhile", {"pid": pid, "state": "gone"})
        argv = self._command(resource, child)
        orphan = self._adopted(child)
        detail = {
            "pid": pid,
            "state": child.state,
            "orphan": orphan,
            "argv": argv,
            "age": round(children.age(child), 2),
        }
        return resource.told(_label(child, orphan, argv), detail)

    def _command(self, resource: Resource, child: Child) -> list[str]:
        known = children.argv(child.pid) or self._argv.get(resource, [])
        if not known or known == children.argv(real.getpid()):
            return parentage.popen_argv(child.pid) or known or [f"[{child.command}]"]
        return known

    def reclaim(self, resource: Resource) -> None:
        """End the process with all its descendants, and let its owner have the status."""
        from ..host.processes.process_tree import end_tree  # noqa: PLC0415  # brings psutil, for leaks only

        pid = _pid(resource)
        child = children.look_up(pid)
        if child is not None and child.started == resource.key[1]:
            end_tree([pid], 0.5, reap=lambda each: _collect(each, pid))


def _collect(ended: int, leaked: int) -> None:
    """Wait for what was ended: the leaked child through its owner, orphans of it ourselves."""
    if ended == leaked:
        parentage.collect(ended)
    else:
        children.reap(ended)


def _resource(child: Child) -> Resource:
    return Resource("process", (child.pid, child.started))


def _pid(resource: Resource) -> int:
    pid = resource.key[0]
    assert isinstance(pid, int)  # noqa: S101  # made in _resource
    return pid


def _label(child: Child, orphan: bool, argv: list[str]) -> str:
    if argv == children.argv(real.getpid()):
        command = "a fork of this process"
    else:
        command = shorten(shlex.join(argv) if not argv[0].startswith("[") else argv[0])
    age = f"{children.age(child):.1f} s old"
    remarks = {"zombie": "never waited for"}.get(child.state, age)
    return f"process {child.pid}  {child.state}  {'orphan, ' if orphan else ''}{remarks}  {command}"


def shorten(text: str) -> str:
    """Cut a command line to what fits a report line."""
    return text if len(text) <= _WIDTH else text[: _WIDTH - 1] + "…"
