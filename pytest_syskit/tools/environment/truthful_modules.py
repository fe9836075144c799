"""Modules that tell the truth to those who need it, while others are lied to."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from types import ModuleType

# Packages besides the standard library that run the tests, and must know where.
_RUNNERS = frozenset({
    "_pytest", "coverage", "execnet", "pluggy", "psutil", "pytest", "pytest_syskit", "xdist",
})  # fmt: skip
# They are asked, or are what the others ask through; import machinery keeps off detours.
_ASKED = frozenset({
    "__main__", "_frozen_importlib", "_frozen_importlib_external", "builtins", "importlib", "nt",
    "os", "platform", "posix", "sys", "sysconfig", "zipimport",
})  # fmt: skip


class _Truthful(ModuleType):
    """A module as it truly is; what is not faked is read from and written to the original."""

    def __init__(self, original: ModuleType, truth: dict[str, object]) -> None:
        super().__init__(original.__name__, original.__doc__)
        vars(self).update(truth, _original=original)

    def __getattr__(self, name: str) -> object:
        return getattr(vars(self)["_original"], name)

    def __setattr__(self, name: str, value: object) -> None:
        setattr(vars(self)["_original"], name, value)

    def __delattr__(self, name: str) -> None:
        delattr(vars(self)["_original"], name)

    def __dir__(self) -> list[str]:
        return dir(vars(self)["_original"])


def shields(
    faked: dict[ModuleType, tuple[str, ...]], but: str
) -> Iterator[tuple[ModuleType, str, object]]:
    """Yield (module, attribute, value) swaps that keep stdlib and test runner on this machine.

    Args:
        faked: the attributes that will lie, of each module that does.
        but: the name of the module that does the faking and needs the originals.
    """
    truthful = {
        id(module): _Truthful(
            module, {name: getattr(module, name) for name in names if hasattr(module, name)}
        )
        for module, names in faked.items()
    }
    for module in list(sys.modules.values()):
        if (
            isinstance(module, ModuleType)
            and module.__name__ != but
            and _acts_here(module.__name__)
        ):
            for name, value in list(vars(module).items()):
                if id(value) in truthful:
                    yield module, name, truthful[id(value)]


def _acts_here(module: str) -> bool:
    """Say whether a module must know the true machine."""
    package = module.partition(".")[0]
    known = package in sys.stdlib_module_names or package in _RUNNERS
    return known and package not in _ASKED
