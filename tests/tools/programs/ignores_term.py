"""Ignore the polite signals, say so, and wait."""

# ruff: noqa: T201  # output is what a program is for

import signal
import time

signal.signal(signal.SIGTERM, signal.SIG_IGN)
signal.signal(signal.SIGINT, signal.SIG_IGN)
print("ignoring", flush=True)
time.sleep(600)
