"""Let a thread run a method of an object, and find the result in the object afterwards.

Exercise C9.  A bound method carries its object along, so the thread needs neither arguments nor a
class of its own.  Traps: ``target=power.compute()`` calls the method here and now and starts a
thread with nothing to do; and the result may be read only after ``join``.
"""

from __future__ import annotations

import sys

from careful_thread import CarefulThread, run_together


class Power:
    """A power, to be computed when somebody calls :meth:`compute`.

    Attributes:
        result: the power, or ``None`` as long as it is not computed.
    """

    def __init__(self, base: int, exponent: int) -> None:
        self.result: int | None = None
        self._base = base
        self._exponent = exponent

    def compute(self) -> None:
        """Compute the power; an error if the exponent is less than 0 and the base is 0."""
        self.result = self._base**self._exponent

    def __str__(self) -> str:
        """Say it, as in ``2 ** 32 = 4294967296``."""
        return f"{self._base} ** {self._exponent} = {self.result}"


def compute_in_thread(power: Power) -> None:
    """Compute a power in a thread of its own, and wait for it.

    Raises:
        ArithmeticError: there is no such power.
    """
    run_together([CarefulThread(target=power.compute)])


def main() -> int:
    """Show it."""
    power = Power(2, 32)
    compute_in_thread(power)
    print(power)
    return 0


if __name__ == "__main__":
    sys.exit(main())
