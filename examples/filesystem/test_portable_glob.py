"""A pattern means the same everywhere, and a walk ends whatever links there are (exercise D25)."""
# ruff: noqa: ANN003, ANN202  # what is run in children, and stand-ins for functions

from __future__ import annotations

import os

import portable_glob as module
import pytest
from portable_glob import portable_glob

from pytest_syskit import Returned, Symlink

pytestmark = pytest.mark.posix_only
TREE = {
    "a.py": "",
    "B.PY": "",
    "back\\slash": "",
    ".venv": {"v.py": ""},
    "build": {"x.py": "", "lib": {"y.py": ""}},
    "src": {
        "m.py": "",
        ".secret.py": "",
        "build": {"z.py": ""},
        "node_modules": {"deep": {"n.py": ""}},
        "sub": {"o.py": "", "o.pyc": ""},
    },
}


def fail(error):
    raise error


def found(root, pattern, **options):
    return list(portable_glob(root, pattern, on_error=fail, **options))


@pytest.fixture
def tree(temp_workspace):
    return temp_workspace.populate(TREE)


@pytest.mark.parametrize(
    ("pattern", "paths"),
    [
        ("*.py", ["a.py"]),
        ("*/*.py", ["build/x.py", "src/m.py"]),
        ("src/**/*.py", ["src/m.py", "src/build/z.py", "src/node_modules/deep/n.py",
                         "src/sub/o.py"]),
        ("src/**/**/o.*", ["src/sub/o.py", "src/sub/o.pyc"]),
        ("**/build/*.py", ["build/x.py", "src/build/z.py"]),
        ("build/**", ["build", "build/lib", "build/x.py", "build/lib/y.py"]),
        ("./src//s?b", ["src/sub"]),
        ("**/[!a-m].py", ["build/x.py", "build/lib/y.py", "src/build/z.py",
                          "src/node_modules/deep/n.py", "src/sub/o.py"]),
        (".*", [".venv"]),
        ("*/.*", ["src/.secret.py"]),
        (".venv/*", [".venv/v.py"]),
        ("nothing/**", []),
    ],
)  # fmt: skip
def test_each_form_matches_what_it_says(tree, pattern, paths):
    assert found(tree, pattern) == paths


def test_two_stars_match_everything_and_the_root_is_not_in_it(tree):
    everything = found(tree, "**", hidden=True)
    assert len(everything) == len(set(everything)) == 20
    assert "" not in everything
    assert "." not in everything


def test_hidden_names_match_when_asked_for(tree):
    assert found(tree, "**/v.py") == []
    assert found(tree, "**/v.py", hidden=True) == [".venv/v.py"]
    assert found(tree, "src/*.py", hidden=True) == ["src/.secret.py", "src/m.py"]


@pytest.mark.parametrize("system", ["windows", "macos", "linux"])
def test_letters_have_a_case_unless_told_otherwise_on_every_system(tree, fake_platform, system):
    with fake_platform(system):
        assert found(tree, "*.py") == ["a.py"]
        assert found(tree, "*.PY") == ["B.PY"]
        assert found(tree, "*.Py", ignore_case=True) == ["B.PY", "a.py"]
        assert found(tree, "SRC/M.py", ignore_case=True) == ["src/m.py"]
        assert found(tree, "SRC/M.py") == []


def test_what_is_left_out_may_ignore_case_too(tree):
    assert found(tree, "*/*.py", exclude=["BUILD"]) == ["build/x.py", "src/m.py"]
    assert found(tree, "*/*.py", exclude=["BUILD"], ignore_case=True) == ["src/m.py"]


def test_a_backslash_is_a_character_of_a_name_here(tree):
    assert found(tree, "back\\slash") == ["back\\slash"]
    assert found(tree, "src\\m.py") == []


def test_results_have_slashes_where_the_system_has_other_separators(tree, monkeypatch):
    relpath = os.path.relpath
    monkeypatch.setattr(module.os, "sep", "\\")
    monkeypatch.setattr(
        module.os.path, "relpath", lambda *paths: relpath(*paths).replace("/", "\\")
    )
    assert found(tree, "src/sub/*") == ["src/sub/o.py", "src/sub/o.pyc"]


def test_letters_with_accents_match_however_they_are_encoded(temp_workspace):
    temp_workspace.populate({"e\u0301.txt": "", "\u00fc.txt": ""})
    assert found(temp_workspace, "\u00e9.txt") == ["e\u0301.txt"]
    assert found(temp_workspace, "u\u0308.*") == ["\u00fc.txt"]
    assert found(temp_workspace, "?.txt") == ["e\u0301.txt", "\u00fc.txt"]


@pytest.mark.parametrize(
    ("exclude", "left"),
    [
        (["build"], ["src/m.py", "src/node_modules/deep/n.py", "src/sub/o.py"]),
        (["build", "node_modules"], ["src/m.py", "src/sub/o.py"]),
        (["b*", "src/sub"], ["src/m.py", "src/node_modules/deep/n.py"]),
        (["src/build", "/build"], ["src/m.py", "src/node_modules/deep/n.py", "src/sub/o.py"]),
        (["**/deep", "build/lib", "[x-z].py"], ["src/m.py", "src/sub/o.py"]),
        (["src/*/*"], ["build/x.py", "src/m.py", "build/lib/y.py"]),
        (["sub/o.py", "deep/n.py", "lib"], ["build/x.py", "src/m.py", "src/build/z.py",
                                            "src/node_modules/deep/n.py", "src/sub/o.py"]),
        (["src/**"], ["build/x.py", "build/lib/y.py"]),
        (["*"], []),
    ],
)  # fmt: skip
def test_what_is_left_out_is_left_out_at_every_depth(tree, exclude, left):
    assert sorted(found(tree, "*/**/*.py", exclude=exclude)) == sorted(left)


@pytest.fixture
def listed(tree, monkeypatch):
    """The directories that were listed, relative to the tree."""
    places = []
    scandir = os.scandir

    def noted(place):
        places.append(os.path.relpath(place, tree))
        return scandir(place)

    monkeypatch.setattr(os, "scandir", noted)
    return places


def test_directories_that_are_left_out_are_not_entered(tree, listed):
    found(tree, "**", exclude=["node_modules", "build"])
    assert listed == [".", "src", "src/sub"]


@pytest.mark.parametrize(("pattern", "places"), [("*.py", ["."]), ("b*/*.py", [".", "build"])])
def test_directories_where_nothing_can_match_are_not_entered(tree, listed, pattern, places):
    found(tree, pattern)
    assert listed == places


LOOPS = {
    "a": {"x.py": "", "self": Symlink("."), "up": Symlink("../.."), "b": {"top": Symlink("../..")}},
    "out": Symlink("a"),
    "dangling.py": Symlink("nowhere"),
    "circle": Symlink("circle"),
}


@pytest.mark.signal_timeout(20)
def test_links_in_circles_end_and_each_directory_comes_once(temp_workspace):
    temp_workspace.populate({"t": LOOPS})
    paths = found(temp_workspace / "t", "**/*.py", follow_links=True)
    assert paths == ["dangling.py", "a/x.py"]
    everything = found(temp_workspace / "t", "**", follow_links=True)
    assert len(everything) == len(set(everything)) < 20


def test_links_are_followed_only_if_asked_for(temp_workspace):
    temp_workspace.populate({"t": {"link": Symlink("../out")}, "out": {"x.py": ""}})
    assert found(temp_workspace / "t", "**/*.py") == []
    assert found(temp_workspace / "t", "**") == ["link"]
    assert found(temp_workspace / "t", "**/*.py", follow_links=True) == ["link/x.py"]


def test_the_root_is_no_pattern_and_may_be_a_link_or_relative(temp_workspace):
    temp_workspace.populate({"[a]*": TREE, "link": Symlink("[a]*"), "a": {"wrong.py": ""}})
    assert found(temp_workspace / "[a]*", "*.py") == ["a.py"]
    with temp_workspace.chdir():
        assert found("link/", "sr*/*.py") == ["src/m.py"]
        assert found(".", "link", exclude=["a"]) == ["link"]


@pytest.mark.parametrize("pattern", ["", "/", "/etc/*", "../*", "a/../b", "."])
def test_patterns_that_lead_elsewhere_are_refused(tree, pattern):
    with pytest.raises(ValueError, match=r"names below the root are expected"):
        found(tree, pattern)


def test_a_missing_root_is_told(temp_workspace):
    with pytest.raises(FileNotFoundError, match="missing"):
        found(temp_workspace / "missing", "*")


def _look_into_closed(root):
    errors = []
    paths = list(portable_glob(root, "**", on_error=errors.append))
    return paths, [os.path.basename(error.filename) for error in errors]


@pytest.mark.requires("dac")
def test_an_unreadable_directory_is_told_and_the_rest_goes_on(temp_workspace):
    temp_workspace.populate({"closed": {"x": ""}, "open": {"y": ""}})
    (temp_workspace / "closed").chmod(0)
    assert _look_into_closed(temp_workspace) == (["closed", "open", "open/y"], ["closed"])


@pytest.mark.requires_root
def test_a_directory_that_an_ordinary_user_cannot_read_is_told(short_socket_dir, fork_runner):
    for name in ("closed/x", "open/y"):
        (short_socket_dir / name).mkdir(parents=True)
    (short_socket_dir / "closed").chmod(0)
    short_socket_dir.chmod(0o755)
    result = fork_runner.run(_look_into_closed, short_socket_dir, user=65534)
    assert result == Returned((["closed", "open", "open/y"], ["closed"]))


def test_nothing_stays_open_when_the_reader_has_seen_enough(tree, leak_check):
    with leak_check():
        walk = portable_glob(tree, "**/*.py", on_error=fail)
        assert next(walk) == "a.py"
        walk.close()
