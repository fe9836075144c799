"""Pairs of ends: FIFOs, pipes, terminals, sockets."""
