"""What every test here may use."""

import pytest

pytest_plugins = ["pytester"]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Give each file to one worker, as ``--dist=loadfile`` does.

    What several files are about is a run of pytest in a fixture of the module: by default each
    worker would make it anew.
    """
    from xdist.scheduler import LoadFileScheduling  # noqa: PLC0415  # only where xdist is

    return LoadFileScheduling(config, log) if config.getoption("dist") == "load" else None
