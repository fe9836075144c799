"""Limits that the kernel sets on a process, lowered for a while.

    with rlimits(nofile=16, fsize=100):
        ...  # the 17th descriptor is EMFILE, the 101st byte of a file is EFBIG

Best used in a forked child: the limits hold for the *whole* process, whatever else it does.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from types import ModuleType

# name -> what it counts
LIMITS = {
    "as": "bytes of address space",
    "core": "bytes of a core dump",
    "cpu": "seconds of processor time",
    "fsize": "bytes of a file",
    "nofile": "descriptors",
    "nproc": "processes of the user",
}
_KEPT = {"core"}  # lift_limits() leaves it: a crash at the very end must not dump core either


def rlimits(**limits: int) -> AbstractContextManager[None]:
    """Lower soft limits of this process inside a ``with`` block (or a decorated function).

    Args:
        **limits: ``nofile`` (one more than the highest descriptor), ``fsize`` (bytes of any file,
            standard output included if that is a file), ``as_`` (bytes of address space), ``cpu``
            (seconds, of the whole life of the process: then SIGXCPU), ``nproc`` (processes of this
            user, not only descendants; the superuser is exempt), ``core`` (bytes of a core dump).

    Raises:
        ValueError: an unknown name, a negative number, or one above the hard limit.
        TypeError: not a whole number.
        NotImplementedError: this platform has no such limit.

    What exists already stays: descriptors above the limit remain open, memory remains mapped.  Hard
    limits are not touched, so the soft ones can be restored at the end.

    Example:
        >>> import os
        >>> with rlimits(nofile=0):
        ...     os.pipe()
        Traceback (most recent call last):
        OSError: [Errno 24] Too many open files
    """
    return _lowered(check_limits(limits))


@contextmanager
def _lowered(limits: Mapping[str, int]) -> Iterator[None]:
    resource = _resource()
    before = {name: resource.getrlimit(_number(name))[0] for name in limits}
    apply_limits(limits)
    try:
        yield
    finally:
        apply_limits(before)


def check_limits(limits: Mapping[str, int]) -> dict[str, int]:
    """Return the limits by their plain names, or raise as :func:`rlimits` does."""
    checked = {_plain(name): value for name, value in limits.items()}
    for name, value in checked.items():
        _check(name, value)
    return checked


def _plain(name: str) -> str:
    """Drop the underscore that makes ``as`` an argument name."""
    plain = name.removesuffix("_")
    if plain not in LIMITS:
        raise ValueError(f"there is no limit {name!r}; there are {', '.join(sorted(LIMITS))}")
    return plain


def _check(name: str, value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"limit {name}={value!r}: expected a whole number of {LIMITS[name]}")
    if value < 0:
        raise ValueError(f"limit {name}={value!r}: expected 0 or more {LIMITS[name]}")
    resource = _resource()
    hard = resource.getrlimit(_number(name))[1]
    if hard != resource.RLIM_INFINITY and value > hard:
        raise ValueError(
            f"limit {name}={value!r} is above the hard limit of this process, {hard} {LIMITS[name]}"
        )


def apply_limits(limits: Mapping[str, int]) -> None:
    """Set soft limits, by plain name, and leave the hard ones (raises ``OSError``)."""
    resource = _resource()
    for name, soft in limits.items():
        number = _number(name)
        resource.setrlimit(number, (soft, resource.getrlimit(number)[1]))


def load() -> None:
    """Import what setting limits needs, so that a forked child finds it loaded."""
    _resource()


def lift_limits() -> None:
    """Raise every soft limit to its hard one, core dumps excepted."""
    resource = _resource()
    for name in LIMITS.keys() - _KEPT:
        number = getattr(resource, f"RLIMIT_{name.upper()}", None)
        if number is not None:
            soft, hard = resource.getrlimit(number)
            if soft != hard:
                resource.setrlimit(number, (hard, hard))


def _number(name: str) -> int:
    number: int | None = getattr(_resource(), f"RLIMIT_{name.upper()}", None)
    if number is None:
        raise NotImplementedError(f"this platform has no limit on {LIMITS[name]} ({name})")
    return number


@functools.cache
def _resource() -> ModuleType:
    try:
        import resource  # noqa: PLC0415  # POSIX only
    except ImportError:
        raise NotImplementedError("this platform has no resource limits") from None
    return resource
