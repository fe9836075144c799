"""Our fixtures in tests that have a fake file system: they work, or say what does not."""

from __future__ import annotations

import os

import pytest

pytest.importorskip("pyfakefs", reason="needs pytest-syskit[fakefs]")
as_root = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="becomes another user"
)


@pytest.fixture
def run(pytester, monkeypatch):
    """Run tests in a process of its own, with pyfakefs and our plugin; the first has no base yet."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")

    def _run(body, *arguments):
        pytester.makepyfile(body)
        command = ["-p", "syskit", "-p", "pyfakefs.pytest_plugin", "-p", "no:cacheprovider"]
        return pytester.runpytest_subprocess(*command, *arguments, timeout=60)

    return _run


def passes(run, body, number=1):
    result = run(body, "--syskit-leaks=fail", "--syskit-leak-kinds=all")
    result.assert_outcomes(passed=number)
    return result


@pytest.mark.parametrize("order", ["fs, temp_workspace", "temp_workspace, fs"])
def test_temp_workspace_is_on_the_true_file_system(run, order):
    passes(
        run,
        f"""
        import os, posix
        from pytest_syskit import Fifo, Symlink

        def test_it({order}):
            fs.create_file("/fake/a")
            temp_workspace.populate({{"a": "spam", "f": Fifo(), "l": Symlink("a")}})
            before = temp_workspace.snapshot()
            temp_workspace.populate({{"sub": {{"b": "ham"}}}})
            assert temp_workspace.diff(before).added == ("sub", "sub/b")
            assert posix.stat(temp_workspace.path / "a").st_size == 4
            assert not os.path.exists(temp_workspace / "a")
            with temp_workspace.chdir("sub"):
                assert posix.listdir(".") == ["b"]

        def test_others_find_their_directory(tmp_path):
            assert tmp_path.is_dir()
        """,
        number=2,
    )


def test_the_code_under_test_sees_the_workspace_when_it_is_added_to_the_fake(run):
    passes(
        run,
        """
        def test_it(temp_workspace, fs):
            temp_workspace.populate({"a": "spam"})
            fs.add_real_directory(temp_workspace.path)
            assert (temp_workspace / "a").read_text() == "spam"
        """,
    )


def test_a_forked_child_has_the_fake_and_reports_through_the_true_one(run):
    passes(
        run,
        """
        import os, posix
        from pytest_syskit import Exited, Raised

        def read(path):
            print("reading", path)
            with open(path) as file:
                return file.read()

        def test_it(fs, fork_runner):
            fs.create_file("/fake/a", contents="spam")
            result = fork_runner.run(read, "/fake/a")
            assert (result.unwrap(), result.stdout) == ("spam", "reading /fake/a\\n")
            assert isinstance(fork_runner.run(read, "/missing").error, FileNotFoundError)
            assert fork_runner.run(posix._exit, 3) == Exited(3)
            assert len(fork_runner.run(bytes, 1 << 20).unwrap()) == 1 << 20  # more than a slate

        def test_a_leak_in_the_child_is_seen(fs, fork_runner):
            result = fork_runner.run(posix.open, "/dev/zero", posix.O_WRONLY)
            assert [each.target for each in result.leaks] == ["/dev/zero"]
        """,
        number=2,
    )


@as_root
def test_a_forked_child_is_another_user_whatever_the_fake_says(run):
    passes(
        run,
        """
        import os, posix

        def test_it(fs, fork_runner):
            assert fork_runner.run(posix.getuid, user="nobody").unwrap() == 65534
            assert fork_runner.run(os.getuid, user="nobody").unwrap() == os.getuid()  # the fake
        """,
    )


def test_leak_check_sees_what_is_real_and_nothing_that_is_fake(run):
    passes(
        run,
        """
        import os, posix
        import pytest
        from pytest_syskit import LeaksFound

        def test_fake(fs, leak_check):
            with leak_check():
                file = open("/fake", "w")

        def test_descriptor(fs, leak_check):
            with leak_check(expect="fd") as check:
                fd = posix.open("/dev/zero", posix.O_RDONLY)
            posix.close(fd)
            assert check.left[0].detail["target"] == "/dev/zero"
            assert check.left[0].detail["mode"] == "r"

        def test_writing(fs, leak_check):
            with leak_check(expect="fd") as check:
                fd = posix.open("/dev/zero", posix.O_WRONLY)
            posix.close(fd)
            assert check.left[0].detail["mode"] == "w"

        def test_process(fs, leak_check):
            with pytest.raises(LeaksFound, match="zombie"):
                with leak_check():
                    pid = posix.fork()
                    if pid == 0:
                        posix._exit(0)
                    posix.waitid(posix.P_PID, pid, posix.WEXITED | posix.WNOWAIT)
            posix.waitpid(pid, 0)
        """,
        number=4,
    )


@pytest.mark.parametrize("order", ["fs", "fs, temp_workspace", "temp_workspace, fs"])
def test_the_detector_charges_the_test_that_leaks_beside_a_fake(run, order):
    result = run(
        f"""
        import posix

        def test_fake({order}):
            KEPT.append(open("/fake", "w"))

        def test_real({order}):
            posix.open("/dev/zero", posix.O_WRONLY)

        def test_after():
            pass

        KEPT = []
        """,
        "--syskit-leaks=fail",
    )
    result.assert_outcomes(passed=3, errors=1)
    result.stdout.fnmatch_lines(
        ["*::test_real left 1 file descriptor behind", "  fd *  device  /dev/zero (write)"]
    )


def test_channels_work_beside_a_fake(run):
    passes(
        run,
        """
        import posix
        import pytest

        def test_it(fs, fifo_pair, pipe_pair, socket_pair, pty_pair):
            for pair in (fifo_pair, pipe_pair, socket_pair, pty_pair):
                pair.writer.write(b"spam\\n")
                assert pair.reader.read_line() == b"spam\\n"
            assert pty_pair.size == (24, 80)

        def test_plain_ends(fs, fifo_pair, pipe_pair):
            for pair in (fifo_pair, pipe_pair):
                fd = pair.writer.blocking()
                posix.write(fd, b"spam")
                assert pair.reader.unread() == 4
                posix.close(fd)
                assert pair.reader.read_until_eof() == b"spam"

        def test_a_program(fs, pty_pair):
            with pytest.raises(RuntimeError, match=r"cannot start 'true': .* fs\\.pause\\(\\)"):
                pty_pair.spawn(["true"])
            fs.pause()
            assert pty_pair.spawn(["true"]).wait() == 0
            fs.resume()
        """,
        number=3,
    )


def test_process_factory_starts_while_the_fake_pauses(run):
    passes(
        run,
        """
        import pytest
        from pytest_syskit import ProcessNotStarted

        def test_it(fs, process_factory):
            with pytest.raises(ProcessNotStarted, match=r"'cat': os\\.read is replaced.*pause"):
                process_factory(["cat"])
            fs.pause()
            program = process_factory(["cat"])
            fs.resume()
            program.send_line("spam")
            program.expect("spam")
            program.until(lambda: "spam" in program.stdout)
        """,
    )


@pytest.mark.parametrize("order", ["fs, fake_env", "fake_env, fs"])
def test_fake_env_is_on_the_true_file_system(run, order):
    passes(
        run,
        f"""
        import os, posix

        def test_it({order}):
            ping = fake_env.stub_command("ping", stdout="pong")
            assert posix.access(fake_env.bin / "ping", posix.X_OK)
            assert os.environ["HOME"] == str(fake_env.home)
            assert ping.calls == []

        def test_others_find_their_directory(tmp_path):
            assert tmp_path.is_dir()
        """,
        number=2,
    )


def test_a_whole_test_with_a_fake_runs_in_a_fork(run):
    passes(
        run,
        """
        import os
        import pytest

        @pytest.mark.run_in_fork
        def test_it(fs):
            fs.create_file("/fake")
            assert os.listdir("/").count("fake") == 1
        """,
    )
