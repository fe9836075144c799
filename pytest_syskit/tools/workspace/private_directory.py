"""Create a directory that nobody else can read, guess or race for."""

from __future__ import annotations

import os
import secrets

from pytest_syskit.host.real import real

_ATTEMPTS = (
    100  # names of 32 random bits: a second clash in a row means somebody is playing with us
)


def make_private_directory(root: str, prefix: str) -> str:
    """Create a directory of mode 0700, whatever the umask, and return its path.

    Args:
        root: an existing directory.
        prefix: the beginning of the new name; eight random characters follow.

    Raises:
        OSError: the root does not exist, is no directory or may not be written; says so.
    """
    for _ in range(_ATTEMPTS):
        path = os.path.join(root, prefix + secrets.token_hex(4))
        try:
            real.mkdir(path, 0o700)
        except FileExistsError:
            continue
        except OSError as error:
            why = f"cannot make a private directory in {root!r}: {error.strerror}"
            raise OSError(error.errno, why) from None
        real.chmod(path, 0o700)  # the umask may have taken bits away
        return path
    raise FileExistsError(
        f"cannot make a private directory in {root!r}: all {_ATTEMPTS} names taken"
    )
