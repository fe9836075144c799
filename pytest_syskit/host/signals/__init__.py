"""Signals, timers and what they interrupt."""
