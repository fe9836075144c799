"""Make a system call step by step: its number, the call through the C library, errno, the error.

Exercise C16.  A script: ``python system_call.py``.

 name and machine ─▶ number ─▶ syscall(number, …) in libc ─▶ kernel ─▶ result
                                                               └ failed ─▶ -1 and errno ─▶ OSError

Traps.  A number means something else on another architecture: 39 is ``getpid`` on x86_64 and
``mkdir`` on i386; so a machine that is not in the table is refused, and so is a 32-bit program on a
64-bit kernel, whose numbers its machine name does not tell.  ``errno`` must be asked for through
``ctypes``, which keeps it from being overwritten by the interpreter's own calls.  Without a type
arguments are cut to 32 bits, and a result as well.

In earnest use the function in ``os``, which knows all of this.
"""

from __future__ import annotations

import argparse
import ctypes
import functools
import os
import platform
import sys
from collections.abc import Sequence

# From the kernel's headers: asm/unistd_64.h of x86, asm-generic/unistd.h, and the numbers of the
# first Linux, which i386, arm (EABI), powerpc and s390 have kept.
_X86_64 = {"close": 3, "getpid": 39, "kill": 62, "chdir": 80}
_GENERIC = {"chdir": 49, "close": 57, "kill": 129, "getpid": 172}
_CLASSIC = {"close": 6, "chdir": 12, "getpid": 20, "kill": 37}

# Machine, and bits of a pointer in this process -> the numbers of the calls.
NUMBERS = {
    ("x86_64", 64): _X86_64,
    ("aarch64", 64): _GENERIC,
    ("riscv64", 64): _GENERIC,
    ("loongarch64", 64): _GENERIC,
    ("i386", 32): _CLASSIC,
    ("i486", 32): _CLASSIC,
    ("i586", 32): _CLASSIC,
    ("i686", 32): _CLASSIC,
    ("armv6l", 32): _CLASSIC,
    ("armv7l", 32): _CLASSIC,
    ("ppc64le", 64): _CLASSIC,
    ("s390x", 64): _CLASSIC,
}
_LONG = 8 * ctypes.sizeof(ctypes.c_long)  # bits of what a system call takes and returns


class UnknownArchitecture(NotImplementedError):
    """The numbers of this machine are not known, and guessing would call something else."""


def number_of(name: str) -> int:
    """Step 1: look up the number of a system call on this machine.

    Raises:
        UnknownArchitecture: this is not Linux, or not a machine whose numbers are known.
        LookupError: the call is not in the table.
    """
    numbers = _numbers()
    if name not in numbers:
        raise LookupError(f"system call {name!r}: its number is not known, only {sorted(numbers)}")
    return numbers[name]


def _numbers() -> dict[str, int]:
    if not sys.platform.startswith("linux"):
        raise UnknownArchitecture(f"system calls have no fixed numbers on {sys.platform}")
    machine, bits = platform.machine(), 8 * ctypes.sizeof(ctypes.c_void_p)
    if (machine, bits) not in NUMBERS:
        raise UnknownArchitecture(
            f"the numbers of system calls are not known for a {bits}-bit program on {machine}"
        )
    return NUMBERS[machine, bits]


def system_call(name: str, *arguments: int | bytes) -> int:
    """Steps 1 to 4: make a system call by number, and return its result.

    Args:
        name: getpid, close, chdir or kill.
        arguments: numbers, and paths as bytes.

    Raises:
        OSError: it failed; the class says how, as always: FileNotFoundError and so on.
        UnknownArchitecture, LookupError: there is no number for it.
        OverflowError: a number does not fit.
        ValueError: a NUL in a path, where the kernel would see its end.
    """
    return _checked(_call(number_of(name), [_converted(each) for each in arguments]), arguments)


def _converted(argument: int | bytes) -> ctypes.c_long | ctypes.c_char_p:
    """Step 2: make the type plain, for the C function takes anything."""
    if isinstance(argument, bytes):
        if b"\0" in argument:
            raise ValueError(f"{argument!r}: a path without NUL is expected")
        return ctypes.c_char_p(argument)
    if not -(1 << _LONG - 1) <= argument < 1 << _LONG - 1:
        raise OverflowError(f"{argument}: a number of at most {_LONG} bits is expected")
    return ctypes.c_long(argument)


def _call(number: int, arguments: Sequence[ctypes.c_long | ctypes.c_char_p]) -> int:
    """Step 3: call, and leave errno where step 4 looks."""
    return int(_syscall()(ctypes.c_long(number), *arguments))


@functools.cache
def _syscall() -> ctypes._NamedFuncPointer:
    function = ctypes.CDLL(None, use_errno=True).syscall  # None: what this process is linked with
    function.restype = ctypes.c_long
    return function


def _checked(result: int, arguments: Sequence[int | bytes]) -> int:
    """Step 4: turn -1 into the error that errno names."""
    if result != -1:
        return result
    number = ctypes.get_errno()
    paths = [os.fsdecode(each) for each in arguments if isinstance(each, bytes)]
    raise OSError(number, os.strerror(number), *paths[:1])  # Python picks the class by the number


def main(argv: Sequence[str] | None = None) -> int:
    """Run the script; returns the exit status."""
    argparse.ArgumentParser(
        prog="system_call", description="Make system calls by their numbers."
    ).parse_args(argv)
    try:
        print(f"getpid is system call {number_of('getpid')} on {platform.machine()}")
    except UnknownArchitecture as error:
        print(f"system_call: {error}", file=sys.stderr)
        return 1
    print(f"it returned {system_call('getpid')}; os.getpid() says {os.getpid()}")
    for name, arguments in (("close", (-1,)), ("chdir", (b"/no/such/place",))):
        try:
            system_call(name, *arguments)
        except OSError as error:
            print(f"{name}{arguments} failed: {type(error).__name__}: {error}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
