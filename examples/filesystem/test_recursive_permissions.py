"""Every file and directory gets its mode, and nothing outside of the tree does (exercise D19)."""
# ruff: noqa: ANN202  # what is run in children returns what the test compares

from __future__ import annotations

import os
import stat

import pytest
import recursive_permissions as module
from recursive_permissions import set_permissions

from pytest_syskit import Executable, Fifo, File, Returned, Symlink

pytestmark = pytest.mark.posix_only
TREE = {
    "a.txt": File("a", mode=0o600),
    "run": Executable("exit 0"),
    "wide": File("", mode=0o4777),
    "sub": {"deep": {"b.txt": File("b", mode=0)}, "same.txt": ""},
}


def fail(error):
    raise error


def modes(root):
    """The mode of each entry below, links aside, by its path."""
    found = {".": os.stat(root)}
    for folder, directories, files in os.walk(root):
        for name in [*directories, *files]:
            path = os.path.join(folder, name)
            found[os.path.relpath(path, root)] = os.lstat(path)
    return {path: stat.S_IMODE(status.st_mode) for path, status in found.items()}


def test_files_are_644_and_directories_755_at_every_depth(temp_workspace, leak_check):
    temp_workspace.populate({"t": TREE})
    with leak_check():
        changed = set_permissions(temp_workspace / "t", on_error=fail)
    assert modes(temp_workspace / "t") == {
        ".": 0o755,
        "a.txt": 0o644,
        "run": 0o644,
        "wide": 0o644,
        "sub": 0o755,
        "sub/same.txt": 0o644,
        "sub/deep": 0o755,
        "sub/deep/b.txt": 0o644,
    }
    assert changed == 4  # a.txt, run, wide and b.txt; the others had these modes


def test_a_second_run_changes_nothing(temp_workspace):
    temp_workspace.populate({"t": TREE})
    (temp_workspace / "t" / "sub").chmod(0o700)
    assert set_permissions(temp_workspace / "t", on_error=fail) == 5
    assert set_permissions(temp_workspace / "t", on_error=fail) == 0


@pytest.mark.parametrize(
    ("file_mode", "runnable"), [(0o644, 0o755), (0o640, 0o750), (0o600, 0o700), (0o444, 0o555)]
)
def test_programs_stay_programs_if_asked_for(temp_workspace, file_mode, runnable):
    temp_workspace.populate({"run": Executable(""), "mine": File("", mode=0o100), "no": ""})
    set_permissions(temp_workspace, on_error=fail, file_mode=file_mode, keep_executable=True)
    found = modes(temp_workspace)
    assert (found["run"], found["mine"], found["no"]) == (runnable, runnable, file_mode)


def test_no_link_is_followed_and_what_is_no_file_stays_as_it_is(temp_workspace):
    temp_workspace.populate(
        {
            "outside": {"x": File("", mode=0o600)},
            "t": {
                "to directory": Symlink("../outside"),
                "to file": Symlink("../outside/x"),
                "up": Symlink(".."),
                "fifo": Fifo(mode=0o600),
            },
        }
    )
    (temp_workspace / "outside").chmod(0o711)
    assert set_permissions(temp_workspace / "t", on_error=fail) == 0
    assert modes(temp_workspace / "outside") == {".": 0o711, "x": 0o600}
    assert modes(temp_workspace / "t")["fifo"] == 0o600


@pytest.mark.parametrize("end", ["", "/"])
def test_a_root_that_is_a_link_or_a_file_is_refused(temp_workspace, end):
    temp_workspace.populate({"d": {"x": File("", mode=0o600)}, "link": Symlink("d"), "file": ""})
    before = temp_workspace.snapshot()
    for name in ("link", "file"):
        with pytest.raises(NotADirectoryError, match=name):
            set_permissions(f"{temp_workspace / name}{end}", on_error=fail)
    assert not temp_workspace.diff(before)


@pytest.mark.parametrize("directory_mode", [0o755, 0o600])
@pytest.mark.parametrize("entry", ["file", "directory"])
def test_what_becomes_a_link_under_our_eyes_is_told_and_not_followed(
    temp_workspace, monkeypatch, entry, directory_mode
):
    temp_workspace.populate(
        {
            "outside file": File("", mode=0o600),
            "outside directory": {"in": File("", mode=0o600)},
            "t": {"x": File("", mode=0o600) if entry == "file" else {}},
        }
    )
    (temp_workspace / "outside directory").chmod(0o711)
    if entry == "directory":
        (temp_workspace / "t" / "x").chmod(directory_mode)
    outside = modes(temp_workspace)
    lstat = os.lstat

    def swap_after_the_look(path, *, dir_fd=None):
        found = lstat(path, dir_fd=dir_fd)
        if path == "x":
            os.rename(temp_workspace / "t" / "x", temp_workspace / "moved away")
            (temp_workspace / "t" / "x").symlink_to(f"../outside {entry}")
        return found

    monkeypatch.setattr(module.os, "lstat", swap_after_the_look)
    errors = []
    set_permissions(temp_workspace / "t", on_error=errors.append)
    monkeypatch.undo()
    for name in ("outside file", "outside directory", "outside directory/in"):
        assert modes(temp_workspace)[name] == outside[name]
    assert [error.filename for error in errors] == [str(temp_workspace / "t" / "x")]


def test_without_descriptors_for_names_no_link_is_followed_either(temp_workspace, monkeypatch):
    temp_workspace.populate({"x": File("", mode=0o600)})
    asked = []
    monkeypatch.delattr(module.os, "O_PATH", raising=False)  # as on macOS, which can this instead
    monkeypatch.setattr(
        module.os, "chmod", lambda *given, **options: asked.append((given, options))
    )
    assert set_permissions(temp_workspace, on_error=fail) == 2
    ((given, options),) = asked
    assert given == ("x", 0o644)
    assert options["follow_symlinks"] is False
    assert isinstance(options["dir_fd"], int)


def test_what_vanishes_meanwhile_is_no_error(temp_workspace, monkeypatch):
    temp_workspace.populate({"a": File("", mode=0o600), "b": File("", mode=0o600)})
    listdir = os.listdir
    monkeypatch.setattr(module.os, "listdir", lambda where: [*listdir(where), "a-gone"])
    assert set_permissions(temp_workspace, on_error=fail) == 3
    assert modes(temp_workspace)["b"] == 0o644


def test_an_error_that_ends_the_walk_leaves_no_directory_open(temp_workspace, monkeypatch):
    temp_workspace.populate({"d": {"x": ""}})
    (temp_workspace / "d").chmod(0o300)

    def refuse(_):
        raise PermissionError(1, "no", "")

    monkeypatch.setattr(module.os, "listdir", refuse)
    with pytest.raises(PermissionError, match=r"/d'$"):
        set_permissions(temp_workspace / "d", on_error=fail, directory_mode=0o500)
    assert stat.S_IMODE((temp_workspace / "d").stat().st_mode) == 0o500


def _restrict_and_see(root, directory_mode):
    errors = []
    set_permissions(root, on_error=errors.append, directory_mode=directory_mode)
    top = stat.S_IMODE(os.stat(root).st_mode)
    set_permissions(root, on_error=errors.append)  # and open it again, to look inside
    return top, modes(root), errors


ALL_SET = {".": 0o755, "shut": 0o755, "shut/in": 0o755, "shut/in/x": 0o644}


def _shut_tree(root):
    """A tree whose directories nobody may enter, not even their owner."""
    os.makedirs(os.path.join(root, "shut", "in"))
    with open(os.path.join(root, "shut", "in", "x"), "w"):
        pass
    os.chmod(os.path.join(root, "shut", "in", "x"), 0)
    os.chmod(os.path.join(root, "shut", "in"), 0)
    os.chmod(os.path.join(root, "shut"), 0o600)


def _as_ordinary_user(root, directory_mode):
    _shut_tree(root)
    return _restrict_and_see(root, directory_mode)


@pytest.mark.requires("dac")
@pytest.mark.parametrize("directory_mode", [0o755, 0o644, 0o600, 0])
def test_modes_without_execute_do_not_stop_the_walk(temp_workspace, directory_mode):
    assert _as_ordinary_user(str(temp_workspace), directory_mode) == (directory_mode, ALL_SET, [])


@pytest.mark.requires_root
@pytest.mark.parametrize("directory_mode", [0o755, 0o644, 0o600, 0])
def test_modes_without_execute_do_not_stop_the_walk_of_an_ordinary_user(
    short_socket_dir, fork_runner, directory_mode
):
    root = short_socket_dir / "t"
    root.mkdir()
    os.chown(root, 65534, 65534)
    short_socket_dir.chmod(0o755)
    result = fork_runner.run(_as_ordinary_user, str(root), directory_mode, user=65534)
    assert result == Returned((directory_mode, ALL_SET, []))


def _told(root):
    errors = []
    set_permissions(root, on_error=errors.append)
    return [(type(error).__name__, os.path.relpath(error.filename, root)) for error in errors]


@pytest.mark.requires_root
def test_what_belongs_to_another_user_is_told_and_the_rest_goes_on(short_socket_dir, fork_runner):
    root = short_socket_dir / "t"
    for name in ("mine", "theirs", "shut"):
        (root / name).mkdir(parents=True)
        (root / name / "x").touch(mode=0o600)
    os.chmod(root / "shut", 0)
    for path in (root, root / "mine", root / "mine" / "x"):
        os.chown(path, 65534, 65534)
    short_socket_dir.chmod(0o755)
    result = fork_runner.run(_told, str(root), user=65534)
    assert result == Returned(
        [
            ("PermissionError", "shut"),
            ("PermissionError", "theirs/x"),
            ("PermissionError", "theirs"),
        ]
    )
    assert stat.S_IMODE((root / "mine" / "x").stat().st_mode) == 0o644
