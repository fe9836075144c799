from __future__ import annotations

import pytest

from pytest_syskit.leaks.plain_labels import TMP, TMP_PATH, PlainLabels, escape

PLACES = {"/tmp": TMP, "/home/ann": "~", "/home/ann/shop": "<root>", "/opt/bin/python": "<python>"}


def plain(label, kind="fd", **detail):
    return PlainLabels(PLACES).label(kind, label, detail)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("fd 14  device  /dev/null (read)", "fd 3  device  /dev/null (read)"),
        ("fd 14  pipe:[788712] (read)", "fd 15  pipe:[1] (read)"),
        ("fd 9  socket  127.0.0.1:40312 (listening)", "fd 9  socket  127.0.0.1:1 (listening)"),
        ("fd 9  socket  172.17.0.2:1 -> 10.0.0.1:5", "fd 9  socket  10.1.1.1:3 -> 10.0.0.9:80"),
        ("fd 9  socket  @0001a (bound)", "fd 9  socket  @00f0c (bound)"),
        ("fd 5  /proc/4711/stat (read)", "fd 5  /proc/1/stat (read)"),
        ("fd 5  /a.db (read, at byte 6)", "fd 5  /a.db (read)"),
        ("fd 5  /a.db (at byte 6)", "fd 5  /a.db"),
        ("fd 5  /a.db (at byte 6, inherited by children)", "fd 5  /a.db (inherited by children)"),
        (
            "fd 5  /tmp/pytest-of-ann/pytest-7/test_a0/x (write)",
            "fd 5  /tmp/pytest-of-bob/pytest-12/popen-gw1/test_a1/x (write)",
        ),
        (
            "fd 5  /build/tmp/pytest-of-ci/pytest-current/test_a0/x (write)",
            "fd 5  /tmp/pytest-of-bob/pytest-12/test_a1/x (write)",
        ),
        ("fd 5  /tmp/tmpab1_cdef/x (write)", "fd 5  /tmp/tmpzzzzzzzz/x (write)"),
        ("fd 5  /tmp/tmpab1_cdef.log (deleted) (write)", "fd 5  /tmp/x.log (deleted) (write)"),
        ("fd 5  /srv/tmpab1_cdef (write)", "fd 5  /srv/tmpzzzzzzzz (write)"),
        ("fd 5  /dev/shm/psm_ab12cd34 (read)", "fd 5  /dev/shm/psm_00000000 (read)"),
        ("fd 5  /home/ann/shop/a.db (read)", "fd 5  <root>/a.db (read)"),
        ("fd 5  /home/ann/.shop (read)", "fd 5  ~/.shop (read)"),
        (
            "fd 5  /x/6f9619ff-8b86-d011-b42d-00cf4fc964ff (read)",
            "fd 5  /x/00000000-aaaa-bbbb-cccc-dddddddddddd (read)",
        ),
        ("fd 5  <object at 0x7f3a>", "fd 5  <object at 0x1>"),
        ("fd 5  /objects/da39a3ee5e6b4b0d (read)", "fd 5  /objects/0123456789abcdef (read)"),
        (
            "fd 0  replaced by /dev/zero; it was /dev/null before the tests",
            "fd 0  replaced by /dev/zero; it was /dev/pts/3 before the tests",
        ),
    ],
)
def test_what_changes_from_run_to_run_is_not_in_a_plain_label(one, other):
    assert plain(one) == plain(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("fd 5  device  /dev/null (read)", "fd 5  device  /dev/zero (read)"),
        ("fd 5  /a.db (read)", "fd 5  /a.db (write)"),
        ("fd 5  /a.db (read)", "fd 5  /a.db (read, inherited by children)"),
        ("fd 5  /tmp/x/a (read)", "fd 5  /tmp/x/b (read)"),
        ("fd 5  /tmp/x.log (read)", "fd 5  /tmp/x.pid (read)"),
        ("fd 5  /home/ann/shop/a (read)", "fd 5  /home/ann/shop-old/a (read)"),
        ("fd 5  socket  127.0.0.1:1 (listening)", "fd 5  socket  0.0.0.0:1 (listening)"),
        ("fd 5  /deadbeef/a (read)", "fd 5  /feedface/a (read)"),  # words, as far as one can tell
        (
            "fd 0  closed; it was /dev/null before the tests",
            "fd 1  closed; it was /dev/null before the tests",
        ),
    ],
)
def test_what_tells_two_resources_apart_stays(one, other):
    assert plain(one) != plain(other)


def test_a_process_is_its_command_whatever_its_state():
    argv = ["/opt/bin/python", "-m", "http.server", "8080"]
    running = plain(
        "process 4  running  0.3 s old  python …", "process", argv=argv, state="running"
    )
    zombie = plain("process 5  zombie  never waited for  python", "process", argv=argv)
    assert running == zombie == "<python> -m http.server #"


@pytest.mark.parametrize("name", ["python", "python3.11", "pytest", "pytest-xdist"])
def test_a_fork_is_a_fork_also_when_it_has_ended(name):
    alive = plain("process 4  running  0.3 s old  a fork of this process", "process", argv=["x"])
    dead = plain(f"process 4  zombie  never waited for  [{name}]", "process", argv=[f"[{name}]"])
    assert alive == dead == "a fork of this process"


def test_a_long_command_is_cut_after_it_was_made_plain():
    argv = ["cat", *(f"/tmp/x{n}/" + "y" * 20 for n in range(9))]
    longer = ["cat", *(f"/tmp/x{n}{n}{n}/" + "y" * 20 for n in range(9))]
    one = plain("process 1  running", "process", argv=argv)
    assert one == plain("process 1  running", "process", argv=longer)
    assert len(one) == 120


def test_labels_of_other_kinds_lose_their_numbers_too():
    assert plain("thread 140211  Thread-12 (run)", "thread") == "Thread-# (run)"
    assert plain("flag red", "flag") == "flag red"


def test_a_plain_label_is_one_line_of_text():
    assert plain("fd 5  /a\nb\tc\udcff (read)") == "/a\\nb\\tc\\udcff (read)"
    assert plain("fd 5   /a ") == "/a"
    assert escape("ä\x00") == "ä\\x00"


def test_making_plain_twice_changes_nothing():
    once = plain("fd 5  /tmp/pytest-of-a/pytest-1/test_a0/tmpabcdefgh/x1.log (write, at byte 3)")
    assert PlainLabels(PLACES).text(once) == once
    assert once == f"{TMP_PATH}/test_a#/tmp*/x#.log (write)"


def test_the_root_directory_is_no_place():
    assert PlainLabels({"/": "<root>"}).text("a: / b: /etc") == "a: / b: /etc"
