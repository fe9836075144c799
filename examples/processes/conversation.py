r"""Hold a conversation with an interactive program: a line there, its reply back, many turns.

Exercise D6.  ``Popen.communicate()`` closes the input and waits for the end, so it can ask only
once.  Here the pipes stay open:

    ask("6 * 7") ──stdin──▶ python -i ──stdout and stderr──▶ "42\n" + prompt

A reply is over when the prompt appears, and the prompt is a text made up for this conversation, so
that no output is taken for it.  Writing and reading go on at the same time: a program that talks
while it is spoken to cannot block both.  Every wait has a limit.  A reply that came too late would
pass for the next one, so after a time-out nothing is asked until ``catch_up`` or ``interrupt`` has
found the common ground again.
"""

from __future__ import annotations

import os
import re
import selectors
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType

from command_group import await_end, end_group, has_ended, start_group

_CHUNK = 1 << 16  # bytes: what a pipe holds on Linux
_TOKENS = re.compile(r"<token [0-9a-f]{32}>\n")
_PATIENCE = 0.1  # seconds until a question is asked again; a prompt takes a few milliseconds
_LOOK = 0.02  # seconds until the end of a program is noticed whose child holds the output
_SHOWN = 500  # characters of a reply that a message repeats


class PeerGone(Exception):
    """The program has ended; ``status`` says how, ``said`` what it wrote last."""

    def __init__(self, text: str, status: int, said: str) -> None:
        super().__init__(text)
        self.status = status
        self.said = said


class NoReply(TimeoutError):
    """The reply was not complete in time; ``said`` is what there was of it."""

    def __init__(self, text: str, said: str) -> None:
        super().__init__(text)
        self.said = said


@dataclass(frozen=True, slots=True)
class Dialect:
    """How to speak with a kind of program; ``{}`` is where a text goes.

    Attributes:
        argv: the command.
        set_prompt: makes the text its prompt, and prompts for continued lines empty.
        say: writes the text on a line.
    """

    argv: Sequence[str]
    set_prompt: str
    say: str


PYTHON = Dialect(
    (sys.executable, "-i", "-q", "-u"),
    "import sys; sys.ps1 = '{}'; sys.ps2 = ''",
    "print('{}')",
)
SHELL = Dialect(("sh", "-i"), "PS1='{}'; PS2=''", "echo '{}'")


class Conversation:
    """A conversation with one program; use it as a context manager.

    Args:
        dialect: whom to talk with.
        timeout: seconds that a turn may take unless it says otherwise.
        env: the program's whole environment.
        cwd: where it runs.

    Raises:
        OSError: the program cannot be started.
        PeerGone, NoReply: it ended at once, or never became ready.
    """

    def __init__(
        self,
        dialect: Dialect,
        *,
        timeout: float = 10.0,
        env: Mapping[str, str] | None = None,
        cwd: str | os.PathLike[str] | None = None,
    ) -> None:
        self._dialect = dialect
        self._timeout = timeout
        self._heard = bytearray()
        self._unsent = b""  # what a time-out has cut off: half a line would spoil the next one
        self._in_step = True
        # Letters only: no program finds anything in it to interpret.
        self._prompt = f"<prompt {uuid.uuid4().hex}>"
        pipe = subprocess.PIPE
        self._process = start_group(
            dialect.argv,
            env=env,
            cwd=cwd,
            stdin=pipe,
            stdout=pipe,
            stderr=subprocess.STDOUT,
            bufsize=0,
        )
        try:
            os.set_blocking(self._stdin, False)
            self.ask(dialect.set_prompt.format(self._prompt))
        except BaseException:
            self.close(grace=0)
            raise

    def __enter__(self) -> Conversation:  # noqa: PYI034  # typing.Self needs Python 3.11
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def pid(self) -> int:
        """Return the program's process id."""
        return self._process.pid

    def ask(self, line: str, timeout: float | None = None) -> str:
        """Send a line, or several, and return all that was written until the next prompt.

        Several lines end as they do at the keyboard: a Python block needs an empty line.

        Raises:
            NoReply: the time is over; ask again after ``catch_up`` or ``interrupt``.
            PeerGone: the program has ended, before or meanwhile.
            RuntimeError: an earlier reply is still to come.
        """
        if not self._in_step:
            raise RuntimeError("an earlier reply is still to come: catch_up() or interrupt() first")
        if "\n" in line:  # nobody knows how many prompts that makes
            return self._ask_until_token(f"{line}\n", timeout)
        return self._exchange(f"{line}\n", self._prompt, timeout)

    def catch_up(self, timeout: float | None = None) -> str:
        """Wait for a reply that was late, and return all that came until both are in step again."""
        return self._ask_until_token("", timeout)

    def interrupt(self, timeout: float | None = None) -> str:
        """Break off what the program does, as Ctrl-C would, and return what it wrote until then."""
        limit = self._timeout if timeout is None else timeout
        deadline = time.monotonic() + limit
        if self._process.returncode is not None:  # its number may be somebody else's by now
            self._part()
        os.killpg(self._process.pid, signal.SIGINT)
        while True:
            left = deadline - time.monotonic()
            try:
                # A line that comes together with the signal is thrown away: say it again.
                return self.catch_up(min(_PATIENCE, max(left, 0)))
            except NoReply:
                if left <= _PATIENCE:
                    raise

    def close(self, grace: float = 2.0) -> int:
        """Let the program see the end of its input, wait, then end it; return its status.

        Closing twice is fine.

        Args:
            grace: seconds for it to end by itself, and again between TERM and KILL.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        try:
            return self._end(grace)
        finally:
            self._process.stdout.close()

    def _end(self, grace: float) -> int:
        deadline = time.monotonic() + grace
        try:
            self._drain(deadline)
            ended = await_end(self._process, deadline - time.monotonic())
        except BaseException:
            end_group(self._process, 0)
            raise
        return end_group(self._process, 0 if ended else grace)

    def _drain(self, deadline: float) -> None:
        """Let it say its last words, which would kill or block it if nobody read them."""
        while time.monotonic() < deadline and not has_ended(self._process):
            if self._wait(writing=False, seconds=_LOOK) and not os.read(self._stdout, _CHUNK):
                return

    @property
    def _stdin(self) -> int:
        assert self._process.stdin is not None
        return self._process.stdin.fileno()

    @property
    def _stdout(self) -> int:
        assert self._process.stdout is not None
        return self._process.stdout.fileno()

    def _ask_until_token(self, text: str, timeout: float | None) -> str:
        """Send lines and then one whose reply is known, and read until that comes."""
        token = f"<token {uuid.uuid4().hex}>"
        question = f"{text}{self._dialect.say.format(token)}\n"
        said = self._exchange(question, f"{token}\n{self._prompt}", timeout)
        return _TOKENS.sub("", said.replace(self._prompt, ""))

    def _exchange(self, text: str, end: str, timeout: float | None) -> str:
        """Write a question, read until ``end``, and return what came before that."""
        limit = self._timeout if timeout is None else timeout
        deadline = time.monotonic() + limit
        self._unsent += text.encode()
        self._in_step = False
        while self._unsent or end.encode() not in self._heard:
            ready = self._wait(writing=bool(self._unsent), seconds=deadline - time.monotonic())
            if not ready:
                self._give_up(limit)
            elif self._stdout in ready:
                self._listen()
            else:
                self._speak()
        self._in_step = True
        reply, _, self._heard = self._heard.partition(end.encode())
        return reply.decode("utf-8", "backslashreplace")

    def _wait(self, *, writing: bool, seconds: float) -> set[int]:
        with selectors.DefaultSelector() as selector:
            selector.register(self._stdout, selectors.EVENT_READ)
            if writing:
                selector.register(self._stdin, selectors.EVENT_WRITE)
            return {key.fd for key, _ in selector.select(max(seconds, 0))}

    def _listen(self) -> None:
        chunk = os.read(self._stdout, _CHUNK)
        if not chunk:
            self._part()
        self._heard += chunk

    def _speak(self) -> None:
        try:
            self._unsent = self._unsent[os.write(self._stdin, self._unsent) :]
        except BlockingIOError:  # less room than a pipe takes at once
            return
        except BrokenPipeError:  # nobody will read it; what it said last is still to come
            self._unsent = b""

    def _part(self) -> None:
        self._in_step, self._unsent = True, b""  # there is nobody left to be out of step with
        said = self._words()
        status = self._end(1.0)  # seconds from the end of the output to the end of the program
        raise PeerGone(
            f"{self._name} has ended with status {status}; it said {said!r}", status, said
        )

    def _give_up(self, limit: float) -> None:
        if has_ended(self._process):  # a child of its own keeps its output open
            self._part()
        doing = "did not read its input" if self._unsent else "did not finish its reply"
        said = self._words()
        raise NoReply(f"{self._name} {doing} within {limit:g} s; so far: {said!r}", said)

    def _words(self) -> str:
        return self._heard.decode("utf-8", "backslashreplace")[-_SHOWN:]

    @property
    def _name(self) -> str:
        return os.path.basename(self._dialect.argv[0])
