"""Pages for the tests of the HTML report, and a strict reader of them."""

from __future__ import annotations

from html.parser import HTMLParser

from pytest_syskit.hooks.html.page import Run, page
from pytest_syskit.hooks.html.samples import Series
from pytest_syskit.host import capabilities
from pytest_syskit.leaks.leak import Leak
from pytest_syskit.leaks.owner import Owner
from pytest_syskit.leaks.resource import Resource

VOID = {"br", "hr", "input", "link", "meta"}
FIXTURE = Owner("fixture", "db_server", "session", "tests/conftest.py:12")
HOSTILE = '</script></style><img src=x onerror="window.hit=1">\' &amp; \udcff\x1b[31m\u202e'


class Reader(HTMLParser):
    """Reads a page as strictly as XML is read, and remembers what the tests ask about."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.within: list[tuple[str, str]] = []
        self.feed(text)
        self.close()
        assert not self.open, f"left open: {self.open}"

    def handle_starttag(self, tag, attributes):
        names = [name for name, _ in attributes]
        assert len(names) == len(set(names)), f"{tag} has an attribute twice: {names}"
        self.elements.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        assert "svg" in self.open, f"{tag} is closed at once outside of SVG"
        self.elements.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open, f"{tag} is closed and was not open"
        assert self.open.pop() == tag, f"{tag} is closed out of order at {self.getpos()}"

    def handle_data(self, data):
        self.within.append((self.open[-1] if self.open else "", data))
        if not self.open or self.open[-1] not in {"script", "style"}:
            self.texts.append(data)

    @property
    def text(self) -> str:
        return "".join(self.texts)

    def all(self, tag: str, **wanted: str) -> list[dict[str, str | None]]:
        """Return the attributes of elements; ``class_`` must be among the classes."""
        found = [attributes for name, attributes in self.elements if name == tag]
        for key, value in wanted.items():
            name = key.rstrip("_").replace("_", "-")
            found = [each for each in found if value in (each.get(name) or "").split()]
        return found

    def ids(self) -> list[str]:
        return [each["id"] for _, each in self.elements if each.get("id")]


def test_owner(number: int) -> Owner:
    return Owner("test", f"tests/test_server.py::test_accept[{number}]")


test_owner.__test__ = False


def leak(owner: Owner, kind: str = "fd", label: str = "fd 9  pipe:[81] (read)", **more) -> Leak:
    detail = more.pop("detail", {"fd": 9, "what": "pipe", "target": "pipe:[81]", "mode": "r"})
    return Leak(Resource(kind, (label,), label, detail), owner, more.pop("phase", "call"), **more)


def content(leaks=(), **other) -> dict:
    """Return the values of a JSON report."""
    able = {name: capabilities.missing(name) is None for name in capabilities.names()}
    values = {
        "format": 1,
        "policy": "warn",
        "kinds": ["process", "fd"],
        "capabilities": able,
        "tests_checked": 12,
        "not_checked": [],
        "leaks": [each.record() for each in leaks],
        "escaped_children": [],
        "stale_rules": [],
        "unused_allowances": [],
    }
    return values | other


def series(counts, first: int = 0) -> Series:
    """Return the samples of a process: one tuple for each test."""
    made = Series()
    for number, each in enumerate(counts, first):
        made.add(test_owner(number).id, list(each))
    return made


def shown(values: dict, samples: dict[str, Series] | None = None) -> str:
    return page(values, samples or {}, Run("shop", "2026-01-31 12:00 UTC", ["pytest-syskit 1.0"]))


def rich() -> str:
    """Return a page that has something of everything."""
    argv = ["python", "-c", "import time; time.sleep(30)  # " + "long " * 40]
    stack = tuple(f"tests/helper.py:{line} in inner" for line in range(1, 12))
    leaks = [
        leak(test_owner(2), created_at=("tests/test_server.py:7 in test_accept",), worker="gw0"),
        leak(test_owner(2), label="fd 10  pipe:[81] (write)", created_at=stack, worker="gw0"),
        leak(test_owner(5), "process", "process 71  zombie  never waited for  [true]", worker="gw1",
             detail={"pid": 71, "state": "zombie", "orphan": False, "argv": ["[true]"], "age": 0.3}),
        leak(FIXTURE, "process", "process 72  running  3.0 s old  python -c 'import…", phase="setup",
             detail={"pid": 72, "state": "running", "orphan": True, "argv": argv, "age": 3.0}),
        leak(test_owner(7), label="fd 12  /srv/pool.sock (read and write)", worker="gw1")
        .allowed("the pool lives on"),
        leak(test_owner(8), label=f"fd 13  {HOSTILE}{'x' * 300} (read)", worker="gw0"),
    ]  # fmt: skip
    samples = {
        "gw0": series([(9 + number // 3, number % 2, 1) for number in range(6)]),
        "gw1": series([(9, 0, 1 + number % 3) for number in range(6)], first=6),
    }
    return shown(
        content(
            leaks,
            policy="fail",
            not_checked=[{"owner": test_owner(9).record(), "reason": "fd: no /proc"}],
            escaped_children=[
                {"owner": test_owner(1).record(), "pid": 77, "how": "raised ValueError: no"}
            ],
            baseline={
                "file": "known.txt",
                "known": 3,
                "gone": [{"owner": "t", "kind": "fd", "label": "fd pipe (read)", "count": 2}],
                "written": False,
            },
            stale_rules=["fd:*.log  # the logger keeps it"],
            unused_allowances=[
                {"owner": test_owner(3).record(), "allowance": "allow_leaks('process')"}
            ],
        ),
        samples,
    )


def many(tests: int, leaking: int) -> str:
    """Return the page of a big run, whose one spike is in the middle."""
    counts = [(9, 0, 1)] * tests
    counts[tests // 2] = (777, 88, 99)
    step = max(1, tests // max(1, leaking))
    leaks = [leak(test_owner(number)) for number in range(0, tests, step)][:leaking]
    return shown(content(leaks, tests_checked=tests), {"": series(counts)})
