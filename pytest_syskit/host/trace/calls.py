"""What a call of C code may do to descriptors, known by its name and home.

Nothing here decides that a call *made* something: the kernel's table does.  It decides who *cannot*
have made it when several threads were at work.

Functions are asked by their types' own means only: an attribute of a user's object may run code.
"""

from __future__ import annotations

import stat
import sys
from dataclasses import dataclass
from types import (
    BuiltinFunctionType,
    ClassMethodDescriptorType,
    CodeType,
    FunctionType,
    MethodDescriptorType,
    MethodType,
    MethodWrapperType,
    ModuleType,
    WrapperDescriptorType,
)
from typing import Any

_BOUND = (BuiltinFunctionType, MethodWrapperType)
_UNBOUND = (MethodDescriptorType, WrapperDescriptorType, ClassMethodDescriptorType)

# Modules none of whose functions and methods makes a descriptor or a process.
_IDLE_MODULES = frozenset({"_thread", "time", "_queue", "_signal", "_ssl", "_asyncio", "itertools"})
# home -> what does make some; its other functions and methods do not.
_BUSY = {
    "_io": {"open", "open_code", "__init__"},
    "_socket": {"_accept", "accept", "dup", "recvmsg", "recvmsg_into", "__init__", "socketpair"},
    "select": {"epoll", "kqueue", "devpoll", "fromfd", "__init__"},
}
# Functions of os that wait, or take away; the module has too many others to name.
_IDLE_POSIX = frozenset(
    {"read", "write", "pread", "pwrite", "readv", "writev", "sendfile", "fsync", "fdatasync"}
    | {"wait", "wait3", "wait4", "waitid", "waitpid", "close", "closerange", "kill", "killpg"}
    | {"stat", "fstat", "lstat", "getpid", "getppid", "unlink", "lockf"}
)
_WAITING = frozenset({"wait", "wait3", "wait4", "waitid", "waitpid"})
_TRUSTED = sys.stdlib_module_names - {"_ctypes", "ctypes"}
_FORKING = frozenset({"fork", "forkpty", "posix_spawn", "posix_spawnp", "fork_exec"})
_OPENING = frozenset(
    {"open", "pipe", "pipe2", "dup", "openpty", "forkpty", "memfd_create", "eventfd", "pidfd_open"}
    | {"accept", "_accept", "socketpair", "connect", "__init__", "scandir", "posix_openpt"}
)
_PLAIN = {"posix", "_io", "io", "_socket"}
_NUMBERS = dict.fromkeys(("open", "dup", "memfd_create", "eventfd", "pidfd_open", "_accept"), 1)
_NUMBERS |= dict.fromkeys(("pipe", "pipe2", "openpty"), 2)
# Calls that take their one number first, and may wait long before it leads anywhere.
_RESERVING = frozenset({"accept", "_accept", "open"})
# Calls that put another open file behind a number that is in use.
_REPLACING = frozenset({"dup2", "dup3", "__init__", "__setstate__"})
_LOADING = frozenset({"create_dynamic", "exec_dynamic"})  # run an extension module's own code


def _of_class(owner: type, name: str) -> Any:
    """Return an attribute of a class as ``type`` has it, whatever its metaclass says."""
    return type.__getattribute__(owner, name)


def _kind(function: object) -> type:
    """Return the class that a function belongs to: its own, its owner's, or its object's."""
    kind = type(function)
    if issubclass(kind, type):
        return function  # type: ignore[return-value]  # a class is what is called
    if kind in _UNBOUND:
        return function.__objclass__  # type: ignore[attr-defined, no-any-return]  # see _UNBOUND
    if kind in _BOUND:
        itself = function.__self__  # type: ignore[attr-defined]  # see _BOUND
        return itself if issubclass(type(itself), type) else type(itself)
    return kind


def _homes(function: object) -> set[str]:
    """Return the modules that a function, or the class that it belongs to, comes from."""
    kind = _kind(function)
    if kind is ModuleType or kind is type(None):
        return {str(getattr(function, "__module__", None) or "builtins")}
    if kind is function:  # what a class does when it is called may be another's
        makers = [_provider(kind, name) for name in ("__new__", "__init__")]
        return {str(_of_class(each, "__module__")) for each in makers}
    return {str(_of_class(each, "__module__")) for each in _of_class(kind, "__mro__")}


def _provider(kind: type, name: str) -> type:
    """Return the class that a method comes from; ``object`` if it is written in Python."""
    for each in _of_class(kind, "__mro__"):
        found = _of_class(each, "__dict__").get(name)
        if found is not None:
            return object if type(found) in (FunctionType, staticmethod) else each
    return object


def _name(function: object) -> str:
    kind = type(function)
    known = kind in _BOUND or kind in _UNBOUND
    return function.__name__ if known else ""  # type: ignore[attr-defined]  # ditto


def python_codes(function: object) -> list[CodeType] | None:
    """Return the Python code that a call runs, and nothing but that; ``None`` for C code."""
    kind = type(function)
    if kind is MethodType:
        function = function.__func__  # type: ignore[attr-defined]  # a method
        kind = type(function)
    if kind is FunctionType:
        return [function.__code__]  # type: ignore[attr-defined]  # a function
    if kind in _BOUND or kind in _UNBOUND or (issubclass(kind, type) and kind is not type):
        return None
    holder, names = (function, ("__new__", "__init__")) if kind is type else (kind, ("__call__",))
    found = [_find(holder, name) for name in names]
    if any(each is None for each in found):
        return None
    return [each.__code__ for each in found if type(each) is FunctionType]


def _find(kind: Any, name: str) -> Any:
    """Return a method written in Python, ``object`` for one that does nothing, else ``None``."""
    for each in _of_class(kind, "__mro__"):
        found = _of_class(each, "__dict__").get(name)
        if found is not None:
            found = found.__func__ if type(found) is staticmethod else found
            return object if each is object else found if type(found) is FunctionType else None
    return None


@dataclass(frozen=True, slots=True)
class Call:
    """What is known of a call of C code.

    Attributes:
        name: the function's name; empty for classes and callable objects.
        idle: it makes no descriptor, however long it takes.
        trusted: it is the standard library's, which starts no threads of C code.
        reserves: it takes its one number first, and then waits.
        replaces: it may put something else behind a number without a change of the count.
        forks: it may make a process.
        waits: it may take a child's status.
        opens: it is made for making descriptors.
        number: how many it makes each time it does not raise; 0 if that depends.
    """

    name: str
    idle: bool
    trusted: bool
    reserves: bool
    replaces: bool
    forks: bool
    waits: bool
    opens: bool
    number: int

    def makes(self, mode: int) -> bool:
        """Say whether it may make an open file of this type (``st_mode``)."""
        return stat.S_ISSOCK(mode) or self.name not in {"accept", "_accept"}


_seen: dict[object, Call] = {}  # only functions that live as long as their modules


def call_of(function: object) -> Call:
    """Return what is known of calling ``function``."""
    kind = type(function)
    lasting = kind in _UNBOUND or (kind is BuiltinFunctionType and _kind(function) is ModuleType)
    if not lasting:
        return _call_of(function)
    try:
        return _seen[function]
    except KeyError:
        _seen[function] = call = _call_of(function)
        return call


def _call_of(function: object) -> Call:
    name, homes = _name(function), _homes(function)
    trusted = {home.partition(".")[0] for home in homes} <= _TRUSTED and name not in _LOADING
    return Call(
        name,
        idle=_is_idle(name, homes),
        trusted=trusted,
        reserves=trusted and name in _RESERVING,
        replaces=name in _REPLACING or not trusted,
        forks=name in _FORKING or not trusted,
        waits=name in _WAITING,
        opens=name in _OPENING,
        number=_NUMBERS.get(name, 0) if homes & _PLAIN else 0,
    )


def _is_idle(name: str, homes: set[str]) -> bool:
    if homes & _IDLE_MODULES or ("posix" in homes and name in _IDLE_POSIX):
        return True
    return any(home in _BUSY and name not in _BUSY[home] for home in homes if name)
