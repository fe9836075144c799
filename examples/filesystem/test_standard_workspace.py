"""A workspace has its parts, one program works in all of them, and none stays behind (D22)."""
# ruff: noqa: ANN202  # what is run in children

from __future__ import annotations

import configparser
import os
import signal
import stat
import sys
from pathlib import Path

import pytest
from standard_workspace import CONFIGURATION, opened, run_job, standard_workspace

from pytest_syskit import Executable, Exited, Fifo, Raised, Symlink

pytestmark = pytest.mark.posix_only


@pytest.fixture
def workspace(temp_workspace):
    """The same place, made by the plugin: the preset of ``temp_workspace``."""
    return opened(temp_workspace.standard())


@pytest.fixture(params=["context manager", "preset"])
def either_workspace(request, temp_workspace):
    """A workspace of either make; what is written for one works in the other."""
    if request.param == "preset":
        yield request.getfixturevalue("workspace")
        return
    with standard_workspace(temp_workspace) as made:
        yield made


def test_it_has_all_its_parts_and_nobody_else_may_look(either_workspace):
    names = sorted(os.listdir(either_workspace.root))
    assert names == ["config.ini", "input", "output", "temp"]
    assert stat.S_IMODE(either_workspace.root.stat().st_mode) == 0o700
    for folder in (either_workspace.input, either_workspace.output, either_workspace.temp):
        assert os.listdir(folder) == []
    assert either_workspace.input == either_workspace.root / "input"
    assert either_workspace.config == either_workspace.root / "config.ini"


def test_the_configuration_says_the_same_in_both(either_workspace):
    parser = configparser.ConfigParser()
    parser.read(either_workspace.config)
    assert {name: dict(parser[name]) for name in parser.sections()} == CONFIGURATION


def test_a_job_runs_in_either(either_workspace):
    (either_workspace.input / "b.txt").write_bytes(b"2\r\n\xff\n1")
    (either_workspace.input / "a.txt").write_bytes(b"")
    (either_workspace.input / "c.md").write_bytes(b"not for us")
    assert run_job(either_workspace) == 2
    assert (either_workspace.output / "b.txt").read_bytes() == b"12\r\n\xff\n"
    assert sorted(os.listdir(either_workspace.output)) == ["a.txt", "b.txt"]
    assert os.listdir(either_workspace.temp) == []


def test_the_fixture_names_the_same_places_as_the_configuration(temp_workspace, workspace):
    assert (temp_workspace.input, temp_workspace.output) == (workspace.input, workspace.output)
    assert (temp_workspace.temp, temp_workspace.config) == (workspace.temp, workspace.config)


def test_directories_are_where_the_configuration_says(temp_workspace):
    temp_workspace.standard().populate({"in": {"a.txt": "b\na\n"}})
    text = temp_workspace.config.read_text().replace("input = input", "input = in")
    temp_workspace.config.write_text(text)
    assert run_job(opened(temp_workspace)) == 1
    assert (temp_workspace.output / "a.txt").read_text() == "a\nb\n"


def test_a_percent_sign_in_the_configuration_is_one(temp_workspace):
    temp_workspace.standard().populate({"100%": {}})
    text = temp_workspace.config.read_text().replace("input = input", "input = 100%")
    temp_workspace.config.write_text(text)
    assert opened(temp_workspace).input == temp_workspace / "100%"


def test_a_workspace_without_configuration_is_an_error(temp_workspace):
    with pytest.raises(FileNotFoundError, match=r"config\.ini"):
        opened(temp_workspace)
    temp_workspace.populate({"config.ini": "[paths]\ninput = input\n"})
    with pytest.raises(KeyError, match="output"):
        opened(temp_workspace)


def test_it_is_removed_with_everything_that_the_job_made(temp_workspace, leak_check):
    temp_workspace.populate({"precious": {"x": "keep"}})
    with leak_check(), standard_workspace(temp_workspace) as made:
        (made.temp / "link").symlink_to(temp_workspace / "precious")
        (made.temp / "shut" / "deep").mkdir(parents=True)
        os.mkfifo(made.temp / "fifo")
        (made.temp / "shut").chmod(0)
    assert os.listdir(temp_workspace) == ["precious"]
    assert (temp_workspace / "precious" / "x").read_text() == "keep"


class Stop(BaseException):
    """As KeyboardInterrupt: no ``except Exception`` sees it."""


@pytest.mark.parametrize("error", [ZeroDivisionError, KeyboardInterrupt, GeneratorExit, Stop])
def test_it_is_removed_after_any_exception(temp_workspace, error):
    with pytest.raises(error), standard_workspace(temp_workspace, results=temp_workspace / "r"):
        raise error
    assert os.listdir(temp_workspace) == []  # no results either: they would be half of them


def _exit_inside(parent):
    with standard_workspace(parent) as made:
        (made.temp / "x").touch()
        sys.exit(2)


def test_it_is_removed_when_the_program_exits(temp_workspace, fork_runner):
    assert fork_runner.run(_exit_inside, temp_workspace.path) == Exited(2)
    assert os.listdir(temp_workspace) == []


def _fill_nothing(parent):
    with standard_workspace(parent):
        raise AssertionError("the block was entered")


def test_it_is_removed_when_it_could_not_be_made_whole(temp_workspace, fork_runner):
    result = fork_runner.run(_fill_nothing, temp_workspace.path, limits={"fsize": 10})
    assert isinstance(result, Raised)
    assert isinstance(result.error, OSError)
    assert os.listdir(temp_workspace) == []


def test_results_stay_and_the_rest_goes(temp_workspace):
    with standard_workspace(temp_workspace, results=temp_workspace / "results") as made:
        (made.input / "a.txt").write_text("2\n1\n")
        run_job(made)
    assert os.listdir(temp_workspace) == ["results"]
    assert (temp_workspace / "results" / "a.txt").read_text() == "1\n2\n"


@pytest.mark.parametrize("there", ["file", {}, Symlink("nowhere"), Fifo()], ids=repr)
def test_results_never_overwrite_and_it_is_said_before_the_work(temp_workspace, there):
    before = temp_workspace.populate({"results": there}).snapshot()
    workspace = standard_workspace(temp_workspace, results=temp_workspace / "results")
    with pytest.raises(FileExistsError, match="place of the results"), workspace:
        pytest.fail("the block was entered")
    assert not temp_workspace.diff(before)


def test_ctrl_c_removes_it_too(temp_workspace, process_factory):
    folder = Path(__file__).parent
    temp_workspace.populate(
        {
            "job": Executable(
                f"#!{sys.executable}\n"
                f"import sys, time; sys.path.insert(0, {str(folder)!r})\n"
                "from standard_workspace import standard_workspace\n"
                "with standard_workspace('there') as made:\n"
                "    print('ready', flush=True)\n"
                "    time.sleep(60)\n"
            ),
            "there": {},
        }
    )
    job = process_factory([str(temp_workspace / "job")], cwd=temp_workspace.path, ready="ready")
    assert len(os.listdir(temp_workspace / "there")) == 1
    job.expect_exit(1, -signal.SIGINT)
    job.send_signal(signal.SIGINT)
    job.wait()
    assert os.listdir(temp_workspace / "there") == []
