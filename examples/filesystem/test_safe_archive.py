"""What is packed comes back; what would land elsewhere is not unpacked at all (exercise D14)."""
# ruff: noqa: ANN002, ANN202, SLF001  # makers of archives; one stand-in, as nothing else can fail there

from __future__ import annotations

import io
import ntpath
import os
import shutil
import stat
import sys
import tarfile
import zipfile

import pytest
import safe_archive as module
from archive_members import Member, UnsafeArchive, require_safe
from safe_archive import formats, pack, unpack

from pytest_syskit import Executable, Fifo, File, HardLink, Symlink, UnixSocket

pytestmark = pytest.mark.posix_only
TREE = {
    "a.txt": "a",
    "run": Executable("exit 0"),
    "empty": {},
    "sub": {"deep": {"b": b"\0" * 70_000}, "two\nlines": "", "ünï": "x"},
    "old": File("from before zip", mtime=0),
}
LINKS = {"link": Symlink("sub/deep/b"), "up": {"l": Symlink("../a.txt")}, "dangling": Symlink("no")}


def tar_with(path, *members):
    """Write a tar archive of (name, type, target) or (name, content)."""
    with tarfile.open(path, "w") as tar:
        for name, *rest in members:
            entry = tarfile.TarInfo(name)
            if len(rest) == 1:
                entry.size = len(rest[0])
                tar.addfile(entry, io.BytesIO(rest[0]))
            else:
                entry.type, entry.linkname = rest
                tar.addfile(entry)
    return path


def zip_with(path, *members):
    with zipfile.ZipFile(path, "w") as packed:
        for name, content in members:
            packed.writestr(name, content)
    return path


@pytest.fixture
def refused(temp_workspace):
    """Check that an archive is refused for a reason, and that nothing at all comes from it."""

    def check(archive, match):
        before = temp_workspace.snapshot()
        with pytest.raises(UnsafeArchive, match=match):
            unpack(archive, temp_workspace / "new")
        assert not temp_workspace.diff(before)

    return check


def test_the_formats_of_the_row_are_there():
    assert {"zip", "tar", "gztar"} <= set(formats())


def test_a_format_that_somebody_registered_is_none_of_ours():
    shutil.register_archive_format("ours", print)
    try:
        assert "ours" not in formats()
    finally:
        shutil.unregister_archive_format("ours")


@pytest.mark.parametrize("kind", formats())
def test_what_is_packed_comes_back_with_its_modes(temp_workspace, leak_check, kind):
    tree = TREE if kind == "zip" else {**TREE, **LINKS}
    temp_workspace.populate({"t": tree})
    with leak_check():
        assert pack(temp_workspace / "t", temp_workspace / "archive", kind) == []
        names = unpack(temp_workspace / "archive", temp_workspace / "back")
    assert [name.rstrip("/") for name in names][:3] == ["a.txt", *sorted(tree)[1:3]]
    before, after = ({} for _ in range(2))
    for found, root in ((before, "t"), (after, "back")):
        for folder, directories, files in os.walk(temp_workspace / root):
            for name in [*directories, *files]:
                path = os.path.join(folder, name)
                status = os.lstat(path)
                content = os.readlink(path) if stat.S_ISLNK(status.st_mode) else None
                if stat.S_ISREG(status.st_mode):
                    with open(path, "rb") as file:
                        content = file.read()
                relative = os.path.relpath(path, temp_workspace / root)
                found[relative] = (status.st_mode, content)
    assert after == before


def test_each_format_is_what_it_says(temp_workspace):
    temp_workspace.populate({"t": {"a": ""}})
    signs = {"zip": b"PK\3\4", "gztar": b"\x1f\x8b", "bztar": b"BZh", "xztar": b"\xfd7zXZ"}
    for kind in formats():
        pack(temp_workspace / "t", temp_workspace / kind, kind)
        content = (temp_workspace / kind).read_bytes()
        assert content[257:262] == b"ustar" if kind == "tar" else content.startswith(signs[kind])


def test_what_an_archive_cannot_hold_is_named(temp_workspace):
    temp_workspace.populate(
        {"t": {"fifo": Fifo(), "d": {"s": UnixSocket()}, "l": Symlink("x"), "x": ""}}
    )
    assert pack(temp_workspace / "t", temp_workspace / "t.tar", "tar") == ["d/s", "fifo"]
    assert pack(temp_workspace / "t", temp_workspace / "t.zip", "zip") == ["d/s", "fifo", "l"]


def test_hard_links_in_a_tar_archive_come_back(temp_workspace):
    temp_workspace.populate({"t": {"a": "1", "b": HardLink("t/a")}})
    pack(temp_workspace / "t", temp_workspace / "t.tar", "tar")
    unpack(temp_workspace / "t.tar", temp_workspace / "back")
    assert os.path.samefile(temp_workspace / "back" / "a", temp_workspace / "back" / "b")


@pytest.mark.parametrize("place", ["t/x.zip", "t/sub/x.zip", "link/x.zip"])
def test_an_archive_in_what_it_packs_is_refused(temp_workspace, place):
    before = temp_workspace.populate({"t": TREE, "link": Symlink("t/sub")}).snapshot()
    with pytest.raises(ValueError, match="in itself"):
        pack(temp_workspace / "t", temp_workspace / place, "zip")
    assert not temp_workspace.diff(before)


def test_an_archive_here_of_a_directory_beside_is_no_archive_in_itself(temp_workspace):
    temp_workspace.populate({"t": TREE, "t2": {}})
    with temp_workspace.chdir("t2"):
        pack("../t", "x.zip", "zip")
    assert (temp_workspace / "t2" / "x.zip").exists()


def test_an_unknown_format_names_the_known_ones(temp_workspace):
    with pytest.raises(ValueError, match=r"kind='rar': one of .*gztar.*zip is expected"):
        pack(temp_workspace, temp_workspace / "x", "rar")


@pytest.mark.parametrize("kind", ["zip", "gztar"])
def test_an_error_while_packing_leaves_the_old_archive(temp_workspace, monkeypatch, kind):
    temp_workspace.populate({"t": TREE, "archive": "the old one"})
    entries = module._entries

    def interrupted(source):
        yield next(entries(source))
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "_entries", interrupted)
    before = temp_workspace.snapshot()
    with pytest.raises(KeyboardInterrupt):
        pack(temp_workspace / "t", temp_workspace / "archive", kind)
    assert not temp_workspace.diff(before)


@pytest.mark.parametrize(
    ("name", "match"),
    [
        ("../x", "leads out"),
        ("a/../../x", "leads out"),
        ("a/../x", "leads out"),
        ("..", "leads out"),
        ("/etc/x", "is an absolute path"),
        ("//x", "is an absolute path"),
    ],
)
def test_names_that_climb_or_are_absolute_are_refused(temp_workspace, refused, name, match):
    first = ("good", b"x")
    refused(tar_with(temp_workspace / "t", first, (name, b"x")), f"'{name}' {match}")
    refused(zip_with(temp_workspace / "z", first, (name, b"x")), f"'{name}' {match}")


SYM, HARD = tarfile.SYMTYPE, tarfile.LNKTYPE


@pytest.mark.parametrize(
    "members",
    [
        [("l", SYM, "/etc")],
        [("l", SYM, "..")],
        [("d/l", SYM, "../../x")],
        [("d/l", SYM, "a/../../../x")],
        [("top", SYM, "."), ("out", SYM, "top/..")],  # climbs from where a link leads
        [("d/l", SYM, ".."), ("l2", SYM, "d/l/..")],
        [("l", SYM, "d"), ("l/x", b"")],  # harmless itself, but then nothing can be checked by name
        [("l/x", b""), ("l", SYM, "d")],
        [("l", SYM, "x"), ("l", b"")],  # written through the link
        [("h", HARD, "../../etc/passwd")],
        [("h", HARD, "/etc/passwd")],
        [("a/b/l", SYM, "../.."), ("h", HARD, "a/b/l")],  # the same link from another place
        [("h", HARD, "missing")],
        [(".", SYM, "x")],
        [("null", tarfile.CHRTYPE, "")],
        [("fifo", tarfile.FIFOTYPE, "")],
    ],
    ids=str,
)
def test_links_that_lead_out_and_entries_that_are_no_files_are_refused(
    temp_workspace, refused, members
):
    refused(tar_with(temp_workspace / "t", *members), f"'{members[-1][0]}' |'l/x' |'l' ")


def test_links_that_stay_inside_are_unpacked(temp_workspace):
    members = [("d/e/l", SYM, "../../x"), ("x", b"1"), ("l", SYM, "d"), ("h", HARD, "x")]
    unpack(tar_with(temp_workspace / "t", *members), temp_workspace / "new")
    assert (temp_workspace / "new" / "l" / "e" / "l").read_bytes() == b"1"
    assert (temp_workspace / "new" / "h").read_bytes() == b"1"


def test_of_two_files_of_one_name_the_later_counts(temp_workspace):
    archive = tar_with(temp_workspace / "t", ("a", b"old and long"), ("a", b"new"))  # as "tar -r"
    unpack(archive, temp_workspace / "new")
    assert (temp_workspace / "new" / "a").read_bytes() == b"new"


def test_names_may_begin_with_a_dot_and_hold_two(temp_workspace):
    archive = tar_with(temp_workspace / "t", ("./a", b"1"), ("..b", b"2"), ("c..", b"3"))
    unpack(archive, temp_workspace / "new")
    assert sorted(os.listdir(temp_workspace / "new")) == ["..b", "a", "c.."]


@pytest.mark.parametrize(
    "name", ["C:x", "C:\\x", "\\x", "a\\..\\..\\x", "\\\\host\\share\\x", "/x"]
)
def test_the_ways_out_on_windows_are_known_there(name):
    with pytest.raises(UnsafeArchive):
        require_safe([Member(name, "file")], ntpath)


def test_a_zip_archive_with_a_link_or_a_secret_is_refused(temp_workspace, refused):
    link = zipfile.ZipInfo("l")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    refused(zip_with(temp_workspace / "z", (link, "/etc")), "'l' is a link or device")
    secret = zip_with(temp_workspace / "s", ("x", "y"))
    content = bytearray(secret.read_bytes())
    content[content.index(b"PK\1\2") + 8] |= 1  # the flag in the list at the end
    secret.write_bytes(content)
    refused(secret, "'x' is a file that needs a password")


@pytest.mark.parametrize("write", [tar_with, zip_with])
def test_an_archive_holds_no_more_than_allowed(temp_workspace, write):
    archive = write(temp_workspace / "x", ("a", bytes(600)), ("b", bytes(600)))
    with pytest.raises(UnsafeArchive, match="'b' would make it 1200 bytes, and 1199 are allowed"):
        unpack(archive, temp_workspace / "new", most_bytes=1199)
    assert os.listdir(temp_workspace) == ["x"]
    unpack(archive, temp_workspace / "new", most_bytes=1200)


def test_an_archive_that_goes_on_behind_its_end_is_refused(temp_workspace, refused):
    path = tar_with(temp_workspace / "t", ("a", b"1"))
    with open(path, "ab") as file:
        file.truncate(2**20 + 20_000)
    refused(path, "more than 1048576 bytes follow")


def test_a_target_that_exists_is_left_alone(temp_workspace):
    archive = tar_with(temp_workspace / "t", ("a", b"1"))
    before = temp_workspace.populate({"new": {}, "link": Symlink("nowhere")}).snapshot()
    for name in ("new", "link"):
        with pytest.raises(FileExistsError, match=name):
            unpack(archive, temp_workspace / name)
    assert not temp_workspace.diff(before)


def test_an_error_while_unpacking_leaves_nothing(temp_workspace):
    archive = tar_with(temp_workspace / "t", ("a", b"1"), ("a/b", b"a file in a file"))
    before = temp_workspace.snapshot()
    with pytest.raises(OSError, match="a"):
        unpack(archive, temp_workspace / "new")
    assert not temp_workspace.diff(before)


@pytest.mark.parametrize("kind", formats())
@pytest.mark.parametrize("damage", ["cut", "changed", "text"])
def test_a_damaged_archive_is_an_error_and_leaves_nothing(temp_workspace, kind, damage):
    temp_workspace.populate({"t": {"x": os.urandom(50_000), "y": os.urandom(50_000)}})
    pack(temp_workspace / "t", temp_workspace / "x", kind)
    content = bytearray((temp_workspace / "x").read_bytes())
    if damage == "changed":  # in the list of a tar archive: its content has no checksum
        middle = 150 if kind == "tar" else len(content) // 2
        content[middle : middle + 20] = bytes(20)
    (temp_workspace / "x").write_bytes(
        b"no archive\n"
        if damage == "text"
        else content[: len(content) - 30_000 * (damage == "cut")]
    )
    before = temp_workspace.snapshot()
    with pytest.raises((ValueError, OSError)):
        unpack(temp_workspace / "x", temp_workspace / "new")
    assert not temp_workspace.diff(before)


@pytest.fixture(params=["with the filter", "without it"])
def _old_and_new_tarfile(request, monkeypatch):
    if request.param == "without it":
        if sys.version_info >= (3, 12):
            pytest.skip("every tarfile of this version has the filter")
        monkeypatch.setattr(module, "_FILTER", {})


@pytest.mark.usefixtures("_old_and_new_tarfile")
@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_what_is_unpacked_has_no_special_mode(temp_workspace, kind):
    modes = {"x": 0o4777, "y": 0o400, "z": 0o666}
    temp_workspace.populate({"t": {name: File("", mode=mode) for name, mode in modes.items()}})
    pack(temp_workspace / "t", temp_workspace / "archive", kind)
    unpack(temp_workspace / "archive", temp_workspace / "new")
    unpacked = {
        each.name: stat.S_IMODE(each.stat().st_mode) for each in os.scandir(temp_workspace / "new")
    }
    assert unpacked == {"x": 0o755, "y": 0o600, "z": 0o644}


@pytest.mark.usefixtures("_old_and_new_tarfile")
def test_directories_that_nobody_may_enter_are_filled_all_the_same(temp_workspace):
    with tarfile.open(temp_workspace / "t", "w") as tar:
        shut = tarfile.TarInfo("shut")
        shut.type, shut.mode = tarfile.DIRTYPE, 0
        tar.addfile(shut)
        tar.addfile(tarfile.TarInfo("shut/x"))
    unpack(temp_workspace / "t", temp_workspace / "new")
    mode = stat.S_IMODE((temp_workspace / "new" / "shut").stat().st_mode)
    assert mode & stat.S_IRWXU == stat.S_IRWXU


def test_in_a_zip_archive_modes_count_for_files_that_have_one(temp_workspace):
    entries = {"file": stat.S_IFREG | 0o700, "from windows": 0, "shut/": stat.S_IFDIR}
    with zipfile.ZipFile(temp_workspace / "z", "w") as packed:
        for name, mode in entries.items():
            entry = zipfile.ZipInfo(name)
            entry.external_attr = mode << 16 | 0x20  # the lower half is what Windows writes
            packed.writestr(entry, "")
    (temp_workspace / "plain").touch()
    unpack(temp_workspace / "z", temp_workspace / "new")
    modes = {
        each.name: stat.S_IMODE(each.stat().st_mode) for each in os.scandir(temp_workspace / "new")
    }
    assert modes["file"] == 0o700
    assert modes["from windows"] == stat.S_IMODE((temp_workspace / "plain").stat().st_mode)
    assert modes["shut"] & stat.S_IRWXU == stat.S_IRWXU


@pytest.mark.requires_root
@pytest.mark.usefixtures("_old_and_new_tarfile")
def test_files_belong_to_who_unpacks_them(temp_workspace):
    with tarfile.open(temp_workspace / "t", "w") as tar:
        entry = tarfile.TarInfo("x")
        entry.uid, entry.gid, entry.uname = 12345, 12345, "nobody"
        tar.addfile(entry)
    unpack(temp_workspace / "t", temp_workspace / "new")
    found = (temp_workspace / "new" / "x").stat()
    assert (found.st_uid, found.st_gid) == (os.geteuid(), os.getegid())


def test_the_new_directory_has_the_mode_that_the_umask_leaves(temp_workspace):
    before = os.umask(0o027)
    try:
        unpack(tar_with(temp_workspace / "t", ("a", b"")), temp_workspace / "new")
        assert os.umask(0o027) == 0o027
    finally:
        os.umask(before)
    assert stat.S_IMODE((temp_workspace / "new").stat().st_mode) == 0o750
