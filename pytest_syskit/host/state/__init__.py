"""Settings that a process has once: directory, mask, environment, signals, timers; threads too."""
