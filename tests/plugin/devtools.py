"""A real browser without a window, spoken to in the DevTools protocol over two pipes.

    this process ── command, NUL ──▶ 3   chromium --remote-debugging-pipe
                 ◀── answer, NUL ──  4

Needs nothing but the browser: no driver, no port, no package.  The protocol is described at
chromedevtools.github.io/devtools-protocol.
"""

from __future__ import annotations

import base64
import contextlib
import fcntl
import json
import os
import select
import shutil
import time
from pathlib import Path
from typing import Any

from pytest_syskit.host.processes.process_tree import end_tree

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
SWITCHES = (
    "--headless",
    "--remote-debugging-pipe",
    "--no-sandbox",  # root and most containers have no other way; the page is our own
    "--disable-gpu",
    "--disable-dev-shm-usage",  # 64 MB in many containers
    "--hide-scrollbars",
    "--no-first-run",
    "--disable-extensions",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-crash-reporter",  # its handlers would outlive the browser by a moment
    "--disable-breakpad",
)
_ABOVE = 10  # descriptors of the pipes until they are moved to 3 and 4


def find() -> str | None:
    """Return the path of a browser that can be spoken to, if there is one."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


class Browser:
    """A running browser; ends with the block, whatever happens in it."""

    def __init__(self, folder: Path, program: str | None = None) -> None:
        program = program or find()
        assert program is not None, f"none of {', '.join(NAMES)} is on PATH"
        theirs_in, self._out = _pipe()
        self._in, theirs_out = _pipe()
        log = folder / "browser.log"
        environment = {**os.environ, "HOME": str(folder), "TZ": "UTC"}
        try:
            self.pid = os.posix_spawn(
                program,
                [program, *SWITCHES, f"--user-data-dir={folder / 'profile'}"],
                environment,
                file_actions=[
                    (os.POSIX_SPAWN_DUP2, theirs_in, 3),
                    (os.POSIX_SPAWN_DUP2, theirs_out, 4),
                    (os.POSIX_SPAWN_OPEN, 1, str(log), os.O_WRONLY | os.O_CREAT, 0o600),
                    (os.POSIX_SPAWN_DUP2, 1, 2),
                ],
            )
        finally:
            os.close(theirs_in)
            os.close(theirs_out)
        self._log = log
        self._rest = b""
        self._number = 0
        self._events: list[dict[str, Any]] = []
        try:
            self.version = self.call("Browser.getVersion")["product"]  # it has started
        except BaseException:
            self.__exit__()
            raise

    def __enter__(self) -> Browser:  # noqa: PYI034  # typing.Self needs Python 3.11
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(
            OSError, AssertionError
        ):  # it may be dead already: that is the aim
            self.call("Browser.close", timeout=5)
        end_tree([self.pid], 5)
        with contextlib.suppress(ChildProcessError):  # waited for by the line before
            os.waitpid(self.pid, 0)
        os.close(self._in)
        os.close(self._out)

    def call(
        self, method: str, session: str | None = None, timeout: float = 30.0, **parameters: Any
    ) -> dict[str, Any]:
        """Give a command and return its result."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if session is not None:
            message["sessionId"] = session
        _write_all(self._out, json.dumps(message).encode() + b"\0")
        deadline = time.monotonic() + timeout
        while True:
            answer = self._read(deadline, method)
            if answer.get("id") == self._number:
                assert "error" not in answer, f"{method}: {answer['error']}"
                return answer["result"]
            self._events.append(answer)

    def wait(self, event: str, session: str, timeout: float = 30.0) -> dict[str, Any]:
        """Wait for an event, which may have come already."""
        deadline = time.monotonic() + timeout
        while True:
            for each in self._events:
                if each.get("method") == event and each.get("sessionId") == session:
                    self._events.remove(each)
                    return each["params"]
            self._events.append(self._read(deadline, event))

    def events(self, name: str, session: str) -> list[dict[str, Any]]:
        """Return the events of one name so far."""
        return [
            each["params"]
            for each in self._events
            if each.get("method") == name and each.get("sessionId") == session
        ]

    def _read(self, deadline: float, what: str) -> dict[str, Any]:
        while b"\0" not in self._rest:
            left = max(0.0, deadline - time.monotonic())
            ready, _, _ = select.select([self._in], [], [], left)
            part = os.read(self._in, 1 << 20) if ready else b""
            assert part, f"the browser did not answer {what}: {self._log.read_text()[-2000:]}"
            self._rest += part
        message, _, self._rest = self._rest.partition(b"\0")
        return json.loads(message)

    def open(self, file: Path, **conditions: Any) -> Page:
        """Open a file in a tab of its own."""
        return Page(self, file.resolve().as_uri(), **conditions)


class Page:
    """One tab, as somebody sees it who has this screen and these wishes."""

    def __init__(
        self,
        browser: Browser,
        address: str,
        *,
        width: int = 1200,
        height: int = 900,
        dark: bool = False,
        paper: bool = False,
        scripts: bool = True,
    ) -> None:
        self._browser = browser
        # A profile of its own: what one page remembers is unknown to the next.
        self._profile = browser.call("Target.createBrowserContext")["browserContextId"]
        target = browser.call(
            "Target.createTarget", url="about:blank", browserContextId=self._profile
        )["targetId"]
        attached = browser.call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        self.call("Emulation.setDeviceMetricsOverride", **size)
        self.call("Emulation.setFocusEmulationEnabled", enabled=True)
        wish = [
            {"name": "prefers-color-scheme", "value": "dark" if dark else "light"},
            {"name": "prefers-reduced-motion", "value": "reduce"},  # nothing to wait for
        ]
        media = "print" if paper else "screen"
        self.call("Emulation.setEmulatedMedia", media=media, features=wish)
        self.call("Emulation.setScriptExecutionDisabled", value=not scripts)
        self.call("Page.navigate", url=address)
        browser.wait("Page.loadEventFired", self._session)

    def __enter__(self) -> Page:  # noqa: PYI034  # typing.Self needs Python 3.11
        return self

    def __exit__(self, *_: object) -> None:
        self._browser.call("Target.disposeBrowserContext", browserContextId=self._profile)

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Give a command to this tab."""
        return self._browser.call(method, self._session, **parameters)

    def value(self, expression: str) -> Any:
        """Evaluate JavaScript and return its value; of a promise, what it becomes."""
        result = self.call(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    def await_true(self, condition: str, limit: float = 20.0) -> None:
        """Wait until JavaScript holds: a key is answered before the page has done all it leads to."""
        self.value(
            f"new Promise((done, fail) => {{ const end = performance.now() + {limit * 1000};"
            f" const look = () => ({condition}) ? done() : performance.now() > end"
            f" ? fail(Error({json.dumps(condition)} + ' does not come true')) : setTimeout(look, 5);"
            " look(); })"
        )

    def seen(self, selector: str) -> int:
        """Count the elements that take room on the page."""
        quoted = json.dumps(selector)
        return self.value(
            f"[...document.querySelectorAll({quoted})].filter(e => e.getClientRects().length).length"
        )

    def press(self, key: str, *, shift: bool = False) -> None:
        """Press and release one key."""
        codes = {"Tab": 9, "Enter": 13, "Escape": 27, " ": 32, "/": 191}
        text = {"Enter": "\r"}.get(key, key if len(key) == 1 else "")
        shared = {"key": key, "windowsVirtualKeyCode": codes.get(key, ord(key[0].upper()))}
        shared["modifiers"] = 8 if shift else 0
        down = "keyDown" if text else "rawKeyDown"
        self.call("Input.dispatchKeyEvent", type=down, text=text, **shared)
        self.call("Input.dispatchKeyEvent", type="keyUp", **shared)

    def write(self, text: str) -> None:
        """Type text where the focus is."""
        self.call("Input.insertText", text=text)

    def picture(self, path: Path | None = None, height: int | None = None) -> bytes:
        """Return a PNG of the page from its top, and keep it if a path is given."""
        size = self.call("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": size["width"], "scale": 1}
        clip["height"] = min(height or 4000, size["height"])
        shot = self.call("Page.captureScreenshot", clip=clip, captureBeyondViewport=True)
        image = base64.b64decode(shot["data"])
        if path is not None:
            path.write_bytes(image)
        return image

    def printed(self, path: Path) -> None:
        """Print the page to a PDF file."""
        paper = self.call("Page.printToPDF", printBackground=False, preferCSSPageSize=True)
        path.write_bytes(base64.b64decode(paper["data"]))

    def requests(self) -> list[str]:
        """Return the addresses that the page asked for."""
        sent = self._browser.events("Network.requestWillBeSent", self._session)
        return [each["request"]["url"] for each in sent]

    def complaints(self) -> list[str]:
        """Return what the browser complained of: script errors, broken policies, lost files."""
        thrown = self._browser.events("Runtime.exceptionThrown", self._session)
        logged = self._browser.events("Log.entryAdded", self._session)
        return [str(each) for each in [*thrown, *logged]]


def _pipe() -> tuple[int, int]:
    """Return a pipe whose numbers are above those that the browser expects."""
    ends = os.pipe()
    moved = [fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, _ABOVE) for fd in ends]
    for fd in ends:
        os.close(fd)
    return moved[0], moved[1]


def _write_all(fd: int, data: bytes) -> None:
    while data:
        data = data[os.write(fd, data) :]
