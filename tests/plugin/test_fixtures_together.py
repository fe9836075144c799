"""Our fixtures beside pytest's own: in any order, as another user, kept after a failure."""

from __future__ import annotations

import os

import pytest

as_root = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="becomes another user"
)


@pytest.fixture
def run(pytester, monkeypatch):
    """Run tests in a process of its own, with our plugin alone."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setenv("SHELL", "/bin/of-the-machine")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)

    def _run(body, *arguments):
        pytester.makepyfile(body)
        command = ["-p", "syskit", "-p", "no:cacheprovider", *arguments]
        return pytester.runpytest_subprocess(*command, timeout=60)

    return _run


ENVIRONMENT = """
import os
import pytest

HOME = os.environ["HOME"]

@pytest.fixture
def patched_before(monkeypatch):
    monkeypatch.setenv("SHELL", "/patched/before")

@pytest.fixture(autouse=True, scope="module")
def as_before():
    before = {k: v for k, v in os.environ.items() if k != "PYTEST_CURRENT_TEST"}
    yield
    after = {k: v for k, v in os.environ.items() if k != "PYTEST_CURRENT_TEST"}
    assert after == before

def patch(monkeypatch):
    for name in ("HOME", "SHELL", "XDG_CACHE_HOME", "OF_THE_TEST"):
        monkeypatch.setenv(name, "/patched")
    monkeypatch.delenv("TZ")
"""


@pytest.mark.parametrize(
    "order",
    [
        "fake_env, monkeypatch",
        "monkeypatch, fake_env",
        "patched_before, fake_env, monkeypatch",
        "fake_env, patched_before, monkeypatch",
    ],
)
def test_fake_env_and_monkeypatch_leave_the_environment_as_it_was_in_any_order(run, order):
    body = f"{ENVIRONMENT}\ndef test_it({order}):\n    patch(monkeypatch)\n"
    body += "    assert os.environ['HOME'] == '/patched' and 'TZ' not in fake_env\n"
    run(body, "--syskit-leaks=fail", "--syskit-leak-kinds=all").assert_outcomes(passed=1)


def test_monkeypatch_asked_for_in_the_test_is_undone_first(run):
    body = ENVIRONMENT + (
        "def test_it(fake_env, request):\n    patch(request.getfixturevalue('monkeypatch'))\n"
    )
    run(body, "--syskit-leaks=fail", "--syskit-leak-kinds=all").assert_outcomes(passed=1)


def test_undoing_by_hand_ends_the_fake_environment_too(run):
    body = f"""{ENVIRONMENT}
def test_it(monkeypatch, fake_env):
    assert os.environ["HOME"] == str(fake_env.home)
    patch(monkeypatch)
    monkeypatch.undo()
    assert (os.environ["HOME"], os.environ["SHELL"]) == (HOME, "/bin/of-the-machine")
"""
    run(body, "--syskit-leaks=fail", "--syskit-leak-kinds=all").assert_outcomes(passed=1)


def test_a_context_of_monkeypatch_ends_with_the_fake_values(run):
    body = f"""{ENVIRONMENT}
def test_it(monkeypatch, fake_env):
    with monkeypatch.context() as inner:
        patch(inner)
    assert os.environ["HOME"] == str(fake_env.home)
    assert os.environ["TZ"] == "UTC"
    assert "SHELL" not in os.environ
"""
    run(body).assert_outcomes(passed=1)


@as_root
def test_temp_workspace_works_in_a_test_that_runs_as_another_user(run, pytester):
    result = run(
        """
        import os, pytest

        @pytest.mark.run_in_fork(user="nobody")
        def test_it(temp_workspace):
            assert os.getuid() != 0
            temp_workspace.populate({"a": "spam"})
            print("PLACE", temp_workspace.path)
            assert False, "kept nowhere, for nobody would clear it up"
        """
    )
    result.assert_outcomes(failed=1)
    (line,) = [each for each in result.outlines if each.startswith("PLACE ")]
    assert not os.path.exists(line.removeprefix("PLACE "))
    result.stdout.no_fnmatch_line("*kept: *")


OPENED = """
import os

def test_it(temp_workspace, fork_runner):
    home = temp_workspace.path
    temp_workspace.open_to("nobody").populate({"a": "spam"})
    fork_runner.run((temp_workspace / "b").write_text, "ham", user="nobody").unwrap()
    print("AWAY", temp_workspace.path)
    assert temp_workspace.path != home
"""


@as_root
def test_a_workspace_of_another_user_is_kept_in_the_place_of_pytest(run):
    result = run(OPENED + "    assert False\n")
    result.assert_outcomes(failed=1)
    (away,) = [each.split()[1] for each in result.outlines if each.startswith("AWAY ")]
    (kept,) = [each.split()[1] for each in result.outlines if each.startswith("kept: ")]
    assert sorted(os.listdir(kept)) == ["a", "b"]
    assert not os.path.islink(kept)
    assert not os.path.exists(away)


@as_root
def test_a_workspace_of_another_user_is_removed_after_a_success(run):
    result = run(OPENED, "-s", "--syskit-leaks=fail")
    result.assert_outcomes(passed=1)
    (away,) = [line.split()[-1] for line in result.outlines if "AWAY " in line]
    assert not os.path.lexists(away)
