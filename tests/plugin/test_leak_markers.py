"""leak_policy and allow_leaks: read from a test, checked at collection."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from pytest_syskit.hooks.leak_markers import Policy, allowances_of, policy_of
from pytest_syskit.leaks.rules import Allowance

ALONE = ("--disable-plugin-autoload", "-p", "syskit", "-p", "no:cacheprovider", "-rs")
SETTINGS = SimpleNamespace(leaks="warn", leak_kinds=("process", "fd"), leak_grace=0.2)


def collect(pytester, source):
    module = pytester.getmodulecol("import pytest\n" + source, configargs=ALONE)
    items = pytester.genitems([module])
    return {item.name: item for item in items}


def policies(pytester, source):
    return {name: policy_of(item, SETTINGS) for name, item in collect(pytester, source).items()}


def test_the_options_hold_where_no_mark_says_otherwise(pytester):
    found = policies(pytester, "def test_a(): pass")
    assert found == {"test_a": Policy("warn", ("process", "fd"), 0.2)}


@pytest.mark.parametrize(
    ("arguments", "policy"),
    [
        ("'fail'", Policy("fail", ("process", "fd"), 0.2)),
        ("mode='off'", Policy("off", ("process", "fd"), 0.2)),
        ("'fail', kinds='fd'", Policy("fail", ("fd",), 0.2)),
        ("'fail', kinds=['fd']", Policy("fail", ("fd",), 0.2)),
        ("'fail', kinds=('fd', 'process')", Policy("fail", ("fd", "process"), 0.2)),
        ("'fail', ['fd'], 3", Policy("fail", ("fd",), 3.0)),
        ("'fail', grace=0, reason='why'", Policy("fail", ("process", "fd"), 0.0)),
    ],
)
def test_a_mark_overrides_the_options(pytester, arguments, policy):
    found = policies(pytester, f"@pytest.mark.leak_policy({arguments})\ndef test_a(): pass")
    assert found["test_a"] == policy


def test_the_closest_mark_wins_as_a_whole(pytester):
    found = policies(
        pytester,
        """
pytestmark = pytest.mark.leak_policy("off", grace=9)
def test_module(): pass

@pytest.mark.leak_policy("fail", kinds="fd")
class TestA:
    def test_class(self): pass
    @pytest.mark.leak_policy("warn")
    def test_function(self): pass
    @pytest.mark.parametrize("n", [1, pytest.param(2, marks=pytest.mark.leak_policy("off"))])
    @pytest.mark.leak_policy("warn")
    def test_p(self, n): pass

@pytest.mark.leak_policy("warn", grace=1)
class TestB(TestA):
    pass
""",
    )
    assert found["test_module"] == Policy("off", ("process", "fd"), 9.0)
    assert found["test_function"] == Policy("warn", ("process", "fd"), 0.2)
    assert found["test_p[1]"].mode == "warn"
    assert found["test_p[2]"].mode == "off"
    assert found["test_class"] == Policy("warn", ("process", "fd"), 1.0)  # TestB's own comes first


def test_allowances_of_all_marks_add_up_the_closest_first(pytester):
    items = collect(
        pytester,
        """
pytestmark = pytest.mark.allow_leaks(reason="module")

@pytest.mark.allow_leaks("process", reason="class")
class TestA:
    @pytest.mark.allow_leaks("fd", "process", match="*.log", reason="function")
    def test_a(self): pass

def test_b(): pass
""",
    )
    assert allowances_of(items["test_a"]) == [
        Allowance(("fd", "process"), "*.log", "function"),
        Allowance(("process",), None, "class"),
        Allowance((), None, "module"),
    ]
    assert allowances_of(items["test_b"]) == [Allowance((), None, "module")]


def test_a_test_without_marks_allows_nothing(pytester):
    assert allowances_of(collect(pytester, "def test_a(): pass")["test_a"]) == []


def test_what_parents_carry_is_read_once(pytester):
    item = collect(pytester, "class TestA:\n def test_a(self): pass")["test_a"]
    assert allowances_of(item) == []
    item.parent.own_markers = None  # would fail if it were read again
    assert allowances_of(item) == []
    item.add_marker(pytest.mark.allow_leaks(reason="late"))
    assert allowances_of(item) == [Allowance((), None, "late")]


@pytest.mark.parametrize(
    ("mark", "complaint"),
    [
        ("leak_policy", "missing a required argument: 'mode'; use it as leak_policy(*"),
        ("leak_policy('never')", "mode 'never': takes one of off, warn, fail"),
        ("leak_policy(['off'])", "mode ['off']: takes one of off, warn, fail"),
        (
            "leak_policy('off', kinds='fds')",
            "does not know the kind 'fds'; it takes process, *",
        ),
        ("leak_policy('off', kinds=7)", "does not know the kind '7'; it takes process, *"),
        ("leak_policy('off', kinds=())", "kinds=(): takes at least one of process, *"),
        ("leak_policy('off', grace=-1)", "grace=-1: takes a number of seconds, 0 or more"),
        ("leak_policy('off', grace='1')", "grace='1': takes a number of seconds, 0 or more"),
        ("leak_policy('off', grace=True)", "grace=True: takes a number of seconds, 0 or more"),
        ("leak_policy('off', reason=1)", "reason=1: takes a text that says why"),
        ("leak_policy('off', kind='fd')", "got an unexpected keyword argument 'kind'; use it as *"),
        ("allow_leaks", 'has no reason; add reason="why these are meant to stay"'),
        ("allow_leaks('fd')", 'has no reason; add reason="why these are meant to stay"'),
        ("allow_leaks('fd', reason='')", "reason='': takes a text that says why"),
        (
            "allow_leaks('fds', reason='x')",
            "does not know the kind 'fds'; it takes process, fd*, or none for any",
        ),
        ("allow_leaks(3, reason='x')", "takes each kind as a text, not 3"),
        (
            "allow_leaks('fd', match=3, reason='x')",
            "match=3: takes a pattern on the label, as a text",
        ),
        ("allow_leaks(why='x')", "got an unexpected keyword argument 'why'; use it as *"),
    ],
)
def test_wrong_arguments_end_the_run(pytester, mark, complaint):
    pytester.makepyfile(test_it=f"import pytest\n\n@pytest.mark.{mark}\ndef test_a(): pass\n")
    result = pytester.runpytest_inprocess(*ALONE)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    spelled, complaint = (text.replace("[", "[[]") for text in (mark, complaint))
    result.stderr.fnmatch_lines(
        [f"ERROR: test_it.py:3: test_a: pytest.mark.{spelled}: {complaint}"]
    )


@pytest.mark.parametrize("name", ["leak_policy", "allow_leaks"])
def test_the_markers_are_listed(pytester, name):
    result = pytester.runpytest_inprocess(*ALONE, "--markers")
    result.stdout.fnmatch_lines([f"@pytest.mark.{name}(*): *"])


ROWS = """
from pytest_syskit import Resource
ROWS = set()
ASKED = []

class RowDetector:
    kind = "row"
    def snapshot(self): return frozenset(Resource("row", (name,)) for name in ROWS)
    def describe(self, resource): return resource.told(f"row {resource.key[0]}", {})
    def reclaim(self, resource): ROWS.discard(resource.key[0])

def pytest_syskit_detectors(config):
    ASKED.append(1)
    return [RowDetector()]
"""
USES = """
import pytest
from conftest import ASKED, ROWS

def test_leaks(): ROWS.add("one")
@pytest.mark.allow_leaks("row", reason="meant")
def test_allowed(): ROWS.add("two")
@pytest.mark.allow_leaks("row", "fd", match="three", reason="meant")
def test_allowed_by_name(): ROWS.add("three")
@pytest.mark.leak_policy("off", kinds=["row"])
def test_off(): ROWS.add("four")
def test_by_rule(): ROWS.add("five")
def test_detectors_are_made_once(): assert ASKED == [1]
"""


def test_kinds_of_other_plugins_are_known(pytester):
    pytester.makeconftest(ROWS)
    pytester.makepyfile(test_it=USES)
    result = pytester.runpytest_subprocess(
        *ALONE, "--syskit-leaks=fail", "--syskit-leak-ignore=row:five # meant"
    )
    result.assert_outcomes(passed=6, errors=1)
    result.stdout.fnmatch_lines(["*test_leaks left 1 row behind*"])


@pytest.mark.parametrize(
    "mark", ["allow_leaks('rows', reason='x')", "leak_policy('off', kinds='rows')"]
)
def test_an_unknown_kind_is_refused_with_those_of_other_plugins(pytester, mark):
    pytester.makeconftest(ROWS)
    pytester.makepyfile(test_it=f"import pytest\n@pytest.mark.{mark}\ndef test_a(): pass\n")
    result = pytester.runpytest_subprocess(*ALONE)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*does not know the kind 'rows'; it takes process, *timer, row,*"])


def test_an_unknown_kind_of_a_rule_is_refused_with_those_of_other_plugins(pytester):
    pytester.makeconftest(ROWS)
    result = pytester.runpytest_subprocess(*ALONE, "--syskit-leak-ignore=rows:five # meant")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*'rows' is no kind; take one of process, *timer, row or*"])


def test_a_mark_added_late_may_name_it(pytester):
    pytester.makeconftest(ROWS)
    body = """
import pytest
from conftest import ROWS
def test_a(request):
    ROWS.add("one")
    request.node.add_marker(pytest.mark.allow_leaks("row", reason="meant"))
"""
    pytester.makepyfile(test_it=body)
    pytester.runpytest_subprocess(*ALONE, "--syskit-leaks=fail").assert_outcomes(passed=1)
