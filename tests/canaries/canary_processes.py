"""Each test leaves one process behind; none lives longer than half a minute by itself."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time

import psutil

NAP = ["sleep", "30"]
KEPT = []


def become(argv):
    """Turn this forked child into a program; if that fails, leave without a way back."""
    try:
        os.execvp(argv[0], argv)
    finally:
        os._exit(127)


def start():
    pid = os.fork()
    if pid == 0:
        become(NAP)
    return pid


def await_end(pid):
    """Return once the child has ended, and leave its status uncollected (ten seconds at most)."""
    for _ in range(1000):  # os.waitid with WNOWAIT would do, but macOS has it from Python 3.13 on
        if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return
        time.sleep(0.01)
    raise TimeoutError(f"process {pid} has not ended")


def test_zombie():
    pid = os.fork()
    if pid == 0:
        os._exit(3)
    await_end(pid)


def test_zombie_of_popen():
    """Kept alive: a Popen object that dies after its process collects the status itself."""
    KEPT.append(subprocess.Popen(["true"]))
    await_end(KEPT[-1].pid)


def test_running_child():
    start()


def test_running_child_of_popen():
    subprocess.Popen(NAP)


def test_stopped_child():
    """In a process group of its own: the kernel hangs up on it once its parent is gone."""
    pid = os.fork()
    if pid == 0:
        os.setpgid(0, 0)
        os.kill(os.getpid(), signal.SIGSTOP)
        become(NAP)
    assert os.WIFSTOPPED(os.waitpid(pid, os.WUNTRACED)[1])


def test_orphan_by_double_fork():
    middle = os.fork()
    if middle == 0:
        os.setsid()
        if os.fork() == 0:
            become(NAP)
        os._exit(0)
    os.waitpid(middle, 0)


def test_orphan_without_exec():
    """A daemon that is a fork only: its command line is pytest's own."""
    reader, writer = os.pipe()
    middle = os.fork()
    if middle == 0:
        os.setsid()
        if os.fork() == 0:
            os.close(writer)
            signal.alarm(30)  # its own end
            while True:
                signal.pause()
        os._exit(0)
    os.waitpid(middle, 0)
    os.close(reader)
    os.close(writer)


def test_orphan_of_a_shell():
    subprocess.run(["sh", "-c", "sleep 30 >/dev/null 2>&1 &"], check=True)


def test_child_forked_in_a_thread():
    thread = threading.Thread(target=start)
    thread.start()
    thread.join()


def test_child_that_ignores_term():
    """Only KILL ends it; the pipe says when it is deaf."""
    reader, writer = os.pipe()
    if os.fork() == 0:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        os.write(writer, b"deaf")
        become(NAP)
    os.close(writer)
    os.read(reader, 4)
    os.close(reader)
