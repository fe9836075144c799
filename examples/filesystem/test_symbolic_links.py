"""Links are made, shown and followed as what they are: live, dangling, or a circle."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from symbolic_links import (
    LinkCircle,
    link_state,
    main,
    relative_target,
    replace_link,
    steps,
    temporary_link,
)

from pytest_syskit import Symlink

pytestmark = pytest.mark.requires("symlink")

SCRIPT = Path(__file__).with_name("symbolic_links.py")


@pytest.fixture
def links(temp_workspace):
    """Stand in a workspace with one link of each sort."""
    temp_workspace.populate(
        {
            "file": "text",
            "sub": {"up": Symlink("../file")},
            "live": Symlink("file"),
            "second": Symlink("live"),
            "dangling": Symlink("nothing"),
            "itself": Symlink("itself"),
            "ping": Symlink("pong"),
            "pong": Symlink("ping"),
        }
    )
    with temp_workspace.chdir():
        yield temp_workspace


@pytest.mark.linux_only(reason="elsewhere links have other permissions")
def test_the_script_prints_the_documented_output(fake_env, process_factory, temp_workspace):
    program = process_factory([sys.executable, SCRIPT, "os_symlink.py"], cwd=temp_workspace)
    assert program.wait(timeout=20) == 0
    first, *rest = program.stdout.splitlines()
    assert first.startswith(f"Creating link {fake_env['TMPDIR']}/os_symlink-")
    assert first.endswith("/link -> os_symlink.py")
    assert rest == ["Permissions: 0120777", "Points to: os_symlink.py"]
    assert os.listdir(fake_env["TMPDIR"]) == []


def test_the_temporary_name_cannot_be_guessed_nor_its_directory_entered(fake_env):
    names = set()
    for _ in range(3):
        with temporary_link("target") as link:
            folder = os.path.dirname(link)
            names.add(folder)
            assert os.path.dirname(folder) == tempfile.gettempdir()
            if os.name == "posix":
                assert stat.S_IMODE(os.stat(folder).st_mode) == 0o700
        assert not os.path.lexists(folder)
    assert len(names) == 3


def test_a_temporary_link_goes_after_an_error_and_its_target_stays(fake_env, temp_workspace):
    target = temp_workspace / "target"
    target.mkdir()
    (target / "precious").touch()
    with pytest.raises(KeyError), temporary_link(str(target)) as link:
        raise KeyError
    assert not os.path.lexists(link)
    assert (target / "precious").exists()


@pytest.mark.parametrize(
    ("name", "state"),
    [
        ("file", "no link"),
        ("sub", "no link"),
        ("absent", "missing"),
        ("live", "live"),
        ("second", "live"),
        ("sub/up", "live"),
        ("dangling", "dangling"),
        ("itself", "circle"),
        ("ping", "circle"),
    ],
)
def test_each_state_is_told_apart(links, name, state):
    assert link_state(name) == state


def test_a_link_through_a_file_dangles_and_one_that_nobody_can_follow_is_an_error(links):
    links.populate({"through": Symlink("file/below"), "long": Symlink("x" * 300)})
    assert link_state("through") == "dangling"
    with pytest.raises(OSError, match="File name too long: 'long'"):
        link_state("long")


def test_exists_calls_a_dangling_link_and_a_circle_missing(links):
    names = ("live", "dangling", "itself")
    assert [os.path.exists(name) for name in names] == [True, False, False]
    assert [os.path.lexists(name) for name in names] == [True, True, True]


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("file", []),
        ("live", ["file"]),
        ("second", ["live", "file"]),
        ("sub/up", [os.path.join("sub", "../file")]),
        ("dangling", ["nothing"]),
    ],
)
def test_steps_end_at_the_first_that_is_no_link(links, name, found):
    assert list(steps(name)) == found


@pytest.mark.parametrize("name", ["itself", "ping"])
def test_steps_in_a_circle_are_an_error(links, name):
    with pytest.raises(LinkCircle, match="more than 40 links in a row"):
        list(steps(name))


def test_forty_links_are_no_circle(temp_workspace):
    temp_workspace.populate({"0": "", **{str(n): Symlink(str(n - 1)) for n in range(1, 41)}})
    with temp_workspace.chdir():
        assert len(list(steps("40"))) == 40
        os.symlink("40", "41")
        with pytest.raises(LinkCircle, match="more than 40"):
            list(steps("41"))


def test_a_relative_target_counts_from_the_link_and_an_absolute_one_does_not(temp_workspace):
    temp_workspace.populate({"file": "", "sub": {}})
    with temp_workspace.chdir():
        os.symlink("file", "sub/wrong")  # seen from here it is right
        os.symlink(relative_target("file", "sub/right"), "sub/right")
        os.symlink(os.path.abspath("file"), "sub/absolute")
    assert os.readlink(temp_workspace / "sub" / "right") == os.path.join("..", "file")
    names = ("wrong", "right", "absolute")
    states = [link_state(str(temp_workspace / "sub" / name)) for name in names]
    assert states == ["dangling", "live", "live"]


def test_a_relative_target_moves_along_and_an_absolute_one_stays_behind(temp_workspace):
    temp_workspace.populate({"old": {"file": "", "relative": Symlink("file")}})
    os.symlink(temp_workspace / "old" / "file", temp_workspace / "old" / "absolute")
    os.rename(temp_workspace / "old", temp_workspace / "new")
    assert link_state(str(temp_workspace / "new" / "relative")) == "live"
    assert link_state(str(temp_workspace / "new" / "absolute")) == "dangling"


def test_a_relative_target_counts_from_the_true_directory_of_the_link(temp_workspace):
    temp_workspace.populate({"file": "", "deep": {"er": {}}, "short": Symlink("deep/er")})
    link = str(temp_workspace / "short" / "link")
    os.symlink(relative_target(str(temp_workspace / "file"), link), link)
    assert os.readlink(link) == os.path.join("..", "..", "file")
    assert link_state(link) == "live"


def _only_change(diff) -> dict[str, tuple[str, ...]]:
    assert (diff.added, diff.removed) == ((), ())
    return diff.changed


def test_a_link_is_pointed_elsewhere_without_a_moment_of_absence(links, monkeypatch):
    seen = []
    replace = os.replace

    def look_and_replace(new, link) -> None:
        seen.append(os.readlink("live"))
        replace(new, link)

    monkeypatch.setattr(os, "replace", look_and_replace)
    before = links.snapshot()
    replace_link("sub", "live")
    assert seen == ["file"]
    assert _only_change(links.diff(before)) == {"live": ("target",)}


def test_a_name_that_is_taken_is_not_touched(links, monkeypatch):
    tokens = iter(["taken", "free"])
    monkeypatch.setattr("secrets.token_hex", lambda _: next(tokens))
    links.populate({"live.taken": "precious"})
    before = links.snapshot()
    replace_link("sub", "live")
    assert _only_change(links.diff(before)) == {"live": ("target",)}


def test_a_directory_is_not_replaced_and_nothing_is_left_behind(links):
    before = links.snapshot()
    with pytest.raises(OSError, match="sub"):
        replace_link("file", "sub")
    assert not links.diff(before)


@pytest.mark.posix_only(reason="names")
def test_odd_names_are_shown_on_one_line(fake_env, capsys):
    assert main(["two\nlines caf\udce9"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == r"Points to: 'two\nlines caf\udce9'"
    assert len(lines) == 3


def test_without_an_argument_the_script_links_to_itself(fake_env):
    done = subprocess.run([sys.executable, SCRIPT], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == f"Points to: {SCRIPT}"
