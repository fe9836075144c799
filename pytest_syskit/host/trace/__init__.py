"""Which line of code made a descriptor or a child process."""
