"""The page for people: complete, well-formed, alone in the world, and of a size that opens."""

from __future__ import annotations

import json
import random
import re

import pytest
from html_pages import HOSTILE, Reader, content, leak, many, rich, series, shown, test_owner

from pytest_syskit.hooks.html import style
from pytest_syskit.hooks.html.downsample import columns, merged
from pytest_syskit.leaks.owner import Owner

LEAKING = """
import os, subprocess, sys
import pytest

@pytest.fixture(scope="module")
def pool():
    os.open("/dev/zero", os.O_RDONLY)

def test_clean(): pass
def test_pipe(): os.pipe()
def test_uses(pool): pass
@pytest.mark.allow_leaks("fd", reason="meant <so>")
def test_allowed(): os.open("/dev/zero", os.O_RDONLY)
@pytest.mark.parametrize("value", ["</script>"], ids=["<b>&amp;::x"])
def test_odd_name(value): os.open("/dev/zero", os.O_RDONLY)
def test_odd_file(tmp_path):
    path = os.path.join(os.fsencode(tmp_path), b"<i>\\xff\\x1b.txt")
    os.open(path, os.O_WRONLY | os.O_CREAT)
def test_zombie():
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
"""


@pytest.fixture
def run(pytester, monkeypatch):
    """Run tests in a process of their own with both reports; return the page and the JSON."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")

    def run(body, *arguments):
        pytester.makepyfile(test_it=body)
        reports = ("--syskit-report=x.html", "--syskit-report=x.json", "--syskit-reap=leaked")
        quiet = ("-p", "no:cacheprovider", "-p", "syskit", "-W", "ignore")
        pytester.runpytest_subprocess(*quiet, *reports, *arguments)
        page = (pytester.path / "x.html").read_text(encoding="utf-8")
        return Reader(page), json.loads((pytester.path / "x.json").read_text())

    return run


def captions(page: Reader) -> list[str]:
    """Return what each chart says about its process."""
    return re.findall(r"(?:gw\d+ )?[\d,]+ tests?, (?:\d+ owners?|nobody) left something", page.text)


@pytest.mark.parametrize("mode", ["warn", "fail"])
@pytest.mark.parametrize("workers", [(), ("-p", "xdist", "-n2")], ids=["serial", "xdist"])
def test_every_leak_of_the_json_report_is_on_the_page(run, mode, workers):
    page, report = run(LEAKING, f"--syskit-leaks={mode}", *workers)
    assert len(report["leaks"]) == 7
    assert len(page.all("li", class_="story")) == 7
    for each in report["leaks"]:
        assert each["label"] in page.text
        assert each["owner"]["id"].rpartition("::")[2] in page.text
    assert "meant <so>" in page.text
    assert "close them in the test, or mark it" in page.text
    assert {each["data-verdict"] for each in page.all("li", class_="story")} == {"leak", "allowed"}


def test_the_errors_of_fixtures_are_no_tests_of_the_timeline(run):
    page, _ = run(LEAKING, "--syskit-leaks=fail")
    assert captions(page) == ["7 tests, 5 owners left something"]
    marks = [each["aria-label"] for each in page.all("a", class_="mark")]
    assert len(marks) == 5
    assert "test_it.py::test_zombie and 1 more: left something behind" in marks  # and the fixture
    assert len(page.all("a", class_="allowed")) == 1


def test_each_worker_has_a_series_of_its_own(run):
    body = "import pytest\n@pytest.mark.parametrize('n', range(20))\ndef test_a(n): pass\n"
    page, _ = run(body, "-p", "xdist", "-n2")
    told = captions(page)
    assert [each.partition(" ")[0] for each in told] == ["gw0", "gw1"]
    assert sum(int(each.split()[1]) for each in told) == 20


def rows(page: Reader) -> list[list[int]]:
    """Return the numbers of the timeline's table."""
    cells = [data for tag, data in page.within if tag == "td" and data.replace(",", "").isdigit()]
    return [list(map(int, cells[i : i + 3])) for i in range(0, len(cells), 3)]


def test_a_sample_shows_what_a_test_has_left(run):
    body = """
import os, subprocess, threading
gate = threading.Event()
def test_before(): pass
def test_descriptors(): os.pipe()
def test_child():
    globals()["child"] = subprocess.Popen(["sleep", "30"])
def test_thread():
    globals()["thread"] = threading.Thread(target=gate.wait); thread.start()
def test_all_gone():
    gate.set(); thread.join()
    child.kill(); child.wait()
"""
    page, _ = run(body, "--syskit-reap=never")
    before, descriptors, child, thread, gone = rows(page)
    assert descriptors == [before[0] + 2, *before[1:]]
    assert child == [descriptors[0], descriptors[1] + 1, descriptors[2]]
    assert thread == [*child[:2], child[2] + 1]
    assert gone == descriptors


def test_a_sample_is_taken_after_reaping(run):
    body = (
        "import subprocess\ndef test_a(): subprocess.Popen(['sleep', '30'])\ndef test_b(): pass\n"
    )
    page, report = run(body, "--syskit-reap=leaked")
    assert len(report["leaks"]) == 1
    assert [children for _, children, _ in rows(page)] == [0, 0]


def test_a_forked_test_is_sampled_in_its_child(run):
    body = "import os\ndef test_before(): pass\ndef test_inside(): [os.pipe() for _ in range(20)]\n"
    page, _ = run(body + "def test_after(): pass\n")
    plain = rows(page)
    page, _ = run(body.replace("def test_inside", "import pytest\n@pytest.mark.run_in_fork\ndef test_inside")
                  + "def test_after(): pass\n")  # fmt: skip
    forked = rows(page)
    assert plain[1][0] - plain[0][0] == plain[2][0] - plain[0][0] == 40
    assert forked[1][0] - forked[0][0] >= 40
    assert forked[2][0] == forked[0][0]


def test_a_clean_run_says_so(run):
    page, _ = run("def test_a(): pass\n")
    assert page.text.count("Nothing was left behind") == 3  # title, headline, section
    assert not page.all("form")


@pytest.mark.parametrize(
    ("body", "arguments", "headline"),
    [("", (), "No test was checked"), ("def test_a(): pass", ("--syskit-leaks=off",), "No test was checked")],
    ids=["no tests", "off"],
)  # fmt: skip
def test_a_run_that_checked_nothing_says_so(run, body, arguments, headline):
    page, _ = run(body, *arguments)
    assert headline in page.text
    assert "No test was watched" in page.text


def test_a_run_without_a_page_loads_nothing_of_it(run, pytester):
    pytester.makeconftest(
        "import sys\ndef pytest_unconfigure():\n"
        "    print('loaded:', [n for n in sys.modules if 'html_report' in n or '.hooks.html' in n])\n"
    )
    pytester.makepyfile("def test_a(): pass\n")
    result = pytester.runpytest_subprocess("-p", "syskit", "--syskit-report=x.json")
    result.stdout.fnmatch_lines(["loaded: []"])


def test_the_page_is_well_formed_and_its_links_lead_somewhere():
    page = Reader(rich())
    assert len(page.ids()) == len(set(page.ids()))
    links = [each["href"] for each in page.all("a")]
    assert {link for link in links if link.startswith("#")} == set(links)
    assert {link[1:] for link in links} <= set(page.ids())
    for attribute in ("aria-labelledby", "aria-describedby", "for"):
        named = [each[attribute] for _, each in page.elements if each.get(attribute)]
        assert set(named) <= set(page.ids())


def test_the_page_loads_nothing():
    text = rich()
    page = Reader(text)
    assert not [each for _, each in page.elements if each.get("src") or each.get("style")]
    assert [each["href"] for each in page.all("link")] == ["data:,"]
    assert not re.search(r"https?:|@import|url\(|fetch\(|XMLHttp", text)
    policy = page.all("meta", http_equiv="Content-Security-Policy")[0]["content"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy


def test_hostile_text_stays_text():
    text = shown(
        content(
            [leak(Owner("fixture", HOSTILE, "session", HOSTILE), "fd", HOSTILE, phase=HOSTILE,
                  worker=HOSTILE, created_at=(HOSTILE,), detail={HOSTILE: HOSTILE + "!", "argv": [HOSTILE]}
                  ).allowed(HOSTILE)],
            stale_rules=[HOSTILE],
            not_checked=[{"owner": test_owner(1).record(), "reason": HOSTILE}],
            unused_allowances=[{"owner": test_owner(1).record(), "allowance": HOSTILE}],
            escaped_children=[{"owner": test_owner(1).record(), "pid": 1, "how": HOSTILE}],
        ),
        {HOSTILE: series([(1, 2, 3)])},
    )  # fmt: skip
    text.encode("utf-8")  # raises for a surrogate
    page = Reader(text)
    assert [tag for tag, _ in page.elements].count("script") == 1
    assert not page.all("img")
    assert not {"\x1b", "\u202e"} & set(text)
    assert page.text.count("</script></style><img src=x") >= 12


def test_a_story_tells_everything():
    page = Reader(rich())
    for told in (
        "tests/test_server.py:7 in test_accept",
        "3 outer frames",
        "Command linepython -c 'import time; time.sleep(30)",
        "Allowed: the pool lives on",
        "Orphanyes",
        "Age3.0 s",
        "Phasesetup",
        "Workergw1",
        "let its child 77 come back: it raised ValueError: no",
        "Because fd: no /proc",
        "fd:*.log  # the logger keeps it",
        "allow_leaks('process')",
        "3 leaks of this run excused by known.txt. These have gone: drop them from the file. ",
        "fd pipe (read) (2 times)",
    ):
        assert told in page.text, told
    assert page.text.count("Command line") == 1


def test_what_a_label_says_is_not_said_twice():
    page = Reader(shown(content([leak(test_owner(1))])))
    assert page.text.count("pipe:[81]") == 1


def test_an_endless_command_line_is_cut_and_counted():
    detail = {"pid": 1, "state": "running", "argv": ["python", "-c", "x" * 100_000]}
    text = shown(
        content([leak(test_owner(1), "process", "process 1  running  python …", detail=detail)])
    )
    assert len(text) < 60_000
    assert "… and 98,010 more characters" in text


@pytest.mark.parametrize(
    ("leaking", "limit"), [(0, 150_000), (1_000, 1_500_000), (20_000, 7_000_000)]
)
def test_a_run_of_100_000_tests_is_a_page_that_opens(leaking, limit):
    text = many(100_000, leaking)
    assert len(text) < limit
    page = Reader(text)
    told = min(leaking, 5_000)
    assert len(page.all("article")) == told
    assert len(page.all("rect", class_="hit")) <= 600
    assert len(page.all("a", class_="mark")) == min(leaking, 100)
    if leaking > told:
        assert "15,000 more leaks: a report that ends in .json has all" in page.text
    for peak in ("9 to 777, 9 at the end", "0 to 88, 0 at the end", "1 to 99, 1 at the end"):
        assert peak in page.text
    assert [777, 88, 99] in rows(page)
    assert "100,000 tests" in page.text


def test_one_owner_does_not_fill_the_page_either():
    page = Reader(shown(content([leak(test_owner(0))] * 5_002)))
    assert len(page.all("li", class_="story")) == 5_000
    assert "2 more leaks: a report that ends in .json has all" in page.text


@pytest.mark.parametrize("workers", [9, 64])
def test_many_workers_are_folded(workers):
    page = Reader(shown(content(), {f"gw{n}": series([(9, 0, 1)] * 700) for n in range(workers)}))
    assert len(page.all("figure")) == workers
    assert f"{workers - 8} more worker" in page.text
    assert len(page.all("rect", class_="hit")) <= max(600, 60 * workers)


@pytest.mark.parametrize("total", [1, 2, 59, 60, 61, 599, 1_000])
@pytest.mark.parametrize("most", [1, 7, 60])
def test_no_maximum_and_no_owner_is_lost_in_columns(total, most):
    chance = random.Random(total * most)
    counts = [tuple(chance.randrange(50) for _ in range(3)) for _ in range(total)]
    owners = [test_owner(n) for n in range(0, total, 3)]
    cut = columns(series(counts), most, owners)
    assert len(cut) == min(total, most)
    for group in (cut, merged(cut, 5)):
        assert [each.first for each in group] == [0, *(each.last + 1 for each in group[:-1])]
        assert group[-1].last == total - 1
        for each in group:
            covered = counts[each.first : each.last + 1]
            assert each.highest == tuple(map(max, zip(*covered, strict=True)))
            inside = [
                o
                for n, o in enumerate(map(test_owner, range(total)))
                if each.first <= n <= each.last
            ]
            assert set(each.owners) == set(inside) & set(owners)


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(
    ("ink", "ground", "least"),
    [(ink, ground, 4.5) for ink in ("ink", "quiet", "leak", "allowed", "good") for ground in ("paper", "sheet")]
    + [("leak", "leak-ground", 4.5), ("allowed", "allowed-ground", 4.5), ("focus", "paper", 3), ("line", "sheet", 3)],
)  # fmt: skip
def test_colours_have_enough_contrast(scheme, ink, ground, least):
    both = sorted(
        (luminance(style.COLOURS[name][scheme]) + 0.05 for name in (ink, ground)), reverse=True
    )
    assert both[0] / both[1] >= least


def test_every_colour_that_is_used_is_defined():
    used = set(re.findall(r"var\(--([\w-]+)\)", style.style()))
    assert used == style.COLOURS.keys()
