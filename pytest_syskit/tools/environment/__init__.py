"""Hermetic environments, stand-in commands, other platforms."""
