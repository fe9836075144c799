"""The pytest plugin: names the hooks and fixtures, nothing else."""

from __future__ import annotations

from .hooks.options import add_options as pytest_addoption

__all__ = ["pytest_addoption"]
