"""A suite of tests of every kind, of any size, to be run twice and compared."""

from __future__ import annotations

HEAD = """
import logging, os, subprocess, sys, unittest, warnings
import pytest

@pytest.fixture
def said(): print("set-up speaks"); yield 1; print("tear-down speaks")
@pytest.fixture
def broken(): print("before"); raise RuntimeError("set-up")
@pytest.fixture
def breaking(): yield; print("going"); raise RuntimeError("tear-down")
@pytest.fixture(scope="module")
def wide(): print("wide up"); logging.warning("wide log"); yield [1]; print("wide down")
@pytest.fixture(scope="module")
def broken_wide(): print("wide breaks"); raise RuntimeError("wide set-up")
@pytest.fixture(scope="module", params=["a", "b"])
def each(request): return request.param
@pytest.fixture(scope="module")
def breaking_wide(): yield; print("breaking"); raise RuntimeError("wide tear-down")
@pytest.fixture(scope="module")
def once(): open(f"{__file__}.once", "x").close()
"""

KINDS = [
    """def test_%d(): pass""",
    """def test_%d(): print("out"); print("err", file=sys.stderr); logging.warning("log"); assert [%d] == [-1]""",
    """def test_%d(): pytest.skip("reason %d")""",
    """@pytest.mark.skip(reason="mark %d")
def test_%d(broken_wide): pass""",
    """@pytest.mark.skipif("True", reason="if %d")
def test_%d(): pass""",
    """@pytest.mark.xfail(reason="x %d")
def test_%d(): print("x"); assert 0""",
    """@pytest.mark.xfail(run=False)
def test_%d(broken_wide): assert 0""",
    """@pytest.mark.xfail(reason="xp %d")
def test_%d(): pass""",
    """@pytest.mark.xfail(strict=True, reason="xs %d")
def test_%d(): pass""",
    """@pytest.mark.xfail(raises=KeyError)
def test_%d(): raise ValueError(%d)""",
    """def test_%d(): pytest.xfail("imperative %d")""",
    # The wide fixture's error is this test's, if it is the last of its module.
    """@pytest.mark.xfail
def test_%d(breaking_wide): pass""",
    """def test_%d(broken): pass""",
    """def test_%d(breaking): print("in call")""",
    '''def test_%d(breaking): assert 0, "both"''',
    """def test_%d(broken_wide): pass""",
    """def test_%d(wide, said): print("called"); assert wide == [2]""",
    """def test_%d(said, once): os.write(1, b"raw\\n"); subprocess.run(["echo", "from C"]); assert 0""",
    """def test_%d(once): warnings.warn("take care %d")""",
    """def test_%d(record_property): record_property("n", %d); warnings.warn("w", DeprecationWarning)""",
    """@pytest.mark.parametrize("n", [1, 2, "three", None])
def test_%d(n): print(n); assert n != 2""",
    """@pytest.mark.parametrize("n", [1, pytest.param(2, marks=pytest.mark.xfail), pytest.param(3, marks=pytest.mark.skip)])
@pytest.mark.parametrize("m", ["a", "b"])
def test_%d(n, m): assert n == 1""",
    '''def test_%d(each): print(each); assert each == "a"''',
    """class Test%d:
    def setup_method(self): print("method up")
    def teardown_method(self): print("method down")
    def test_a(self): pass
    def test_b(self): assert self is None
    def test_c(self, broken): pass""",
    """class Test%d(unittest.TestCase):
    @classmethod
    def setUpClass(cls): print("class up"); cls.value = 1
    @classmethod
    def tearDownClass(cls): print("class down")
    def setUp(self): print("up")
    def tearDown(self): print("down")
    def test_a(self): self.assertEqual(self.value, 1)
    def test_b(self): print("spoke"); self.assertEqual(self.value, 2)
    @unittest.skip("no")
    def test_c(self): pass
    def test_d(self): self.skipTest("inside")
    @unittest.expectedFailure
    def test_e(self): assert 0
    @unittest.expectedFailure
    def test_f(self): pass""",
    """def test_%d(capsys): print("mine"); assert capsys.readouterr().out == "mine\\n"; print("rest"); assert 0""",
    '''def test_%d(capfd): os.system("echo sub"); assert capfd.readouterr().out == "sub\\n"''',
    """def test_%d(tmp_path, monkeypatch): monkeypatch.setenv("SPAM", "1"); (tmp_path / "x").write_text("y"); assert not os.listdir(tmp_path)""",
    """def test_%d(caplog): logging.error("held"); assert caplog.messages == ["held"]; raise KeyError("nope")""",
    """def test_%d():
    try: 1 / 0
    except ZeroDivisionError as error: raise ValueError("chained") from error""",
    """def test_%d(): sys.exit(3)""",
    """def test_%d(request): request.addfinalizer(lambda: print("final")); pytest.fail("plain %d", pytrace=False)""",
    """def test_%d(nowhere): pass""",
    """def test_%d(breaking_wide, said): pass""",
    """def test_%d(said): print("x" * 100_000); assert 0""",
]  # fmt: skip

# From pytest 9 on.
SUBTESTS = """def test_%d(subtests):
    for k in range(3):
        with subtests.test(msg="k", k=k): print("sub", k); assert k != 1"""


def modules(functions: int, *, subtests: bool) -> dict[str, str]:
    """Return the texts of modules with 40 test functions each, by name."""
    kinds = [*KINDS, SUBTESTS] if subtests else KINDS
    texts: dict[str, str] = {}
    for number in range(functions):
        kind = kinds[number % len(kinds)]
        name = f"test_part_{number // 40}"
        texts.setdefault(name, HEAD)
        texts[name] += "\n" + kind.replace("%d", str(number)) + "\n"
    return texts
