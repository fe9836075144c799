"""Limits that cannot be lost, and why something hangs."""
