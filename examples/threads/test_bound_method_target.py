"""A thread runs a bound method, and the object has the result (exercise C9)."""

from __future__ import annotations

import subprocess
import sys
import threading

import bound_method_target as module
import pytest
from bound_method_target import Power, compute_in_thread

pytestmark = pytest.mark.signal_timeout(30)


def test_the_script_prints_the_documented_output():
    done = subprocess.run(
        [sys.executable, module.__file__], capture_output=True, text=True, timeout=30, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "2 ** 32 = 4294967296\n", "")


def test_the_object_has_the_result_when_the_thread_has_ended():
    power = Power(3, 4)
    assert str(power) == "3 ** 4 = None"
    compute_in_thread(power)
    assert power.result == 81


def test_the_method_runs_in_the_new_thread_and_not_here():
    class Witness(Power):
        thread = None

        def compute(self) -> None:
            self.thread = threading.get_ident()
            super().compute()

    witness = Witness(2, 5)
    compute_in_thread(witness)
    assert witness.thread not in (None, threading.get_ident())
    assert witness.result == 32


def test_an_error_of_the_method_reaches_the_caller():
    with pytest.raises(ZeroDivisionError):
        compute_in_thread(Power(0, -1))
