"""Where the numbers of a weight are, once there are some."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from studio.engine.program import Array


@dataclass(frozen=True)
class Lag:
    """How far the slots of a table are behind, row by row, where a step touches only some rows.

    Q: Why does a table count its own updates, beside the optimizer's step?
    A: Two models may train it, each at a step of its own; and while it is frozen nothing shrinks.

    Attributes:
        clock: how many updates the table has had; int32, a scalar.
        touched: after which of them each row was written last; int32.
        decay: what each update a row missed would have multiplied its slots by, by slot.
    """

    clock: Array
    touched: Array
    decay: Mapping[str, float]

    def copy(self) -> "Lag":
        return Lag(self.clock.copy(), self.touched.copy(), self.decay)


@dataclass
class Cell:
    """One weight's array with what training keeps beside it.

    Attributes:
        value: the weight itself, in C order, so that executors can use it where it is.
        trained: whether training or a user gave it; False right after initialization.
        slots: the optimizer's arrays, by Keras's names; the weight's shape. Where there is a
            `lag`, rows are as they were when last touched, so that resuming is bit for bit.
        lag: since when; None where slots are what they should be.
    """

    value: Array
    trained: bool = False
    slots: dict[str, Array] = field(default_factory=dict)
    lag: Lag | None = None

    def settle(self) -> None:
        """Make up for the updates that rows have missed."""
        if self.lag is None:
            return
        missed = self.lag.clock - self.lag.touched
        for slot, decay in self.lag.decay.items():
            factor = np.power(np.float32(decay), missed, dtype=np.float32)
            self.slots[slot] = self.slots[slot] * factor[:, None]
        self.lag = None

    def start_anew(self) -> None:
        """Forget what the optimizer keeps: its next step is its first."""
        self.slots.clear()
        self.lag = None

    def copy(self, into: "Cell | None" = None) -> "Cell":
        """The same numbers in arrays of their own.

        In those of an older copy where there is one: new memory costs most of it.
        """
        lag = self.lag and self.lag.copy()
        if into is None or into.slots.keys() != self.slots.keys():
            slots = {name: array.copy() for name, array in self.slots.items()}
            return Cell(self.value.copy(), self.trained, slots, lag)
        np.copyto(into.value, self.value)
        for slot, array in self.slots.items():
            np.copyto(into.slots[slot], array)
        return Cell(into.value, self.trained, into.slots, lag)


Cells = dict[tuple[str, tuple[int, ...]], Cell]  # of one layer, by (weight's name, shape)
