"""Start a daemon (double fork, own session), and end.

With "same-session" it stays in the session, but clears its environment instead: only one of the two
marks by which it can be found is left in either case.
"""

import os
import sys

if os.fork():
    os.wait()
    os._exit(0)
if "same-session" not in sys.argv:
    os.setsid()
if os.fork():
    os._exit(0)
environ = {} if "same-session" in sys.argv else dict(os.environ)
code = "import os, time; print('daemon', os.getpid(), flush=True); time.sleep(600)"
os.execve(sys.executable, [sys.executable, "-I", "-c", code], environ)
