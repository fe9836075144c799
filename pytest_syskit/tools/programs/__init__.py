"""Real programs that live no longer than a test."""
