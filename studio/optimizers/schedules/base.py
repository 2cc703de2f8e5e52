"""What a schedule is: a declaration that says the learning rate of every step.

Q: Why is it no part of the training step's program?
A: The rate is an input of that; so a schedule, a callback and a slider are one, and none compiles.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from studio.declare import ANY, Declared, Unread


@dataclass(frozen=True)
class Schedule(Declared):
    """Base of the schedules. They reckon in float32, as Keras does: steps end where its end."""

    family: ClassVar[str] = "optimizers.schedules"
    unread: ClassVar[Unread] = {"name": ANY}

    def at(self, step: int) -> float:
        """The rate of a step; the first is step 0."""
        return float(self.rate(np.float32(step)))

    def __call__(self, step: int) -> float:
        """As `at`, in Keras's way."""
        return self.at(step)

    def rate(self, step: np.float32) -> np.float32:
        """As `at`, in float32."""
        raise TypeError(f"{self.kind} does not say what the rate is")
