"""Pure values and rules: no operating system, no pytest, no clock."""
