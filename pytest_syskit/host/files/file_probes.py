"""Probes for what can be done with files: kinds of files, permissions, space."""

# ruff: noqa: D103  # what each probe asks is the text it is registered with

from __future__ import annotations

import os
import shutil
import stat
import tempfile

from ..probing import make_file, needs, needs_module, probe, scratch
from ..real import real

_FREE_DISK = 100 * 1024 * 1024  # bytes; enough for any test that writes "a large file"


@probe("creating named pipes")
def mkfifo() -> str | None:
    if lack := needs("mkfifo"):
        return lack
    with scratch() as folder:
        os.mkfifo(os.path.join(folder, "fifo"))
    return None


@probe("creating symbolic links")
def symlink() -> str | None:
    if lack := needs("symlink"):
        return lack
    with scratch() as folder:
        os.symlink("target", os.path.join(folder, "link"))
    return None


@probe("creating hard links")
def hardlink() -> str | None:
    if lack := needs("link"):
        return lack
    with scratch() as folder:
        os.link(make_file(folder), os.path.join(folder, "link"))
    return None


@probe("making device files")
def mknod() -> str | None:
    if lack := needs("mknod"):
        return lack
    with scratch() as folder:
        number = os.makedev(1, 3)  # the null device of Linux; what it is elsewhere is not asked
        os.mknod(os.path.join(folder, "device"), stat.S_IFCHR | 0o600, number)
    return None


@probe("file permissions that hold for the user who runs the tests")
def dac() -> str | None:
    with scratch() as folder:
        path = make_file(folder)
        os.chmod(path, 0)
        try:
            os.close(os.open(path, os.O_RDONLY))
        except PermissionError:
            return None
        finally:
            os.chmod(path, 0o600)  # Windows does not remove a read-only file
    return "files of mode 000 can be read (by root, with CAP_DAC_OVERRIDE, or on Windows)"


@probe("extended attributes on temporary files")
def xattr() -> str | None:
    if lack := needs("setxattr"):
        return lack
    with scratch() as folder:
        os.setxattr(make_file(folder), "user.syskit", b"probe")
    return None


@probe("locks on files that other processes see")
def flock() -> str | None:
    return needs_module("fcntl")


@probe("copying from a file to a descriptor inside the kernel")
def sendfile() -> str | None:
    return needs("sendfile")


@probe("a device that is always full")
def dev_full() -> str | None:
    is_device = stat.S_ISCHR(real.stat("/dev/full").st_mode)
    return None if is_device else "/dev/full is no device here"


@probe("100 MiB of free space in the temporary directory")
def free_disk() -> str | None:
    free = shutil.disk_usage(tempfile.gettempdir()).free
    return None if free >= _FREE_DISK else f"only {free // 1024 // 1024} MiB are free"
