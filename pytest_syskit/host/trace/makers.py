"""Which thread has made a descriptor that is new, when several may have."""

from __future__ import annotations

from .calls import Call
from .descriptor_births import DescriptorBirths
from .moment import NOBODY, Moment

Suspects = dict[int, "Call | None"]  # other threads, with the calls they are in


def maker_of(fd: int, moment: Moment, suspects: Suspects, births: DescriptorBirths) -> int:
    """Return the thread that has made a number, or ``NOBODY`` if that cannot be said."""
    me, reserved = moment.turn.thread, births.reserved
    if births.puzzled or (births.mixed and not moment.bounded):
        return NOBODY
    if fd in reserved:
        who = reserved.pop(fd) or NOBODY
        return who if who == me or who in suspects else NOBODY
    mode, waiting = births.mode(fd), set(reserved.values())
    able = {
        thread: call
        for thread, call in suspects.items()
        if thread not in waiting and (call is None or call.makes(mode))
    }
    return moment.choose(able)


def note_reserved(suspects: Suspects, births: DescriptorBirths) -> None:
    """Say whose a number is that leads nowhere yet, if only one thread may wait for it."""
    reserved = births.reserved
    able = [thread for thread in suspects if thread not in reserved.values()]
    unknown = [fd for fd, who in reserved.items() if who is None]
    call = suspects[able[0]] if len(able) == len(unknown) == 1 else None
    if call is not None and call.reserves:
        reserved[unknown[0]] = able[0]
