"""What owns a descriptor is told by its type; nobody is asked."""

from __future__ import annotations

import os
import threading

from pytest_syskit.detectors import holders
from pytest_syskit.host.descriptors import owning_objects


class Touchy:
    """As what pyfakefs leaves behind: whoever looks at it gets an error."""

    def __getattribute__(self, name):
        raise AssertionError(name)


class Liar:
    """Says that it is a thread, as proxies and mocks do."""

    __class__ = threading.Thread  # type: ignore[assignment]  # the lie


def test_a_file_owns_its_descriptor_until_it_is_closed():
    with open(os.devnull, "rb", buffering=0) as file:
        assert owning_objects.descriptor_of(file) == file.fileno()
    assert owning_objects.descriptor_of(file) is None


def test_an_object_that_cannot_be_asked_owns_nothing():
    touchy = Touchy()
    assert owning_objects.descriptor_of(touchy) is None
    assert owning_objects.process_of(touchy) is None
    assert holders.held([touchy, [touchy]], []) == set()


def test_an_object_is_what_its_type_says_and_not_what_it_says():
    liar = Liar()
    assert isinstance(liar, threading.Thread)
    assert not owning_objects.is_a(liar, threading.Thread)
    assert owning_objects.is_a(True, int, str)
