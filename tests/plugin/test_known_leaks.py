"""``--syskit-baseline``: written, matched, surplus, gone; serially, under xdist, in any order."""

from __future__ import annotations

import json
import os

import pytest

from pytest_syskit.hooks.options import OPTIONS

# Workers of an inner pytest-xdist run end a moment after their controller, as orphans.
pytestmark = pytest.mark.leak_policy("fail", grace=5)

LEAKY = """
import os, socket, subprocess
import pytest

KEPT = []
def leak(path="/dev/zero"): KEPT.append(os.open(path, os.O_RDONLY))

def test_two(): leak(); leak()
def test_file(tmp_path): KEPT.append(open(tmp_path / "x", "w"))
def test_socket(): KEPT.append(socket.create_server(("127.0.0.1", 0)))
def test_pipe(): KEPT.extend(os.pipe())
def test_zombie():
    if os.fork() == 0: os._exit(0)
def test_running(): KEPT.append(subprocess.Popen(["sleep", "5"]))
def test_clean(): pass

@pytest.fixture(scope="session")
def wide(): leak()
@pytest.mark.parametrize("n", range(8))
def test_uses(wide, n): pass
"""
SMALL = """
import os
import pytest

def leak(): os.open("/dev/zero", os.O_RDONLY)
def test_two(): leak(); leak()
def test_one(): leak()
def test_clean(): pass
"""
LINES = """\
fixture wide (session, test_leaky.py)
    1 fd  device  /dev/zero (read)

test_leaky.py::test_file
    1 fd  <tmp_path>/test_file#/x (write)

test_leaky.py::test_pipe
    1 fd  pipe:[#] (read)
    1 fd  pipe:[#] (write)

test_leaky.py::test_running
    1 process  sleep #

test_leaky.py::test_socket
    1 fd  socket  127.0.0.1:# (listening)

test_leaky.py::test_two
    2 fd  device  /dev/zero (read)

test_leaky.py::test_zombie
    1 process  a fork of this process
"""
FILE, WRITE = "--syskit-baseline=known.txt", "--syskit-baseline-write"
XDIST = ("-p", "xdist", "-n2")


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch):
    for option in OPTIONS:
        monkeypatch.delenv(option.variable, raising=False)
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setenv("COLUMNS", "250")  # no line of a summary is cut


@pytest.fixture
def run(pytester):
    """Run pytest in a process of its own, under ``fail``; ``body`` is what the test file says from now on."""

    def run(*arguments, mode="fail", body=None):
        if body is not None:
            (pytester.path / "test_leaky.py").write_text(body)
        fixed = ("-p", "no:cacheprovider", "-p", "syskit", "-W", "ignore")
        return pytester.runpytest_subprocess(
            *fixed, f"--syskit-leaks={mode}", "--syskit-reap=leaked", *arguments
        )

    return run


@pytest.fixture
def known(pytester):
    return pytester.path / "known.txt"


def lines(path):
    return path.read_text().partition("\n\n")[2]


def test_the_leaks_of_a_run_are_written_and_do_not_fail_it(run, known):
    result = run(FILE, WRITE, body=LEAKY)
    result.assert_outcomes(passed=15)
    assert result.ret == 0
    assert lines(known) == LINES
    result.stdout.fnmatch_lines(
        ["wrote 9 leaks of 7 owners to the baseline known.txt: 9 added, 0 dropped"]
    )


@pytest.mark.parametrize("how", [(), XDIST], ids=["serial", "xdist"])
def test_a_run_writes_the_same_file_again_and_fails_for_none_of_it(run, known, how):
    run(FILE, WRITE, body=LEAKY)
    before = known.read_text()
    result = run(FILE, *how)
    result.assert_outcomes(passed=15)
    assert result.ret == 0
    result.stdout.fnmatch_lines(["*leaks are in the baseline known.txt"])
    result.stdout.no_fnmatch_line("gone:*")
    result = run(FILE, WRITE, *how)
    result.stdout.fnmatch_lines(["wrote 9 leaks of 7 owners * 0 added, 0 dropped"])
    assert known.read_text() == before


def test_a_file_written_under_xdist_holds_for_a_serial_run_in_another_order(run, known):
    pytest.importorskip("pytest_randomly")
    run(FILE, WRITE, *XDIST, body=LEAKY)
    assert lines(known) == LINES
    for seed in (1, 2):
        result = run(FILE, "-p", "pytest_randomly", f"--randomly-seed={seed}")
        assert result.ret == 0


@pytest.mark.parametrize("how", [(), XDIST], ids=["serial", "xdist"])
def test_what_is_not_in_the_file_fails(run, known, how):
    run(FILE, WRITE, body=LEAKY)
    body = LEAKY.replace("test_two(): leak()", "test_two(): leak(); leak()")
    body = body.replace("def test_clean(): pass", "def test_clean(): leak()")
    result = run(FILE, *how, body=body)
    result.assert_outcomes(passed=15, errors=2)
    result.stdout.fnmatch_lines_random(
        [
            "ERROR *::test_two - left 1 file descriptor behind",
            "ERROR *::test_clean - left 1 file descriptor behind",
        ]
    )


WIDE = """
import os
import pytest

@pytest.fixture(scope="session")
def wide(): os.open("/dev/zero", os.O_RDONLY)
@pytest.mark.parametrize("n", range(8))
def test_uses(wide, n): pass
"""


def test_a_session_fixture_may_leave_as_much_in_each_worker_and_no_more(run, known):
    run(FILE, WRITE, *XDIST, body=WIDE)
    assert "    1 fd  device  /dev/zero (read)" in lines(known)
    assert run(FILE, *XDIST).ret == 0
    result = run(FILE, *XDIST, body=WIDE.replace("): os.open", "): os.dup(0); os.open"))
    assert result.ret == 1
    result.stdout.fnmatch_lines(["ERROR *::wide - left 1 file descriptor behind"])


FIXTURE = (
    "import os, pytest\n@pytest.fixture(scope='module')\ndef wide(): os.open('.', os.O_RDONLY)\n"
)
MENDED = FIXTURE.replace("os.open('.', os.O_RDONLY)", "1") + "def test_a(wide): pass\n"
SKIP = "@pytest.mark.skip(reason='x')\ndef test_two()"


@pytest.mark.parametrize(
    ("body", "arguments", "gone"),
    [
        (MENDED, (), True),
        (f"{MENDED}{SKIP}: pass", (), True),
        ("def test_a(): pass", (), True),
        (FIXTURE + "def test_b(): pass", (), True),
        (FIXTURE + "@pytest.mark.skip(reason='x')\ndef test_a(wide): pass", (), False),
        (FIXTURE + "pytest.skip('x', allow_module_level=True)", (), False),
        (FIXTURE + "def test_a(wide): pass", ("other",), False),
    ],
    ids=[
        "mended",
        "mended-beside-a-skipped-one",
        "removed",
        "not-used",
        "skipped",
        "skipped-module",
        "another-folder",
    ],
)
def test_a_fixture_has_gone_when_nothing_could_have_set_it_up(run, pytester, body, arguments, gone):
    (pytester.mkdir("other") / "test_o.py").write_text("def test_o(): pass")
    run(FILE, WRITE, body=FIXTURE + "def test_a(wide): pass")
    result = run(FILE, *arguments, body=body)
    assert (
        any(x.startswith("gone: fixture wide (module, test_leaky.py)") for x in result.outlines)
        == gone
    )


def test_warn_hides_what_is_known_and_counts_it(run, known):
    run(FILE, WRITE, body=SMALL)
    result = run(FILE, mode="warn")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["*syskit: left behind*", "3 leaks are in the baseline known.txt"])
    result.stdout.no_fnmatch_line("*left * behind")


def test_a_fixture_that_others_use_too_has_not_gone(run, pytester, known):
    pytester.makeconftest(
        "import os, pytest\n"
        "@pytest.fixture(scope='module')\n"
        "def wide(request):\n"
        "    if 'leaky' in request.node.name: os.open('.', os.O_RDONLY)\n"
    )
    (pytester.mkdir("other") / "test_o.py").write_text("def test_o(wide): pass")
    run(FILE, WRITE, body="def test_a(wide): pass")
    assert "fixture wide (module, conftest.py)" in lines(known)
    run(FILE, "other").stdout.no_fnmatch_line("gone:*")
    run(FILE, ".").stdout.no_fnmatch_line("gone:*")


def test_what_has_gone_is_told(run, known, pytester):
    run(FILE, WRITE, body=LEAKY)
    body = LEAKY.replace("leak(); leak()", "leak()").replace('"w"))', '"w")).close()')
    body = body.replace("KEPT.append(open(", "(open(").replace(
        "def wide(): leak()", "def wide(): 1"
    )
    result = run(FILE, "--syskit-report=x.json", body=body)
    result.assert_outcomes(passed=15)
    drop = "is fixed; run with --syskit-baseline-write to drop it"
    assert [line for line in result.outlines if line.startswith("gone:")] == [
        f"gone: fixture wide (session, test_leaky.py)  fd  device  /dev/zero (read) {drop}",
        f"gone: test_leaky.py::test_file  fd  <tmp_path>/test_file#/x (write) {drop}",
        f"gone: test_leaky.py::test_two  fd  device  /dev/zero (read) (1 of 2) {drop}",
    ]
    report = json.loads((pytester.path / "x.json").read_text())["baseline"]
    assert {name: report[name] for name in ("file", "known", "written")} == {
        "file": "known.txt",
        "known": 6,
        "written": False,
    }
    assert [(gone["owner"], gone["count"]) for gone in report["gone"]] == [
        ("fixture wide (session, test_leaky.py)", 1),
        ("test_leaky.py::test_file", 1),
        ("test_leaky.py::test_two", 1),
    ]
    result = run(FILE, WRITE)
    result.stdout.fnmatch_lines(["wrote 6 leaks of 5 owners * 0 added, 3 dropped"])
    run(FILE).stdout.no_fnmatch_line("gone:*")


def test_a_test_or_file_that_is_no_more_has_gone(run, known, pytester):
    (pytester.path / "test_other.py").write_text("import os\ndef test_a(): os.open('.', 0)\n")
    run(FILE, WRITE, body=SMALL)
    (pytester.path / "test_other.py").unlink()
    result = run(FILE, body=SMALL.replace("test_two", "test_three"))
    told = [line.split()[1] for line in result.outlines if line.startswith("gone:")]
    assert told == ["test_leaky.py::test_two", "test_other.py::test_a"]


STOP = "def test_0(): pass\ndef test_00(): pytest.exit('enough')\ndef test_two()"


@pytest.mark.parametrize(
    ("arguments", "change"),
    [
        (["-k", "clean"], None),
        (["test_leaky.py::test_clean"], None),
        (["other"], None),
        (["--syskit-leak-kinds=process"], None),
        ([], ("def test_two()", SKIP)),
        ([], ("def test_two(): leak()", "def test_two():\n    assert False")),
        ([], ("import pytest", "import pytest\npytest.skip('x', allow_module_level=True)")),
        (["--continue-on-collection-errors"], ("import pytest", "import nothing_of_the_kind")),
        ([], ("def test_two()", STOP)),
    ],
    ids=["k", "id", "folder", "kinds", "skip", "fail", "skipped-module", "broken-module", "exit"],
)
def test_what_did_not_run_has_not_gone_and_is_kept(run, known, pytester, arguments, change):
    other = pytester.mkdir("other")
    (other / "test_o.py").write_text("def test_o(): pass")
    run(FILE, WRITE, body=SMALL)
    body = SMALL.replace(*change) if change else SMALL
    result = run(FILE, *arguments, body=body)
    assert not [x for x in result.outlines if x.startswith("gone:") and "test_two" in x]
    run(FILE, WRITE, *arguments)
    assert "    2 fd  device  /dev/zero (read)" in lines(known)


def test_a_partial_run_adds_and_says_so(run, known):
    run(FILE, WRITE, "-k", "two", body=SMALL)
    result = run(FILE, WRITE, "-k", "one")
    result.stdout.fnmatch_lines(
        ["wrote 3 leaks of 2 owners *; not all tests ran, so the rest was kept"]
    )
    assert "test_two" in lines(known)
    assert "test_one" in lines(known)


def test_a_mark_goes_before_the_file(run, known):
    body = "import os\ndef test_a(): os.open('/dev/zero', 0)\n"
    run(FILE, WRITE, body=body)
    mark = "import pytest\n@pytest.mark.allow_leaks('fd', reason='meant')\n"
    result = run(FILE, body="import os\n" + mark + body.partition("\n")[2])
    result.stdout.fnmatch_lines(["gone: *::test_a *"])
    result.stdout.no_fnmatch_line("*in the baseline*")


def test_known_processes_are_reaped_like_others(run, known):
    body = """
import subprocess
def test_a(): globals()["kept"] = subprocess.Popen(["sleep", "20"])
def test_b(): assert kept.poll() is not None
"""
    run(FILE, WRITE, body=body).assert_outcomes(passed=2)
    run(FILE).assert_outcomes(passed=2)


def test_a_path_in_the_ini_file_begins_at_the_root_and_a_typed_one_where_it_was_typed(
    run, pytester
):
    pytester.makeini("[pytest]\nsyskit_baseline = of_ini.txt")
    folder = pytester.mkdir("below")
    os.chdir(folder)
    (folder / "test_a.py").write_text("import os\ndef test_a(): os.open('/dev/zero', 0)\n")
    for how in ((), XDIST):
        run(WRITE, *how)
        run("--syskit-baseline=typed.txt", WRITE, *how)
        written = [pytester.path / "of_ini.txt", folder / "typed.txt"]
        assert [("below/test_a.py::test_a" in path.read_text()) for path in written] == [True] * 2
        assert run(*how).ret == 0
        for path in written:
            path.unlink()


def test_the_file_is_replaced_as_a_whole_and_keeps_its_permissions(run, known, pytester):
    run(FILE, WRITE, body=SMALL)
    known.chmod(0o640)
    inode = known.stat().st_ino
    run(FILE, WRITE)
    assert known.stat().st_mode & 0o777 == 0o640
    assert known.stat().st_ino != inode
    assert [x.name for x in pytester.path.iterdir() if x.name.startswith(".syskit")] == []


def test_a_link_to_the_file_stays_a_link(run, pytester, known):
    real = pytester.mkdir("elsewhere") / "real.txt"
    known.symlink_to(real)
    run(FILE, WRITE, body=SMALL)
    assert known.is_symlink()
    assert "test_two" in lines(real)


def test_a_file_that_cannot_be_written_after_all_is_told(run, pytester):
    body = "import os, shutil\ndef test_a(): shutil.rmtree('gone')\n"
    pytester.mkdir("gone")
    result = run("--syskit-baseline=gone/known.txt", WRITE, body=body)
    assert result.ret == pytest.ExitCode.INTERNAL_ERROR
    result.stdout.fnmatch_lines(["the baseline gone/known.txt was not written: *No such file*"])
    assert "INTERNALERROR" not in result.stdout.str()


# -- what is refused before the first test -------------------------------------------------------------


def test_collecting_writes_nothing(run, known):
    run(FILE, WRITE, "--collect-only", body=SMALL)
    assert not known.exists()


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ([WRITE], "*--syskit-baseline-write needs --syskit-baseline=FILE, the file to write"),
        (
            [FILE],
            "*known.txt: there is no such file; add --syskit-baseline-write to a run to make it",
        ),
        (["--syskit-baseline="], "*--syskit-baseline takes the path of a file"),
        (["--syskit-baseline=."], "*--syskit-baseline=.: cannot be read: Is a directory"),
        (
            ["--syskit-baseline=no/where.txt", WRITE],
            "*--syskit-baseline=no/where.txt: the directory *no does not exist; make it",
        ),
    ],
)
def test_a_file_that_cannot_be_used_is_a_usage_error(run, arguments, complaint):
    result = run(*arguments, body=SMALL)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([complaint])


@pytest.mark.parametrize("write", [(), (WRITE,)], ids=["read", "write"])
@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (b"[pytest]\n", "line 1: '[[]pytest]'*"),
        (b"# pytest-syskit baseline, format 9\n", "*format 9, and this version reads 1*"),
        (b"# pytest-syskit baseline, format 1\n\xff\n", "*codec can't decode*"),
    ],
)
def test_a_file_of_another_form_is_refused_and_left_alone(run, known, text, complaint, write):
    known.write_bytes(text)
    result = run(FILE, *write, body=SMALL)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        [
            f"*this is no baseline that can be read ({complaint}); mend it, or remove it and make it anew*"
        ]
    )
    assert known.read_bytes() == text


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_directory_that_may_not_be_written_to_is_refused(run, pytester):
    folder = pytester.mkdir("locked")
    folder.chmod(0o500)
    result = run("--syskit-baseline=locked/known.txt", WRITE, body=SMALL)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*the directory *locked cannot be written to; name another file"])


def test_without_the_option_nothing_of_it_is_imported(pytester, monkeypatch):
    pytester.makepyfile(
        "import sys\n"
        "def test_a():\n"
        "    ours = {n for n in sys.modules if n.startswith('pytest_syskit.')}\n"
        "    words = ('known', 'extent', 'places', 'plain_labels', 'repeated', 'side_by_side')\n"
        "    assert not [n for n in ours if n.rpartition('.')[2].startswith(words)]\n"
    )
    pytester.runpytest_subprocess("-p", "syskit").assert_outcomes(passed=1)
