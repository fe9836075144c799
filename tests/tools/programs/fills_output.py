"""Write a number of mebibytes, far more than any pipe holds, then "done"; wait for input."""

# ruff: noqa: T201  # output is what a program is for

import sys

line = "x" * 1023 + "\n"
for _ in range(int(sys.argv[1])):
    sys.stdout.write(line * 1024)
print("done", flush=True)
sys.stdin.read()
