"""Files, terminals and the environment of the C library."""
