"""Serve lines in reverse on a TCP port or UNIX socket path, one client only, then end."""

# ruff: noqa: T201  # output is what a program is for

import socket
import sys

where = sys.argv[1]
if where.isdigit():
    server = socket.create_server(("127.0.0.1", int(where)))
else:
    server = socket.socket(socket.AF_UNIX)
    server.bind(where)
    server.listen()
print("listening", flush=True)
client, _ = server.accept()
with client, client.makefile("rw") as stream:
    for line in stream:
        stream.write(line.rstrip("\n")[::-1] + "\n")
        stream.flush()
print("served", flush=True)
