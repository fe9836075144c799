"""Each test leaves descriptors of one kind open."""

from __future__ import annotations

import ctypes
import os
import socket
import sys

import pytest

linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="a Linux call")
LIBRARY = ctypes.CDLL(None, use_errno=True)


def call(name, *arguments):
    """Call a function of the C library that this Python may not have yet."""
    fd = getattr(LIBRARY, name)(*arguments)
    if fd < 0:
        raise OSError(ctypes.get_errno(), name)
    return fd


def test_file(tmp_path):
    os.open(tmp_path / "file", os.O_CREAT | os.O_WRONLY)


def test_directory(tmp_path):
    os.open(tmp_path, os.O_RDONLY)


def test_deleted_file(tmp_path):
    os.open(tmp_path / "gone", os.O_CREAT | os.O_RDWR)
    os.unlink(tmp_path / "gone")


def test_device():
    os.open("/dev/zero", os.O_RDONLY)


def test_pipe():
    os.pipe()


def test_fifo(tmp_path):
    os.mkfifo(tmp_path / "fifo")
    os.open(tmp_path / "fifo", os.O_RDONLY | os.O_NONBLOCK)


def test_socket():
    endpoint = socket.socket()
    endpoint.bind(("127.0.0.1", 0))
    endpoint.listen()
    endpoint.detach()


def test_unix_socket_pair():
    for end in socket.socketpair():
        end.detach()


def test_pty():
    os.openpty()


def test_duplicate():
    """Two descriptors of one open file: one is closed, the other one is not."""
    fd = os.open(__file__, os.O_RDONLY)
    os.dup(fd)
    os.close(fd)


@linux
def test_epoll():
    call("epoll_create1", 0)


@linux
def test_eventfd():
    call("eventfd", 0, 0)


@linux
def test_timerfd():
    clock_monotonic = 1
    call("timerfd_create", clock_monotonic, 0)


@linux
def test_signalfd():
    mask = (ctypes.c_ulong * 16)()  # sigset_t: 128 bytes, no signal in it
    call("signalfd", -1, ctypes.byref(mask), 0)


@linux
def test_inotify():
    call("inotify_init1", 0)


@linux
def test_memfd():
    call("memfd_create", b"canary", 0)


@linux
def test_pidfd():
    os.pidfd_open(os.getpid())
